"""The billing effect of an item: its kind, the fraction of the running period, the amount if priced, the invoice date."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import ItemKey, ItemKind
from mailbot.core.ledger.licence import Value
from mailbot.core.ledger.period import Period, month_end, period_of, years_later

#: The kinds of items that are never billed: included ones, the billing frequency, and changes of token or status.
UNBILLED = frozenset(
    {ItemKind.ADMIN, ItemKind.WEBRTC, ItemKind.PHONEBAR, ItemKind.BILLING, ItemKind.TOKEN, ItemKind.STATUS}
)


@dataclass(frozen=True, kw_only=True)
class Billing:
    """The billing effect of an item. ``fraction`` is "days left/days of the period", not reduced."""

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
    """The effect of an increase on ``day``: the rest of the running period, invoiced at the end of that month."""
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
    """The period that contains ``day``, and its length in months."""
    return period_of(billing, renews_on, day), 12 if billing == "annual" else 1


def first_period(billing: str | None, activated: date, day: date) -> tuple[Period, int]:
    """The period that contains ``day`` on a licence activated on ``activated``, and its length in months."""
    return running_period(billing, years_later(activated), day)


def _amount(item: ItemKey, today: Value, to: Value, fraction: str, months: int, catalogue: Catalogue) -> str | None:
    """Monthly price x months x units x fraction, rounded half up to cents; None without a price."""
    before, after = _price(item, today, catalogue), _price(item, to, catalogue)
    if before is None or after is None:
        return None
    exact = Fraction(after - before) * months * Fraction(fraction)
    cents = Decimal(exact.numerator) / Decimal(exact.denominator)
    return str(cents.quantize(Decimal("0.01"), ROUND_HALF_UP))


def _price(item: ItemKey, value: Value, catalogue: Catalogue) -> Decimal | None:
    """The monthly price of an item with ``value``: count times unit price, or the price of the option; 0 for no value."""
    if not value:
        return Decimal(0) if catalogue.prices else None
    if isinstance(value, str):
        return catalogue.prices.get(f"{item}:{value}")
    price = catalogue.prices.get(item)
    return None if price is None else price * int(value)
