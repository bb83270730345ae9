"""The ledger: the events of each licence. Rows are added, never changed or deleted.

The database refuses UPDATE, DELETE and TRUNCATE (triggers, in the migrations), and each event has a seal. No row holds
names or addresses of people: they could not be erased.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import UniqueConstraint, bindparam, false, insert
from sqlmodel import Field, Session, col, func, select

from storage.types import IndexedText, Json, Row, Text, UtcDateTime, clean, cut, seal, write


class LicenceEventRow(Row, table=True):
    """One change of a licence: committed ``at``, in force from the day ``effective``; ``ticket`` is a reference."""

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
    seal: str = Field(sa_type=Text)  # of the seal of the token's previous event and the values of this event


_OF_TOKEN = col(LicenceEventRow.token) == bindparam("token")
_NEW = insert(LicenceEventRow)
_EVENTS = select(LicenceEventRow).where(_OF_TOKEN).order_by(col(LicenceEventRow.revision))
_LAST = (
    select(LicenceEventRow.revision, LicenceEventRow.seal)
    .where(_OF_TOKEN)
    .order_by(col(LicenceEventRow.revision).desc())
    .limit(1)
)
#: The columns that a seal covers.
_SEALED = ("token", "revision", "at", "effective", "kind", "changes", "asked_on", "ticket", "mail", "rule", "decider", "catalogue_version", "why", "pending")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    """An event of the ledger before it has a revision and a seal; the columns are those of ``LicenceEventRow``."""

    token: str
    at: datetime
    effective: date
    kind: str
    changes: Any
    catalogue_version: str
    ticket: str | None = None
    mail: str | None = None
    rule: str | None = None
    decider: str | None = None
    why: str | None = None
    asked_on: date | None = None
    pending: bool = False


def append(s: Session, event: NewEvent) -> int:
    """Adds an event; returns its ``revision``: 1 for the first of this token, then one more each time."""
    revision, before = s.exec(_LAST, params={"token": event.token}).first() or (0, "")
    row = {**vars(event), "revision": revision + 1}
    write(s, _NEW, **row, seal=_seal(before, row))
    return revision + 1


def append_many(s: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Adds many events at once, each a complete row with its ``revision``; IntegrityError if one exists already."""
    if rows:
        before = _seals_before(s, rows)
        sealed = [row | {"seal": _seal(before.get((row["token"], row["revision"] - 1), ""), row)} for row in rows]
        s.execute(insert(LicenceEventRow), sealed)


def _seals_before(s: Session, rows: Sequence[dict[str, Any]]) -> dict[tuple[str, int], str]:
    """The seals of the events before those rows, by token and revision."""
    later = [row["token"] for row in rows if row["revision"] > 1]
    found: dict[tuple[str, int], str] = {}
    for n in range(0, len(later), 500):
        query = select(LicenceEventRow.token, LicenceEventRow.revision, LicenceEventRow.seal)
        asked = s.exec(query.where(col(LicenceEventRow.token).in_(later[n : n + 500])))
        found |= {(token, revision): mark for token, revision, mark in asked}
    return found


def changed(rows: Iterable[LicenceEventRow]) -> LicenceEventRow | None:
    """The first event of the whole ledger whose seal does not match its values or the event before it; None when all match."""
    before: dict[str, str] = {}
    for row in rows:
        if row.seal != _seal(before.get(row.token, ""), vars(row)):
            return row
        before[row.token] = row.seal
    return None


def _seal(before: str, row: Mapping[str, Any]) -> str:
    return seal(before, *(_kept(row.get(key)) for key in _SEALED))


def _kept(value: Any) -> Any:
    """A value of an event in the form in which it is read back."""
    if isinstance(value, date):
        return value.isoformat()
    return cut(clean(value)) if isinstance(value, str) else value or None


def events(s: Session, token: str) -> list[LicenceEventRow]:
    """The events of this licence, by revision; empty for an unknown token."""
    return list(s.exec(_EVENTS, params={"token": token}))


def events_of_tokens(s: Session, tokens: Collection[str]) -> list[LicenceEventRow]:
    """The events of these licences, in the order in which they were added."""
    if not tokens:
        return []
    query = select(LicenceEventRow).where(col(LicenceEventRow.token).in_(tokens))
    return list(s.exec(query.order_by(col(LicenceEventRow.id))))


def of_ledger(s: Session, tokens: Collection[str]) -> set[str]:
    """Those of ``tokens`` that have events."""
    return set(s.exec(select(LicenceEventRow.token).where(col(LicenceEventRow.token).in_(tokens)).distinct()))


def tokens(s: Session) -> list[str]:
    """Every token of the ledger, sorted by code point; databases would sort by their own locale."""
    return sorted(s.exec(select(LicenceEventRow.token).distinct()))


def all_events(s: Session) -> list[LicenceEventRow]:
    """Every event, in the order in which they were added."""
    return list(s.exec(select(LicenceEventRow).order_by(col(LicenceEventRow.id))))


def last_at(s: Session) -> datetime | None:
    """When the latest event was committed; None for an empty ledger."""
    return s.exec(select(func.max(LicenceEventRow.at))).one()


def events_of_ticket(s: Session, ref: str) -> list[LicenceEventRow]:
    """The events caused by the ticket, in the order in which they were added."""
    query = select(LicenceEventRow).where(col(LicenceEventRow.ticket) == ref)
    return list(s.exec(query.order_by(col(LicenceEventRow.id))))
