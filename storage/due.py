"""The one table of due things: scheduled changes, demo warnings, reminders, digests, closing, keys and bytes that grow old."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Index, bindparam, insert
from sqlmodel import Field, Session, col, func, or_, select

from storage.types import IndexedText, Json, Row, Text, UtcDateTime, write


class Due(Row, table=True):
    """One thing to do at ``due_at``: open, done or dropped. ``same`` tells equal ones, which NULLs would keep apart.

    ``attempts`` counts the tries that failed, ``reason`` is of the last one, ``retry_at`` when the next one is.
    """

    __tablename__ = "due"
    # What is done stays: the index finds the next open thing without going through it.
    __table_args__ = (Index("ix_due_open", "done_at", "dropped_at", "due_at", "id"),)

    id: int = Field(default=None, primary_key=True)
    same: str = Field(sa_type=IndexedText, unique=True, index=True)
    kind: str = Field(sa_type=IndexedText, index=True)
    ref: str | None = Field(default=None, sa_type=IndexedText, index=True)
    token: str | None = Field(default=None, sa_type=IndexedText, index=True)
    due_at: datetime = Field(sa_type=UtcDateTime)
    made_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    dropped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    payload: Any = Field(default=None, sa_type=Json, nullable=True)
    attempts: int = 0
    retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str | None = Field(default=None, sa_type=Text)


#: What a due thing must be to wait still.
_OPEN = (col(Due.done_at).is_(None), col(Due.dropped_at).is_(None))


_NEW = insert(Due)
_SAME = select(Due).where(col(Due.same) == bindparam("same"))
_FREE = or_(col(Due.retry_at).is_(None), col(Due.retry_at) <= bindparam("until"))
_NEXT = select(Due).where(*_OPEN, col(Due.due_at) <= bindparam("until"), _FREE)
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
    """The number of the due thing. Same kind, ref, token and moment is one thing: a dropped one reopens, a done one stays done."""
    same = hashlib.sha256(json.dumps([kind, ref, token, due_at.isoformat()]).encode()).hexdigest()
    row = s.exec(_SAME, params={"same": same}).first()
    if row is None:
        values = {"same": same, "kind": kind, "due_at": due_at, "made_at": made_at, "ref": ref, "token": token}
        return int(write(s, _NEW, **values, payload=payload, attempts=0))
    if row.done_at is None:
        row.dropped_at, row.payload = None, payload
    s.flush()
    return row.id


def next(s: Session, until: datetime) -> Due | None:  # noqa: A001 - the contract's name
    """The open thing that was due first, at or before ``until``; at a tie the one added first.

    Not one that failed and whose next try is after ``until``.
    """
    return s.exec(_NEXT, params={"until": until}).first()


def next_at(s: Session) -> datetime | None:
    """When the next open thing is due."""
    return s.exec(select(func.min(Due.due_at)).where(*_OPEN)).one()


def done(s: Session, id: int, at: datetime) -> None:  # noqa: A002 - the contract's name
    """It has been done."""
    s.get_one(Due, id).done_at = at
    s.flush()


def last_done(s: Session, kind: str, before: datetime) -> datetime | None:
    """When the last thing of that kind before that moment was done; None when there was none."""
    return s.exec(select(func.max(Due.done_at)).where(col(Due.kind) == kind, col(Due.done_at) < before)).one()


def failed(s: Session, id: int, reason: str, retry_at: Callable[[int], datetime]) -> Due:  # noqa: A002
    """The thing after one more try that came to nothing; ``retry_at`` says when the next is, by the number of tries."""
    row = s.get_one(Due, id)
    row.attempts += 1
    row.reason, row.retry_at = reason, retry_at(row.attempts)
    s.flush()
    return row


def failing(s: Session) -> list[Due]:
    """The open things whose last try failed, the first due first."""
    query = select(Due).where(*_OPEN, col(Due.attempts) > 0)
    return list(s.exec(query.order_by(col(Due.due_at), col(Due.id))))


def get(s: Session, id: int) -> Due | None:  # noqa: A002
    """The thing of that number while it is open."""
    return s.exec(select(Due).where(*_OPEN, col(Due.id) == id)).first()


def drop(s: Session, kind: str | None = None, ref: str | None = None, token: str | None = None, *, at: datetime) -> int:
    """Ends the open things that match all that is given, undone; gives how many. ValueError when nothing is given."""
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
