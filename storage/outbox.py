"""The durable outbox: every mail that was composed, its bytes fixed, and each attempt to deliver it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, bindparam, case, insert
from sqlmodel import Field, Session, and_, col, func, or_, select, update

from storage.people import Contact
from storage.types import IndexedText, Row, Text, UtcDateTime, domain_pattern, folded, write

QUEUED = "queued"
SENT = "sent"
REFUSED = "refused"
UNKNOWN = "unknown"
UNDELIVERED = "undelivered"
DROPPED = "dropped"

#: The states in which a mail is still to be delivered.
DUE_STATES = (QUEUED, UNKNOWN)


class Outbox(Row, table=True):
    """One mail to one recipient.

    ``unknown``: the server may have it, the answer to DATA was lost; it goes out again under the same Message-ID.
    ``undelivered``: sent, but a delivery report came back. ``attempts`` counts since it was last queued, ``position``
    is its place among the mails that one inbox mail caused.
    """

    __tablename__ = "outbox"

    id: int = Field(default=None, primary_key=True)
    message_id: str = Field(sa_type=IndexedText, unique=True, index=True)
    kind: str = Field(sa_type=IndexedText)
    ref: str | None = Field(default=None, sa_type=IndexedText, index=True)
    recipient: str = Field(sa_type=Text)
    recipient_folded: str = Field(sa_type=IndexedText, index=True)
    recipient_domain: str | None = Field(default=None, sa_type=IndexedText, index=True)
    envelope_from: str = Field(sa_type=Text)
    state: str = Field(default=QUEUED, sa_type=IndexedText, index=True)
    attempts: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime)
    composed_at: datetime = Field(sa_type=UtcDateTime, index=True)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_reply: str | None = Field(default=None, sa_type=Text)
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id", index=True)
    position: int = 0


class OutboxRaw(Row, table=True):
    """The bytes of a composed mail, apart from its row."""

    __tablename__ = "outbox_raw"

    outbox_id: int = Field(primary_key=True, foreign_key="outbox.id")
    data: bytes = Field(sa_type=LargeBinary)


class Delivery(Row, table=True):
    """What came of one attempt, or of a delivery report: ``sent, deferred, refused, unknown, undelivered``."""

    __tablename__ = "delivery"

    id: int = Field(default=None, primary_key=True)
    outbox_id: int = Field(foreign_key="outbox.id", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    result: str = Field(sa_type=Text)
    reply: str = Field(sa_type=Text)


_RAW = insert(OutboxRaw)
_CAUSED = select(func.count()).select_from(Outbox).where(col(Outbox.inbox_id) == bindparam("inbox_id"))
_BY_MESSAGE_ID = select(Outbox).where(col(Outbox.message_id) == bindparam("message_id"))


def put(
    s: Session,
    *,
    message_id: str,
    kind: str,
    ref: str | None,
    recipient: str,
    envelope_from: str,
    raw: bytes,
    composed_at: datetime,
    due_at: datetime,
    inbox_id: int | None = None,
) -> Outbox:
    """The mail, queued. ``envelope_from`` "" is the null return path; a Message-ID in use is an IntegrityError."""
    row = Outbox(
        message_id=message_id,
        kind=kind,
        ref=ref,
        recipient=recipient,
        recipient_folded=folded(recipient),
        recipient_domain=domain_pattern(recipient),
        envelope_from=envelope_from,
        composed_at=composed_at,
        due_at=due_at,
        inbox_id=inbox_id,
        position=0 if inbox_id is None else _caused_by(s, inbox_id),
    )
    s.add(row)
    s.flush()
    write(s, _RAW, outbox_id=row.id, data=raw)
    return row


def claim(s: Session, now: datetime, limit: int, lease_seconds: float) -> list[tuple[Outbox, bytes]]:
    """At most ``limit`` mails that are due, in the order in which they were queued, with their bytes.

    They are leased: nobody else gets them for ``lease_seconds``; after that they are free again, as when the one who
    had them was killed.
    """
    free = or_(col(Outbox.lease_until).is_(None), col(Outbox.lease_until) <= now)
    due = and_(col(Outbox.state).in_(DUE_STATES), col(Outbox.due_at) <= now, free)
    query = select(Outbox, OutboxRaw.data).join(OutboxRaw, col(OutboxRaw.outbox_id) == col(Outbox.id)).where(due)
    claimed = [(row, data) for row, data in s.exec(query.order_by(col(Outbox.id)).limit(limit))]
    for row, _ in claimed:
        row.lease_until = now + timedelta(seconds=lease_seconds)
    s.flush()
    return claimed


def delivered(s: Session, id: int, at: datetime, reply: str) -> None:  # noqa: A002 - the contract's name
    """The server has taken it."""
    _result(s, id, at, "sent", reply, SENT).sent_at = at
    s.flush()


def deferred(s: Session, id: int, at: datetime, reply: str, due_at: datetime) -> None:  # noqa: A002
    """Not now (4xx, no connection): due again at ``due_at``. One whose fate is unknown stays so."""
    row = s.get_one(Outbox, id)
    _result(s, id, at, "deferred", reply, UNKNOWN if row.state == UNKNOWN else QUEUED).due_at = due_at
    s.flush()


def refused(s: Session, id: int, at: datetime, reply: str) -> None:  # noqa: A002
    """Never (5xx): not tried again by itself."""
    _result(s, id, at, "refused", reply, REFUSED)
    s.flush()


def unknown(s: Session, id: int, at: datetime, reply: str, due_at: datetime) -> None:  # noqa: A002
    """Nobody knows: the connection was lost after DATA. Due again at ``due_at``, the same bytes and Message-ID."""
    _result(s, id, at, "unknown", reply, UNKNOWN).due_at = due_at
    s.flush()


def undelivered(s: Session, id: int, at: datetime, reply: str) -> bool:  # noqa: A002
    """A delivery report says that it did not arrive. True the first time, False when that was known."""
    row = s.get_one(Outbox, id)
    if row.state == UNDELIVERED:
        return False
    row.state, row.lease_until, row.last_reply = UNDELIVERED, None, reply
    s.add(Delivery(outbox_id=id, at=at, result="undelivered", reply=reply))
    s.flush()
    return True


def release(s: Session, id: int) -> None:  # noqa: A002
    """Gives a claimed mail back untried."""
    s.get_one(Outbox, id).lease_until = None
    s.flush()


def next_due(s: Session) -> datetime | None:
    """The earliest moment at which `claim` could give something; None when nothing waits."""
    leased = col(Outbox.lease_until) > col(Outbox.due_at)
    free_at = case((leased, col(Outbox.lease_until)), else_=col(Outbox.due_at))
    earliest: datetime | None = s.exec(select(func.min(free_at)).where(col(Outbox.state).in_(DUE_STATES))).one()
    return earliest


def get(s: Session, id: int) -> Outbox | None:  # noqa: A002
    """The row of that number."""
    return s.get(Outbox, id)


def raw(s: Session, id: int) -> bytes:  # noqa: A002
    """The bytes of the mail; sqlalchemy's NoResultFound when there are none."""
    return s.get_one(OutboxRaw, id).data


def by_message_id(s: Session, mid: str) -> Outbox | None:
    """The mail that we sent under this Message-ID."""
    return s.exec(_BY_MESSAGE_ID, params={"message_id": mid}).first()


def deliveries(s: Session, id: int) -> list[Delivery]:  # noqa: A002
    """What came of each attempt, oldest first."""
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
    """Makes a mail that did not go out due now. False when there is none such: one that was sent takes `resend`."""
    return _queue(s, id, now, (QUEUED, UNKNOWN, REFUSED, UNDELIVERED, DROPPED))


def resend(s: Session, id: int, now: datetime) -> bool:  # noqa: A002
    """Queues a mail that was sent once more, the same bytes. False when there is none such."""
    return _queue(s, id, now, (SENT, UNDELIVERED))


def drop(s: Session, id: int) -> bool:  # noqa: A002
    """Gives up a mail that has not gone out. False when there is none such."""
    row = s.get(Outbox, id)
    if row is None or row.state not in (QUEUED, UNKNOWN, REFUSED, UNDELIVERED):
        return False
    row.state, row.lease_until = DROPPED, None
    s.flush()
    return True


def count_since(s: Session, recipient: str, since: datetime, kinds: Collection[str]) -> int:
    """How many mails of ``kinds`` were composed since then for ``recipient``, or for a domain (``@example.com``)."""
    address = folded(recipient)
    column = Outbox.recipient_domain if address.startswith("@") else Outbox.recipient_folded
    query = select(func.count()).select_from(Outbox).where(col(column) == address)
    return s.exec(query.where(col(Outbox.composed_at) >= since, col(Outbox.kind).in_(kinds))).one()


def count_unknown_since(
    s: Session, since: datetime, kinds: Collection[str], domain: str | None = None, but: Collection[str] = ()
) -> int:
    """How many mails of ``kinds`` were composed since then for addresses that are unknown (to ``@domain``).

    Known are the contacts that make known, and what is in ``but`` (folded addresses and ``@domain`` patterns).
    """
    mine = (col(Outbox.recipient_folded), col(Outbox.recipient_domain))
    contact = select(Contact.token).where(
        col(Contact.makes_known).is_(True), or_(*(col(Contact.folded) == column for column in mine))
    )
    query = select(func.count()).select_from(Outbox).where(col(Outbox.composed_at) >= since, ~contact.exists())
    query = query.where(col(Outbox.kind).in_(kinds), *(column.not_in(but) for column in mine if but))
    if domain is not None:
        query = query.where(col(Outbox.recipient_domain) == folded(domain))
    return s.exec(query).one()


def counts(s: Session) -> dict[str, int]:
    """How many mails there are per state; states without any are left out."""
    return dict(s.exec(select(Outbox.state, func.count()).group_by(col(Outbox.state))).all())


def _caused_by(s: Session, inbox_id: int) -> int:
    return s.exec(_CAUSED, params={"inbox_id": inbox_id}).one()


def _result(s: Session, id: int, at: datetime, result: str, reply: str, state: str) -> Outbox:  # noqa: A002
    """Writes one attempt down and frees the row, in its new state."""
    row = s.get_one(Outbox, id)
    row.state, row.lease_until, row.last_reply = state, None, reply
    row.attempts += 1
    s.add(Delivery(outbox_id=id, at=at, result=result, reply=reply))
    return row


def _queue(s: Session, id: int, now: datetime, states: Sequence[str]) -> bool:  # noqa: A002
    row = s.get(Outbox, id)
    if row is None or row.state not in states or s.get(OutboxRaw, id) is None:  # its bytes were erased
        return False
    row.state, row.attempts, row.due_at, row.lease_until = QUEUED, 0, now, None
    s.flush()
    return True


def free_all(s: Session) -> None:
    """Ends every lease: whoever had those mails in hand is gone."""
    s.exec(update(Outbox).where(col(Outbox.lease_until).is_not(None)).values(lease_until=None))
