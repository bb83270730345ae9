"""What logs and status files say of licences, read as a stream: each installation's tokens, status, and since when.

A line is ``[local time] [LEVEL] service - message``; of interest are those tagged ``[LICENSE:...]``, whose message is
``key=value`` pairs and perhaps JSON (``statusjson``). Whether it fits the request is ``diagnosis``'s matter.
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

#: Status files know their zone, log lines do not: so far apart the two may seem.
_ZONES = timedelta(hours=14)
_ANY_STATE = frozenset({"version", "last_contact"})


@dataclass(frozen=True)
class Installation:
    """One licence that the files speak of, under all its ``tokens``.

    ``said`` is the last statement with a status, completed from others about the same state, ``first`` where that
    state was first met. ``begun``: it began there; else it may be older, and if the clock was ``skewed`` nothing is
    known of that. ``from_log`` and ``from_file`` are the last statements of either kind, ``terms`` what the status file
    says of the contract, ``unknown`` its keys that have no meaning here, masked.
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
    """What was found in all files together.

    ``installations`` are in order of their last statements. ``tokens`` and ``previous_tokens`` map each token to the
    first line that names it (at most 1,000: then ``tokens_cut``), ``changes`` are the first statements of each token
    about the one before it. ``first_at`` and ``last_at`` are local times in ISO 8601 without zone; ``skewed``: times go
    back in some file, so that these are not its ends. ``odd`` are sentences.
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
        """Every token named, current or previous: what the ledger is asked about."""
        return frozenset(self.tokens) | frozenset(self.previous_tokens)

    @property
    def main(self) -> Installation | None:
        """The one that the last statement is about."""
        return self.installations[-1] if self.installations else None

    @property
    def said(self) -> Statement | None:
        """The last statement with a status."""
        return self.main.said if self.main else None

    @property
    def first(self) -> Statement | None:
        """Where its state was first met."""
        return self.main.first if self.main else None

    @property
    def unknown(self) -> tuple[tuple[str, str], ...]:
        """Keys of its status file that have no meaning here, masked."""
        return self.main.unknown if self.main else ()

    def about(self, tokens: Iterable[str | None]) -> "Findings":
        """The same with the installation that has one of ``tokens`` as the main one, if there is one."""
        asked = frozenset(token for token in tokens if token)
        ordered = sorted(self.installations, key=lambda one: not asked.isdisjoint(one.tokens))
        return replace(self, installations=tuple(ordered))


def read_logs(logs: Iterable[LogText]) -> Findings:
    """What ``logs`` say of licences. Any text is accepted; memory stays small whatever their size."""
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
    """Whether ``text`` (of a mail, say) holds pasted lines of a log or a licence status."""
    for line in straight(text[:1_000_000]).split("\n"):
        bare = line.lstrip(QUOTE)
        if is_log_line(bare):
            return True
        if '"license-status/' in bare or '"previousToken"' in bare:
            return True
    return False


def _installations(readers: list[FileReading], tokens: Tokens) -> tuple[Installation, ...]:
    """Each installation of which a status is known, the one of the last statement last."""
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
