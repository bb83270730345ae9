"""The one table of due things: scheduled changes, demo warnings, reminders, digests, closing, expiring keys and bytes."""

import hashlib
import json
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Index, bindparam, insert
from sqlmodel import Field, Session, col, func, select

from storage import queue
from storage.queue import Queued
from storage.types import IndexedText, Json, UtcDateTime, write


class Due(Queued, table=True):
    """One thing to do at ``due_at``: open, done or dropped. An attempt counts when it fails.

    ``same`` is a hash of what makes two due things equal: a unique index over the columns would treat NULLs as different.
    """

    __tablename__ = "due"
    # Rows that are done stay: the index finds the next open one without reading them.
    __table_args__ = (Index("ix_due_open", "done_at", "dropped_at", "due_at", "id"),)

    same: str = Field(sa_type=IndexedText, unique=True, index=True)
    kind: str = Field(sa_type=IndexedText, index=True)
    ref: str | None = Field(default=None, sa_type=IndexedText, index=True)
    token: str | None = Field(default=None, sa_type=IndexedText, index=True)
    due_at: datetime = Field(sa_type=UtcDateTime)
    made_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    dropped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    payload: Any = Field(default=None, sa_type=Json, nullable=True)


_OPEN = (col(Due.done_at).is_(None), col(Due.dropped_at).is_(None))
_NEW = insert(Due)
_SAME = select(Due).where(col(Due.same) == bindparam("same"))
_NEXT = select(Due).where(*_OPEN, col(Due.due_at) <= bindparam("now"), queue.ready(Due))
_NEXT = _NEXT.where(queue.not_skipped(Due))
_NEXT = _NEXT.order_by(col(Due.due_at), col(Due.id)).limit(1)


def add(
    s: Session,
    kind: str,
    due_at: datetime,
    made_at: datetime,
    ref: str | None = None,
    token: str | None = None,
    payload: Any = None,
) -> int:
    """The due thing's number. One with the same kind, ref, token and moment is not added: a dropped one is reopened."""
    same = hashlib.sha256(json.dumps([kind, ref, token, due_at.isoformat()]).encode()).hexdigest()
    row = s.exec(_SAME, params={"same": same}).first()
    if row is None:
        values = {"same": same, "kind": kind, "due_at": due_at, "made_at": made_at, "ref": ref, "token": token}
        return int(write(s, _NEW, **values, payload=payload, attempts=0))
    if row.done_at is None:
        row.dropped_at, row.payload = None, payload
    s.flush()
    return row.id


def next(s: Session, now: datetime, skipped: Collection[int] = ()) -> Due | None:  # noqa: A001
    """The open thing to do now, the first due first, in a tie the one added first; none whose number is in ``skipped``."""
    return s.exec(_NEXT, params={"now": now, "skipped": list(skipped)}).first()


def next_at(s: Session) -> datetime | None:
    """When the next open thing is due."""
    return s.exec(select(func.min(Due.due_at)).where(*_OPEN)).one()


def done(s: Session, id: int, at: datetime) -> None:  # noqa: A002
    """Closes the thing: it has been done."""
    row = s.get_one(Due, id)
    row.done_at = at
    queue.finish(s, row)


def last_done(s: Session, kind: str, before: datetime) -> datetime | None:
    """When the last thing of ``kind`` was done before that moment; None when there was none."""
    return s.exec(select(func.max(Due.done_at)).where(col(Due.kind) == kind, col(Due.done_at) < before)).one()


def defer(s: Session, id: int, error: str, not_before: Callable[[int], datetime]) -> Due:  # noqa: A002
    """The thing after an attempt that failed; ``not_before`` gives the moment of the next one by the number of attempts."""
    row = s.get_one(Due, id)
    row.attempts += 1
    queue.defer(s, row, error, not_before(row.attempts))
    return row


def failing(s: Session) -> list[Due]:
    """The open things whose last attempt failed, the first due first."""
    query = select(Due).where(*_OPEN, col(Due.attempts) > 0)
    return list(s.exec(query.order_by(col(Due.due_at), col(Due.id))))


def get(s: Session, id: int) -> Due | None:  # noqa: A002
    """The thing of that number while it is open."""
    return s.exec(select(Due).where(*_OPEN, col(Due.id) == id)).first()


def drop(s: Session, kind: str | None = None, ref: str | None = None, token: str | None = None, *, at: datetime) -> int:
    """Closes, undone, the open things that match every given argument; returns how many.

    ValueError when none is given.
    """
    wanted = [(Due.kind, kind), (Due.ref, ref), (Due.token, token)]
    conditions = [col(column) == value for column, value in wanted if value is not None]
    if not conditions:
        msg = "name a kind, a ref or a token: nothing drops everything"
        raise ValueError(msg)
    doomed = s.exec(select(Due).where(*_OPEN, *conditions)).all()
    for row in doomed:
        row.dropped_at = at
    s.flush()
    return len(doomed)


def open_(s: Session, kind: str | None = None) -> list[Due]:
    """The open things (of ``kind``), the first due first."""
    query = select(Due).where(*_OPEN)
    if kind is not None:
        query = query.where(col(Due.kind) == kind)
    return list(s.exec(query.order_by(col(Due.due_at), col(Due.id))))
