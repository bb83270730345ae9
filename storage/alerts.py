"""Which incidents staff have been told of, so that nobody can make the desk flood its own staff."""

from datetime import datetime, timedelta

from sqlmodel import Field, Session

from storage.types import IndexedText, Row, UtcDateTime


class Incident(Row, table=True):
    """When staff were last told of the incident ``key``."""

    __tablename__ = "incident"

    key: str = Field(sa_type=IndexedText, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)


def first(s: Session, key: str, at: datetime, within_seconds: float | None = None) -> bool:
    """Whether an alert about ``key`` may go; if so, it is noted as gone at ``at``.

    It may not while the last one is less than ``within_seconds`` old (None: once for ever). One that may not leaves no
    trace, so steady trouble is told of again. "At most one mail an hour" is a key for the kind of trouble and 3600.
    """
    row = s.get(Incident, key)
    if row is None:
        s.add(Incident(key=key, at=at))
    elif within_seconds is None or at - row.at < timedelta(seconds=within_seconds):
        return False
    else:
        row.at = at
    s.flush()
    return True
