"""What logs and status files say about licences: for each installation its tokens, its status and since when.

The files are read as streams. ``logs.diagnosis`` compares the findings with the request.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mailbot.core.logs.decoding import LogText
from mailbot.core.logs.installations import Tokens, last_run
from mailbot.core.logs.log_file import FileReading, Gathered
from mailbot.core.logs.log_line import QUOTE, is_log_line
from mailbot.core.logs.statement import LogExcerpt, Statement
from mailbot.core.logs.status_json import NOTHING_SAID, Status, Terms, straight

#: Log lines have no time zone, status files do: the same moment may differ by this much.
_ZONES = timedelta(hours=14)
_ANY_STATE = frozenset({"version", "last_contact"})


@dataclass(frozen=True)
class Installation:
    """One installation in the files, with all its ``tokens``.

    ``said``: the last statement with a status, completed from others about the same state. ``first``: the first
    statement of that state. ``begun``: the state began there; otherwise it may be older. ``skewed``: times go back, so
    ``first`` proves nothing. ``from_log``, ``from_file``: the last statement of each kind. ``terms``: the contract in the
    status file. ``unknown``: its unknown keys and their redacted values.
    """

    tokens: frozenset[str]
    said: Statement
    first: Statement
    begun: bool = False
    skewed: bool = False
    from_log: Statement | None = None
    from_file: Statement | None = None
    terms: Terms = NOTHING_SAID
    unknown: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Findings:
    """The findings of all files together.

    ``installations``: ordered by their last statements. ``tokens``, ``previous_tokens``: each token and the first line
    that names it, at most 1,000 (then ``tokens_cut``). ``changes``: for each pair of token and previous token the first
    statement. ``first_at``, ``last_at``: local times in ISO 8601 without zone; unreliable if ``skewed`` (times go back).
    ``odd``: sentences about what was strange.
    """

    files: tuple[str, ...] = ()
    installations: tuple[Installation, ...] = ()
    tokens: dict[str, LogExcerpt] = field(default_factory=dict)
    previous_tokens: dict[str, LogExcerpt] = field(default_factory=dict)
    tokens_cut: bool = False
    changes: tuple[Statement, ...] = ()
    first_at: str | None = None
    last_at: str | None = None
    skewed: bool = False
    odd: tuple[str, ...] = ()

    @property
    def all_tokens(self) -> frozenset[str]:
        """Every token in the files, current or previous."""
        return frozenset(self.tokens) | frozenset(self.previous_tokens)

    @property
    def main(self) -> Installation | None:
        """The installation of the last statement."""
        return self.installations[-1] if self.installations else None

    @property
    def said(self) -> Statement | None:
        """The last statement with a status."""
        return self.main.said if self.main else None

    @property
    def first(self) -> Statement | None:
        """The first statement of that state."""
        return self.main.first if self.main else None

    @property
    def unknown(self) -> tuple[tuple[str, str], ...]:
        """Unknown keys of its status file and their redacted values."""
        return self.main.unknown if self.main else ()

    def about(self, tokens: Iterable[str | None]) -> "Findings":
        """These findings with the installation that has one of ``tokens`` as ``main``, if there is one."""
        asked = frozenset(token for token in tokens if token)
        ordered = sorted(self.installations, key=lambda one: not asked.isdisjoint(one.tokens))
        return replace(self, installations=tuple(ordered))


def read_logs(logs: Iterable[LogText]) -> Findings:
    """The findings in ``logs``. Accepts any text; memory does not grow with its size."""
    shared = Gathered()
    readers = [FileReading(log.name, shared).read(log) for log in logs]
    begins = [at for reader in readers if (at := reader.first_at)]
    ends = [at for reader in readers if (at := reader.last_at)]
    installations = _installations(readers, Tokens(shared.changes, readers))
    if not ends:
        stated = [at[:19] for one in installations if one.from_file and (at := one.from_file.at)]
        begins, ends = stated, stated
    return Findings(
        files=tuple(reader.file for reader in readers),
        installations=installations,
        tokens=shared.tokens,
        previous_tokens=shared.previous,
        tokens_cut=shared.cut,
        changes=tuple(shared.changes.values()),
        first_at=min(begins, default=None),
        last_at=max(ends, default=None),
        skewed=any(reader.skewed for reader in readers),
        odd=tuple(shared.odd),
    )


def looks_like_log(text: str) -> bool:
    """Whether ``text`` contains log lines or a licence status, as pasted into a mail."""
    for line in straight(text[:1_000_000]).split("\n"):
        bare = line.lstrip(QUOTE)
        if is_log_line(bare):
            return True
        if '"license-status/' in bare or '"previousToken"' in bare:
            return True
    return False


def _installations(readers: list[FileReading], tokens: Tokens) -> tuple[Installation, ...]:
    """The installations with a known status, in order of their last statements."""
    statuses: dict[str | None, Status] = {}
    for status in (status for reader in readers for status in reader.statuses):
        root = tokens.root(status.said.token)
        if root not in statuses or (status.said.at or "") >= (statuses[root].said.at or ""):
            statuses[root] = status
    roots = dict.fromkeys([*tokens.roots, *statuses])
    found = (_installation(tokens, root, readers, statuses.get(root)) for root in roots)
    return tuple(sorted((one for one in found if one), key=lambda one: (one.said.at or "")[:19]))


def _installation(
    tokens: Tokens, root: str | None, readers: list[FileReading], status: Status | None
) -> Installation | None:
    run = last_run(tokens.of(root, readers))
    from_log = run.last if run else None
    from_file = status.said if status else None
    said = _winner(from_log, from_file)
    if said is None:
        return None
    goes_on = run is not None and said.goes_on(run.first)
    return Installation(
        tokens=tokens.named(root) | {token for token in (said.token, said.previous_token) if token},
        said=said,
        first=run.first if run and goes_on else said,
        begun=run.begun if run and goes_on else False,
        skewed=run.skewed if run else False,
        from_log=from_log,
        from_file=from_file,
        terms=status.terms if status else NOTHING_SAID,
        unknown=status.unknown if status else (),
    )


def _winner(from_log: Statement | None, from_file: Statement | None) -> Statement | None:
    """The later statement. If the time zone leaves that open, the status file: it says more."""
    if from_log is None or from_file is None:
        return from_log or from_file
    winner, other = from_file, from_log
    if from_log.at and from_file.at:
        ahead = datetime.fromisoformat(from_log.at[:19]) - datetime.fromisoformat(from_file.at[:19])
        if ahead > _ZONES:
            winner, other = from_log, from_file
    same = winner.goes_on(other)
    return winner.filled(other, None if same else _ANY_STATE)
