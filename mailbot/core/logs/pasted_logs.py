"""The text of a mail without the logs and licence statuses pasted into it, which the diagnosis reads instead."""

from collections.abc import Iterator, Sequence
from re import compile as pattern

from mailbot.core.logs.log_line import MESSAGE_MAX, QUOTE, continues, is_log_line
from mailbot.core.logs.status_json import Block, may_hold_status, starts, straight

#: Most braces that are followed to their end: hostile text has thousands.
_STATUSES_MAX = 50
#: A line of JSON, for a status whose end is missing.
_JSON = pattern(r'"[\w-]{1,40}"\s{0,3}:|[{}\[\]],?$|\{"')


def is_json_line(line: str) -> bool:
    """Whether ``line`` alone looks like part of a JSON text."""
    return bool(_JSON.match(line))


def without_pasted_logs(lines: Sequence[str]) -> list[str]:
    """``lines`` without log lines and licence statuses; words before and after a status on its lines stay."""
    kept: list[str] = []
    message = ""  # the log line above, which the mail program may have wrapped
    tries = _STATUSES_MAX if any(map(may_hold_status, lines)) else 0
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
                end = _status_end(lines, at)
            kept += _words_around(lines, at, end) if end > at else [line]
            at = max(at, end - 1)
        at += 1
    return kept


def _status_end(lines: Sequence[str], at: int) -> int:
    """The number of the line after the licence status that begins in line ``at``; ``at`` if none begins there."""
    block = Block("", at)
    start = starts(straight(lines[at].lstrip(QUOTE)))
    if start < 0:
        return at
    for number in range(at, len(lines)):
        line = straight(lines[number].lstrip(QUOTE))
        if block.add(line[start:] if number == at else line):
            return number + 1 if block.depth <= 0 and block.may_be_status() else at
    json_lines = [at + n for n, line in enumerate(block.lines) if is_json_line(line.strip())]
    return json_lines[-1] + 1 if json_lines and block.may_be_status() else at


def _words_around(lines: Sequence[str], at: int, end: int) -> Iterator[str]:
    before, last = lines[at].partition("{")[0], lines[end - 1]
    after = last.rpartition("}")[2] if "}" in last else ""
    yield from (words for words in (before.strip(QUOTE), after.strip(QUOTE + ",;]")) if words)
