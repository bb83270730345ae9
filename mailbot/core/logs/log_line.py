"""The grammar of a log line: ``[local time] [LEVEL] service - message``; licence lines are tagged ``[LICENSE:...]``.

Each function reads one line in linear time.
"""

import json
import re
from datetime import datetime

from mailbot.core.logs.statement import plain_key

MESSAGE_MAX = 4_096  # characters of a licence line that are read
QUOTE = "> |\t\u00a0\ufeff"  # what mail programs put before a quoted line

_TIME = re.compile(r"(?:VERBOSE )?\[(\d{4}-[01]\d-[0-3]\d)[ T]([0-2]\d:[0-5]\d:[0-5]\d)")
_LINE = re.compile(
    r"(?:VERBOSE )?\[\d{4}-\d\d-\d\d[^\[\]]{5,30}\] {0,3}\[[A-Za-z]{1,12}\] {0,3}"
    r"\[?([^\[\]]{1,60}?)\]? {0,3}[-–—] {0,3}(.*)",
    re.DOTALL,
)
_INNER = re.compile(r"(?:VERBOSE )?\[\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[^\[\]]{0,20}\] {0,3}\[[A-Za-z]{1,12}\]")
_TAG = re.compile(r"\[LICEN[SC]E(?::\w{1,30})?\]")
#: A line that lost its beginning: any remainder of ``[time] [LEVEL] service - `` before the tag.
_TORN = re.compile(
    r"(?:[-\dT:.+ ]{0,30}\] {0,3})?(?:\[?[A-Za-z]{0,12}\] {0,3})?\[?([A-Za-z]{0,12})\]? {0,3}[-–—] {0,3}(\[LICEN[SC]E:\w{1,30}\].*)",
    re.DOTALL,
)
_PAIR = re.compile(r"""(?<![\w.])([A-Za-z][\w-]{0,40})=(?:"([^"]{0,300})"|'([^']{0,300})'|([^\s"']\S{0,300}))""")
_GOES_ON = re.compile(r"(?:token|previousToken|status|reason|daysLeft|expiresAt|version|lastContactAt)=", re.IGNORECASE)

_ENDS_OF_SERVICE = frozenset(name[start:] for name in ("license", "licence", "licensing") for start in range(10))

#: Values whose missing end is noticed by themselves or by comparison with earlier ones.
_JUDGED = frozenset({"status", "reason", "daysleft", ""})

Stamp = re.Match[str]


def stamp_of(line: str) -> Stamp | None:
    """The match of the local time at the beginning of ``line``, for ``iso_of``; None if there is none."""
    return _TIME.match(line)


def iso_of(stamp: Stamp | None) -> str | None:
    """The local time in ISO 8601 without zone; None without a stamp or for an impossible date."""
    if stamp is None:
        return None
    at = f"{stamp[1]}T{stamp[2]}"
    try:
        datetime.fromisoformat(at)
    except ValueError:
        return None
    return at


def unglued(line: str) -> str:
    """The last of several log lines that a crash joined into one; a complete line of another service is unchanged."""
    if line.find("[2", 1) < 0:
        return line  # no other time
    own = _TIME.match(line)
    starts = [inner.start() for inner in _INNER.finditer(line, own.end() if own else 1)]
    if not starts:
        return line
    found = _LINE.match(line)
    return line if found and not found[1].lower().startswith("licen") else line[starts[-1] :]


def is_log_line(line: str) -> bool:
    """Whether ``line`` is a log line."""
    return line.startswith(("[", "VERBOSE [")) and bool(_LINE.match(line) or _TAG.match(line))


def message_of(line: str) -> str:
    """The message about the licence in ``line``; "" if there is none.

    Lines of other services do not count, whatever they quote. A licence line that lost its beginning does.
    """
    found = _LINE.match(line)
    if found:
        licence = _TAG.match(found[2]) or ("status=" in found[2] and found[1].lower().startswith("licen"))
        return found[2] if licence else ""
    if _TAG.match(line):
        return line
    torn = _TORN.match(line)
    return torn[2] if torn and torn[1].lower() in _ENDS_OF_SERVICE else ""


def continues(message: str, line: str) -> bool:
    """Whether ``line`` continues ``message`` after a mail program wrapped it: it begins with a key not yet in it."""
    found = _GOES_ON.match(line)
    return found is not None and f" {found[0].lower()}" not in message.lower()


def pairs_of(message: str, *, torn: bool = False) -> dict[str, object]:
    """The ``key=value`` pairs of a message (keys by ``plain_key``) and of the JSON object that may end it.

    The last of equal keys counts. ``torn``: the message may be cut within its last value, which is then dropped unless
    a missing end would be noticed.
    """
    pairs: dict[str, object] = {
        plain_key(key): double or single or bare.rstrip(",;") for key, double, single, bare in _PAIR.findall(message)
    }
    start = message.find(" {")
    if start < 0:
        last = next(reversed(pairs), "")
        if torn and last not in _JUDGED and message.endswith(str(pairs.get(last, "\n"))):
            del pairs[last]
        return pairs
    try:
        tail = json.JSONDecoder(strict=False).raw_decode(message[start + 1 :])[0]
    except (ValueError, RecursionError):
        return pairs
    if isinstance(tail, dict):
        pairs.update({plain_key(key): value for key, value in tail.items()})
    return pairs
