"""The durable inbox: every mail that ever came in, once by the SHA-256 of its bytes, and what became of it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Index, LargeBinary, bindparam, insert
from sqlmodel import Field, Session, col, delete, func, or_, select, update

from storage.types import Big, IndexedText, Row, Text, UtcDateTime, write

KEPT = "kept"
HANDLED = "handled"
DUPLICATE = "duplicate"
QUARANTINED = "quarantined"
DROPPED = "dropped"
#: All states but the first: nothing more happens to the mail by itself.
FINAL = (HANDLED, DUPLICATE, DROPPED, QUARANTINED)


class Inbox(Row, table=True):
    """One mail that came in. ``kept`` waits to be handled, every other state is final.

    ``received_at`` is the arrival at the server (INTERNALDATE); ``intake`` what it turned out to be; ``folder``,
    ``uidvalidity`` and ``uid`` are where it was last seen, hints only: servers renumber. ``lease_until`` is set while
    somebody handles it, ``retry_at`` after a try that failed.
    """

    __tablename__ = "inbox"
    __table_args__ = (Index(None, "state", "received_at"), Index(None, "folder", "uidvalidity", "uid"))

    id: int = Field(default=None, primary_key=True)
    sha256: str = Field(sa_type=IndexedText, unique=True, index=True)
    message_id: str | None = Field(default=None, sa_type=IndexedText, index=True)
    sender: str | None = Field(default=None, sa_type=Text)
    body_sha256: str | None = Field(default=None, sa_type=Text)
    received_at: datetime = Field(sa_type=UtcDateTime)
    kept_at: datetime = Field(sa_type=UtcDateTime)
    source: str = Field(sa_type=Text)
    folder: str | None = Field(default=None, sa_type=IndexedText)
    uid: int | None = Field(default=None, sa_type=Big)
    uidvalidity: int | None = Field(default=None, sa_type=Big)
    size: int = Field(sa_type=Big)
    state: str = Field(default=KEPT, sa_type=IndexedText)
    attempts: int = 0
    attempted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str | None = Field(default=None, sa_type=Text)
    intake: str | None = Field(default=None, sa_type=Text)
    ref: str | None = Field(default=None, sa_type=Text)
    handled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    moved: bool = False


class Raw(Row, table=True):
    """The bytes of a mail, apart from its row, so that lists stay light and bytes can go while the row stays."""

    __tablename__ = "raw"

    inbox_id: int = Field(primary_key=True, foreign_key="inbox.id")
    data: bytes = Field(sa_type=LargeBinary)


def _past(moment: datetime | None) -> ColumnElement[bool]:
    return or_(col(moment).is_(None), col(moment) <= bindparam("now"))


_WAITING = select(Inbox).where(col(Inbox.state) == KEPT, _past(Inbox.lease_until))
_WAITING = _WAITING.order_by(col(Inbox.received_at), col(Inbox.id)).limit(1)
_FRESH = _WAITING.where(_past(Inbox.retry_at))
_FAILED = _WAITING.where(col(Inbox.retry_at) > bindparam("now"))
_UNMOVED = select(Inbox).where(col(Inbox.state) != KEPT, col(Inbox.source) == "imap", col(Inbox.moved).is_(False))
_UNMOVED = _UNMOVED.order_by(col(Inbox.id))
_RAW = insert(Raw)
_BY_SHA256 = select(Inbox).where(col(Inbox.sha256) == bindparam("sha256"))
_BY_MESSAGE_ID = select(Inbox).where(col(Inbox.message_id) == bindparam("message_id")).order_by(col(Inbox.id))


def keep(
    s: Session,
    raw: bytes,
    sha256: str,
    received_at: datetime,
    kept_at: datetime,
    source: str,
    folder: str | None = None,
    uid: int | None = None,
    uidvalidity: int | None = None,
) -> tuple[Inbox, bool]:
    """The row of this mail, and whether it is new.

    A mail that is here already is not added; where it was seen now (``folder`` given) is noted, and it counts as not
    moved again, so that this copy leaves the folder too.
    """
    row = by_sha256(s, sha256)
    if row is not None:
        if folder is not None and (row.folder, row.uidvalidity, row.uid) != (folder, uidvalidity, uid):
            row.folder, row.uidvalidity, row.uid = folder, uidvalidity, uid
            row.source, row.moved = source, False
            s.flush()
        return row, False
    row = Inbox(
        sha256=sha256,
        received_at=received_at,
        kept_at=kept_at,
        source=source,
        folder=folder,
        uid=uid,
        uidvalidity=uidvalidity,
        size=len(raw),
    )
    s.add(row)
    s.flush()
    write(s, _RAW, inbox_id=row.id, data=raw)
    return row, True


def next_kept(s: Session, now: datetime, *, failed: bool = False) -> Inbox | None:
    """The mail to handle next: by arrival, at a tie as they were kept. None when nothing is free now.

    Not one that somebody has in hand, nor one that failed and whose next try is still to come; with ``failed`` one of
    just those that failed, however long their next try is off.
    """
    return s.exec(_FAILED if failed else _FRESH, params={"now": now}).first()


def raw(s: Session, id: int) -> bytes:  # noqa: A002 - the contract's name
    """The bytes of the mail; sqlalchemy's NoResultFound when there are none."""
    return s.get_one(Raw, id).data


def raw_if_kept(s: Session, id: int) -> bytes | None:  # noqa: A002 - as above
    """The same; None when their retention is over."""
    row = s.get(Raw, id)
    return None if row is None else row.data


def oldest_raw(s: Session) -> datetime | None:
    """When the oldest mail was kept whose bytes are here and that does not stand in quarantine."""
    query = select(func.min(Inbox.kept_at)).join(Raw, col(Raw.inbox_id) == col(Inbox.id))
    return s.exec(query.where(col(Inbox.state) != QUARANTINED)).one()


def forget_raws(s: Session, before: datetime) -> None:
    """Removes the bytes of mails that were kept before that moment and are done with; a quarantined one waits for the operator."""
    old = select(Inbox.id).where(col(Inbox.kept_at) < before, col(Inbox.state).in_((HANDLED, DUPLICATE, DROPPED)))
    s.exec(delete(Raw).where(col(Raw.inbox_id).in_(old)))


def attempt(s: Session, id: int, at: datetime, lease_until: datetime) -> int | None:  # noqa: A002
    """Claims the mail for a try, until ``lease_until``; gives how many tries that makes. None when another has it."""
    row = s.get_one(Inbox, id)
    if row.state != KEPT or (row.lease_until is not None and row.lease_until > at):
        return None
    row.attempts += 1
    row.attempted_at, row.lease_until = at, lease_until
    s.flush()
    return row.attempts


def failed(s: Session, id: int, reason: str, retry_at: datetime) -> None:  # noqa: A002
    """The try came to nothing: free again, but not before ``retry_at``."""
    row = s.get_one(Inbox, id)
    row.lease_until, row.retry_at, row.reason = None, retry_at, reason
    s.flush()


def untried(s: Session, id: int) -> None:  # noqa: A002
    """The try does not count, because it was not the mail that failed: free again at once."""
    row = s.get_one(Inbox, id)
    row.lease_until, row.attempts = None, row.attempts - 1
    s.flush()


def free_all(s: Session) -> None:
    """Ends every lease: whoever had those mails in hand is gone."""
    s.exec(update(Inbox).where(col(Inbox.lease_until).is_not(None)).values(lease_until=None))


def mark(
    s: Session,
    id: int,  # noqa: A002
    state: str,
    *,
    at: datetime,
    intake: str | None = None,
    ref: str | None = None,
    reason: str | None = None,
    message_id: str | None = None,
    sender: str | None = None,
    body_sha256: str | None = None,
) -> None:
    """Gives the mail its final ``state``. What is None is left as it was."""
    row = s.get_one(Inbox, id)
    row.state, row.handled_at, row.lease_until, row.retry_at = state, at, None, None
    found = {
        "intake": intake,
        "ref": ref,
        "reason": reason,
        "message_id": message_id,
        "sender": sender,
        "body_sha256": body_sha256,
    }
    for name, value in found.items():
        if value is not None:
            setattr(row, name, value)
    s.flush()


def claim_moves(s: Session, folder: str, uidvalidity: int, now: datetime, lease_until: datetime) -> list[Inbox]:
    """The mails in a final state that still lie in that folder, oldest first, for whoever asks first.

    The server is no help there: of two who move one mail at the same time each may make a copy of it. Nobody else gets
    them until ``lease_until``, `moved` or `unclaim`.
    """
    place = (col(Inbox.folder) == folder, col(Inbox.uidvalidity) == uidvalidity, col(Inbox.uid).is_not(None))
    rows = list(s.exec(_UNMOVED.where(*place, _past(Inbox.lease_until)), params={"now": now}))
    for row in rows:
        row.lease_until = lease_until
    s.flush()
    return rows


def moved(s: Session, ids: Collection[int]) -> None:
    """Notes that these mails have left the folder in which they arrived."""
    s.exec(update(Inbox).where(col(Inbox.id).in_(ids)).values(moved=True, lease_until=None))


def unclaim(s: Session, ids: Collection[int]) -> None:
    """They could not be moved: anybody may."""
    s.exec(update(Inbox).where(col(Inbox.id).in_(ids)).values(lease_until=None))


def unmoved(s: Session) -> list[Inbox]:
    """The mails in a final state that still lie on the server, oldest first."""
    return list(s.exec(_UNMOVED))


def get(s: Session, id: int) -> Inbox | None:  # noqa: A002
    """The row of that number."""
    return s.get(Inbox, id)


def by_sha256(s: Session, sha256: str) -> Inbox | None:
    """The mail with these bytes."""
    return s.exec(_BY_SHA256, params={"sha256": sha256}).first()


def by_message_id(s: Session, message_id: str) -> list[Inbox]:
    """The mails that were marked with this Message-ID, oldest first; several may claim one."""
    return list(s.exec(_BY_MESSAGE_ID, params={"message_id": message_id}))


def listing(s: Session, state: str | None = None, limit: int | None = None) -> list[Inbox]:
    """The mails (in ``state``), newest first, at most ``limit``."""
    query = select(Inbox) if state is None else select(Inbox).where(col(Inbox.state) == state)
    return list(s.exec(query.order_by(col(Inbox.id).desc()).limit(limit)))


def handled_since(s: Session, since: datetime) -> list[Inbox]:
    """The mails that came into their final state after ``since``, oldest first."""
    query = select(Inbox).where(col(Inbox.state) == HANDLED, col(Inbox.handled_at) > since)
    return list(s.exec(query.order_by(col(Inbox.id))))


def counts(s: Session) -> dict[str, int]:
    """How many mails there are per state; states without any are left out."""
    return dict(s.exec(select(Inbox.state, func.count()).group_by(col(Inbox.state))).all())


def retry(s: Session, id: int) -> bool:  # noqa: A002
    """Lets a quarantined mail be handled again, with all its tries. False when that is no quarantined mail."""
    row = s.get(Inbox, id)
    if row is None or row.state != QUARANTINED:
        return False
    row.state, row.attempts, row.reason, row.handled_at = KEPT, 0, None, None
    s.flush()
    return True


def drop(s: Session, id: int) -> bool:  # noqa: A002
    """Gives up a quarantined mail; its bytes stay. False when that is no quarantined mail."""
    row = s.get(Inbox, id)
    if row is None or row.state != QUARANTINED:
        return False
    row.state = DROPPED
    s.flush()
    return True
