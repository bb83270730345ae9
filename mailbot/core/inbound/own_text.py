"""A reply without our own sentences: quoted below or around a filled-in form they are nobody's comments."""

from collections.abc import Sequence

from mailbot.core.form.labels import MailLine
from mailbot.core.form.quotes import announcement_height, is_quote, without_quote_marks

#: A line of this length may be part of one of ours, wrapped elsewhere; a shorter one must be a whole line of ours.
_PARTIAL_FROM = 30


def without_our_text(text: str, sent: str) -> str:
    """``text`` without quoted lines of ``sent``, our own mail, and without the lines that announce the quote.

    A form that was filled in stays whole: fields that we sent filled in may complete what the customer writes.
    """
    ours = _OurText(sent)
    lines = text.splitlines()
    rest: list[str] = []
    quoted: set[int] = set()  # numbers of the lines in ``rest`` that are ours
    at, below_quote = 0, False
    while at < len(lines):
        height = announcement_height(lines, at)
        if height and ours.begins(lines, at + height):
            at, below_quote = at + height, True
            continue
        if ours.contains(lines[at]):
            is_sentence = len(lines[at]) >= _PARTIAL_FROM and MailLine(lines[at]).key is None
            below_quote = below_quote or is_sentence
            if below_quote or is_quote(lines[at]):
                quoted.add(len(rest))
        rest.append(lines[at])
        at += 1
    kept = _lines_to_keep(rest, quoted)
    return "\n".join(line for n, line in enumerate(rest) if n in kept or not line)


def _lines_to_keep(lines: Sequence[str], quoted: set[int]) -> set[int]:
    """The numbers of the customer's lines; of the whole form as well, if the customer filled in the quoted form."""
    fields = {n for n, line in enumerate(lines) if _has_words(line) and MailLine(line).key is not None}
    own = {n for n, line in enumerate(lines) if n not in quoted and _has_words(line)}
    form = quoted & fields
    first, last = min(form, default=0), max(form, default=0)
    if not (own & fields or any(first < n < last for n in own)):
        return own
    return own | fields | {n for n, line in enumerate(lines) if not _has_words(line)}


class _OurText:
    """The text that we sent, for lines that mail programs may have wrapped elsewhere."""

    def __init__(self, sent: str) -> None:
        lines = [" ".join(line.split()) for line in sent.splitlines()]
        self._lines, self._whole = frozenset(lines), " ".join(lines)

    def contains(self, line: str) -> bool:
        words = " ".join(without_quote_marks(line).split())
        return bool(words) and (words in self._lines or (len(words) >= _PARTIAL_FROM and words in self._whole))

    def begins(self, lines: Sequence[str], at: int) -> bool:
        """Whether the first line with words from there on is ours."""
        return next((self.contains(lines[n]) for n in range(at, len(lines)) if _has_words(lines[n])), False)


def _has_words(line: str) -> bool:
    return bool(line.strip(" >\t"))
