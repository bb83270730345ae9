"""Which lines of a block can say something of the licence: found by their words, so that most lines are never looked at.

A general log is traffic nearly to its end. What the lines say: ``logline``, ``statusjson``.
"""

import re
from collections.abc import Iterator

from mailbot.core.logs.log_line import QUOTE, Stamp, stamp_of
from mailbot.core.logs.status_json import may_hold_status

_SERVICE = re.compile(r"[Ll]icen[sc]")
_OPENS = re.compile(rf"\n[{re.escape(QUOTE)}]*\{{")
_OPENS_AT_END = re.compile(r"\{[^\S\n]*(?:\n|\Z)")
#: Braces without others inside, to the end of the line in which they close.
_CLOSED = re.compile(r"\{[^{}]{0,60000}\}[^{}\n]*\n")


def telling_lines(block: str) -> list[int]:
    """Where the lines begin, in order, that ``message_of`` or ``statusjson.starts`` may find something in."""
    if "\x1b" in block:  # colours may stand within the words
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
    """Whether the braces opened there close in the same block around something that is no licence status."""
    closed = _CLOSED.match(block, at)
    return closed is not None and not may_hold_status(closed[0])


def first_stamp(block: str, start: int) -> Stamp | None:
    """The first time that a line of ``block`` from ``start`` on begins with."""
    return next((stamp for line in block[start:].split("\n") if (stamp := stamp_of(line.lstrip(QUOTE)))), None)


def last_stamp(block: str, start: int, end: int) -> Stamp | None:
    """The last time that a whole line between the line beginnings ``start`` and ``end`` begins with."""
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
    """Where ``license`` may be a line's service and the line has a status, and where a status file names its schema."""
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
