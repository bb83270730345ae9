"""Items as they are when they are granted, or would be if they were granted today: first day, rule and bill."""

from collections.abc import Mapping
from datetime import date

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.context import Scene
from mailbot.core.desk.requested_items import Asked
from mailbot.core.desk.rules import Case, billing_of, day_of, implied_day, rule_of
from mailbot.core.desk.ticket import Item, ItemStatus, Route, Ticket
from mailbot.core.form.request_kinds import RequestKind
from mailbot.core.ledger.billing import Billing
from mailbot.core.ledger.licence import Licence
from mailbot.core.ledger.period import month_end

#: Items that mails and tickets list but that change no term of the ledger.
SILENT = frozenset({ItemKey.ADMIN, ItemKey.WEBRTC, ItemKey.PHONEBAR})


def case_of(ticket: Ticket, licence: Licence | None, scene: Scene) -> Case:
    """The case that the rules look at when items of the ticket are granted."""
    billing = ticket.item(ItemKey.BILLING)
    asked = billing.to if billing and isinstance(billing.to, str) else None
    day = scene.date_of(ticket.received_at)
    return Case(ticket.request, ticket.action, asked, day, licence, scene.catalogue, activated=activated_on(ticket))


def activated_on(ticket: Ticket) -> date | None:
    """The day on which this ticket's plan was granted; None before."""
    plan = ticket.item(ItemKey.PLAN)
    return plan.effective if plan and plan.status is ItemStatus.APPLIED else None


def refreshed(ticket: Ticket, scene: Scene) -> Ticket:
    """The ticket with today's value, rule, expected day and bill of each open item.

    Once the plan of an activation is granted, its other items keep the values from before it.
    """
    if not any(item.open for item in ticket.items):
        return ticket
    licence = scene.ledger.licence(ticket.token)
    case = case_of(ticket, licence, scene)
    before = None if case.activated else licence
    items = tuple(_refreshed(item, case, before, scene.today) if item.open else item for item in ticket.items)
    days = {item.item: item.expected for item in items if item.expected and item.route is not Route.IMPLIED}
    return replace(ticket, items=tuple(_after_cause(item, days, scene.today, scene.catalogue) for item in items))


def _refreshed(item: Item, case: Case, licence: Licence | None, today: date) -> Item:
    if licence is not None and item.item != ItemKey.TOKEN:
        item = replace(item, from_=licence.value(item.item))
    if case.request is RequestKind.CONTRACT and item.route is not Route.IMPLIED:
        item = replace(item, rule=rule_of(case, Asked(item.item, item.from_, item.to)))
    if item.overtaken:  # it cannot be granted any more
        return replace(item, expected=None, billing=None)
    item = replace(item, expected=day_of(case, item, today))
    return replace(item, billing=_billed(item, case, today))


def _after_cause(item: Item, days: Mapping[ItemKey, date], today: date, catalogue: Catalogue) -> Item:
    if not item.open or item.route is not Route.IMPLIED:
        return item
    return replace(item, expected=implied_day(item, days, today, catalogue))


def granted_item(item: Item, case: Case, today: date) -> Item:
    """The item granted today: applied or scheduled, with its first day and its bill."""
    day = max(item.expected or today, today) if item.route is Route.IMPLIED else day_of(case, item, today)
    status = ItemStatus.APPLIED if day <= today else ItemStatus.SCHEDULED
    item = replace(item, status=status, effective=day, expected=None)
    return replace(item, billing=_billed(item, case, today))


def billed_again(items: tuple[Item, ...], case: Case, today: date) -> tuple[Item, ...]:
    """The items after the billing frequency of a new plan was decided: what was granted before is billed by it."""
    if case.request is not RequestKind.ACTIVATE:
        return items
    return tuple(replace(i, billing=_billed(i, case, today)) if i.effective else i for i in items)


def _billed(item: Item, case: Case, today: date) -> Billing | None:
    """The item's effect on the bill, on the earliest invoice that is not final.

    Options of a new plan that staff decide later are billed from the day the plan was activated.
    """
    option = case.activated is not None and item.item in (ItemKey.SUPPORT, ItemKey.WHITELABEL)
    day = case.activated or today if option else item.effective or item.expected or today
    billing = billing_of(case, item, day)
    if billing is None or billing.invoice_on is None:
        return billing
    return replace(billing, invoice_on=max(billing.invoice_on, month_end(today)))
