"""Granting items: what an open item would bring today, what it becomes, and which ledger events follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.effects import ChangeLicence
from mailbot.core.desk.licence_changes import Grant, changes_of, events_after, implied_later
from mailbot.core.desk.requested_items import RequestedItem
from mailbot.core.desk.rules import RuleCase, billing_of, day_of, implied_day, rule_of
from mailbot.core.desk.ticket import Item, ItemStatus, Route, Ticket
from mailbot.core.form.request import RequestKind
from mailbot.core.ledger.billing import Billing
from mailbot.core.ledger.licence import Licence, LicenceEvent, state_on
from mailbot.core.ledger.period import month_end


def case_of(ticket: Ticket, licence: Licence | None, context: DecisionContext) -> RuleCase:
    """What the rules look at when items of the ticket are granted."""
    billing = ticket.item(ItemKey.BILLING)
    asked = billing.to if billing and isinstance(billing.to, str) else None
    day = context.date_of(ticket.received_at)
    return RuleCase(
        ticket.request, ticket.action, asked, day, licence, context.catalogue, activated=ticket.activated_on
    )


def refreshed(ticket: Ticket, context: DecisionContext) -> Ticket:
    """The ticket with today's value, rule, expected day and bill on each open item.

    Once the plan of an activation is granted, its other items keep the values from before it.
    """
    if not any(item.open for item in ticket.items):
        return ticket
    licence = context.ledger.licence(ticket.token)
    case = case_of(ticket, licence, context)
    before = None if case.activated else licence
    items = tuple(_refreshed(item, case, before, context.today) if item.open else item for item in ticket.items)
    days = {item.item: item.expected for item in items if item.expected and item.route is not Route.IMPLIED}
    return replace(ticket, items=tuple(_after_cause(item, days, context.today, context.catalogue) for item in items))


def _refreshed(item: Item, case: RuleCase, licence: Licence | None, today: date) -> Item:
    if licence is not None and item.item != ItemKey.TOKEN:
        item = replace(item, from_=licence.value(item.item))
    if case.request is RequestKind.CONTRACT and item.route is not Route.IMPLIED:
        item = replace(item, rule=rule_of(case, RequestedItem(item.item, item.from_, item.to)))
    if item.overtaken:  # cannot be granted any more
        return replace(item, expected=None, billing=None)
    item = replace(item, expected=day_of(case, item, today))
    return replace(item, billing=_billed(item, case, today))


def _after_cause(item: Item, days: Mapping[ItemKey, date], today: date, catalogue: Catalogue) -> Item:
    if not item.open or item.route is not Route.IMPLIED:
        return item
    return replace(item, expected=implied_day(item, days, today, catalogue))


def granted_item(item: Item, case: RuleCase, today: date) -> Item:
    """The item granted today: applied or scheduled, with its effective day and its bill."""
    day = max(item.expected or today, today) if item.route is Route.IMPLIED else day_of(case, item, today)
    status = ItemStatus.APPLIED if day <= today else ItemStatus.SCHEDULED
    item = replace(item, status=status, effective=day, expected=None)
    return replace(item, billing=_billed(item, case, today))


def billed_again(items: tuple[Item, ...], case: RuleCase, today: date) -> tuple[Item, ...]:
    """The items with bills by the billing frequency that was just decided for a new plan."""
    if case.request is not RequestKind.ACTIVATE:
        return items
    return tuple(replace(i, billing=_billed(i, case, today)) if i.effective else i for i in items)


def _billed(item: Item, case: RuleCase, today: date) -> Billing | None:
    """The item's effect on the bill, no earlier than the current month's invoice.

    Options of a new plan that staff grant later are billed from the activation.
    """
    option = case.activated is not None and item.item in (ItemKey.SUPPORT, ItemKey.WHITELABEL)
    day = case.activated or today if option else item.effective or item.expected or today
    billing = billing_of(case, item, day)
    if billing is None or billing.invoice_on is None:
        return billing
    return replace(billing, invoice_on=max(billing.invoice_on, month_end(today)))


@dataclass(frozen=True)
class Granted:
    """The ticket's items after the grant, the ledger changes, and the licence's events including those changes."""

    items: tuple[Item, ...]
    changes: tuple[ChangeLicence, ...]
    events: tuple[LicenceEvent, ...]


def grant_items(grant: Grant, keys: frozenset[ItemKey]) -> Granted:
    """Grant the items of those keys today, and the implied plugins that follow from them."""
    case, today = case_of(grant.ticket, grant.licence, grant.context), grant.context.today
    items = tuple(granted_item(item, case, today) if item.item in keys else item for item in grant.ticket.items)
    changes = changes_of(grant, [item for item in items if item.item in keys])
    follow = _implied(items, keys, events_after(grant, changes), case, today)
    if follow:
        items = tuple(follow.get(item.item, item) for item in items)
        changes = changes_of(grant, [item for item in items if item.item in keys | follow.keys()])
    changes += implied_later(grant, changes)
    if ItemKey.BILLING in keys:
        items = billed_again(items, case, today)
    return Granted(without_cause(items), changes, events_after(grant, changes))


def _implied(
    items: tuple[Item, ...], keys: frozenset[ItemKey], events: tuple[LicenceEvent, ...], case: RuleCase, today: date
) -> dict[ItemKey, Item]:
    """The open implied plugins that the new state of the licence brings or removes, granted."""
    days = {item.item: item.effective for item in items if item.item in keys and item.effective}
    follow = {}
    for item in items:
        if item.route is Route.IMPLIED and item.open:
            expected = replace(item, expected=implied_day(item, days, today, case.catalogue))
            if _follows(expected, events, case.catalogue):
                follow[item.item] = granted_item(expected, case, today)
    return follow


def _follows(item: Item, events: tuple[LicenceEvent, ...], catalogue: Catalogue) -> bool:
    licence = state_on(events, item.expected) if item.expected else None
    if licence is None:
        return False
    implied = catalogue.implied_plugins(licence.plan, frozenset(licence.addons))
    return bool(item.to) == (item.item.key in implied)


def without_cause(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items, with implied ones refused once no open item could bring them any more."""
    if any(i.open and i.route is not Route.IMPLIED for i in items):
        return items
    return tuple(i.over(ItemStatus.REFUSED) if i.open else i for i in items)
