"""What inbox, outbox, licence posts and due things share as queues: leases, attempts, and when the next attempt may start.

Each queue's own module says which rows wait, in which order they are taken, what their states are, and when an attempt
counts. How long a back-off is, is the caller's: delays are data.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, case, or_, update
from sqlmodel import Field, Session, col, func, select

from storage.types import Row, Text, UtcDateTime


class Queued(Row):
    """The columns of a row that is worked on in attempts, by one process at a time.

    ``attempts`` are those since the row was last queued. No attempt starts before ``not_before``, nor while another
    process holds the lease, which ends at ``lease_until``. ``last_result`` says what the last attempt came to: an error
    with its traceback, or the reply of a server.
    """

    id: int = Field(default=None, primary_key=True)
    attempts: int = 0
    not_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_result: str | None = Field(default=None, sa_type=Text)


def back_off(delays: Sequence[float], failures: int, longest: float | None = None) -> timedelta:
    """The wait after ``failures`` failures in a row (at least 1): ``delays`` are in seconds, the last one repeats.

    ``longest`` caps the wait, in seconds.
    """
    seconds = delays[min(failures, len(delays)) - 1]
    return timedelta(seconds=seconds if longest is None else min(seconds, longest))


def unleased(table: type[Queued]) -> ColumnElement[bool]:
    """No process holds the row at the moment bound to ``now``."""
    return _reached(table.lease_until)


def ready(table: type[Queued]) -> ColumnElement[bool]:
    """An attempt may start at the moment bound to ``now``."""
    return and_(unleased(table), _reached(table.not_before))


def not_skipped(table: type[Queued]) -> ColumnElement[bool]:
    """The row's number is not in the list bound to ``skipped``."""
    return col(table.id).not_in(bindparam("skipped", expanding=True))


def backing_off(table: type[Queued]) -> ColumnElement[bool]:
    """No process holds the row, but its next attempt may only start after the moment bound to ``now``."""
    return and_(unleased(table), col(table.not_before) > bindparam("now"))


def next_ready(s: Session, table: type[Queued], waiting: ColumnElement[bool]) -> datetime | None:
    """The earliest moment at which one of the ``waiting`` rows is ready; None when none waits.

    Only for a queue in which every waiting row has a ``not_before``.
    """
    leased = col(table.lease_until) > col(table.not_before)
    ready_at = case((leased, col(table.lease_until)), else_=col(table.not_before))
    earliest: datetime | None = s.exec(select(func.min(ready_at)).where(waiting)).one()
    return earliest


def count(s: Session, table: type[Queued], waiting: ColumnElement[bool]) -> int:
    """How many rows are ``waiting``."""
    return s.exec(select(func.count(col(table.id))).where(waiting)).one()


def lease(s: Session, rows: Iterable[Queued], until: datetime) -> None:
    """Reserves the rows for the caller until that moment."""
    for row in rows:
        row.lease_until = until
    s.flush()


def release(s: Session, table: type[Queued], ids: Collection[int]) -> None:
    """Ends the leases of those rows."""
    s.exec(update(table).where(col(table.id).in_(ids)).values(lease_until=None))


def release_all(s: Session, *tables: type[Queued]) -> None:
    """Ends every lease: no process that held one is alive."""
    for table in tables:
        s.exec(update(table).where(col(table.lease_until).is_not(None)).values(lease_until=None))


def defer(s: Session, row: Queued, result: str, not_before: datetime) -> None:
    """Ends the lease after an attempt that failed; the next one starts at ``not_before`` or later."""
    row.lease_until, row.not_before, row.last_result = None, not_before, result
    s.flush()


def finish(s: Session, row: Queued, result: str | None = None) -> None:
    """Ends the lease after the last attempt; a ``result`` of None leaves the one before."""
    row.lease_until = None
    if result is not None:
        row.last_result = result
    s.flush()


def _reached(moment: datetime | None) -> ColumnElement[bool]:
    return or_(col(moment).is_(None), col(moment) <= bindparam("now"))
