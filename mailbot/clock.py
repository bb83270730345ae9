"""The one clock. ``--now`` and tests put another in its place."""

from collections.abc import Callable
from datetime import UTC, datetime

#: Gives the present moment, aware, in UTC.
Clock = Callable[[], datetime]


def system() -> datetime:
    """The machine's present moment in UTC, to the second: what is stored and what is said are the same."""
    return datetime.now(UTC).replace(microsecond=0)


def fixed(moment: datetime) -> Clock:
    """A clock that stands still."""
    return lambda: moment.astimezone(UTC)
