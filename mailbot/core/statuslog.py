"""What logs and status files say of a licence, read as a stream: tokens, status, since when, and where it stands.

A line is ``[local time] [LEVEL] service - message``; of interest are those tagged ``[LICENSE:...]``, whose message is
``key=value`` pairs and perhaps JSON (``statusjson``). Whether it fits the request is ``diagnosis``'s matter.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from mailbot.core.logline import (
    MESSAGE_MAX,
    QUOTE,
    Stamp,
    continues,
    is_log_line,
    iso_of,
    message_of,
    pairs_of,
    stamp_of,
)
from mailbot.core.logtext import LogText
from mailbot.core.masking import clean
from mailbot.core.statement import Line, Statement, statement, unknown_status
from mailbot.core.statusjson import Block, Status, starts, straight

_TOKENS_MAX = 1_000
#: Beyond these a log is no log any more, but must not cost minutes: lines of all files, licence lines of one file.
_LINES_MAX = 3_000_000
_LICENCE_LINES_MAX = 60_000
_BLOCKS_MAX = 20  # status files inside one file: the last ones count
_ODD_MAX = 10
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
        bare = line.lstrip(QUOTE)
        if is_log_line(bare):
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
        self.lines_left = _LINES_MAX

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


@dataclass
class _LicenceLine:
    """A licence line that is not yet settled, as mail may have wrapped it. ``message`` is what follows the prefix."""

    number: int
    text: str
    message: str
    at: str | None


class _Reader:
    """One file: the run of equal states that it ends with, its status as JSON, its span."""

    def __init__(self, file: str, shared: _Shared) -> None:
        self.file, self.shared = file, shared
        self.first_at: str | None = None
        self.last_at: str | None = None
        self.run: tuple[Statement, Statement] | None = None  # first and last of the run
        self.runs = 0
        self.status: Status | None = None
        self.pending: _LicenceLine | None = None
        self.repeated: _LicenceLine | None = None  # says word for word what the last of the run says
        self.message = ""
        self.settled = 0
        self.block: Block | None = None
        self.blocks: deque[Block] = deque(maxlen=_BLOCKS_MAX)

    def read(self, log: LogText) -> "_Reader":
        first = last = None
        number = 0
        for number, line in enumerate(islice(log.lines(), self.shared.lines_left), 1):
            if "\x1b" in line:
                line = clean(line)
            if line[:1] in QUOTE:
                line = line.lstrip(QUOTE)
            stamp = stamp_of(line)
            if stamp:
                first, last = first or stamp, stamp
            if self.pending is not None and self._goes_on(line):
                continue
            if "LICEN" in line or "status=" in line:
                self._licence(number, line, last)
            if self.block is not None or "{" in line:
                self._json(number, line)
        self.shared.lines_left -= number
        self._end(log)
        self.first_at, self.last_at = iso_of(first), iso_of(last)
        return self

    def _end(self, log: LogText) -> None:
        self._settle(at_end=True)
        self._repeat()
        if self.block is not None:
            self.blocks.append(self.block)
        for block in self.blocks:
            self._status(block)
        if log.torn:
            self.shared.strange(f"{self.file} is damaged: it was read as far as it goes.")
        if self.shared.lines_left <= 0:
            self.shared.strange(f"{self.file} is longer than what is read: it was not read to its end.")

    def _licence(self, number: int, line: str, stamp: Stamp | None) -> None:
        message = message_of(line)
        if message:
            self.pending = _LicenceLine(number, line[:MESSAGE_MAX], message[:MESSAGE_MAX], iso_of(stamp))

    def _goes_on(self, line: str) -> bool:
        """Whether ``line`` is the rest of the licence line before, which mail has broken; else settles that one."""
        pending = self.pending
        if pending and continues(line) and len(pending.text) < MESSAGE_MAX:
            pending.text = f"{pending.text} {line[:MESSAGE_MAX]}"
            pending.message = f"{pending.message} {line[:MESSAGE_MAX]}"
            return True
        self._settle()
        return False

    def _settle(self, at_end: bool = False) -> None:
        """Take what the pending line says. In a file of nothing else only the first many and the last are read."""
        pending = self.pending
        if pending is None or (self.settled >= _LICENCE_LINES_MAX and not at_end):
            return
        self.pending = None
        if pending.message == self.message and self.run:
            self.repeated = pending
            return
        self.settled += 1
        if self.settled == _LICENCE_LINES_MAX:
            self.shared.cut = True
            self.shared.strange(f"{self.file} holds more different licence lines than are read: the last one counts.")
        self._repeat()
        self._say(pending, at_end)

    def _say(self, pending: _LicenceLine, at_end: bool) -> None:
        pairs = pairs_of(straight(pending.message))
        said = statement(Line(self.file, pending.number, pending.text[:1200]), pending.at, pairs)
        if said.status is not None:
            self.message = pending.message
            if self.run and said.goes_on(self.run[1]):
                self.run = (self.run[0], _next(self.run[1], said))
            else:
                self.run, self.runs = (said, said), self.runs + 1
        elif at_end:
            return  # cut before its status, and perhaps within a token
        elif strange := unknown_status(pairs.get("status")):
            self.shared.strange(f"{self.file} names a status that is not known here: {strange}.")
        self.shared.note(said)

    def _repeat(self) -> None:
        if self.repeated is not None and self.run:
            again = self.repeated
            line = Line(self.file, again.number, again.text[:1200])
            self.run = (self.run[0], replace(self.run[1], line=line, at=again.at))
        self.repeated = None

    def _json(self, number: int, line: str) -> None:
        if self.block is None:
            start = starts(line)
            if start < 0:
                return
            self.block, line = Block(self.file, number), line[start:]
        if self.block.add(line):
            if self.block.promises():
                self.blocks.append(self.block)
            self.block = None

    def _status(self, block: Block) -> None:
        status = block.status()
        if status is None:
            return
        self.shared.note(status.said)
        self.shared.strange(*status.odd)
        if status.said.status is not None:
            self.status = status


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
