"""The rules by name: for each item who approves it, when it takes effect, and what it does to the bill."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import AGENTS, ItemKey, ItemKind
from mailbot.core.desk.requested_items import RequestedItem
from mailbot.core.desk.ticket import Item, Route
from mailbot.core.form.request import Action, RequestKind
from mailbot.core.ledger import billing
from mailbot.core.ledger.billing import Billing
from mailbot.core.ledger.licence import Licence, Value
from mailbot.core.ledger.period import DECREASE_DAY, month_end, next_month, next_period
from mailbot.core.ledger.rule import Rule


@dataclass(frozen=True)
class RuleCase:
    """What the rules look at: the request, the billing frequency and the day of the request, the licence before.

    ``activated``: the day on which this request activated the licence; its first period begins then.
    """

    request: RequestKind
    action: Action | None
    billing: str | None
    asked_on: date
    licence: Licence | None
    catalogue: Catalogue
    staff_whole: bool = False
    activated: date | None = None


def items_by_rules(case: RuleCase, lines: tuple[RequestedItem, ...], today: date) -> tuple[Item, ...]:
    """The items with rule and route, and with day and bill as if they were granted today. They have no status yet."""
    whole = case.staff_whole or _too_many_agents(case, lines)
    items = tuple(_item(case, line, today, whole=whole) for line in lines)
    return tuple(_with_cause(item, items, today, case.catalogue) for item in items)


def _item(case: RuleCase, line: RequestedItem, today: date, *, whole: bool) -> Item:
    rule, route = Rule.IMPLIED if line.implied else rule_of(case, line), _route(case, line, whole=whole)
    if rule is Rule.AUTOMATIC and route is Route.STAFF:
        rule = Rule.BY_STAFF
    item = Item(item=line.item, from_=line.today, to=line.to, rule=rule, route=route)
    day = day_of(case, item, today)
    return replace(item, expected=day, billing=billing_of(case, item, day))


def _with_cause(item: Item, items: tuple[Item, ...], today: date, catalogue: Catalogue) -> Item:
    if item.route is not Route.IMPLIED:
        return item
    days = {i.item: i.expected for i in items if i.expected}
    return replace(item, expected=implied_day(item, days, today, catalogue))


def implied_day(item: Item, days: Mapping[ItemKey, date], today: date, catalogue: Catalogue) -> date:
    """The day of an implied plugin: it comes with the last of its causes and goes with the first."""
    cause = catalogue.plugins[item.item.key].implied_by
    found = [days[key] for key in (ItemKey.PLAN, ItemKey.addon(cause or "")) if key in days]
    return (max if item.to else min)(found, default=today)


def rule_of(case: RuleCase, line: RequestedItem) -> Rule:
    """The rule that says when an item takes effect and what it costs."""
    match case.request:
        case RequestKind.ACTIVATE:
            return Rule.DEMO if case.action is Action.DEMO else _split(case, line)
        case RequestKind.MODIFY if case.action is Action.ADD:
            return Rule.INCREASE
        case RequestKind.MODIFY:
            return _decrease(case) if case.action is Action.REMOVE else Rule.DEACTIVATION
        case RequestKind.CONTRACT:
            return _contract(case, line)
        case RequestKind.REACTIVATE | RequestKind.SHUTTLE | RequestKind.INFORMATION | RequestKind.UNKNOWN:
            return Rule.BY_STAFF
        case kind:
            assert_never(kind)


def _split(case: RuleCase, line: RequestedItem) -> Rule:
    if not line.to:  # removing what the new plan does not have needs no approval
        return Rule.AUTOMATIC
    return Rule.BY_STAFF if _group(line.item) in case.catalogue.by_staff else Rule.AUTOMATIC


def _group(item: ItemKey) -> str:
    """The catalogue's name for the item in its lists of what is automatic and what staff decide."""
    match item.kind:
        case ItemKind.SEAT:
            return "seats"
        case ItemKind.ADDON:
            return "addons"
        case ItemKind.PLUGIN:
            return "plugins"
        case ItemKind.ADMIN | ItemKind.PLAN | ItemKind.WEBRTC | ItemKind.PHONEBAR | ItemKind.SUPPORT:
            return item.kind
        case ItemKind.BILLING | ItemKind.WHITELABEL | ItemKind.TOKEN | ItemKind.STATUS:
            return item.kind
        case kind:
            assert_never(kind)


def _decrease(case: RuleCase) -> Rule:
    return Rule.DECREASE_BY_20TH if case.asked_on.day <= DECREASE_DAY else Rule.DECREASE_AFTER_20TH


def _contract(case: RuleCase, line: RequestedItem) -> Rule:
    if line.item.kind is ItemKind.BILLING:
        return Rule.NEXT_PERIOD
    before, after = (_weight(case.catalogue, line.item, value) for value in (line.today, line.to))
    if before == after:
        return Rule.BY_STAFF
    return Rule.INCREASE if after > before else _decrease(case)


def _weight(catalogue: Catalogue, item: ItemKey, value: Value) -> tuple[float, ...]:
    """A sort key that is greater for the greater option: by price if all options have one, else by rank."""
    if isinstance(value, bool) or value is None:
        return (float(bool(value)),)
    options = catalogue.plans if item.kind is ItemKind.PLAN else catalogue.support
    prices = [catalogue.prices.get(f"{item}:{key}") for key in options]
    if all(price is not None for price in prices):
        return (1.0, float(catalogue.prices.get(f"{item}:{value}", 0)))
    option = options.get(str(value))
    return (1.0, float(option.rank) if option else 0.0)


def _route(case: RuleCase, line: RequestedItem, *, whole: bool) -> Route:
    if line.implied:
        return Route.IMPLIED
    if whole or case.request not in (RequestKind.ACTIVATE, RequestKind.MODIFY):
        return Route.STAFF
    if line.item.kind is ItemKind.SEAT and _above_maximum(case.catalogue, line):
        return Route.STAFF
    planned = case.request is RequestKind.ACTIVATE and case.action is not Action.DEMO
    return Route.STAFF if planned and _split(case, line) is Rule.BY_STAFF else Route.AUTOMATIC


def _above_maximum(catalogue: Catalogue, line: RequestedItem) -> bool:
    more = int(line.to or 0) > int(line.today or 0)
    return more and int(line.to or 0) > catalogue.seats[line.item.key].automatic_max


def _too_many_agents(case: RuleCase, lines: tuple[RequestedItem, ...]) -> bool:
    """Whether a new plan has more agents than are granted automatically; staff then decide on the whole plan."""
    agents = next((line for line in lines if line.item == AGENTS), None)
    return case.request is RequestKind.ACTIVATE and agents is not None and _above_maximum(case.catalogue, agents)


def day_of(case: RuleCase, item: Item, today: date) -> date:
    """The day on which the item takes effect if it is granted on ``today``; never before that."""
    terms = (case.licence.billing, case.licence.renewal) if case.licence else (None, None)
    match item.rule:
        case Rule.DECREASE_AFTER_20TH:
            return max(today, next_month(case.asked_on))
        case Rule.DEACTIVATION:
            return max(today, next_period(*terms, case.asked_on))
        case Rule.NEXT_PERIOD:
            return next_period(*terms, today)
        case Rule.AUTOMATIC | Rule.BY_STAFF | Rule.IMPLIED | Rule.DEMO | Rule.INCREASE | Rule.DECREASE_BY_20TH:
            return today
        case rule:
            assert_never(rule)


def billing_of(case: RuleCase, item: Item, day: date) -> Billing | None:
    """The effect on the bill from ``day`` on; None for what is never billed: demos, included and implied items."""
    if case.request is not RequestKind.MODIFY and item.item.kind in (ItemKind.STATUS, ItemKind.TOKEN):
        return _restored(case, item, day)
    if item.item.kind in billing.UNBILLED or item.rule in (Rule.DEMO, Rule.IMPLIED):
        return None
    if case.request is RequestKind.ACTIVATE:
        return _begun(case, item, day) if item.to else None
    if case.licence is None:
        return None
    if item.from_ == item.to:
        return billing.NONE
    match item.rule:
        case Rule.INCREASE:
            period, months = billing.running_period(case.licence.billing, case.licence.renewal, day)
            return billing.increase(item.item, item.from_, item.to, period, day, months, case.catalogue)
        case Rule.DECREASE_BY_20TH | Rule.DECREASE_AFTER_20TH:
            return billing.DECREASE
        case Rule.AUTOMATIC | Rule.BY_STAFF | Rule.DEACTIVATION | Rule.NEXT_PERIOD:
            return billing.NONE
        case rule:
            assert_never(rule)


def _begun(case: RuleCase, item: Item, day: date) -> Billing:
    """An item of a new plan: billed in full from ``day`` on, whatever the token had before."""
    period, months = billing.first_period(case.billing, case.activated or day, day)
    return billing.increase(item.item, None, item.to, period, day, months, case.catalogue)


def _restored(case: RuleCase, item: Item, day: date) -> Billing | None:
    """The bill of a re-activation: an increase by the whole licence, unless that is active (or a demo that moves)."""
    free = ("active", "demo") if item.item.kind is ItemKind.TOKEN else ("active",)
    if case.licence is None:
        return None
    if case.licence.status in free or item.from_ == item.to:
        return billing.NONE
    period, _ = billing.running_period(case.licence.billing, case.licence.renewal, day)
    return Billing(kind="increase", fraction=period.fraction(day), invoice_on=month_end(day))
