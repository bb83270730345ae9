"""Price lists as they were in force, so that a past month's invoice has the same amounts for ever."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, Session, col, select

from storage.types import Json, Row, Text, UtcDateTime


class PriceList(Row, table=True):
    """In force from ``since`` until the next one: amounts by item, as text, and the items that are on no bill."""

    __tablename__ = "price_list"

    id: int = Field(default=None, primary_key=True)
    since: datetime = Field(sa_type=UtcDateTime, index=True)
    catalogue_version: str = Field(sa_type=Text)
    currency: str | None = Field(default=None, sa_type=Text)
    amounts: Any = Field(sa_type=Json)
    unbilled: Any = Field(sa_type=Json)


def add(
    s: Session,
    *,
    since: datetime,
    catalogue_version: str,
    currency: str | None,
    amounts: dict[str, str],
    unbilled: list[str],
) -> PriceList:
    """The list that is in force from now on."""
    row = PriceList(
        since=since, catalogue_version=catalogue_version, currency=currency, amounts=amounts, unbilled=unbilled
    )
    s.add(row)
    s.flush()
    return row


def latest(s: Session) -> PriceList | None:
    """The newest list; None while there is none."""
    return s.exec(select(PriceList).order_by(col(PriceList.since).desc(), col(PriceList.id).desc()).limit(1)).first()


def in_force(s: Session, before: datetime) -> PriceList | None:
    """The newest list from before that moment, else the first one there ever was."""
    newest = select(PriceList).where(col(PriceList.since) < before)
    found = s.exec(newest.order_by(col(PriceList.since).desc(), col(PriceList.id).desc()).limit(1)).first()
    return found or s.exec(select(PriceList).order_by(col(PriceList.since), col(PriceList.id)).limit(1)).first()
