"""The incidents that staff are told of, each once, so that nobody can make the desk flood its own staff."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Field, Session, col, func, select

from storage.types import IndexedText, Row, Text, UtcDateTime


class Incident(Row, table=True):
    """What happened first ``at``; ``told_at`` when it went to staff, None while it waits to be told."""

    __tablename__ = "incident"

    key: str = Field(sa_type=IndexedText, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    text: str = Field(sa_type=Text)
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)


def note(s: Session, key: str, text: str, at: datetime) -> bool:
    """Writes the incident down. False when it was known; then its first words stay."""
    if s.get(Incident, key) is not None:
        return False
    s.add(Incident(key=key, at=at, text=text))
    s.flush()
    return True


def untold(s: Session, limit: int) -> list[Incident]:
    """At most ``limit`` incidents that staff do not know of yet, oldest first."""
    query = select(Incident).where(col(Incident.told_at).is_(None))
    return list(s.exec(query.order_by(col(Incident.at), col(Incident.key)).limit(limit)))


def told(s: Session, rows: Iterable[Incident], at: datetime) -> None:
    """They are in a mail to staff."""
    for row in rows:
        row.told_at = at
    s.flush()


def last_told(s: Session) -> datetime | None:
    """When staff were last told of anything."""
    return s.exec(select(func.max(Incident.told_at))).one()
