"""The inbox: every mail that arrived, stored once by the SHA-256 of its bytes, and what it came to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, LargeBinary, bindparam, insert
from sqlmodel import Field, Session, col, delete, func, select, update

from storage import queue
from storage.queue import Queued
from storage.types import Big, IndexedText, Row, Text, UtcDateTime, word, write


class InboxState(StrEnum):
    """The state of a received mail. Only kept mails are handled; the others change only on request."""

    KEPT = "kept"
    HANDLED = "handled"
    DUPLICATE = "duplicate"
    DROPPED = "dropped"
    QUARANTINED = "quarantined"


class Inbox(Queued, table=True):
    """One mail that arrived. An attempt counts when it is claimed: handling the mail may be what ends the process.

    ``received_at`` is the arrival at the server (INTERNALDATE), ``intake`` what the mail turned out to be, ``last_result``
    also why it is in quarantine. ``folder``, ``uidvalidity`` and ``uid`` are where it was last seen: hints, for servers
    renumber. The lease of a mail in a final state is for moving it out of its folder.
    """

    __tablename__ = "inbox"
    __table_args__ = (Index(None, "state", "received_at"), Index(None, "folder", "uidvalidity", "uid"))

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
    state: InboxState = Field(default=InboxState.KEPT, sa_type=word(InboxState))
    attempted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    intake: str | None = Field(default=None, sa_type=Text)
    ref: str | None = Field(default=None, sa_type=Text)
    handled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    moved: bool = False


class Raw(Row, table=True):
    """The bytes of a mail, apart from its row: lists stay cheap, and the bytes can be deleted while the row stays."""

    __tablename__ = "raw"

    inbox_id: int = Field(primary_key=True, foreign_key="inbox.id")
    data: bytes = Field(sa_type=LargeBinary)


_KEPT = col(Inbox.state) == InboxState.KEPT
_NEXT = select(Inbox).where(_KEPT, queue.not_skipped(Inbox))
_NEXT = _NEXT.order_by(col(Inbox.received_at), col(Inbox.id)).limit(1)
_READY = _NEXT.where(queue.ready(Inbox))
_FAILED = _NEXT.where(queue.backing_off(Inbox))
_UNMOVED = select(Inbox).where(~_KEPT, col(Inbox.source) == "imap", col(Inbox.moved).is_(False))
_UNMOVED = _UNMOVED.order_by(col(Inbox.id))
_RAW = insert(Raw)
_BY_SHA256 = select(Inbox).where(col(Inbox.sha256) == bindparam("sha256"))
_BY_MESSAGE_ID = select(Inbox).where(col(Inbox.message_id) == bindparam("message_id")).order_by(col(Inbox.id))


@dataclass(frozen=True)
class Place:
    """Where a mail lies on the IMAP server."""

    folder: str
    uid: int
    uidvalidity: int


@dataclass(frozen=True, kw_only=True)
class MailFacts:
    """What was found out about a mail when it was handled; None where nothing was."""

    intake: str | None = None
    ref: str | None = None
    message_id: str | None = None
    sender: str | None = None
    body_sha256: str | None = None


def keep(
    s: Session,
    raw: bytes,
    sha256: str,
    received_at: datetime,
    kept_at: datetime,
    source: str,
    place: Place | None = None,
) -> tuple[Inbox, bool]:
    """The row of this mail, and whether it is new.

    A mail that is already stored is not added again. If it is now in another ``place``, that place is
    recorded and the mail counts as not moved, so that this copy leaves the folder too.
    """
    row = by_sha256(s, sha256)
    if row is not None:
        if place is not None and (row.folder, row.uid, row.uidvalidity) != (place.folder, place.uid, place.uidvalidity):
            row.folder, row.uid, row.uidvalidity = place.folder, place.uid, place.uidvalidity
            row.source, row.moved = source, False
            s.flush()
        return row, False
    row = Inbox(
        sha256=sha256,
        received_at=received_at,
        kept_at=kept_at,
        source=source,
        folder=place.folder if place else None,
        uid=place.uid if place else None,
        uidvalidity=place.uidvalidity if place else None,
        size=len(raw),
    )
    s.add(row)
    s.flush()
    write(s, _RAW, inbox_id=row.id, data=raw)
    return row, True


def next_kept(s: Session, now: datetime, skipped: Collection[int] = (), *, failed: bool = False) -> Inbox | None:
    """The mail to handle next, by arrival, in a tie as they were kept; none whose number is in ``skipped``.

    With ``failed``, one whose last attempt failed and whose back-off is not over yet.
    """
    return s.exec(_FAILED if failed else _READY, params={"now": now, "skipped": list(skipped)}).first()


def raw(s: Session, id: int) -> bytes:  # noqa: A002
    """The bytes of the mail; sqlalchemy's NoResultFound when they were deleted."""
    return s.get_one(Raw, id).data


def raw_if_kept(s: Session, id: int) -> bytes | None:  # noqa: A002
    """The bytes of the mail; None when they were deleted."""
    row = s.get(Raw, id)
    return None if row is None else row.data


def oldest_raw(s: Session) -> datetime | None:
    """When the oldest mail that still has its bytes was kept, those in quarantine aside."""
    query = select(func.min(Inbox.kept_at)).join(Raw, col(Raw.inbox_id) == col(Inbox.id))
    return s.exec(query.where(col(Inbox.state) != InboxState.QUARANTINED)).one()


def forget_raws(s: Session, before: datetime) -> None:
    """Deletes the bytes of mails kept before that moment that are handled, duplicate or dropped.

    Mails in quarantine keep theirs until the operator has decided.
    """
    final = (InboxState.HANDLED, InboxState.DUPLICATE, InboxState.DROPPED)
    old = select(Inbox.id).where(col(Inbox.kept_at) < before, col(Inbox.state).in_(final))
    s.exec(delete(Raw).where(col(Raw.inbox_id).in_(old)))


def claim(s: Session, id: int, at: datetime, lease_until: datetime) -> int | None:  # noqa: A002
    """Leases a kept mail for an attempt; returns how many attempts that makes, None when another process holds it."""
    row = s.get_one(Inbox, id)
    if row.state != InboxState.KEPT or (row.lease_until is not None and row.lease_until > at):
        return None
    row.attempts += 1
    row.attempted_at = at
    queue.lease(s, [row], lease_until)
    return row.attempts


def defer(s: Session, id: int, error: str, not_before: datetime) -> None:  # noqa: A002
    """The attempt failed; the next one starts at ``not_before`` or later."""
    queue.defer(s, s.get_one(Inbox, id), error, not_before)


def release(s: Session, id: int) -> None:  # noqa: A002
    """Ends the lease and takes the attempt back: what failed was not the mail."""
    s.get_one(Inbox, id).attempts -= 1
    queue.release(s, Inbox, [id])


def mark(
    s: Session,
    id: int,  # noqa: A002
    state: InboxState,
    *,
    at: datetime,
    reason: str | None = None,
    facts: MailFacts = MailFacts(),
) -> None:
    """Gives the mail its final ``state``. A fact or ``reason`` that is None leaves its column as it is."""
    row = s.get_one(Inbox, id)
    row.state, row.handled_at, row.not_before = state, at, None
    for name, value in vars(facts).items():
        if value is not None:
            setattr(row, name, value)
    queue.finish(s, row, reason)


def claim_moves(s: Session, folder: str, uidvalidity: int, now: datetime, lease_until: datetime) -> list[Inbox]:
    """The mails in a final state that are still in that folder, oldest first, leased.

    Leases are needed because the server does not help: when two sessions move one mail, each may make a copy of it.
    """
    place = (col(Inbox.folder) == folder, col(Inbox.uidvalidity) == uidvalidity, col(Inbox.uid).is_not(None))
    rows = list(s.exec(_UNMOVED.where(*place, queue.unleased(Inbox)), params={"now": now}))
    queue.lease(s, rows, lease_until)
    return rows


def moved(s: Session, ids: Collection[int]) -> None:
    """Records that these mails have left the folder in which they arrived, and ends their leases."""
    s.exec(update(Inbox).where(col(Inbox.id).in_(ids)).values(moved=True, lease_until=None))


def release_moves(s: Session, ids: Collection[int]) -> None:
    """Ends the leases of mails that could not be moved."""
    queue.release(s, Inbox, ids)


def unmoved(s: Session) -> list[Inbox]:
    """The mails in a final state that are still on the server, oldest first."""
    return list(s.exec(_UNMOVED))


def get(s: Session, id: int) -> Inbox | None:  # noqa: A002
    """The row of that number."""
    return s.get(Inbox, id)


def by_sha256(s: Session, sha256: str) -> Inbox | None:
    """The mail with these bytes."""
    return s.exec(_BY_SHA256, params={"sha256": sha256}).first()


def by_message_id(s: Session, message_id: str) -> list[Inbox]:
    """The handled mails with this Message-ID, oldest first; several may claim the same one."""
    return list(s.exec(_BY_MESSAGE_ID, params={"message_id": message_id}))


def listing(s: Session, state: str | None = None, limit: int | None = None) -> list[Inbox]:
    """The mails (in ``state``), newest first, at most ``limit``."""
    query = select(Inbox) if state is None else select(Inbox).where(col(Inbox.state) == state)
    return list(s.exec(query.order_by(col(Inbox.id).desc()).limit(limit)))


def handled_since(s: Session, since: datetime) -> list[Inbox]:
    """The mails that were handled after ``since``, oldest first."""
    query = select(Inbox).where(col(Inbox.state) == InboxState.HANDLED, col(Inbox.handled_at) > since)
    return list(s.exec(query.order_by(col(Inbox.id))))


def counts(s: Session) -> dict[InboxState, int]:
    """How many mails are in each state; a state without any is left out."""
    found = s.exec(select(Inbox.state, func.count()).group_by(col(Inbox.state)))
    return {InboxState(state): number for state, number in found}


def retry(s: Session, id: int) -> bool:  # noqa: A002
    """Queues a mail in quarantine again, with its attempts reset. False when that mail is not in quarantine."""
    row = s.get(Inbox, id)
    if row is None or row.state != InboxState.QUARANTINED:
        return False
    row.state, row.attempts, row.last_result, row.handled_at = InboxState.KEPT, 0, None, None
    s.flush()
    return True


def drop(s: Session, id: int) -> bool:  # noqa: A002
    """Gives up a mail in quarantine; it keeps its bytes. False when that mail is not in quarantine."""
    row = s.get(Inbox, id)
    if row is None or row.state != InboxState.QUARANTINED:
        return False
    row.state = InboxState.DROPPED
    s.flush()
    return True
