"""What one file says of one token: the run of equal states that it ends with, and whether it began there."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailbot.core.logs.statement import LogExcerpt, Statement

#: Installations ask daily: after a longer silence nobody knows when a state began.
_SOON = timedelta(days=2)


@dataclass
class LicenceLine:
    """A licence line that is not yet settled, as mail may have wrapped it. ``message`` is what follows the prefix."""

    number: int
    text: str
    message: str
    at: str | None


@dataclass
class Track:
    """What one file says of one token: where that begins, and the run of equal states that it ends with.

    ``begun``: another state of that token stands shortly before the run, so that its first line shows when it began.
    """

    opening: Statement
    first: Statement
    last: Statement
    message: str
    begun: bool = False
    repeated: LicenceLine | None = None  # says word for word what the last of the run says

    def take(self, said: Statement, message: str, *, torn: bool) -> None:
        if said.goes_on(self.last):
            self.last = _next(self.last, said, torn=torn)
        else:
            self.first, self.last, self.begun = said, said, soon_after(said.at, self.last.at)
        self.message = message

    def repeat(self) -> None:
        """Let the last word-for-word repetition be the last line of the run."""
        if self.repeated is not None:
            line = LogExcerpt(self.last.line.file, self.repeated.number, self.repeated.text[:1200])
            where = {name: line if where == self.last.line else where for name, where in self.last.where.items()}
            self.last = replace(self.last, line=line, at=self.repeated.at, where=where)
        self.repeated = None


def soon_after(at: str | None, before: str | None) -> bool:
    """Whether a statement follows another so soon that what it says for the first time began then."""
    if at is None or before is None:
        return False
    return timedelta(0) <= datetime.fromisoformat(at[:19]) - datetime.fromisoformat(before[:19]) <= _SOON


def _next(earlier: Statement, said: Statement, *, torn: bool) -> Statement:
    """``said`` after ``earlier`` of the same run. A number whose end is torn off (10 to 1) is not believed.

    The digits may be lost anywhere on the same day, and where the file ends without a line end (``torn``) on any day.
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
    """Whether the days of grace begin with the digits that counting down would give, but lack some of these."""
    if earlier.at is None or said.at is None or earlier.days_left is None or said.days_left is None:
        return False
    passed = (datetime.fromisoformat(said.at[:10]) - datetime.fromisoformat(earlier.at[:10])).days
    expected = [earlier.days_left - passed + off for off in (-1, 0, 1)]
    return said.days_left not in expected and any(str(n).startswith(str(said.days_left)) for n in expected)
