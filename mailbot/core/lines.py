"""Plain text for mails, line by line: prose wrapped, rows aligned, other people's words set apart and made harmless."""

import textwrap
import unicodedata
from collections.abc import Sequence

#: RFC 5322 section 2.1.1 asks for at most 78; some room is left for one mark of quoting.
WIDTH = 76
#: What is shown of words that somebody wrote.
MOST_LINES, MOST_SIGNS = 400, 20_000
#: Begins a line that ``wrapped`` leaves as it is. Nothing that was received holds one (see ``safe``).
_ASIS = "\0"
_HARMFUL = frozenset({"Cc", "Cf", "Cs"})


def safe(text: str) -> str:
    """``text`` without control, bidirectional, zero-width and broken signs; line ends stay, at most 400 lines.

    What is left out at the end is marked by a line ``[...]``.
    """
    cut = text[:MOST_SIGNS]
    lines = ["".join(map(_harmless, line)).rstrip() for line in cut.split("\n")]
    short = len(lines) <= MOST_LINES and len(text) <= MOST_SIGNS
    return "\n".join(lines if short else [*lines[:MOST_LINES], "[...]"]).strip("\n")


def _harmless(sign: str) -> str:
    if " " <= sign <= "~":
        return sign
    if sign.isspace():
        return " "
    return "" if unicodedata.category(sign) in _HARMFUL else sign


def asis(text: str) -> str:
    """``text`` with every line marked, so that ``wrapped`` leaves it alone."""
    return "\n".join(_ASIS + line for line in text.split("\n"))


def quoted(text: str) -> str:
    """Somebody's words behind ``  | ``, wrapped, so that no line of theirs passes for a command or a field of ours."""
    return "\n".join(part for line in safe(text).split("\n") for part in _set_apart(line))


def _set_apart(line: str) -> list[str]:
    return [f"  | {part}" for part in _folded(line, WIDTH - 4)] or ["  |"]


def indented(text: str, by: int = 2) -> str:
    """``text`` moved to the right; lines that are marked stay marked."""
    return "\n".join(_moved(line, " " * by) for line in text.split("\n"))


def _moved(line: str, room: str) -> str:
    return _ASIS + room + line[1:] if line.startswith(_ASIS) else room + line if line else line


def rows(pairs: Sequence[tuple[str, str]], by: int = 2) -> str:
    """Two columns, the second one aligned and wrapped: ``  label  value``. No colon: a row must not read as a field."""
    if not pairs:
        return ""
    wide = min(max(len(label) for label, _ in pairs), 30)
    return "\n".join(_row(label, value, wide, by) for label, value in pairs)


def _row(label: str, value: str, wide: int, by: int) -> str:
    start = f"{'':{by}}{label:<{wide}}  "
    first, *others = _folded(value, WIDTH - by - wide - 2) or [""]
    return "\n".join([f"{start}{first}".rstrip(), *(f"{'':{by + wide + 2}}{other}" for other in others)])


def wrapped(text: str) -> str:
    """The finished text of a mail: long lines wrapped with a hanging indent, at most one empty line in a row."""
    done: list[str] = []
    for line in text.split("\n"):
        if line.startswith(_ASIS):
            done.append(line.replace(_ASIS, ""))
        elif line.strip():
            done += _hung(line.replace(_ASIS, ""))
        elif done and done[-1]:
            done.append("")
    return "\n".join(done).strip("\n") + "\n"


def _hung(line: str) -> list[str]:
    if len(line) <= WIDTH:
        return [line if line == "-- " else line.rstrip()]
    bare = line.lstrip(" ")
    indent = " " * (len(line) - len(bare))
    mark = bare[: bare.find(" ") + 1] if bare.startswith(("- ", "* ", "! ")) or bare[:2].strip(".").isdigit() else ""
    return [f"{indent}{part}" for part in _folded(bare, WIDTH - len(indent), " " * len(mark))]


def _folded(line: str, width: int, hanging: str = "") -> list[str]:
    """``line`` in pieces of at most ``width``; a word that is longer, such as a link, stays whole."""
    if len(line) <= width:
        return [line] if line else []
    return textwrap.wrap(
        line, max(width, 20), subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )
