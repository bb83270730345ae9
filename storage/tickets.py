"""Tickets and their events: queries use the columns of a ticket, the whole ticket is in ``body``."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, bindparam, case, insert
from sqlmodel import Field, Session, col, func, select, update

from storage.types import IndexedText, Json, Row, Text, UtcDateTime, folded, write


class StaleRow(Exception):  # noqa: N818 - what it is, not that it is an error
    """The row has changed since its writer read it; nothing was written."""


class TicketRow(Row, table=True):
    """One ticket. ``version`` counts changes of the request (keys are bound to it), ``row_version`` counts writes.

    ``sender`` is folded; the address as it was written is in ``body``. Equal forms have the same ``form_sha256``.
    """

    __tablename__ = "ticket"
    __table_args__ = (Index(None, "sender", "form_sha256"),)

    number: int = Field(default=None, primary_key=True)
    ref: str = Field(sa_type=IndexedText, unique=True, index=True)
    state: str = Field(sa_type=IndexedText, index=True)
    request: str = Field(sa_type=Text)
    action: str | None = Field(default=None, sa_type=Text)
    token: str | None = Field(default=None, sa_type=IndexedText, index=True)
    sender: str = Field(sa_type=IndexedText)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    version: int
    row_version: int = 1
    form_sha256: str = Field(sa_type=IndexedText)
    body: dict[str, Any] = Field(sa_type=Json)


class TicketEventRow(Row, table=True):
    """One event of a ticket: ``by`` whom, and the Message-ID of the ``mail`` that caused it."""

    __tablename__ = "ticket_event"

    id: int = Field(default=None, primary_key=True)
    number: int = Field(foreign_key="ticket.number", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    kind: str = Field(sa_type=Text)
    by: str = Field(sa_type=Text)
    mail: str | None = Field(default=None, sa_type=Text)
    detail: Any = Field(default=None, sa_type=Json, nullable=True)


class Counter(Row, table=True):
    """The last number assigned under a name."""

    __tablename__ = "counter"

    name: str = Field(sa_type=IndexedText, primary_key=True)
    value: int


_EVENT = insert(TicketEventRow)
_HIGHEST = select(func.max(TicketRow.number))
_HIGHEST_YET = func.coalesce(_HIGHEST.scalar_subquery(), 0)
_COUNT_ON = update(Counter).where(col(Counter.name) == "ticket").returning(col(Counter.value))
_COUNT_ON = _COUNT_ON.values(
    value=1 + case((col(Counter.value) < _HIGHEST_YET, _HIGHEST_YET), else_=col(Counter.value))
)
_BY_REF = select(TicketRow).where(col(TicketRow.ref) == bindparam("ref"))
_TAKEN = select(TicketRow.number).where(
    (col(TicketRow.number) == bindparam("number")) | (col(TicketRow.ref) == bindparam("ref"))
)
_SAME_FORM = select(TicketRow).where(
    col(TicketRow.sender) == bindparam("sender"),
    col(TicketRow.form_sha256) == bindparam("form"),
    col(TicketRow.state).in_(bindparam("states", expanding=True)),
)
_SAME_FORM = _SAME_FORM.order_by(col(TicketRow.number).desc()).limit(1)


def next_number(s: Session) -> int:
    """The number for a new ticket, never assigned twice; a rollback returns it, so that there are no gaps."""
    s.flush()
    given = s.connection().execute(_COUNT_ON).scalar()
    if given is None:
        given = 1 + (s.exec(_HIGHEST).one() or 0)
        write(s, insert(Counter), name="ticket", value=given)
    return int(given)


@dataclass(frozen=True, kw_only=True)
class StoredTicket:
    """A ticket as it is to be written; the columns are those of ``TicketRow``."""

    number: int
    ref: str
    state: str
    request: str
    action: str | None
    token: str | None
    sender: str
    opened_at: datetime
    updated_at: datetime
    version: int
    form_sha256: str
    body: dict[str, Any]


def save(s: Session, ticket: StoredTicket, expected_version: int | None) -> TicketRow:
    """Writes the ticket; ``expected_version`` is the ``row_version`` that was read, None for a new ticket.

    StaleRow when the row has another version by now or is gone, or when the new ticket exists already.
    """
    values = {**vars(ticket), "sender": folded(ticket.sender)}
    number, ref = values.pop("number"), ticket.ref
    if expected_version is None:
        return _insert(s, number, ref, values)
    row = s.get(TicketRow, number)  # there is only one writer: the row cannot change before the commit
    if row is None or row.row_version != expected_version:
        msg = f"{ref} is no longer at row version {expected_version}"
        raise StaleRow(msg)
    for name, value in {**values, "row_version": expected_version + 1}.items():
        setattr(row, name, value)
    s.flush()
    return row


def load(s: Session, ref: str) -> TicketRow | None:
    """The ticket with that reference."""
    return s.exec(_BY_REF, params={"ref": ref}).first()


def get(s: Session, number: int) -> TicketRow | None:
    """The ticket of that number."""
    return s.get(TicketRow, number)


def listing(s: Session, states: Collection[str] | None = None, limit: int | None = None) -> list[TicketRow]:
    """The tickets (in ``states``), newest first, at most ``limit``."""
    return _found(s, states, limit=limit)


def with_event_since(s: Session, kinds: Collection[str], since: datetime) -> list[TicketRow]:
    """The tickets with an event of one of ``kinds`` after ``since``, oldest first."""
    happened = select(TicketEventRow.number).where(col(TicketEventRow.kind).in_(kinds), col(TicketEventRow.at) > since)
    return _found(s, None, col(TicketRow.number).in_(happened))[::-1]


def of_sender(s: Session, sender_folded: str, states: Collection[str] | None = None) -> list[TicketRow]:
    """The tickets that this address opened, newest first."""
    return _found(s, states, col(TicketRow.sender) == folded(sender_folded))


def same_form(s: Session, sender_folded: str, form_sha256: str, states: Collection[str]) -> TicketRow | None:
    """The newest ticket in ``states`` that this address opened with an equal form."""
    same = {"sender": folded(sender_folded), "form": form_sha256, "states": list(states)}
    return s.exec(_SAME_FORM, params=same).first()


def waiting(s: Session, states: Collection[str]) -> list[TicketRow]:
    """The tickets in ``states``, longest waiting first."""
    query = select(TicketRow).where(col(TicketRow.state).in_(states))
    return list(s.exec(query.order_by(col(TicketRow.updated_at), col(TicketRow.number))))


def add_event(
    s: Session, number: int, at: datetime, kind: str, by: str, mail: str | None = None, detail: Any = None
) -> None:
    """Adds an event to a saved ticket; ``detail`` is any JSON value."""
    write(s, _EVENT, number=number, at=at, kind=kind, by=by, mail=mail, detail=detail)


def histories(s: Session, states: Collection[str] | None = None) -> dict[int, list[TicketEventRow]]:
    """The events of each ticket (in ``states``) that has any, by number, in the order in which they were added."""
    query = select(TicketEventRow).order_by(col(TicketEventRow.id))
    if states is not None:
        query = query.join(TicketRow).where(col(TicketRow.state).in_(states))
    found: dict[int, list[TicketEventRow]] = {}
    for row in s.exec(query):
        found.setdefault(row.number, []).append(row)
    return found


def last_event_at(s: Session) -> datetime | None:
    """When the latest event of any ticket happened; None when there is none."""
    return s.exec(select(func.max(TicketEventRow.at))).one()


def events(s: Session, number: int) -> list[TicketEventRow]:
    """The events of the ticket, in the order in which they were added."""
    query = select(TicketEventRow).where(col(TicketEventRow.number) == number)
    return list(s.exec(query.order_by(col(TicketEventRow.id))))


def _insert(s: Session, number: int, ref: str, values: dict[str, Any]) -> TicketRow:
    if s.exec(_TAKEN, params={"number": number, "ref": ref}).first() is not None:
        msg = f"{ref} ({number}) exists already"
        raise StaleRow(msg)
    row = TicketRow(number=number, **values)
    s.add(row)
    s.flush()
    return row


def _found(s: Session, states: Collection[str] | None, *conditions: Any, limit: int | None = None) -> list[TicketRow]:
    query = select(TicketRow).where(*conditions)
    if states is not None:
        query = query.where(col(TicketRow.state).in_(states))
    return list(s.exec(query.order_by(col(TicketRow.number).desc()).limit(limit)))
