"""Own words without quoted ones. No cutter is right for every client, so none decides an approval: see ``decision``.

First the desk's own marker line, then ``>`` lines, attributions in five languages, header blocks, and signatures.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_ATTRIBUTION = re.compile(
    r"^(?:on\b.{4,300}\bwrote|il\b.{4,300}\bha scritto|am\b.{4,300}\bschrieb\b.{0,120}"
    r"|le\b.{4,300}\ba écrit|el\b.{4,300}\bescribió)\s*:$",
    re.IGNORECASE,
)
_STARTS = ("on ", "il ", "am ", "le ", "el ")
_ORIGINAL = re.compile(
    r"^-{2,}\s*(?:original message|ursprüngliche nachricht|messaggio originale|message d'origine|mensaje original"
    r"|forwarded message|weitergeleitete nachricht)\s*-{2,}$",
    re.IGNORECASE,
)
_FROM = re.compile(r"^\*?(?:from|da|von|de)\s*:\*?\s*\S", re.IGNORECASE)
_SENT = re.compile(r"^\*?(?:sent|date|inviato|data|gesendet|datum|envoyé|enviado|fecha)\s*:\*?\s*\S", re.IGNORECASE)
_DEVICE = re.compile(
    r"^(?:sent from my |get outlook for |inviato da |von meinem .{1,60}gesendet|envoyé de mon |enviado desde mi )",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Own:
    """``own``: the writer's words; ``quoted``: the rest; ``signature``; ``cut``: the rule that ended the own words."""

    own: str
    quoted: str
    signature: str
    cut: str


def own_text(text: str, markers: Sequence[str]) -> Own:
    """The writer's words before the first sign of a quote or a signature."""
    lines = text.splitlines()
    cut, rule = _first_cut(lines, markers)
    own, signature = _signed(lines[:cut])
    return Own("\n".join(own).strip(), "\n".join(lines[cut:]), "\n".join(signature), rule)


def own_lines_anywhere(text: str, markers: Sequence[str]) -> tuple[str, str]:
    """(own lines wherever they stand, quoted lines without their ``>``), for forms that are filled in between the lines."""
    lines = text.splitlines()
    own = [line for line in lines if not _is_quote(line) and not _is_marker(line, markers)]
    quoted = [_unquoted(line) for line in lines if _is_quote(line)]
    if not quoted:
        cut, _ = _first_cut(lines, markers)
        own, quoted = lines[:cut], lines[cut:]
    own = [line for line in own if not _ATTRIBUTION.match(line.strip())]
    return "\n".join(_signed(own)[0]), "\n".join(quoted)


def _first_cut(lines: list[str], markers: Sequence[str]) -> tuple[int, str]:
    for index, line in enumerate(lines):
        rule = _cuts(lines, index, line, markers)
        if rule:
            return index, rule
    return len(lines), "none"


def _cuts(lines: list[str], index: int, line: str, markers: Sequence[str]) -> str:
    stripped = line.strip()
    if _is_marker(line, markers):
        return "marker"
    if _is_quote(line):
        return "quote"
    if _is_attribution(lines, index) or _ORIGINAL.match(stripped):
        return "attribution"
    following = [later.strip() for later in lines[index + 1 : index + 4]]
    if _FROM.match(stripped) and any(_SENT.match(later) for later in following):
        return "attribution"
    return "attribution" if len(stripped) >= 20 and set(stripped) == {"_"} else ""


def _is_attribution(lines: list[str], index: int) -> bool:
    """An attribution on one line, or wrapped over two or three."""
    if not lines[index].strip().lower().startswith(_STARTS):
        return False
    joined = ""
    for line in lines[index : index + 3]:
        joined = f"{joined} {line.strip()}".strip()[:600]
        if _ATTRIBUTION.match(joined):
            return True
    return False


def _is_quote(line: str) -> bool:
    return line.lstrip().startswith(">")


def _unquoted(line: str) -> str:
    while line.lstrip().startswith(">"):
        line = line.lstrip()[1:]
    return line.removeprefix(" ")


def _is_marker(line: str, markers: Sequence[str]) -> bool:
    bare = " ".join(_unquoted(line).strip(" \t-*_").lower().split())
    return bool(bare) and any(bare == " ".join(marker.strip(" -").lower().split()) for marker in markers)


def _signed(lines: list[str]) -> tuple[list[str], list[str]]:
    for index, line in enumerate(lines):
        if line.rstrip() == "--" or _DEVICE.match(line.strip()):
            return lines[:index], lines[index:]
    return lines, []
