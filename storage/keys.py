"""The reply keys, by their SHA-256: the purpose, the recipient and the life of each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Field, Session, col, func, or_, select, update

from storage.types import IndexedText, Json, Row, Text, UtcDateTime

#: ``dead_why`` of a key that was not used in time.
EXPIRED = "expired"


class KeyRow(Row, table=True):
    """One key. ``digest`` is the SHA-256 of its text in hex; the text itself is not stored.

    ``purpose``: customer, confirm, decision, decision-confirm, digest. ``address`` is folded. The key of a digest mail
    covers ``refs``, a list of [ref, version, licence revision]. A key dies of ``expires_at`` only when `expire` runs.
    """

    __tablename__ = "reply_key"

    digest: str = Field(sa_type=IndexedText, primary_key=True)
    purpose: str = Field(sa_type=Text)
    ref: str | None = Field(default=None, sa_type=IndexedText, index=True)
    refs: list[Any] = Field(default_factory=list, sa_type=Json)
    version: int | None = None
    licence_revision: int | None = None
    address: str = Field(sa_type=Text)
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    dead_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    dead_why: str | None = Field(default=None, sa_type=Text)
    payload: Any = Field(default=None, sa_type=Json, nullable=True)


#: Alive, or dead by time only: a reply that arrived in time but is handled late is still valid.
_ALIVE = or_(col(KeyRow.dead_at).is_(None), col(KeyRow.dead_why) == EXPIRED)
_LIVE = select(KeyRow).where(col(KeyRow.ref) == bindparam("ref"), _ALIVE)


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key to be stored; the columns are those of ``KeyRow``."""

    digest: str
    purpose: str
    address: str
    made_at: datetime
    ref: str | None = None
    refs: Sequence[Sequence[Any]] = ()
    version: int | None = None
    licence_revision: int | None = None
    expires_at: datetime | None = None
    payload: Any = None


def add(s: Session, key: NewKey) -> KeyRow:
    """Adds a key; sqlalchemy's IntegrityError for a digest that exists."""
    row = KeyRow(**{**vars(key), "refs": [list(one) for one in key.refs]})
    s.add(row)
    s.flush()
    return row


def find(s: Session, digest: str) -> KeyRow | None:
    """The key of that digest, dead or alive."""
    return s.get(KeyRow, digest)


def kill(s: Session, digest: str, at: datetime, why: str) -> bool:
    """Ends the key. False when it does not exist, or was dead for a reason other than time; that reason stays."""
    row = s.get(KeyRow, digest)
    if row is None or (row.dead_at is not None and row.dead_why != EXPIRED):
        return False
    row.dead_at, row.dead_why = at, why
    s.flush()
    return True


def expire(s: Session, now: datetime) -> None:
    """Ends the live keys whose ``expires_at`` has come."""
    over = update(KeyRow).where(col(KeyRow.dead_at).is_(None), col(KeyRow.expires_at) <= now)
    s.exec(over.values(dead_at=now, dead_why=EXPIRED))


def next_expiry(s: Session) -> datetime | None:
    """When the next live key expires; None when none will."""
    return s.exec(select(func.min(KeyRow.expires_at)).where(col(KeyRow.dead_at).is_(None))).one()


def kill_of_ticket(s: Session, ref: str, purposes: Collection[str], at: datetime, why: str) -> int:
    """Ends the live keys of the ticket that have one of ``purposes``; returns how many."""
    doomed = [row for row in live_of_ticket(s, ref) if row.purpose in purposes]
    for row in doomed:
        row.dead_at, row.dead_why = at, why
    s.flush()
    return len(doomed)


def live_of_ticket(s: Session, ref: str) -> list[KeyRow]:
    """The keys of the ticket that are alive or dead by time only, oldest first; keys of digest mails are not included."""
    found = s.exec(_LIVE, params={"ref": ref})
    return sorted(found, key=lambda row: (row.made_at, row.digest))


def follow(s: Session, ref: str, licence_revision: int) -> None:
    """Binds the ticket's live keys to the licence revision that the ticket itself has made, so that they stay valid."""
    for row in live_of_ticket(s, ref):
        row.licence_revision = licence_revision
        row.refs = [[name, version, licence_revision if name == ref else old] for name, version, old in row.refs]
        s.add(row)
    s.flush()
