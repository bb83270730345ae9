"""Invoices from the database: the ledger's events, the prices in force then, the customers' present names."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.ledger.invoices import InvoiceLine, Prices, invoice
from mailbot.core.ledger.licence import LicenceEvent
from mailbot.core.ledger.period import next_month
from mailbot.process import mapping
from storage import licences, people, price_lists
from storage.engine import Store

#: The columns of an invoice line, in the order of the contract.
LINE = ("month", "token", "customer_name", "item", "quantity", "period_from", "period_to", "fraction", "amount", "currency", "ticket", "rule")  # fmt: skip


def remember_prices(store: Store, catalogue: Catalogue, now: datetime) -> None:
    """Store the catalogue's prices as in force from now on, unless they are the ones stored last."""
    amounts = {item: str(amount) for item, amount in catalogue.prices.items()}
    unbilled: list[str] = sorted(
        ItemKey.plugin(plugin.key) for plugin in catalogue.plugins.values() if plugin.implied_by
    )
    with store.read() as session:
        last = price_lists.latest(session)
    same = last and (last.amounts, last.currency, last.unbilled) == (amounts, catalogue.currency, unbilled)
    if same or (last and now < last.since):
        return
    with store.write() as session:
        price_lists.add(
            session,
            since=now,
            catalogue_version=catalogue.version,
            currency=catalogue.currency,
            amounts=amounts,
            unbilled=unbilled,
        )


def prices_of(session: Session, month: date, zone: ZoneInfo) -> tuple[Prices, frozenset[str]]:
    """The prices in force at the end of that month, and the items that are never billed."""
    row = price_lists.in_force(session, datetime.combine(next_month(month), time(0), zone).astimezone(UTC))
    if row is None:
        return Prices({}), frozenset()
    amounts = {item: Decimal(amount) for item, amount in row.amounts.items()}
    return Prices(amounts, row.currency), frozenset(row.unbilled)


def lines_of(
    session: Session, month: date, zone: ZoneInfo, events: Sequence[LicenceEvent] | None = None
) -> tuple[InvoiceLine, ...]:
    """The invoice lines of the month that holds ``month``; ``events``: those of the whole ledger, if the caller has them."""
    if events is None:
        events = [mapping.event_of(row) for row in licences.all_events(session)]

    def prices(day: date) -> Prices:
        return prices_of(session, day, zone)[0]

    return invoice(events, month, zone, prices, prices_of(session, month, zone)[1])


def invoice_rows(session: Session, lines: tuple[InvoiceLine, ...]) -> list[dict[str, Any]]:
    """The lines as commands print them: amounts as text, dates in ISO 8601."""
    names: dict[str, str | None] = {}
    for line in lines:
        if line.token not in names:
            names[line.token] = people.name(session, line.token)
    return [_shape(line, names[line.token]) for line in lines]


def _shape(line: InvoiceLine, customer: str | None) -> dict[str, Any]:
    found = {key: getattr(line, key) for key in LINE if key != "customer_name"} | {"customer_name": customer}
    found["amount"] = None if line.amount is None else str(line.amount)
    found["period_from"], found["period_to"] = line.period_from.isoformat(), line.period_to.isoformat()
    return {key: found[key] for key in LINE}
