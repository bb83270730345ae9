"""Price lists as they were in force, so that a past month's invoice has the same amounts for ever.

The database refuses to change or remove one (triggers, in the migrations), and each has a seal: who changes one all the
same is found out.
"""

from datetime import datetime
from typing import Any

from sqlmodel import Field, Session, col, select

from storage.types import Json, Row, Text, UtcDateTime, seal


class PriceList(Row, table=True):
    """In force from ``since`` until the next one: amounts by item, as text, and the items that are on no bill."""

    __tablename__ = "price_list"

    id: int = Field(default=None, primary_key=True)
    since: datetime = Field(sa_type=UtcDateTime, index=True)
    catalogue_version: str = Field(sa_type=Text)
    currency: str | None = Field(default=None, sa_type=Text)
    amounts: Any = Field(sa_type=Json)
    unbilled: Any = Field(sa_type=Json)
    seal: str = Field(sa_type=Text)  # SHA-256 over the seal of the list before and all of this one


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
        since=since, catalogue_version=catalogue_version, currency=currency, amounts=amounts, unbilled=unbilled, seal=""
    )
    before = listing(s)
    row.seal = _seal(before[-1].seal if before else "", row)
    s.add(row)
    s.flush()
    return row


def listing(s: Session) -> list[PriceList]:
    """All of them, in the order in which they were written."""
    return list(s.exec(select(PriceList).order_by(col(PriceList.id))))


def changed(s: Session) -> PriceList | None:
    """The first list that is not as it was written, or does not follow the one that it was written after."""
    before = ""
    for row in listing(s):
        if row.seal != _seal(before, row):
            return row
        before = row.seal
    return None


def latest(s: Session) -> PriceList | None:
    """The newest list; None while there is none."""
    return s.exec(select(PriceList).order_by(col(PriceList.since).desc(), col(PriceList.id).desc()).limit(1)).first()


def in_force(s: Session, before: datetime) -> PriceList | None:
    """The newest list from before that moment, else the first one there ever was."""
    newest = select(PriceList).where(col(PriceList.since) < before)
    found = s.exec(newest.order_by(col(PriceList.since).desc(), col(PriceList.id).desc()).limit(1)).first()
    return found or s.exec(select(PriceList).order_by(col(PriceList.since), col(PriceList.id)).limit(1)).first()


def _seal(before: str, row: PriceList) -> str:
    return seal(before, row.since.isoformat(), row.catalogue_version, row.currency, row.amounts, row.unbilled)
