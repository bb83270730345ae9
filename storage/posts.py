"""Events of the ledger that the licence server has to be told, in order per licence, until it has answered."""

from datetime import datetime, timedelta

from sqlalchemy import Index, UniqueConstraint, or_, update
from sqlmodel import Field, Session, col, func, select

from storage.types import IndexedText, Row, Text, UtcDateTime


class LicencePost(Row, table=True):
    """One event to post: ``state`` is waiting, accepted or refused. Not before ``due_at``, nor while somebody has it in hand."""

    __tablename__ = "licence_post"
    __table_args__ = (
        UniqueConstraint("token", "revision"),
        Index("ix_licence_post_state_token", "state", "token"),
    )

    id: int = Field(default=None, primary_key=True)
    token: str = Field(sa_type=IndexedText)
    revision: int
    state: str = Field(default="waiting", sa_type=IndexedText)
    attempts: int = 0
    made_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_reply: str | None = Field(default=None, sa_type=Text)


def add(s: Session, token: str, revision: int, at: datetime) -> LicencePost:
    """The event of that licence is to be posted, at once."""
    row = LicencePost(token=token, revision=revision, made_at=at, due_at=at)
    s.add(row)
    s.flush()
    return row


def claim(s: Session, now: datetime, lease: timedelta) -> LicencePost | None:
    """The next event to post: of each licence only the first that waits. Nobody else gets it for the length of the lease."""
    waiting = col(LicencePost.state) == "waiting"
    first = select(func.min(LicencePost.id)).where(waiting).group_by(col(LicencePost.token))
    free = or_(col(LicencePost.lease_until).is_(None), col(LicencePost.lease_until) <= now)
    query = select(LicencePost).where(col(LicencePost.id).in_(first), col(LicencePost.due_at) <= now, free)
    row = s.exec(query.order_by(col(LicencePost.due_at), col(LicencePost.id)).limit(1)).first()
    if row is not None:
        row.attempts += 1
        row.lease_until = now + lease
        s.flush()
    return row


def again(s: Session, id: int, at: datetime, reply: str) -> None:  # noqa: A002 - the contract's name
    """It failed for now; to be tried again at ``at``."""
    row = s.get_one(LicencePost, id)
    row.due_at, row.lease_until, row.last_reply = at, None, reply
    s.flush()


def settle(s: Session, id: int, state: str, at: datetime, reply: str) -> bool:  # noqa: A002
    """It is accepted or refused. False when that was so already: somebody else had the answer first."""
    row = s.get_one(LicencePost, id, populate_existing=True)
    if row.state != "waiting":
        return False
    row.state, row.lease_until, row.done_at, row.last_reply = state, None, at, reply
    s.flush()
    return True


def free_all(s: Session) -> None:
    """Ends every lease: whoever had those events in hand is gone."""
    s.exec(update(LicencePost).where(col(LicencePost.lease_until).is_not(None)).values(lease_until=None))


def waiting(s: Session) -> int:
    """How many events have no answer yet."""
    return s.exec(select(func.count()).where(col(LicencePost.state) == "waiting")).one()


def listing(s: Session, state: str | None = None) -> list[LicencePost]:
    """All of them (in ``state``), in the order in which they were written."""
    query = select(LicencePost).order_by(col(LicencePost.id))
    return list(s.exec(query if state is None else query.where(col(LicencePost.state) == state)))
