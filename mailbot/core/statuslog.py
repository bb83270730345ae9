"""What logs and status files say of a licence, read as a stream: which tokens, which status, since when, where it stands.

A line is ``[local time] [LEVEL] service - message``; of interest are those tagged ``[LICENSE:...]``, whose message is
``key=value`` pairs and perhaps JSON (``statusjson``). Whether it fits the request is ``diagnosis``'s matter.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mailbot.core.logtext import LogText
from mailbot.core.masking import clean
from mailbot.core.statement import Line, Statement, plain_key, statement, unknown_status
from mailbot.core.statusjson import Block, Status, starts, straight

_TIME = re.compile(r"(?:VERBOSE )?\[(\d{4}-[01]\d-[0-3]\d)[ T]([0-2]\d:[0-5]\d:[0-5]\d)")
_LINE = re.compile(
    r"(?:VERBOSE )?\[\d{4}-\d\d-\d\d[^\[\]]{5,30}\] {0,3}\[[A-Za-z]{1,12}\] {0,3}\[?([^\[\]]{1,60}?)\]? {0,3}[-–—] {0,3}(.*)",
    re.DOTALL,
)
_TAG = re.compile(r"\[LICEN[SC]E(?::\w{1,30})?\]")
_TAG_AFTER_TORN_START = re.compile(r"[^\[]{0,80}[-–—] {0,3}(\[LICEN[SC]E:\w{1,30}\].*)", re.DOTALL)
_PAIR = re.compile(r"""(?<![\w.])([A-Za-z][\w-]{0,40})=(?:"([^"]{0,300})"|'([^']{0,300})'|([^\s"']\S{0,300}))""")
_GOES_ON = re.compile(r"(?:token|previousToken|status|reason|daysLeft|expiresAt|version|lastContactAt)=", re.IGNORECASE)
_MESSAGE_MAX = 4_096
_TOKENS_MAX = 1_000
_ODD_MAX = 10
_QUOTE = "> |\t\u00a0\ufeff"
#: Status files know their zone, log lines do not: so far apart the two may seem.
_ZONES = timedelta(hours=14)
_ANY_STATE = frozenset({"version", "last_contact"})


@dataclass(frozen=True)
class Findings:
    """What was found in all files together.

    ``said`` is the last statement with a status, completed from others about the same state, ``first`` where that
    state was first met. ``from_log`` and ``from_file`` are the last statements of either kind. ``tokens`` and
    ``previous_tokens`` map each token to the first line that names it (at most 1,000: then ``tokens_cut``).
    ``first_at`` and ``last_at`` are local times in ISO 8601 without zone. ``odd`` are plain sentences.
    """

    files: tuple[str, ...] = ()
    said: Statement | None = None
    first: Statement | None = None
    from_log: Statement | None = None
    from_file: Statement | None = None
    tokens: dict[str, Line] = field(default_factory=dict)
    previous_tokens: dict[str, Line] = field(default_factory=dict)
    tokens_cut: bool = False
    first_at: str | None = None
    last_at: str | None = None
    unknown: tuple[tuple[str, str], ...] = ()
    odd: tuple[str, ...] = ()

    @property
    def all_tokens(self) -> frozenset[str]:
        """Every token named, current or previous: what the ledger is asked about."""
        return frozenset(self.tokens) | frozenset(self.previous_tokens)


def read(logs: Iterable[LogText]) -> Findings:
    """What ``logs`` say of the licence. Any text is accepted; memory stays small whatever their size."""
    shared = _Shared()
    readers = [_Reader(log.name, shared).read(log) for log in logs]
    from_log, first = _last_of_logs(readers)
    statuses = [status for reader in readers if (status := reader.status) is not None]
    status = max(statuses, key=lambda status: status.said.at or "", default=None)
    from_file = status.said if status else None
    said = _winner(from_log, from_file)
    begins = [at for reader in readers if (at := reader.first_at)]
    ends = [at for reader in readers if (at := reader.last_at)]
    if from_file and from_file.at and not ends:
        begins = ends = [from_file.at[:19]]
    return Findings(
        files=tuple(reader.file for reader in readers),
        said=said,
        first=first if said and first and said.goes_on(first) else said,
        from_log=from_log,
        from_file=from_file,
        tokens=shared.tokens,
        previous_tokens=shared.previous,
        tokens_cut=shared.cut,
        first_at=min(begins, default=None),
        last_at=max(ends, default=None),
        unknown=status.unknown if status else (),
        odd=tuple(shared.odd),
    )


def looks_like_log(text: str) -> bool:
    """Whether ``text`` (of a mail, say) holds pasted lines of a log or a licence status."""
    for line in straight(text[:1_000_000]).split("\n"):
        bare = line.lstrip(_QUOTE)
        if bare.startswith(("[", "VERBOSE [")) and (_LINE.match(bare) or _TAG.match(bare)):
            return True
        if '"license-status/' in bare or '"previousToken"' in bare:
            return True
    return False


class _Shared:
    """What the readers of all files gather together."""

    def __init__(self) -> None:
        self.tokens: dict[str, Line] = {}
        self.previous: dict[str, Line] = {}
        self.cut = False
        self.odd: dict[str, None] = {}

    def note(self, said: Statement) -> None:
        for token, known in ((said.token, self.tokens), (said.previous_token, self.previous)):
            if token is None or token in known:
                continue
            if len(known) < _TOKENS_MAX:
                known[token] = said.line
            else:
                self.cut = True

    def strange(self, *sentences: str) -> None:
        for sentence in sentences:
            if len(self.odd) < _ODD_MAX:
                self.odd[sentence] = None


class _Reader:
    """One file: the run of equal states that it ends with, its status as JSON, its span."""

    def __init__(self, file: str, shared: _Shared) -> None:
        self.file, self.shared = file, shared
        self.first_at: str | None = None
        self.last_at: str | None = None
        self.run: tuple[Statement, Statement] | None = None  # first and last of the run
        self.runs = 0
        self.status: Status | None = None
        self.block: Block | None = None
        self.pending: tuple[int, str, str | None] | None = None  # a licence line that mail may have wrapped

    def read(self, log: LogText) -> "_Reader":
        first = last = None
        for number, line in enumerate(log.lines(), 1):
            if "\x1b" in line:
                line = clean(line)
            if line[:1] in _QUOTE:
                line = line.lstrip(_QUOTE)
            stamp = _TIME.match(line)
            if stamp:
                first, last = first or stamp, stamp
            if self.pending is not None:
                line = self._wrapped(line)
            if "LICEN" in line or "status=" in line:
                self._licence(number, line, last)
            if self.block is not None or "{" in line:
                self._json(number, line)
        self._settle(torn=True)
        self._close()
        self.first_at, self.last_at = _at(first), _at(last)
        if log.torn:
            self.shared.strange(f"{self.file} is damaged: it was read as far as it goes.")
        return self

    def _licence(self, number: int, line: str, stamp: "re.Match[str] | None") -> None:
        found = _LINE.match(line)
        if found:
            tagged = _TAG.match(found[2]) or ("status=" in found[2] and found[1].lower().startswith("licen"))
            message = found[2] if tagged else ""
        elif _TAG.match(line):
            message = line
        else:
            cut = _TAG_AFTER_TORN_START.match(line)
            message = cut[1] if cut else ""
        if message:
            self.pending = (number, line[:_MESSAGE_MAX], _at(stamp))

    def _wrapped(self, line: str) -> str:
        """Join ``line`` to the licence line before if mail has broken it there, else be done with that one."""
        if self.pending and _GOES_ON.match(line) and len(self.pending[1]) < _MESSAGE_MAX:
            number, text, at = self.pending
            self.pending = (number, f"{text} {line[:_MESSAGE_MAX]}", at)
            return ""
        self._settle()
        return line

    def _settle(self, torn: bool = False) -> None:
        """Take what the pending line says; a last line that was cut before its status says nothing."""
        if self.pending is None:
            return
        number, text, at = self.pending
        self.pending = None
        pairs = _pairs(straight(text))
        said = statement(Line(self.file, number, text[:1200]), at, pairs)
        if said.status is None:
            if strange := unknown_status(pairs.get("status")):
                self.shared.strange(f"{self.file} names a status that is not known here: {strange}.")
            if not torn:
                self.shared.note(said)
            return
        self.shared.note(said)
        if self.run and said.goes_on(self.run[1]):
            self.run = (self.run[0], _next(self.run[1], said))
        else:
            self.run, self.runs = (said, said), self.runs + 1

    def _json(self, number: int, line: str) -> None:
        if self.block is None:
            start = starts(line)
            if start < 0:
                return
            self.block, line = Block(self.file, number), line[start:]
        if self.block.add(line):
            self._close()

    def _close(self) -> None:
        """Read the block that is complete, or that the end of the file has cut."""
        status = self.block.status() if self.block else None
        self.block = None
        if status is None:
            return
        self.shared.note(status.said)
        self.shared.strange(*status.odd)
        if status.said.status is not None:
            self.status = status


def _pairs(text: str) -> dict[str, object]:
    """The pairs of a message and of the JSON object that may end it; of a key given twice the last counts."""
    pairs: dict[str, object] = {
        plain_key(key): double or single or bare.rstrip(",;") for key, double, single, bare in _PAIR.findall(text)
    }
    start = text.find(" {")
    if start >= 0:
        try:
            tail = json.JSONDecoder(strict=False).raw_decode(text[start + 1 :])[0]
        except (ValueError, RecursionError):
            tail = None
        if isinstance(tail, dict):
            pairs.update({plain_key(key): value for key, value in tail.items()})
    return pairs


def _next(earlier: Statement, said: Statement) -> Statement:
    """``said`` after ``earlier`` of the same run. A number whose end is torn off (10 to 1) is not believed."""
    full = said.filled(earlier)
    torn = (
        said.days_left is not None
        and earlier.days_left is not None
        and said.days_left < earlier.days_left
        and str(earlier.days_left).startswith(str(said.days_left))
        and (said.at or "")[:10] == (earlier.at or "")[:10]
    )
    return replace(full, days_left=earlier.days_left) if torn else full


def _at(stamp: "re.Match[str] | None") -> str | None:
    if stamp is None:
        return None
    at = f"{stamp[1]}T{stamp[2]}"
    try:
        datetime.fromisoformat(at)
    except ValueError:
        return None
    return at


def _last_of_logs(readers: list[_Reader]) -> tuple[Statement | None, Statement | None]:
    """The last statement of all log files in order of time, and the first of its run, which may span rotated files."""
    ordered = sorted((reader for reader in readers if reader.run), key=lambda one: one.run[1].at or "")  # type: ignore[index]
    first = last = None
    for reader in reversed(ordered):
        run = reader.run
        if run is None or (first is not None and not first.goes_on(run[1])):
            break
        last, first = last or run[1], run[0]
        if reader.runs > 1:
            break
    return last, first


def _winner(from_log: Statement | None, from_file: Statement | None) -> Statement | None:
    """The later one; where zones leave it open the status file, which says more."""
    if from_log is None or from_file is None:
        return from_log or from_file
    winner, other = from_file, from_log
    if from_log.at and from_file.at:
        ahead = datetime.fromisoformat(from_log.at[:19]) - datetime.fromisoformat(from_file.at[:19])
        if ahead > _ZONES:
            winner, other = from_log, from_file
    same = winner.goes_on(other)
    return winner.filled(other, None if same else _ANY_STATE)
