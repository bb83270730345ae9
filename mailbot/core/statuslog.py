"""What logs and status files say of a licence, read as a stream: tokens, status, since when, and where it stands.

A line is ``[local time] [LEVEL] service - message``; of interest are those tagged ``[LICENSE:...]``, whose message is
``key=value`` pairs and perhaps JSON (``statusjson``). Whether it fits the request is ``diagnosis``'s matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailbot.core.logline import QUOTE, is_log_line
from mailbot.core.logreading import FileReading, Gathered
from mailbot.core.logtext import LogText
from mailbot.core.statement import Line, Statement
from mailbot.core.statusjson import straight

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
    shared = Gathered()
    readers = [FileReading(log.name, shared).read(log) for log in logs]
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


def _last_of_logs(readers: list[FileReading]) -> tuple[Statement | None, Statement | None]:
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
