"""The outbox: every mail that was composed, with its bytes, and each attempt to deliver it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import LargeBinary, bindparam, insert
from sqlmodel import Field, Session, col, delete, func, select

from storage import queue
from storage.queue import Queued
from storage.types import IndexedText, Row, Text, UtcDateTime, domain_pattern, folded, word, write


class OutboxState(StrEnum):
    """The state of a composed mail.

    ``unknown``: the server may have it, the reply to DATA was lost; it is sent again under the same Message-ID.
    ``undelivered``: sent, but a delivery report came back.
    """

    QUEUED = "queued"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNDELIVERED = "undelivered"
    DROPPED = "dropped"


class DeliveryResult(StrEnum):
    """What one attempt to deliver, or a delivery report, came to."""

    SENT = "sent"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNDELIVERED = "undelivered"


#: The states in which a mail is still to be delivered.
WAITING_STATES = (OutboxState.QUEUED, OutboxState.UNKNOWN)
_UNSENT_STATES = (*WAITING_STATES, OutboxState.REFUSED, OutboxState.UNDELIVERED)


class Outbox(Queued, table=True):
    """One mail to one recipient. An attempt counts when it has ended; ``last_result`` is the server's last reply.

    ``position`` is the mail's place among those caused by one mail of the inbox.
    """

    __tablename__ = "outbox"

    message_id: str = Field(sa_type=IndexedText, unique=True, index=True)
    kind: str = Field(sa_type=IndexedText)
    ref: str | None = Field(default=None, sa_type=IndexedText, index=True)
    recipient: str = Field(sa_type=Text)
    recipient_folded: str = Field(sa_type=IndexedText, index=True)
    recipient_domain: str | None = Field(default=None, sa_type=IndexedText, index=True)
    envelope_from: str = Field(sa_type=Text)
    state: OutboxState = Field(default=OutboxState.QUEUED, sa_type=word(OutboxState), index=True)
    composed_at: datetime = Field(sa_type=UtcDateTime, index=True)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id", index=True)
    position: int = 0


class OutboxRaw(Row, table=True):
    """The bytes of a composed mail, apart from its row."""

    __tablename__ = "outbox_raw"

    outbox_id: int = Field(primary_key=True, foreign_key="outbox.id")
    data: bytes = Field(sa_type=LargeBinary)


class Delivery(Row, table=True):
    """What one attempt, or a delivery report, came to, and the server's reply."""

    __tablename__ = "delivery"

    id: int = Field(default=None, primary_key=True)
    outbox_id: int = Field(foreign_key="outbox.id", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    result: DeliveryResult = Field(sa_type=word(DeliveryResult))
    reply: str = Field(sa_type=Text)


_WAITING = col(Outbox.state).in_(WAITING_STATES)
_NEXT = select(Outbox, OutboxRaw.data).join(OutboxRaw, col(OutboxRaw.outbox_id) == col(Outbox.id))
_NEXT = _NEXT.where(_WAITING, queue.ready(Outbox), queue.not_skipped(Outbox)).order_by(col(Outbox.id))
_RAW = insert(OutboxRaw)
_CAUSED = select(func.count()).select_from(Outbox).where(col(Outbox.inbox_id) == bindparam("inbox_id"))
_BY_MESSAGE_ID = select(Outbox).where(col(Outbox.message_id) == bindparam("message_id"))


@dataclass(frozen=True, kw_only=True)
class FinishedMail:
    """A mail to be queued: its exact bytes, who gets it, and the kept mail that caused it."""

    message_id: str
    kind: str
    ref: str | None
    recipient: str
    envelope_from: str
    raw: bytes
    composed_at: datetime
    not_before: datetime
    inbox_id: int | None = None


def put(s: Session, mail: FinishedMail) -> Outbox:
    """Queues the mail. ``envelope_from`` "" is the null reverse-path; IntegrityError for a Message-ID already in use."""
    row = Outbox(
        message_id=mail.message_id,
        kind=mail.kind,
        ref=mail.ref,
        recipient=mail.recipient,
        recipient_folded=folded(mail.recipient),
        recipient_domain=domain_pattern(mail.recipient),
        envelope_from=mail.envelope_from,
        composed_at=mail.composed_at,
        not_before=mail.not_before,
        inbox_id=mail.inbox_id,
        position=0 if mail.inbox_id is None else _caused_by(s, mail.inbox_id),
    )
    s.add(row)
    s.flush()
    write(s, _RAW, outbox_id=row.id, data=mail.raw)
    return row


def next_mails(s: Session, now: datetime, limit: int, skipped: Collection[int] = ()) -> list[tuple[Outbox, bytes]]:
    """At most ``limit`` mails that are ready, with their bytes, in the order in which they were queued.

    None whose number is in ``skipped``.
    """
    return [(row, data) for row, data in s.exec(_NEXT.limit(limit), params={"now": now, "skipped": list(skipped)})]


def claim(
    s: Session, now: datetime, limit: int, lease_until: datetime, skipped: Collection[int] = ()
) -> list[tuple[Outbox, bytes]]:
    """The mails of `next_mails`, leased."""
    claimed = next_mails(s, now, limit, skipped)
    queue.lease(s, [row for row, _ in claimed], lease_until)
    return claimed


def delivered(s: Session, id: int, at: datetime, reply: str) -> None:  # noqa: A002
    """The server took the mail."""
    row = _attempted(s, id, at, DeliveryResult.SENT, reply)
    row.state, row.sent_at = OutboxState.SENT, at
    queue.finish(s, row, reply)


def deferred(s: Session, id: int, at: datetime, reply: str, not_before: datetime) -> None:  # noqa: A002
    """Not delivered yet (4xx, no connection). A mail whose fate is unknown keeps that state."""
    queue.defer(s, _attempted(s, id, at, DeliveryResult.DEFERRED, reply), reply, not_before)


def refused(s: Session, id: int, at: datetime, reply: str) -> None:  # noqa: A002
    """The server will never take the mail (5xx); it is not retried automatically."""
    row = _attempted(s, id, at, DeliveryResult.REFUSED, reply)
    row.state = OutboxState.REFUSED
    queue.finish(s, row, reply)


def unknown(s: Session, id: int, at: datetime, reply: str, not_before: datetime) -> None:  # noqa: A002
    """The connection was lost after DATA: the same bytes go out again, under the same Message-ID."""
    row = _attempted(s, id, at, DeliveryResult.UNKNOWN, reply)
    row.state = OutboxState.UNKNOWN
    queue.defer(s, row, reply, not_before)


def undelivered(s: Session, id: int, at: datetime, reply: str) -> bool:  # noqa: A002
    """A delivery report says that the mail did not arrive. True for the first such report, False for later ones."""
    row = s.get_one(Outbox, id)
    if row.state == OutboxState.UNDELIVERED:
        return False
    row.state = OutboxState.UNDELIVERED
    s.add(Delivery(outbox_id=id, at=at, result=DeliveryResult.UNDELIVERED, reply=reply))
    queue.finish(s, row, reply)
    return True


def release(s: Session, ids: Collection[int]) -> None:
    """Ends the leases of claimed mails that were not tried."""
    queue.release(s, Outbox, ids)


def next_due(s: Session) -> datetime | None:
    """The earliest moment at which `claim` can return a mail; None when none waits."""
    return queue.next_ready(s, Outbox, _WAITING)


def get(s: Session, id: int) -> Outbox | None:  # noqa: A002
    """The row of that number."""
    return s.get(Outbox, id)


def raw(s: Session, id: int) -> bytes:  # noqa: A002
    """The bytes of the mail; sqlalchemy's NoResultFound when they were deleted."""
    return s.get_one(OutboxRaw, id).data


def has_raw(s: Session, id: int) -> bool:  # noqa: A002
    """Whether the mail still has its bytes."""
    return s.exec(select(OutboxRaw.outbox_id).where(col(OutboxRaw.outbox_id) == id)).first() is not None


def oldest_raw(s: Session) -> datetime | None:
    """When the oldest mail that still has its bytes was composed."""
    return s.exec(
        select(func.min(Outbox.composed_at)).join(OutboxRaw, col(OutboxRaw.outbox_id) == col(Outbox.id))
    ).one()


def forget_raws(s: Session, before: datetime) -> None:
    """Deletes the bytes of mails composed before that moment that are not waiting to be delivered."""
    old = select(Outbox.id).where(col(Outbox.composed_at) < before, col(Outbox.state).not_in(WAITING_STATES))
    s.exec(delete(OutboxRaw).where(col(OutboxRaw.outbox_id).in_(old)))


def by_message_id(s: Session, mid: str) -> Outbox | None:
    """The mail that we sent under this Message-ID."""
    return s.exec(_BY_MESSAGE_ID, params={"message_id": mid}).first()


def deliveries(s: Session, id: int) -> list[Delivery]:  # noqa: A002
    """The attempts to deliver the mail, and the reports on it, oldest first."""
    return list(s.exec(select(Delivery).where(col(Delivery.outbox_id) == id).order_by(col(Delivery.id))))


def listing(s: Session, state: str | None = None, ref: str | None = None) -> list[Outbox]:
    """The mails (in ``state``, about ``ref``), newest first."""
    query = select(Outbox)
    if state is not None:
        query = query.where(col(Outbox.state) == state)
    if ref is not None:
        query = query.where(col(Outbox.ref) == ref)
    return list(s.exec(query.order_by(col(Outbox.id).desc())))


def retry(s: Session, id: int, now: datetime) -> bool:  # noqa: A002
    """Queues a mail that was not delivered, to be sent now. False for any other mail (`resend` is for one that was sent).

    False also when its bytes were deleted.
    """
    return _queue(s, id, now, (*_UNSENT_STATES, OutboxState.DROPPED))


def resend(s: Session, id: int, now: datetime) -> bool:  # noqa: A002
    """Queues a mail that was sent, to be sent again with the same bytes. False for any other mail."""
    return _queue(s, id, now, (OutboxState.SENT, OutboxState.UNDELIVERED))


def drop(s: Session, id: int) -> bool:  # noqa: A002
    """Gives up a mail that was not delivered. False for any other mail."""
    row = s.get(Outbox, id)
    if row is None or row.state not in _UNSENT_STATES:
        return False
    row.state, row.lease_until = OutboxState.DROPPED, None
    s.flush()
    return True


def counts(s: Session) -> dict[OutboxState, int]:
    """How many mails are in each state; a state without any is left out."""
    found = s.exec(select(Outbox.state, func.count()).group_by(col(Outbox.state)))
    return {OutboxState(state): number for state, number in found}


def _caused_by(s: Session, inbox_id: int) -> int:
    return s.exec(_CAUSED, params={"inbox_id": inbox_id}).one()


def _attempted(s: Session, id: int, at: datetime, result: DeliveryResult, reply: str) -> Outbox:  # noqa: A002
    """The row, after an attempt that is now counted and recorded."""
    row = s.get_one(Outbox, id)
    row.attempts += 1
    s.add(Delivery(outbox_id=id, at=at, result=result, reply=reply))
    return row


def _queue(s: Session, id: int, now: datetime, states: Sequence[OutboxState]) -> bool:  # noqa: A002
    row = s.get(Outbox, id)
    if row is None or row.state not in states or not has_raw(s, id):
        return False
    row.state, row.attempts, row.not_before, row.lease_until = OutboxState.QUEUED, 0, now, None
    s.flush()
    return True
