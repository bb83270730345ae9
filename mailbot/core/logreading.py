"""One log file from its first line to its last: the state that it ends with, its status as JSON, its span.

Lines are read once and not kept. What several files say together is ``statuslog``'s matter.
"""

from collections import deque
from dataclasses import dataclass, replace
from itertools import islice

from mailbot.core.logline import MESSAGE_MAX, QUOTE, Stamp, continues, iso_of, message_of, pairs_of, stamp_of
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


class Gathered:
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
                known[token] = next((line for line in said.lines if f'"{token}"' in line.text), said.line)
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


class FileReading:
    """One file: the run of equal states that it ends with, its status as JSON, its span."""

    def __init__(self, file: str, shared: Gathered) -> None:
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

    def read(self, log: LogText) -> "FileReading":
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
        if pending and continues(pending.message, line) and len(pending.text) < MESSAGE_MAX:
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
        elif strange := unknown_status(pairs.get("status")):
            self.shared.strange(f"{self.file} names a status that is not known here: {strange}.")
        elif at_end:
            return  # cut before its status, and perhaps within a token
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
