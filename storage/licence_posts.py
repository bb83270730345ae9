"""The queue of ledger events to post to the licence server: in order within a licence, each until it is answered."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, Session, col, func, select

from storage import queue
from storage.queue import Queued
from storage.types import IndexedText, UtcDateTime, word


class PostState(StrEnum):
    """Whether the server has answered, and how."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class LicencePost(Queued, table=True):
    """One event to post. An attempt counts when it is claimed; ``last_result`` is the server's last reply."""

    __tablename__ = "licence_post"
    __table_args__ = (
        UniqueConstraint("token", "revision"),
        Index("ix_licence_post_state_token", "state", "token"),
    )

    token: str = Field(sa_type=IndexedText)
    revision: int
    state: PostState = Field(default=PostState.WAITING, sa_type=word(PostState))
    made_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


_WAITING = col(LicencePost.state) == PostState.WAITING
_FIRST = select(func.min(LicencePost.id)).where(_WAITING).group_by(col(LicencePost.token))
_NEXT = select(LicencePost).where(col(LicencePost.id).in_(_FIRST), queue.ready(LicencePost))
_NEXT = _NEXT.where(queue.not_skipped(LicencePost))
_NEXT = _NEXT.order_by(col(LicencePost.not_before), col(LicencePost.id)).limit(1)


def add(s: Session, token: str, revision: int, at: datetime) -> LicencePost:
    """Queues the event; it is ready at once."""
    row = LicencePost(token=token, revision=revision, made_at=at, not_before=at)
    s.add(row)
    s.flush()
    return row


def next_post(s: Session, now: datetime, skipped: Collection[int] = ()) -> LicencePost | None:
    """The next event to post; of each licence only the first that waits, and none whose number is in ``skipped``."""
    return s.exec(_NEXT, params={"now": now, "skipped": list(skipped)}).first()


def claim(s: Session, now: datetime, lease_until: datetime, skipped: Collection[int] = ()) -> LicencePost | None:
    """The event of `next_post`, leased."""
    row = next_post(s, now, skipped)
    if row is not None:
        row.attempts += 1
        queue.lease(s, [row], lease_until)
    return row


def defer(s: Session, id: int, reply: str, not_before: datetime) -> None:  # noqa: A002
    """The attempt failed; the next one starts at ``not_before`` or later."""
    queue.defer(s, s.get_one(LicencePost, id), reply, not_before)


def settle(s: Session, id: int, state: PostState, at: datetime, reply: str) -> bool:  # noqa: A002
    """Records the server's answer. False when the event was answered before; then nothing changes."""
    row = s.get_one(LicencePost, id, populate_existing=True)
    if row.state != PostState.WAITING:
        return False
    row.state, row.done_at = state, at
    queue.finish(s, row, reply)
    return True


def count_waiting(s: Session) -> int:
    """How many events have no answer yet."""
    return queue.count(s, LicencePost, _WAITING)


def listing(s: Session, state: PostState | None = None) -> list[LicencePost]:
    """The events (in ``state``), in the order in which they were queued."""
    query = select(LicencePost).order_by(col(LicencePost.id))
    return list(s.exec(query if state is None else query.where(col(LicencePost.state) == state)))
