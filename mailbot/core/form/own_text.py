"""A mail that answers one of ours, without our sentences: quoted below or around a form they are nobody's comments."""

from collections.abc import Sequence

from mailbot.core.form.labels import MailLine
from mailbot.core.form.quotes import announced, is_quote, unquoted

#: A line so long may be a part of one of ours, broken elsewhere; a shorter one must be the whole of it.
_BROKEN_FROM = 30


def without_ours(text: str, sent: str) -> str:
    """``text`` without the quoted lines that stand in ``sent``, and without those that announce the quote.

    A form that was filled in stays whole: what was sent blank may be all that the customer writes.
    """
    ours = _Ours(sent)
    lines = text.splitlines()
    rest: list[str] = []
    held: set[int] = set()
    at, below = 0, False
    while at < len(lines):
        width = announced(lines, at)
        if width and ours.begin(lines, at + width):
            at, below = at + width, True
            continue
        if ours.hold(lines[at]):
            below = below or (len(lines[at]) >= _BROKEN_FROM and MailLine(lines[at]).key is None)  # a sentence of ours
            if below or is_quote(lines[at]):
                held.add(len(rest))
        rest.append(lines[at])
        at += 1
    fields = {n for n, line in enumerate(rest) if _says(line) and MailLine(line).key is not None}
    form = held & fields
    own = {n for n, line in enumerate(rest) if n not in held and _says(line)}
    first, last = min(form, default=0), max(form, default=0)
    filled = own & fields or any(first < n < last for n in own)
    kept = own | fields | {n for n, line in enumerate(rest) if not _says(line)} if filled else own
    return "\n".join(line for n, line in enumerate(rest) if n in kept or not line)


class _Ours:
    """The text that was sent; mail programs may have broken its lines elsewhere."""

    def __init__(self, sent: str) -> None:
        lines = [" ".join(line.split()) for line in sent.splitlines()]
        self._lines, self._whole = frozenset(lines), " ".join(lines)

    def hold(self, line: str) -> bool:
        words = " ".join(unquoted(line).split())
        return bool(words) and (words in self._lines or (len(words) >= _BROKEN_FROM and words in self._whole))

    def begin(self, lines: Sequence[str], at: int) -> bool:
        """Whether the first words from there on are ours."""
        return next((self.hold(lines[n]) for n in range(at, len(lines)) if _says(lines[n])), False)


def _says(line: str) -> bool:
    return bool(line.strip(" >\t"))
