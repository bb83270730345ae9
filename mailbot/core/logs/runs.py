"""The last run of equal states of one token in one file, and whether the state began within that file."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailbot.core.logs.statement import LogExcerpt, Statement

#: Installations log daily. After a longer gap the beginning of a state is unknown.
_SOON = timedelta(days=2)


@dataclass
class LicenceLine:
    """A licence line whose continuation may follow. ``message``: the text after the prefix."""

    number: int
    text: str
    message: str
    at: str | None


@dataclass
class Track:
    """The statements of one file about one token: the first one, and the last run of equal states.

    ``begun``: another state precedes the run closely, so that the run's first line shows when its state began.
    """

    opening: Statement
    first: Statement
    last: Statement
    message: str
    begun: bool = False
    repeated: LicenceLine | None = None  # repeats the last statement of the run word for word

    def take(self, said: Statement, message: str, *, torn: bool) -> None:
        if said.goes_on(self.last):
            self.last = _next(self.last, said, torn=torn)
        else:
            self.first, self.last, self.begun = said, said, soon_after(said.at, self.last.at)
        self.message = message

    def repeat(self) -> None:
        """Makes the last verbatim repetition the last line of the run."""
        if self.repeated is not None:
            line = LogExcerpt(self.last.line.file, self.repeated.number, self.repeated.text[:1200])
            where = {name: line if where == self.last.line else where for name, where in self.last.where.items()}
            self.last = replace(self.last, line=line, at=self.repeated.at, where=where)
        self.repeated = None


def soon_after(at: str | None, before: str | None) -> bool:
    """Whether the times are so close that a state first seen at ``at`` began then."""
    if at is None or before is None:
        return False
    return timedelta(0) <= datetime.fromisoformat(at[:19]) - datetime.fromisoformat(before[:19]) <= _SOON


def _next(earlier: Statement, said: Statement, *, torn: bool) -> Statement:
    """``said`` as a continuation of ``earlier``. Ignores a number of days that lost its last digits (10 became 1).

    That is assumed within one day, and on any day if the file ends without a line end (``torn``).
    """
    full = said.filled(earlier)
    if said.days_left is None or earlier.days_left is None or said.days_left >= earlier.days_left:
        return full
    same_day = (said.at or "")[:10] == (earlier.at or "")[:10]
    if same_day and str(earlier.days_left).startswith(str(said.days_left)):
        return replace(full, days_left=earlier.days_left, where={**full.where, "days_left": earlier.where["days_left"]})
    if torn and _cut_short(earlier, said):
        return replace(full, days_left=None, where={k: v for k, v in full.where.items() if k != "days_left"})
    return full


def _cut_short(earlier: Statement, said: Statement) -> bool:
    """Whether the days left are the beginning of the number that counting down would give."""
    if earlier.at is None or said.at is None or earlier.days_left is None or said.days_left is None:
        return False
    passed = (datetime.fromisoformat(said.at[:10]) - datetime.fromisoformat(earlier.at[:10])).days
    expected = [earlier.days_left - passed + off for off in (-1, 0, 1)]
    return said.days_left not in expected and any(str(n).startswith(str(said.days_left)) for n in expected)
