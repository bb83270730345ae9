"""The writer's own words without quoted ones.

No rule is right for every mail program, so none may decide an approval; see ``inbound.decision_grammar``. The rules, in order: the desk's
own marker line, lines with ``>``, attributions in five languages, blocks of header lines. quotequail, which knows more
languages, then looks at what is left; at last the signature is cut off.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import quotequail

from mailbot.core.form.labels import read_label
from mailbot.core.form.signature import begins_disclaimer, fold_line, is_device_line

_ATTRIBUTION_STARTS = ("on ", "il ", "in data ", "am ", "le ", "el ", "---- on ")
_ATTRIBUTION_END = re.compile(
    r"\b(?:(?:wrote|ha scritto|a écrit|escribió)(?: (?:on|il|le|el) .{1,60} \d\d?[:.]\d\d.{0,20})?|schrieb(?: .{1,120})?) ?:$|^-{2,} ?on .{1,300} wrote ?-{2,}$"
    r"|^(?:zitat von|quoting|citando|citant) .{1,200}:$|^\d{4}-\d\d-\d\d \d\d?:\d\d .{1,200}@[^ @]{1,100}>:$"
)
_ANNOUNCEMENT = re.compile(
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
#: Most lines of a wrapped attribution; a wrapped marker has one less.
_WRAPPED_LINES_MAX = 4
#: Most lines of a block of header lines.
_HEADER_BLOCK_MAX = 12
#: Everything below this many lines counts as quoted.
_OWN_LINES_MAX = 100_000
#: quotequail takes cubic time on long lines, and finds nothing in long texts.
_QUOTEQUAIL_LINES, _QUOTEQUAIL_WIDTH = 400, 200


class CutRule(StrEnum):
    """What ended the own words. ``SEPARATOR``: a block of header lines or a line that announces one."""

    MARKER = "marker"
    QUOTE = "quote"
    ATTRIBUTION = "attribution"
    SEPARATOR = "separator"
    NONE = "none"


@dataclass(frozen=True)
class SplitText:
    """``own``: the writer's words; ``quoted``: all lines from the ``cut`` on; ``signature``: what stood between them."""

    own: str
    quoted: str
    signature: str
    cut: CutRule


class _Cut(NamedTuple):
    """The rule that applies at a line, and how many lines it covers."""

    rule: CutRule
    lines: int


_NO_CUT = _Cut(CutRule.NONE, 1)


def split_at_quote(text: str, markers: Sequence[str]) -> SplitText:
    """The own words, up to the first sign of a quote. ``markers``: the desk's marker line in each language."""
    lines = text.splitlines()
    known = _bare_markers(markers)
    most = min(len(lines), _OWN_LINES_MAX)
    cuts = ((at, cut.rule) for at in range(most) if (cut := _cut_at(lines, at, known)) is not _NO_CUT)
    end, rule = next(cuts, (most, CutRule.NONE))
    earlier = _quotequail_cut(lines[:end])
    if earlier is not None:
        end, rule = earlier, CutRule.ATTRIBUTION
    own, signature = _split_signature(lines[:end])
    return SplitText("\n".join(own).strip(), "\n".join(lines[end:]), "\n".join(signature), rule)


def split_interleaved(text: str, markers: Sequence[str]) -> tuple[str, str]:
    """(own lines wherever they stand, quoted lines without their ``>``), for forms filled in between the quoted lines.

    A quoted label without a value directly above own words is repeated with them: they may be its value. Where quoted lines
    are not marked (below a bare marker, a header block, or an attribution without a ``>`` line after it), all is quoted.
    """
    lines = text.splitlines()
    known = _bare_markers(markers)
    pieces: list[list[str]] = [[]]  # runs of own lines, each with its own signature
    quoted: list[str] = []
    at = 0
    while at < min(len(lines), _OWN_LINES_MAX):
        rule, width = _cut_at(lines, at, known)
        if rule is CutRule.QUOTE or (rule is CutRule.MARKER and is_quote(lines[at])):
            width = 1
            quoted.append(without_quote_marks(lines[at]))
            if pieces[-1]:
                pieces.append([])
        elif rule is CutRule.NONE:
            if not pieces[-1] and quoted and _is_empty_field(quoted[-1]):
                pieces[-1].append(quoted[-1])
            pieces[-1].append(lines[at])
        elif rule is not CutRule.ATTRIBUTION or not _quote_follows(lines, at + width):
            at += width
            break
        at += width
    quoted += [without_quote_marks(line) for line in lines[at:]] if at < len(lines) else []
    return "\n".join(line for piece in pieces for line in _split_signature(piece)[0]), "\n".join(quoted)


def _is_empty_field(line: str) -> bool:
    found = read_label(line)
    return found is not None and found.key is not None and not found.value


def _cut_at(lines: list[str], at: int, markers: frozenset[str]) -> _Cut:
    """The rule by which the own words end at this line; ``_NO_CUT`` if they go on."""
    if not lines[at] or lines[at].isspace():
        return _NO_CUT
    words = fold_line(lines[at])
    if height := _marker_height(lines, at, words, markers):
        return _Cut(CutRule.MARKER, height)
    if is_quote(lines[at]):
        return _Cut(CutRule.QUOTE, 1)
    if height := _attribution_height(lines, at, words):
        return _Cut(CutRule.ATTRIBUTION, height)
    is_rule = len(words) >= 20 and set(words) == {"_"}
    if is_rule or _ANNOUNCEMENT.fullmatch(words) or _begins_header_block(lines, at, words):
        return _Cut(CutRule.SEPARATOR, 0 if words.startswith(("from", "da", "von", "de", "*")) else 1)
    return _NO_CUT


def _begins_header_block(lines: list[str], at: int, words: str) -> bool:
    return bool(_FROM.match(words)) and any(_SENT.match(fold_line(later)) for later in lines[at + 1 : at + 5])


def _attribution_height(lines: list[str], at: int, words: str) -> int:
    """How many lines an attribution takes from here, 0 if none begins. It names a day, a time or an address."""
    most = _WRAPPED_LINES_MAX if words.startswith(_ATTRIBUTION_STARTS) else 1
    joined = ""
    for height, line in enumerate(lines[at : at + most], 1):
        more = fold_line(line)
        if not more or (joined and more.startswith(_ATTRIBUTION_STARTS) and any(map(str.isdigit, more))):
            return 0  # the writer's last line, above a gap or above the real attribution
        joined = f"{joined} {more}" if joined else words
        if (
            joined.endswith((":", "--"))
            and _ATTRIBUTION_END.search(joined)
            and ("@" in joined or any(map(str.isdigit, joined)))
        ):
            return height
    return 0


def announcement_height(lines: list[str], at: int) -> int:
    """How many lines from here announce a quoted mail, as an attribution or a header block; 0 if none do."""
    rule, height = _cut_at(lines, at, frozenset())
    if rule is not CutRule.SEPARATOR:
        return height if rule is CutRule.ATTRIBUTION else 0
    most = min(at + _HEADER_BLOCK_MAX, len(lines))
    return next((n for n in range(at + height, most) if not lines[n].strip()), at + height) - at


def is_quote(line: str) -> bool:
    """Whether the line is marked with ``>``."""
    return line.lstrip().startswith(">")


def _quote_follows(lines: list[str], at: int) -> bool:
    return next((is_quote(line) for line in lines[at:] if line.strip()), False)


def without_quote_marks(line: str) -> str:
    """The line without its ``>``. One step however many there are: a line may be a megabyte of them."""
    if ">" not in line[:1] and line[:1] not in " \t\u00a0":
        return line
    leading = len(line) - len(line.lstrip("> \t\u00a0"))
    end = line.rfind(">", 0, leading) + 1
    return line[end:].removeprefix(" ") if end else line


def _bare_line(line: str, folded: str | None = None) -> str:
    """The folded line without the decoration of mail programs; ``folded``: its folded form, if already known."""
    bare = without_quote_marks(line)
    return (folded if folded is not None and bare is line else fold_line(bare)).strip(" -*_|#=")


def _bare_markers(markers: Sequence[str]) -> frozenset[str]:
    return frozenset(bare for marker in markers if (bare := _bare_line(marker)))


def _marker_height(lines: list[str], at: int, words: str, markers: frozenset[str]) -> int:
    """How many lines the desk's marker takes from here, 0 if it does not begin here."""
    joined = ""
    for height, line in enumerate(lines[at : at + _WRAPPED_LINES_MAX - 1], 1):
        bare = _bare_line(line, words if height == 1 else None)
        joined = f"{joined} {bare}" if joined else bare
        if joined in markers:
            return height
        if not bare or not any(marker.startswith(joined) for marker in markers):
            return 0
    return 0


def _quotequail_cut(lines: list[str]) -> int | None:
    """The number of the line at which quotequail sees a quote begin, None if nowhere."""
    tame = [_tame(line) for line in lines[:_QUOTEQUAIL_LINES]]
    parts = quotequail.quote("\n".join(tame), limit=len(tame) + 1, quote_intro_line=True)
    if len(parts) == 1:
        return None
    return parts[0][1].count("\n") + 1 if parts[0][1] else 0


def _tame(line: str) -> str:
    """The line if it could be an attribution, else a short one that cannot."""
    crowded = len(line) > _QUOTEQUAIL_WIDTH or line.count("@") > 2 or line.count("<") > 2
    return "-" if crowded else line


def _split_signature(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines above the signature, and the signature. A phone's line above all words is removed alone."""
    for at, line in enumerate(lines):
        disclaims = bool(line[:1].strip()) and begins_disclaimer(lines, at)
        if line.rstrip() == "--" or (disclaims and _has_words(lines[:at])):
            return lines[:at], lines[at:]
        if is_device_line(line):
            if _has_words(lines[:at]):
                return lines[:at], lines[at:]
            rest, signature = _split_at_dashes(lines[at + 1 :])
            return rest, [line, *signature]
    return lines, []


def _has_words(lines: list[str]) -> bool:
    return any(line.strip() for line in lines)


def _split_at_dashes(lines: list[str]) -> tuple[list[str], list[str]]:
    end = next((at for at, line in enumerate(lines) if line.rstrip() == "--"), len(lines))
    return lines[:end], lines[end:]
