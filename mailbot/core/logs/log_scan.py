"""Finds the lines of a block that may be about the licence, by their words, so that most lines are never parsed.

``logs.log_line`` and ``logs.status_json`` read the lines found.
"""

import re
from collections.abc import Iterator

from mailbot.core.logs.log_line import QUOTE, Stamp, stamp_of
from mailbot.core.logs.status_json import may_hold_status

_SERVICE = re.compile(r"[Ll]icen[sc]")
_OPENS = re.compile(rf"\n[{re.escape(QUOTE)}]*\{{")
_OPENS_AT_END = re.compile(r"\{[^\S\n]*(?:\n|\Z)")
#: A pair of braces without inner ones, to the end of the line of the closing one.
_CLOSED = re.compile(r"\{[^{}]{0,60000}\}[^{}\n]*\n")


def telling_lines(block: str) -> list[int]:
    """The offsets, in order, of lines in which ``log_line.message_of`` or ``status_json.starts`` may find something."""
    if "\x1b" in block:  # colour codes may split the words
        return [0, *(found + 1 for found in _every(block, "\n"))]
    marks = {*_every(block, "LICEN"), *_services(block)}
    if "{" in block:
        opening = {found.end() - 1 for found in _OPENS.finditer(block)}
        opening |= {found.start() for found in _OPENS_AT_END.finditer(block)}
        if block.lstrip(QUOTE)[:1] == "{":
            opening.add(block.find("{"))
        marks |= {at for at in opening if not _is_other(block, at)}
    return sorted({block.rfind("\n", 0, mark) + 1 for mark in marks})


def _is_other(block: str, at: int) -> bool:
    """Whether the braces that open at ``at`` close within the block around something other than a licence status."""
    closed = _CLOSED.match(block, at)
    return closed is not None and not may_hold_status(closed[0])


def first_stamp(block: str, start: int) -> Stamp | None:
    """The first stamp at the beginning of a line of ``block`` from ``start`` on."""
    return next((stamp for line in block[start:].split("\n") if (stamp := stamp_of(line.lstrip(QUOTE)))), None)


def last_stamp(block: str, start: int, end: int) -> Stamp | None:
    """The last stamp at the beginning of a line between ``start`` and ``end``, both beginnings of lines."""
    while end > start:
        begin = block.rfind("\n", start, end - 1) + 1 or start
        if stamp := stamp_of(block[begin : begin + 200].lstrip(QUOTE)):
            return stamp
        end = begin
    return None


def _every(block: str, word: str) -> Iterator[int]:
    at = block.find(word)
    while at >= 0:
        yield at
        at = block.find(word, at + len(word))


def _services(block: str) -> Iterator[int]:
    """Yields where ``license`` may be the service of a line with a status, or the schema of a status file."""
    for at in _every(block, "icen"):
        if not _SERVICE.match(block, at - 1) and at:
            continue
        if block.startswith("license-status/", at - 1) or (
            block[at - 2 : at - 1] in (" ", "[", "]", "\n", "") and "status=" in block[at : _end(block, at)]
        ):
            yield at


def _end(block: str, at: int) -> int:
    end = block.find("\n", at)
    return len(block) if end < 0 else end
