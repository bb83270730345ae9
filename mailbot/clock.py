"""The one clock. ``--now`` and tests replace it."""

from collections.abc import Callable
from datetime import UTC, datetime

#: Returns the present moment, aware, in UTC.
Clock = Callable[[], datetime]


def system() -> datetime:
    """The machine's present moment in UTC, to the second, so that what is stored is what is said."""
    return datetime.now(UTC).replace(microsecond=0)


def fixed(moment: datetime) -> Clock:
    """A clock that stands still."""
    return lambda: moment.astimezone(UTC)
