"""The one clock. ``--now`` and tests replace it."""

from collections.abc import Callable
from datetime import UTC, datetime

#: Returns the present moment, aware, in UTC.
Clock = Callable[[], datetime]


def system() -> datetime:
    """The current time in UTC, to the second, so that the stored time equals the printed one."""
    return datetime.now(UTC).replace(microsecond=0)


def fixed(moment: datetime) -> Clock:
    """A clock that does not advance."""
    return lambda: moment.astimezone(UTC)
