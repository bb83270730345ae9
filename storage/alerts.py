"""The incidents to report to staff, each once, so that a stranger cannot make the desk flood them with mail."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Field, Session, col, func, select

from storage.types import IndexedText, Row, Text, UtcDateTime


class Incident(Row, table=True):
    """What happened, first ``at``; ``told_at`` is when it was reported, None until then."""

    __tablename__ = "incident"

    key: str = Field(sa_type=IndexedText, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    text: str = Field(sa_type=Text)
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)


def note(s: Session, key: str, text: str, at: datetime) -> bool:
    """Records the incident. False when ``key`` is recorded already; then the first ``text`` stays."""
    if s.get(Incident, key) is not None:
        return False
    s.add(Incident(key=key, at=at, text=text))
    s.flush()
    return True


def untold(s: Session, limit: int) -> list[Incident]:
    """At most ``limit`` incidents that were not reported yet, oldest first."""
    query = select(Incident).where(col(Incident.told_at).is_(None))
    return list(s.exec(query.order_by(col(Incident.at), col(Incident.key)).limit(limit)))


def mark_told(s: Session, rows: Iterable[Incident], at: datetime) -> None:
    """Records that the incidents were reported."""
    for row in rows:
        row.told_at = at
    s.flush()


def last_told(s: Session) -> datetime | None:
    """When an incident was last reported; None when none was."""
    return s.exec(select(func.max(Incident.told_at))).one()
