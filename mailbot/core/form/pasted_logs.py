"""Which lines of a mail are a log or a licence status pasted into it: the diagnosis reads them, and no form does."""

import re
from collections.abc import Iterator, Sequence

from mailbot.core.logs.log_line import MESSAGE_MAX, QUOTE, continues, is_log_line
from mailbot.core.logs.status_json import Block, may_hold_status, starts, straight

_STARTS_MAX = 50  # braces that are followed to their end: of hostile text there are thousands

#: What may be a line of JSON, where the end of a block shows no more that it was one.
_JSON = re.compile(r'"[\w-]{1,40}"\s{0,3}:|[{}\[\]],?$|\{"')


def is_json(line: str) -> bool:
    """Whether ``line`` by itself looks like one of a JSON text."""
    return bool(_JSON.match(line))


def without_pasted(lines: Sequence[str]) -> list[str]:
    """``lines`` without those of a log and of a licence status; of a line in which a status begins the words before it stay."""
    kept: list[str] = []
    message = ""  # the log line before, which mail may have broken
    tries = _STARTS_MAX if any(map(may_hold_status, lines)) else 0
    at = 0
    while at < len(lines):
        line = lines[at]
        bare = line.lstrip(QUOTE)
        if is_log_line(bare):
            message = bare[:MESSAGE_MAX]
        elif message and len(message) < MESSAGE_MAX and continues(message, bare):
            message = f"{message} {bare}"
        else:
            message, end = "", at
            if tries and "{" in line:
                tries -= 1
                end = _end_of_status(lines, at)
            kept += _words_around(lines, at, end) if end > at else [line]
            at = max(at, end - 1)
        at += 1
    return kept


def _end_of_status(lines: Sequence[str], at: int) -> int:
    """Behind the last line of the licence status that begins in line ``at``; ``at`` where none does."""
    block = Block("", at)
    start = starts(straight(lines[at].lstrip(QUOTE)))
    if start < 0:
        return at
    for number in range(at, len(lines)):
        line = straight(lines[number].lstrip(QUOTE))
        if block.add(line[start:] if number == at else line):
            return number + 1 if block.depth <= 0 and block.may_be_status() else at
    cut = [at + n for n, line in enumerate(block.lines) if is_json(line.strip())]
    return cut[-1] + 1 if cut and block.may_be_status() else at


def _words_around(lines: Sequence[str], at: int, end: int) -> Iterator[str]:
    before, last = lines[at].partition("{")[0], lines[end - 1]
    after = last.rpartition("}")[2] if "}" in last else ""
    yield from (words for words in (before.strip(QUOTE), after.strip(QUOTE + ",;]")) if words)
