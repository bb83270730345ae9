"""Own words without quoted ones. No cutter is right for every client, so none decides an approval: see ``decision``.

First the desk's own marker line, then ``>`` lines, attributions in five languages, header blocks, and signatures;
quotequail, which knows more languages, has the last word on what is left.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import quotequail

from mailbot.core.form.labels import labelled
from mailbot.core.form.signature import comparable, is_device, is_disclaimer

_STARTS = ("on ", "il ", "in data ", "am ", "le ", "el ", "---- on ")
_WROTE = re.compile(
    r"\b(?:(?:wrote|ha scritto|a écrit|escribió)(?: (?:on|il|le|el) .{1,60} \d\d?[:.]\d\d.{0,20})?|schrieb(?: .{1,120})?) ?:$|^-{2,} ?on .{1,300} wrote ?-{2,}$"
    r"|^(?:zitat von|quoting|citando|citant) .{1,200}:$|^\d{4}-\d\d-\d\d \d\d?:\d\d .{1,200}@[^ @]{1,100}>:$"
)
_ORIGINAL = re.compile(
    r"-{2,} ?(?:original message|ursprüngliche nachricht|messaggio originale|message d'origine|message original"
    r"|mensaje original|forwarded message|weitergeleitete nachricht|messaggio inoltrato|message transféré"
    r"|mensaje reenviado) ?-{2,}"
    r"|(?:begin forwarded message|inizio messaggio inoltrato|anfang der weitergeleiteten (?:nachricht|e-mail)"
    r"|début du message (?:transféré|réexpédié)|inicio del mensaje reenviado) ?:"
)
_FROM = re.compile(r"\*?(?:from|da|von|de) ?:\*? ?[^ *]")
_SENT = re.compile(
    r"\*?(?:sent|date|inviato(?: il)?|data|gesendet(?: am)?|datum|envoyé(?: le)?|enviado(?: el)?|fecha) ?:\*? ?[^ *]"
)
#: An attribution may be wrapped over so many lines, a marker over one less.
_WRAPPED = 4
#: A header block has at most so many lines.
_BLOCK = 12
#: Nobody writes so many lines of his own; what lies behind counts as quoted.
_MOST_LINES = 100_000
#: quotequail takes cubic time on a long line and is no help on a long text.
_QUAIL_LINES, _QUAIL_WIDTH = 400, 200


@dataclass(frozen=True)
class Own:
    """``own``: the writer's words; ``quoted``: the rest; ``signature``; ``cut``: the rule that ended the own words.

    Rules: marker, quote, attribution, separator (a header block or a line that announces one), none.
    """

    own: str
    quoted: str
    signature: str
    cut: str


def own_text(text: str, markers: Sequence[str]) -> Own:
    """The writer's words before the first sign of a quote or a signature."""
    lines = text.splitlines()
    known = _bare_markers(markers)
    most = min(len(lines), _MOST_LINES)
    cut, rule = next(((at, rule) for at in range(most) if (rule := _cut(lines, at, known)[0])), (most, ""))
    opinion = _second_opinion(lines[:cut])
    if opinion is not None:
        cut, rule = opinion, "attribution"
    own, signature = _signed(lines[:cut])
    return Own("\n".join(own).strip(), "\n".join(lines[cut:]), "\n".join(signature), rule or "none")


def own_lines_anywhere(text: str, markers: Sequence[str]) -> tuple[str, str]:
    """Own lines wherever they stand, and quoted lines without their ``>``: for forms filled in between the lines.

    A label that is quoted without a value above own words comes with them: they may be its value.
    Below a bare marker, a header block or an attribution without a ``>`` line after it nothing can be told apart: all is quoted.
    """
    lines = text.splitlines()
    known = _bare_markers(markers)
    pieces: list[list[str]] = [[]]  # of own lines, each with its own signature
    quoted: list[str] = []
    at = 0
    while at < min(len(lines), _MOST_LINES):
        rule, width = _cut(lines, at, known)
        if rule == "quote" or (rule == "marker" and is_quote(lines[at])):  # own lines may stand below what is quoted
            width = 1
            quoted.append(unquoted(lines[at]))
            if pieces[-1]:
                pieces.append([])
        elif not rule:
            if not pieces[-1] and quoted and _asks(quoted[-1]):
                pieces[-1].append(quoted[-1])
            pieces[-1].append(lines[at])
        elif rule != "attribution" or not _quote_follows(lines, at + width):
            at += width
            break
        at += width
    quoted += [unquoted(line) for line in lines[at:]] if at < len(lines) else []
    return "\n".join(line for piece in pieces for line in _signed(piece)[0]), "\n".join(quoted)


def _asks(line: str) -> bool:
    """Whether a line is the label of a field without a value."""
    found = labelled(line)
    return found is not None and found.key is not None and not found.value


def _cut(lines: list[str], at: int, markers: frozenset[str]) -> tuple[str, int]:
    """(the rule by which own words end at this line or "", how many lines it takes)."""
    if not lines[at] or lines[at].isspace():
        return "", 1
    words = comparable(lines[at])
    if marked := _marker(lines, at, words, markers):
        return "marker", marked
    if is_quote(lines[at]):
        return "quote", 1
    if attributed := _attribution(lines, at, words):
        return "attribution", attributed
    rule_line = len(words) >= 20 and set(words) == {"_"}
    if rule_line or _ORIGINAL.fullmatch(words) or _header_block(lines, at, words):
        return "separator", 0 if words.startswith(("from", "da", "von", "de", "*")) else 1
    return "", 1


def _header_block(lines: list[str], at: int, words: str) -> bool:
    return bool(_FROM.match(words)) and any(_SENT.match(comparable(later)) for later in lines[at + 1 : at + 5])


def _attribution(lines: list[str], at: int, words: str) -> int:
    """How many lines an attribution takes from here, 0 if there is none. It names a day, an hour or an address."""
    most = _WRAPPED if words.startswith(_STARTS) else 1
    joined = ""
    for width, line in enumerate(lines[at : at + most], 1):
        more = comparable(line)
        if not more or (joined and more.startswith(_STARTS) and any(map(str.isdigit, more))):
            return 0  # the writer's last line, above a gap or an attribution
        joined = f"{joined} {more}" if joined else words
        if joined.endswith((":", "--")) and _WROTE.search(joined) and ("@" in joined or any(map(str.isdigit, joined))):
            return width
    return 0


def announced(lines: list[str], at: int) -> int:
    """How many lines from here say that a mail is quoted below: an attribution, or a header block; 0 if none does."""
    rule, width = _cut(lines, at, frozenset())
    if rule != "separator":
        return width if rule == "attribution" else 0
    most = min(at + _BLOCK, len(lines))
    return next((n for n in range(at + width, most) if not lines[n].strip()), at + width) - at


def is_quote(line: str) -> bool:
    """Whether the line is marked as quoted."""
    return line.lstrip().startswith(">")


def _quote_follows(lines: list[str], at: int) -> bool:
    return next((is_quote(line) for line in lines[at:] if line.strip()), False)


def unquoted(line: str) -> str:
    """The line without its ``>``, found in one step: a line may be a megabyte of them."""
    if ">" not in line[:1] and line[:1] not in " \t\u00a0":
        return line
    leading = len(line) - len(line.lstrip("> \t\u00a0"))
    end = line.rfind(">", 0, leading) + 1
    return line[end:].removeprefix(" ") if end else line


def _bare(line: str, words: str | None = None) -> str:
    """The line without what clients put around it; ``words``: what it is as such, where that is known already."""
    bare = unquoted(line)
    return (words if words is not None and bare is line else comparable(bare)).strip(" -*_|#=")


def _bare_markers(markers: Sequence[str]) -> frozenset[str]:
    return frozenset(bare for marker in markers if (bare := _bare(marker)))


def _marker(lines: list[str], at: int, words: str, markers: frozenset[str]) -> int:
    """How many lines the desk's marker takes from here, 0 if it does not stand here."""
    joined = ""
    for width, line in enumerate(lines[at : at + _WRAPPED - 1], 1):
        bare = _bare(line, words if width == 1 else None)
        joined = f"{joined} {bare}" if joined else bare
        if joined in markers:
            return width
        if not bare or not any(marker.startswith(joined) for marker in markers):
            return 0
    return 0


def _second_opinion(lines: list[str]) -> int | None:
    """Where quotequail sees a quote begin in what is left, None if nowhere."""
    short = [_tame(line) for line in lines[:_QUAIL_LINES]]
    parts = quotequail.quote("\n".join(short), limit=len(short) + 1, quote_intro_line=True)
    if len(parts) == 1:
        return None
    return parts[0][1].count("\n") + 1 if parts[0][1] else 0


def _tame(line: str) -> str:
    """The line where it may be an attribution, else one that is none."""
    crowded = len(line) > _QUAIL_WIDTH or line.count("@") > 2 or line.count("<") > 2
    return "-" if crowded else line


def _signed(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines above the signature, and the signature. A telephone's that stands above all words goes alone."""
    for at, line in enumerate(lines):
        if line.rstrip() == "--" or (line[:1].strip() and is_disclaimer(lines, at) and _said(lines[:at])):
            return lines[:at], lines[at:]
        if is_device(line):
            if _said(lines[:at]):
                return lines[:at], lines[at:]
            rest, signature = _ended(lines[at + 1 :])
            return rest, [line, *signature]
    return lines, []


def _said(lines: list[str]) -> bool:
    return any(line.strip() for line in lines)


def _ended(lines: list[str]) -> tuple[list[str], list[str]]:
    end = next((at for at, line in enumerate(lines) if line.rstrip() == "--"), len(lines))
    return lines[:end], lines[end:]
