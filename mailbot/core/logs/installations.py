"""Which tokens belong to one installation, and its last state across rotated files and token changes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from mailbot.core.logs.log_file import FileReading
from mailbot.core.logs.runs import Track, soon_after
from mailbot.core.logs.statement import Statement


@dataclass(frozen=True)
class Run:
    """The last run of equal statements. ``begun``: another state precedes it closely, so it began at ``first``.

    ``skewed``: times go back, so that no line shows when the state began.
    """

    first: Statement
    last: Statement
    begun: bool
    skewed: bool


class Tokens:
    """Tokens grouped into installations: a token names another as its previous one, or follows it in a file.

    Each installation is identified by its root token. Statements without a token belong to the only installation; if
    there are several, to one of their own (None).
    """

    def __init__(self, links: Iterable[tuple[str, str]], readers: Iterable[FileReading]) -> None:
        readers = list(readers)
        self._parent: dict[str, str] = {}
        for token, previous in links:
            self._join(token, previous)
        for reader in readers:
            for token, earlier in _followers(reader):
                self._join(token, earlier)
        seen = [self._find(token) for reader in readers for token in reader.tracks if token]
        stated = [
            self._find(status.said.token) for reader in readers for status in reader.statuses if status.said.token
        ]
        known = dict.fromkeys([*seen, *stated])
        self._only = next(iter(known)) if len(known) == 1 else None
        self.roots = tuple(dict.fromkeys([*known, *(self._only for r in readers if None in r.tracks)]))

    def root(self, token: str | None) -> str | None:
        """The root of a token's installation."""
        return self._only if token is None else self._find(token)

    def named(self, root: str | None) -> frozenset[str]:
        """All tokens of that installation."""
        if root is None:
            return frozenset()
        return frozenset({root, *(token for token in self._parent if self._find(token) == root)})

    def of(self, root: str | None, readers: Iterable[FileReading]) -> Iterator[tuple[FileReading, list[Track]]]:
        """Yields each file that mentions that installation, with its tracks there."""
        for reader in readers:
            tracks = [track for token, track in reader.tracks.items() if self.root(token) == root]
            if tracks:
                yield reader, tracks

    def _find(self, token: str) -> str:
        while (parent := self._parent.get(token, token)) != token:
            self._parent[token] = self._parent.get(parent, parent)
            token = parent
        return token

    def _join(self, token: str, other: str) -> None:
        one, two = self._find(token), self._find(other)
        self._parent.setdefault(one, one)
        self._parent[two] = one


def _followers(reader: FileReading) -> Iterator[tuple[str, str]]:
    """Yields (token, previous token) where a file stops naming one token and begins a token change with the next."""
    ordered = sorted(reader.tracks.items(), key=lambda pair: pair[1].opening.line.number)
    for (earlier, before), (token, track) in pairwise(ordered):
        opening = track.opening
        after = before.last.line.number < opening.line.number and (before.last.at or "") <= (opening.at or "")
        if token and earlier and after and opening.previous_token is None and opening.reason == "token_change":
            yield token, earlier


def last_run(files: Iterable[tuple[FileReading, list[Track]]]) -> Run | None:
    """The last run of one installation over all its files, ordered by their last times; None without statements."""
    newest = [(reader, _newest(tracks), tracks) for reader, tracks in files]
    newest.sort(key=lambda one: one[1].last.at or "")
    first = last = None
    begun = False
    for _, track, tracks in reversed(newest):
        if first is not None and not first.goes_on(track.last):
            begun = soon_after(first.at, track.last.at)
            break
        first, last = track.first, last or track.last
        if track.first is not track.opening:
            begun = track.begun
            break
        if (before := _before(track, tracks)) is not None:
            begun = soon_after(first.at, before.last.at)
            break
    if first is None or last is None:
        return None
    return Run(first, last, begun, any(reader.skewed for reader, _, _ in newest))


def _before(track: Track, tracks: list[Track]) -> Track | None:
    """The track of an earlier token of the same installation, if the file has one."""
    earlier = [other for other in tracks if other.opening.line.number < track.opening.line.number]
    return max(earlier, key=lambda other: other.last.line.number, default=None)


def _newest(tracks: list[Track]) -> Track:
    return max(tracks, key=lambda track: track.last.line.number)
