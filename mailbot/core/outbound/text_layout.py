"""Plain text for mails, line by line: prose wrapped, rows aligned, other people's words set apart and made harmless.

A customer mail comes back quoted, and a reply's quoted lines are read for edited fields: so no line of ours but those
of its one form may read as a field.
"""

import re
import textwrap
from collections.abc import Sequence

from mailbot.core.base.characters import multi_line
from mailbot.core.form.reader import read_fields

#: RFC 5322 section 2.1.1 asks for at most 78; some room is left for one mark of quoting.
WIDTH = 76
#: What is shown of words that somebody wrote, and of what has to stand on one line.
MOST_LINES, MOST_SIGNS, ONE_LINE = 400, 20_000, 400
#: Begins a line that ``wrapped`` leaves as it is. Nothing that was received holds one (see ``safe``).
_ASIS = "\0"
_LEAD = re.compile(r"[\s>*•·|-]*")
#: What parts a label from its value, but for the colon of a link.
_PARTS = re.compile(r"(?<!http)(?<!https)(?<!mailto)[:：\t|]")
#: Looks like a colon and parts nothing.
_LOOKS = "\u2236"


def safe(text: str) -> str:
    """``text`` as ``multi_line`` shows it, tabs as spaces, at most 400 lines.

    What is left out at the end is marked by a line ``[...]``.
    """
    if text.isascii() and text.isprintable() and len(text) <= MOST_SIGNS:
        return text.rstrip()
    lines = [line.rstrip() for line in multi_line(text, MOST_SIGNS).replace("\t", " ").split("\n")]
    short = len(lines) <= MOST_LINES and len(text) <= MOST_SIGNS
    return "\n".join(lines if short else [*lines[:MOST_LINES], "[...]"]).strip("\n")


def one_line(text: str) -> str:
    """``text`` safe and on one line of at most 400 characters."""
    plain = " ".join(safe(text[: 4 * ONE_LINE]).split())
    return plain if len(plain) <= ONE_LINE else plain[: ONE_LINE - 1] + "…"


def first_line(text: str | None) -> str:
    """The first line of ``text``; of a failure's reason what went wrong, without its traceback."""
    return (text or "").strip().partition("\n")[0]


def unread(line: str) -> str:
    """``line`` so that it reads as no field, nor nearly as one: a colon behind a label becomes one that only looks so."""
    while _PARTS.search(line):
        read = read_fields(f"{line} x")
        if not read.values and not read.near:
            break
        lead = _LEAD.match(line)
        start = lead.end() if lead else 0
        after = line[:start] + _PARTS.sub(_LOOKS, line[start:], count=1)
        if after == line:
            break
        line = after
    return line


def quoted_lines(text: str, *, fields: bool = False) -> tuple[str, ...]:
    """Somebody's words, line by line; unless ``fields`` is set none of them reads as a field."""
    lines = safe(text).split("\n") if text.strip() else []
    return tuple(lines if fields else map(unread, lines))


def apart(lines: Sequence[str], *, fields: bool = False) -> str:
    """Somebody's words behind ``  | ``, wrapped, so that no line of theirs passes for a command or a field of ours."""
    parts = [part for line in lines for part in (_folded(line, WIDTH - 4) or [""])]
    return asis("\n".join(f"  | {part if fields else unread(part)}".rstrip() for part in parts))


def asis(text: str) -> str:
    """``text`` with every line marked, so that ``wrapped`` leaves it alone."""
    return "\n".join(_ASIS + line for line in text.split("\n"))


def rows(pairs: Sequence[tuple[str, str]], by: int = 2) -> str:
    """Two columns, the second one aligned and wrapped: ``  label  value``. No colon: a row must not read as a field."""
    if not pairs:
        return ""
    wide = min(max(len(label) for label, _ in pairs), 32)
    return "\n".join(_row(label, value, wide, by) for label, value in pairs)


def _row(label: str, value: str, wide: int, by: int) -> str:
    start = f"{'':{by}}{label:<{wide}}  "
    first, *others = _folded(value, WIDTH - by - wide - 2) or [""]
    return "\n".join([f"{start}{first}".rstrip(), *(f"{'':{by + wide + 2}}{other}" for other in others)])


def wrapped(text: str, *, fields: bool = False) -> str:
    """The finished text of a mail: long lines wrapped with a hanging indent, at most one empty line in a row.

    Unless ``fields`` is set, no line but those marked by ``asis`` reads as a field of a form.
    """
    done: list[str] = []
    for line in text.split("\n"):
        if line.startswith(_ASIS):
            done.append(line.replace(_ASIS, ""))
        elif line.strip():
            hung = _hung(line.replace(_ASIS, ""))
            done += hung if fields else [unread(part) for part in hung]
        elif done and done[-1]:
            done.append("")
    return "\n".join(done).strip("\n") + "\n"


def _hung(line: str) -> list[str]:
    if len(line) <= WIDTH:
        return [line if line == "-- " else line.rstrip()]
    bare = line.lstrip(" ")
    indent = " " * (len(line) - len(bare))
    mark = bare[:2] if bare.startswith(("- ", "* ", "! ")) else ""
    return [f"{indent}{part}" for part in _folded(bare, WIDTH - len(indent), " " * len(mark))]


def _folded(line: str, width: int, hanging: str = "") -> list[str]:
    """``line`` in pieces of at most ``width``; a word that is longer, such as a link, stays whole."""
    if len(line) <= width:
        return [line] if line else []
    return textwrap.wrap(
        line, max(width, 20), subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )
