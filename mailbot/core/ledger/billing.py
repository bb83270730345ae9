"""What an item does to the bill: kind, fraction of the running period, amount where prices exist, and the invoice's date."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal

from pydantic import BaseModel, ConfigDict

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import ItemKey, ItemKind
from mailbot.core.ledger.licence import Value
from mailbot.core.ledger.period import Period, month_end, period_of, years_later

#: The kinds of items that are on no bill of their own: included, or a way of billing, or a state.
UNBILLED = frozenset(
    {ItemKind.ADMIN, ItemKind.WEBRTC, ItemKind.PHONEBAR, ItemKind.BILLING, ItemKind.TOKEN, ItemKind.STATUS}
)


class Billing(BaseModel):
    """The billing effect of an item. ``fraction`` is "days left/days of the period", not reduced."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["increase", "decrease", "none"]
    fraction: str | None = None
    amount: str | None = None
    currency: str | None = None
    invoice_on: date | None = None


NONE = Billing(kind="none")
DECREASE = Billing(kind="decrease")


def increase(
    item: ItemKey, today: Value, to: Value, period: Period, day: date, months: int, catalogue: Catalogue
) -> Billing:
    """An increase from ``day`` on: the fraction of the running period, invoiced at the end of this month."""
    fraction = period.fraction(day)
    amount = _amount(item, today, to, fraction, months, catalogue)
    return Billing(
        kind="increase",
        fraction=fraction,
        amount=amount,
        currency=catalogue.currency if amount is not None else None,
        invoice_on=month_end(day),
    )


def running_period(billing: str | None, renews_on: date | None, day: date) -> tuple[Period, int]:
    """The period that runs on ``day`` and its length in months, for pricing."""
    return period_of(billing, renews_on, day), 12 if billing == "annual" else 1


def first_period(billing: str | None, activated: date, day: date) -> tuple[Period, int]:
    """The period that runs on ``day`` on a licence that was ``activated`` then: the month, or its first year."""
    return running_period(billing, years_later(activated), day)


def _amount(item: ItemKey, today: Value, to: Value, fraction: str, months: int, catalogue: Catalogue) -> str | None:
    """Price per month x months of the period x units x fraction, rounded half up to cents; None without a price."""
    before, after = _price(item, today, catalogue), _price(item, to, catalogue)
    if before is None or after is None:
        return None
    exact = Fraction(after - before) * months * Fraction(fraction)
    cents = Decimal(exact.numerator) / Decimal(exact.denominator)
    return str(cents.quantize(Decimal("0.01"), ROUND_HALF_UP))


def _price(item: ItemKey, value: Value, catalogue: Catalogue) -> Decimal | None:
    """The monthly price of an item at that value: a count times its price, an option's own, nothing for none."""
    if not value:
        return Decimal(0) if catalogue.prices else None
    if isinstance(value, str):
        return catalogue.prices.get(f"{item}:{value}")
    price = catalogue.prices.get(item)
    return None if price is None else price * int(value)
