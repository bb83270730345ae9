"""Reads one log file: its statements by token, its statuses as JSON, and the times of its first and last line.

Lines are read once and not kept. ``logs.findings`` combines several files.
"""

from collections import deque
from datetime import datetime, timedelta

from mailbot.core.logs.decoding import LINE_MAX, LogText
from mailbot.core.logs.log_line import (
    MESSAGE_MAX,
    QUOTE,
    Stamp,
    continues,
    iso_of,
    message_of,
    pairs_of,
    stamp_of,
    unglued,
)
from mailbot.core.logs.log_scan import first_stamp, last_stamp, telling_lines
from mailbot.core.logs.masking import visible_characters
from mailbot.core.logs.runs import LicenceLine, Track
from mailbot.core.logs.statement import LogExcerpt, Statement, statement, unknown_status
from mailbot.core.logs.status_json import Block, Status, starts, straight

_TOKENS_MAX = 1_000
#: Caps on the work: lines of all files together, and different licence lines of one file.
_LINES_MAX = 3_000_000
_LICENCE_LINES_MAX = 60_000
_BLOCKS_MAX = 20  # status files inside one file: the last ones count
_ODD_MAX = 10
_RECENT_MAX = 50
#: The end of summer time sets a clock back by one hour; more than two means a fault.
_BACK = timedelta(hours=2)


class Gathered:
    """Results shared by the readers of all files. ``changes``: (token, previous token) -> first statement."""

    def __init__(self) -> None:
        self.tokens: dict[str, LogExcerpt] = {}
        self.previous: dict[str, LogExcerpt] = {}
        self.changes: dict[tuple[str, str], Statement] = {}
        self.cut = False
        self.odd: dict[str, None] = {}
        self.lines_left = _LINES_MAX

    def note(self, said: Statement) -> None:
        for name, token, known in (
            ("token", said.token, self.tokens),
            ("previous_token", said.previous_token, self.previous),
        ):
            if token is None or token in known:
                continue
            if len(known) < _TOKENS_MAX:
                known[token] = said.where.get(name, said.line)
            else:
                self.cut = True
        if said.token and said.previous_token and len(self.changes) < _TOKENS_MAX:
            self.changes.setdefault((said.token, said.previous_token), said)

    def report(self, *sentences: str) -> None:
        for sentence in sentences:
            if len(self.odd) < _ODD_MAX:
                self.odd[sentence] = None


class FileReading:
    """One file: a track for each token (None for lines without one), its statuses as JSON, its first and last time."""

    def __init__(self, file: str, shared: Gathered) -> None:
        self.file, self.shared = file, shared
        self.first_at: str | None = None
        self.last_at: str | None = None
        self.tracks: dict[str | None, Track] = {}
        self.statuses: list[Status] = []
        self.skewed = False  # its times go back
        self.open_end = False  # its last line has no line end
        self.number = 0
        self.pending: LicenceLine | None = None
        self.latest: str | None = None
        self.current: str | None = None
        self.recent: dict[str, str | None] = {}  # message -> the token whose track it belongs to
        self.settled = 0
        self.block: Block | None = None
        self.blocks: deque[Block] = deque(maxlen=_BLOCKS_MAX)
        self.stamps: tuple[Stamp | None, Stamp | None] = (None, None)

    def read(self, log: LogText) -> "FileReading":
        for block in log.blocks():
            if self.number >= self.shared.lines_left:
                break
            self.open_end = not block.endswith("\n")
            self._block(block)
        self.shared.lines_left -= self.number
        self._end(log)
        return self

    def _block(self, block: str) -> None:
        at = self._lines(block, 0) if self.pending or self.block else 0
        for start in telling_lines(block):
            if start >= at and self.number < self.shared.lines_left:
                self._skip(block, at, start)
                at = self._lines(block, start)
        self._skip(block, at, len(block))

    def _lines(self, block: str, at: int) -> int:
        """Reads the line at ``at`` and its continuation lines; returns where the next line begins."""
        going_on = True
        while going_on and at < len(block) and self.number < self.shared.lines_left:
            end = block.find("\n", at)
            end = len(block) if end < 0 else end
            self.number += 1
            self._line(block[at : min(end, at + LINE_MAX)])
            at = end + 1
            going_on = self.pending is not None or self.block is not None
        return at

    def _skip(self, block: str, at: int, end: int) -> None:
        """Counts lines without statements, and remembers the first and last time among them."""
        if at >= end:
            return
        self.number += block.count("\n", at, end) + (end == len(block) and self.open_end)
        first, last = self.stamps
        self.stamps = first or first_stamp(block[:end], at), last_stamp(block, at, end) or last

    def _line(self, line: str) -> None:
        if "\x1b" in line:
            line = visible_characters(line)
        if line[:1] in QUOTE:
            line = line.lstrip(QUOTE)
        if "LICEN" in line:
            line = unglued(line)
        stamp = stamp_of(line)
        if stamp:
            self.stamps = self.stamps[0] or stamp, stamp
        if self.pending is not None and self._goes_on(line):
            return
        if "LICEN" in line or "status=" in line:
            self._licence(line)
        if self.block is not None or "{" in line:
            self._json(line)

    def _end(self, log: LogText) -> None:
        self._settle(at_end=True)
        for track in self.tracks.values():
            track.repeat()
        if self.block is not None:
            self.blocks.append(self.block)
        for block in self.blocks:
            self._status(block)
        self._span()
        if log.torn:
            self.shared.report(f"{self.file} is damaged: it was read up to the damage.")
        if self.shared.lines_left <= 0:
            self.shared.report(f"{self.file} is too long: its end was not read.")

    def _span(self) -> None:
        ends = sorted(at for stamp in self.stamps if (at := iso_of(stamp)))
        if ends:
            self.first_at, self.last_at = ends[0], ends[-1]
            self._check_order(iso_of(self.stamps[1]), self.number)

    def _check_order(self, at: str | None, number: int) -> None:
        """Marks the file as skewed if its times go back: no line then proves when a state began."""
        if at is None:
            return
        if self.latest is None or at >= self.latest:
            self.latest = at
        elif not self.skewed and datetime.fromisoformat(self.latest) - datetime.fromisoformat(at) > _BACK:
            self.skewed = True
            times = f"from {self.latest.replace('T', ' ')} to {at.replace('T', ' ')}"
            self.shared.report(f"The times in {self.file} go back {times} (line {number}).")

    # Licence lines

    def _licence(self, line: str) -> None:
        message = message_of(line)
        if message:
            at = iso_of(self.stamps[1])
            self.pending = LicenceLine(self.number, line[:MESSAGE_MAX], message[:MESSAGE_MAX], at)

    def _goes_on(self, line: str) -> bool:
        """Whether ``line`` continues a licence line that a mail program wrapped; if not, settles the pending line."""
        pending = self.pending
        if pending and continues(pending.message, line) and len(pending.text) < MESSAGE_MAX:
            pending.text = f"{pending.text} {line[:MESSAGE_MAX]}"
            pending.message = f"{pending.message} {line[:MESSAGE_MAX]}"
            return True
        self._settle()
        return False

    def _settle(self, at_end: bool = False) -> None:
        """Reads the pending line. Beyond the cap on licence lines only the last line of the file is read."""
        pending = self.pending
        if pending is None or (self.settled >= _LICENCE_LINES_MAX and not at_end):
            return
        self.pending = None
        self._check_order(pending.at, pending.number)
        key = self.recent.get(pending.message, "")
        track = self.tracks.get(key) if key != "" else None
        if track is not None and track.message == pending.message:
            track.repeated, self.current = pending, key
            return
        self.settled += 1
        if self.settled == _LICENCE_LINES_MAX:
            self.shared.cut = True
            self.shared.report(f"{self.file} has too many different licence lines: only the last one counts.")
        self._say(pending, at_end)

    def _say(self, pending: LicenceLine, at_end: bool) -> None:
        torn = at_end and self.open_end
        pairs = pairs_of(straight(pending.message), torn=torn)
        said = statement(LogExcerpt(self.file, pending.number, pending.text[:1200]), pending.at, pairs)
        if said.status is not None:
            self._add_to_track(said, pending.message, torn=torn)
        elif strange := unknown_status(pairs.get("status")):
            self.shared.report(f"{self.file} names an unknown status: {strange}.")
        elif at_end:
            return  # cut off before its status, perhaps within a token
        self.shared.note(said)

    def _add_to_track(self, said: Statement, message: str, *, torn: bool) -> None:
        """Adds a statement to the track of its token; one without a token continues the current track."""
        key = said.token or self.current
        if key is not None and None in self.tracks and len(self.tracks) == 1:
            self.tracks[key] = self.tracks.pop(None)
        track = self.tracks.get(key)
        if track is None:
            if len(self.tracks) >= _TOKENS_MAX:
                self.tracks.pop(next(iter(self.tracks)))
            self.tracks[key] = Track(said, said, said, message)
        else:
            track.repeat()
            track.take(said, message, torn=torn)
        self.current = key
        if len(self.recent) >= _RECENT_MAX:
            self.recent.clear()
        self.recent[message] = key

    # Statuses as JSON

    def _json(self, line: str) -> None:
        if self.block is None:
            start = starts(line)
            if start < 0:
                return
            self.block, line = Block(self.file, self.number), line[start:]
        if self.block.add(line):
            if self.block.may_be_status():
                self.blocks.append(self.block)
            self.block = None

    def _status(self, block: Block) -> None:
        status = block.status()
        if status is None:
            return
        self.shared.note(status.said)
        self.shared.report(*status.odd)
        if status.said.status is not None:
            self.statuses.append(status)
