"""The price lists that were in force, so that the invoice of a past month never changes.

The database refuses to change or delete one (triggers, in the migrations), and each has a seal by which `changed` detects
a change all the same.
"""

from datetime import datetime
from typing import Any

from sqlmodel import Field, Session, col, select

from storage.types import Json, Row, Text, UtcDateTime, seal


class PriceList(Row, table=True):
    """In force from ``since`` until the next one: the amount of each item, as text, and the items that are not billed."""

    __tablename__ = "price_list"

    id: int = Field(default=None, primary_key=True)
    since: datetime = Field(sa_type=UtcDateTime, index=True)
    catalogue_version: str = Field(sa_type=Text)
    currency: str | None = Field(default=None, sa_type=Text)
    amounts: Any = Field(sa_type=Json)
    unbilled: Any = Field(sa_type=Json)
    seal: str = Field(sa_type=Text)  # SHA-256 of the previous list's seal and all of this list


def add(
    s: Session,
    *,
    since: datetime,
    catalogue_version: str,
    currency: str | None,
    amounts: dict[str, str],
    unbilled: list[str],
) -> PriceList:
    """Adds a list that is in force from ``since``."""
    row = PriceList(
        since=since, catalogue_version=catalogue_version, currency=currency, amounts=amounts, unbilled=unbilled, seal=""
    )
    before = listing(s)
    row.seal = _seal(before[-1].seal if before else "", row)
    s.add(row)
    s.flush()
    return row


def listing(s: Session) -> list[PriceList]:
    """Every list, in the order in which they were added."""
    return list(s.exec(select(PriceList).order_by(col(PriceList.id))))


def changed(s: Session) -> PriceList | None:
    """The first list whose seal does not match its values or the list before it; None when all match."""
    before = ""
    for row in listing(s):
        if row.seal != _seal(before, row):
            return row
        before = row.seal
    return None


def latest(s: Session) -> PriceList | None:
    """The newest list; None when there is none."""
    return s.exec(select(PriceList).order_by(col(PriceList.since).desc(), col(PriceList.id).desc()).limit(1)).first()


def in_force(s: Session, before: datetime) -> PriceList | None:
    """The newest list from before that moment, or else the first list."""
    newest = select(PriceList).where(col(PriceList.since) < before)
    found = s.exec(newest.order_by(col(PriceList.since).desc(), col(PriceList.id).desc()).limit(1)).first()
    return found or s.exec(select(PriceList).order_by(col(PriceList.since), col(PriceList.id)).limit(1)).first()


def _seal(before: str, row: PriceList) -> str:
    return seal(before, row.since.isoformat(), row.catalogue_version, row.currency, row.amounts, row.unbilled)
