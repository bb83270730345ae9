"""The ledger: what happened to each licence, one event after the other. Rows are added, never changed or removed.

The database itself refuses UPDATE, DELETE and TRUNCATE (triggers, in the migrations). No names or addresses of people
in here: they could not be erased.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import UniqueConstraint, bindparam, false, insert
from sqlmodel import Field, Session, col, func, select

from storage.types import IndexedText, Json, Row, Text, UtcDateTime, write


class LicenceEventRow(Row, table=True):
    """One change of a licence: committed ``at``, in force from the day ``effective``; ``ticket`` is its reference."""

    __tablename__ = "licence_event"
    __table_args__ = (UniqueConstraint("token", "revision"),)

    id: int = Field(default=None, primary_key=True)
    token: str = Field(sa_type=IndexedText, index=True)
    revision: int
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    effective: date
    kind: str = Field(sa_type=Text)
    changes: Any = Field(sa_type=Json)
    asked_on: date | None = None
    ticket: str | None = Field(default=None, sa_type=IndexedText, index=True)
    mail: str | None = Field(default=None, sa_type=Text)
    rule: str | None = Field(default=None, sa_type=Text)
    decider: str | None = Field(default=None, sa_type=Text)
    catalogue_version: str = Field(sa_type=Text)
    why: str | None = Field(default=None, sa_type=Text)
    pending: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


_OF_TOKEN = col(LicenceEventRow.token) == bindparam("token")
_NEW = insert(LicenceEventRow)
_EVENTS = select(LicenceEventRow).where(_OF_TOKEN).order_by(col(LicenceEventRow.revision))
_LAST = select(func.max(LicenceEventRow.revision)).where(_OF_TOKEN)


def append(
    s: Session,
    *,
    token: str,
    at: datetime,
    effective: date,
    kind: str,
    changes: Any,
    catalogue_version: str,
    ticket: str | None = None,
    mail: str | None = None,
    rule: str | None = None,
    decider: str | None = None,
    why: str | None = None,
    asked_on: date | None = None,
    pending: bool = False,
) -> int:
    """The event's ``revision``: the last one of this token plus 1, the first is 1."""
    revision = (s.exec(_LAST, params={"token": token}).one() or 0) + 1
    write(
        s,
        _NEW,
        token=token,
        revision=revision,
        at=at,
        effective=effective,
        kind=kind,
        changes=changes,
        ticket=ticket,
        mail=mail,
        rule=rule,
        decider=decider,
        catalogue_version=catalogue_version,
        why=why,
        asked_on=asked_on,
        pending=pending,
    )
    return revision


def append_many(s: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Many events at once, each a whole row with its ``revision``; one that exists already is refused by the database."""
    if rows:
        s.execute(insert(LicenceEventRow), list(rows))


def events(s: Session, token: str) -> list[LicenceEventRow]:
    """What happened to this licence, by revision; empty for a token that the ledger does not know."""
    return list(s.exec(_EVENTS, params={"token": token}))


def events_of_tokens(s: Session, tokens: Collection[str]) -> list[LicenceEventRow]:
    """What happened to any of these licences, in the order in which it was written."""
    if not tokens:
        return []
    query = select(LicenceEventRow).where(col(LicenceEventRow.token).in_(tokens))
    return list(s.exec(query.order_by(col(LicenceEventRow.id))))


def of_ledger(s: Session, tokens: Collection[str]) -> set[str]:
    """Those of ``tokens`` that the ledger knows."""
    return set(s.exec(select(LicenceEventRow.token).where(col(LicenceEventRow.token).in_(tokens)).distinct()))


def tokens(s: Session) -> list[str]:
    """Every token of the ledger, sorted by code point (here: databases sort each by their own language)."""
    return sorted(s.exec(select(LicenceEventRow.token).distinct()))


def all_events(s: Session) -> list[LicenceEventRow]:
    """The whole ledger, in the order in which it was written."""
    return list(s.exec(select(LicenceEventRow).order_by(col(LicenceEventRow.id))))


def last_at(s: Session) -> datetime | None:
    """The latest moment in the ledger; None while it is empty."""
    return s.exec(select(func.max(LicenceEventRow.at))).one()


def events_of_ticket(s: Session, ref: str) -> list[LicenceEventRow]:
    """What the ticket changed, in the order in which it was written."""
    query = select(LicenceEventRow).where(col(LicenceEventRow.ticket) == ref)
    return list(s.exec(query.order_by(col(LicenceEventRow.id))))
