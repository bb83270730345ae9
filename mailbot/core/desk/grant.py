"""Granting items: the changes of the ledger that they make, and the day they hold from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import SEATS, ItemKey
from mailbot.core.desk.context import Scene
from mailbot.core.desk.effects import ChangeLicence
from mailbot.core.desk.requested_items import Asked
from mailbot.core.desk.rules import Case, billing_of, day_of, implied_day, rule_of
from mailbot.core.desk.ticket import Item, ItemStatus, Route, Ticket
from mailbot.core.form.request_kinds import Action, RequestKind
from mailbot.core.ledger.billing import Billing
from mailbot.core.ledger.licence import Licence, LicenceEvent, Value, state_on
from mailbot.core.ledger.period import month_end, years_later
from mailbot.core.ledger.rule import Rule
from mailbot.core.ledger.scheduled import dates_of, implied_plugin_changes, superseding_changes

#: Items that go to the new token, beside add-ons and plugins.
MOVED = (ItemKey.PLAN, *SEATS, ItemKey.SUPPORT, ItemKey.BILLING, ItemKey.WHITELABEL)
#: Items that stand in mails and tickets but change no term of the ledger.
SILENT = frozenset({ItemKey.ADMIN, ItemKey.WEBRTC, ItemKey.PHONEBAR})


@dataclass(frozen=True)
class Granted:
    """The ticket's items after granting some, the ledger's changes, the licence that they lead to, and its events."""

    items: tuple[Item, ...]
    changes: tuple[ChangeLicence, ...]
    after: Licence | None
    events: tuple[LicenceEvent, ...] = ()


def case_of(ticket: Ticket, licence: Licence | None, scene: Scene) -> Case:
    """The case that the rules look at when the ticket's items are granted."""
    billing = ticket.item(ItemKey.BILLING)
    asked = billing.to if billing and isinstance(billing.to, str) else None
    day = scene.date_of(ticket.received_at)
    return Case(ticket.request, ticket.action, asked, day, licence, scene.catalogue, activated=activated_on(ticket))


def renewed(ticket: Ticket, scene: Scene) -> Ticket:
    """The ticket with today's facts about what is open: the licence's value, rule, expected day and bill.

    Of an activation whose plan is granted the values stay as they were before it.
    """
    if not any(item.open for item in ticket.items):
        return ticket
    licence = scene.ledger.licence(ticket.token)
    case, today = case_of(ticket, licence, scene), scene.today
    before = None if case.activated else licence
    items = tuple(_renewed(item, case, before, today) if item.open else item for item in ticket.items)
    days = {item.item: item.expected for item in items if item.expected and item.route is not Route.IMPLIED}
    items = tuple(
        replace(i, expected=implied_day(i, days, today, scene.catalogue)) if i.open and i.route is Route.IMPLIED else i
        for i in items
    )
    return replace(ticket, items=items)


def _renewed(item: Item, case: Case, licence: Licence | None, today: date) -> Item:
    if licence is not None and item.item != ItemKey.TOKEN:
        item = replace(item, from_=licence.value(item.item))
    if case.request is RequestKind.CONTRACT and item.route is not Route.IMPLIED:
        item = replace(item, rule=rule_of(case, Asked(item.item, item.from_, item.to)))
    if item.overtaken:  # it cannot be granted any more
        return replace(item, expected=None, billing=None)
    item = replace(item, expected=day_of(case, item, today))
    return replace(item, billing=_billed(item, case, today))


def grant(ticket: Ticket, keys: frozenset[ItemKey], scene: Scene, decider: str, until: date | None = None) -> Granted:
    """Grant the items of those keys today. ``until`` ends the licence after that day."""
    licence = scene.ledger.licence(ticket.token)
    case = case_of(ticket, licence, scene)
    today = scene.today
    items = tuple(granted_item(item, case, today) if item.item in keys else item for item in ticket.items)
    changes = _changes(ticket, licence, [item for item in items if item.item in keys], scene, decider, until)
    items, follow = _with_implied(items, keys, _events(ticket, licence, changes, scene), case, today)
    if follow:
        new = [item for item in items if item.item in keys | follow]
        changes = _changes(ticket, licence, new, scene, decider, until)
    changes += _implied_ahead(ticket, licence, changes, scene, decider)
    if ItemKey.BILLING in keys:
        items = billed_anew(items, case, today)
    events = _events(ticket, licence, changes, scene)
    return Granted(without_cause(items), changes, _after(events, licence, today), events)


def _implied_ahead(
    ticket: Ticket, licence: Licence | None, changes: tuple[ChangeLicence, ...], scene: Scene, decider: str
) -> tuple[ChangeLicence, ...]:
    """Where the changes meet what is scheduled: the implied plugins that come or go on later dates."""
    if not changes:
        return ()
    events = _events(ticket, licence, changes, scene)
    return tuple(
        ChangeLicence(changes[-1].token, day, _kind(ticket), terms, Rule.IMPLIED, decider)
        for day, terms in implied_plugin_changes(events, scene.today, scene.catalogue)
    )


def granted_item(item: Item, case: Case, today: date) -> Item:
    """The item as it is when it is granted today: from which day it holds, and what it costs."""
    day = max(item.expected or today, today) if item.route is Route.IMPLIED else day_of(case, item, today)
    status = ItemStatus.APPLIED if day <= today else ItemStatus.SCHEDULED
    item = replace(item, status=status, effective=day, expected=None)
    return replace(item, billing=_billed(item, case, today))


def billed_anew(items: tuple[Item, ...], case: Case, today: date) -> tuple[Item, ...]:
    """The way of billing is decided: of a new plan all that was granted is worked out anew."""
    if case.request is not RequestKind.ACTIVATE:
        return items
    return tuple(replace(i, billing=_billed(i, case, today)) if i.effective else i for i in items)


def _billed(item: Item, case: Case, today: date) -> Billing | None:
    """The item's billing effect, on the earliest invoice there is.

    Options of a new plan that staff decide later are billed from the day the plan was activated.
    """
    late = case.activated is not None and item.item in (ItemKey.SUPPORT, ItemKey.WHITELABEL)
    billing = (
        billing_of(case, item, case.activated or today)
        if late
        else billing_of(case, item, item.effective or item.expected or today)
    )
    if billing is None or billing.invoice_on is None:
        return billing
    return replace(billing, invoice_on=max(billing.invoice_on, month_end(today)))


def activated_on(ticket: Ticket) -> date | None:
    """The day on which this ticket's plan was granted, None before."""
    plan = ticket.item(ItemKey.PLAN)
    return plan.effective if plan and plan.status is ItemStatus.APPLIED else None


def _with_implied(
    items: tuple[Item, ...], keys: frozenset[ItemKey], events: tuple[LicenceEvent, ...], case: Case, today: date
) -> tuple[tuple[Item, ...], frozenset[ItemKey]]:
    """The items with the implied plugins that follow from what the licence comes to be, each on its own day; their keys."""
    days = {item.item: item.effective for item in items if item.item in keys and item.effective}
    follow = {}
    for item in items:
        if item.route is Route.IMPLIED and item.open:
            expected = replace(item, expected=implied_day(item, days, today, case.catalogue))
            if _follows(expected, events, case.catalogue):
                follow[item.item] = granted_item(expected, case, today)
    return tuple(follow.get(item.item, item) for item in items), frozenset(follow)


def _follows(item: Item, events: tuple[LicenceEvent, ...], catalogue: Catalogue) -> bool:
    licence = state_on(events, item.expected) if item.expected else None
    if licence is None:
        return False
    implied = catalogue.implied_plugins(licence.plan, frozenset(licence.addons))
    return bool(item.to) == (item.item.key in implied)


def without_cause(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items; those that are implied have fallen away where nothing that could still bring them is waiting."""
    if any(i.open and i.route is not Route.IMPLIED for i in items):
        return items
    return tuple(i.over(ItemStatus.REFUSED) if i.open else i for i in items)


def _changes(
    ticket: Ticket, licence: Licence | None, new: list[Item], scene: Scene, decider: str, until: date | None
) -> tuple[ChangeLicence, ...]:
    moved = next((item for item in new if item.item == ItemKey.TOKEN), None)
    if moved is not None and licence is not None:
        return _moved(licence, str(moved.to), scene, decider, until, to_motion=ticket.request is RequestKind.SHUTTLE)
    if ticket.request is RequestKind.SHUTTLE or ticket.token is None:
        return ()
    asked_on = scene.date_of(ticket.received_at)
    groups = dict.fromkeys((item.effective, item.rule) for item in new if item.effective)
    made = tuple(
        ChangeLicence(ticket.token, day, _kind(ticket), terms, rule, decider, asked_on=asked_on)
        for day, rule in sorted(groups, key=lambda group: group[0])
        if (terms := _terms(ticket, licence, [i for i in new if (i.effective, i.rule) == (day, rule)], scene, until))
    )
    return made + tuple(again for change in made for again in _instead(change, licence))


def _instead(change: ChangeLicence, licence: Licence | None) -> Iterator[ChangeLicence]:
    """The last word about an item counts: what an earlier request set for a later day is set anew to the new value."""
    for day, terms in superseding_changes(licence, change.effective, change.changes):
        yield replace(change, effective=day, changes=terms)


def _kind(ticket: Ticket) -> str:
    return f"{ticket.request}/{ticket.action}" if ticket.action else ticket.request


def _terms(
    ticket: Ticket, licence: Licence | None, items: list[Item], scene: Scene, until: date | None
) -> dict[str, Value]:
    terms: dict[str, Value] = {item.item: item.to for item in items if item.item not in SILENT}
    if ticket.request is RequestKind.ACTIVATE and ItemKey.PLAN in terms:
        terms = _beginning(ticket, scene) | terms
    if isinstance(terms.get("billing"), str):
        terms["renews_on"] = _renewal(ticket, terms["billing"] == "annual", items, scene)
    if ticket.request is RequestKind.REACTIVATE:
        terms |= _restored(licence, scene.today)
    if until is not None:
        terms["expires_on"] = until.isoformat()
    return terms


def _beginning(ticket: Ticket, scene: Scene) -> dict[str, Value]:
    """What an activation, which replaces the licence whole, sets besides its items; options are open until decided."""
    begun: dict[str, Value] = {"product": ticket.product, "demo_ends": None, "expires_on": None, "renews_on": None}
    begun |= {"support": None, "billing": None, "whitelabel": False}
    if ticket.action is Action.DEMO:
        ends = scene.today + timedelta(days=scene.catalogue.demo.days)
        return begun | {"status": "demo", "demo_ends": ends.isoformat()}
    return begun | {"status": "active"}


def _renewal(ticket: Ticket, annual: bool, items: list[Item], scene: Scene) -> str | None:
    if not annual:
        return None
    chosen = next(item for item in items if item.item == ItemKey.BILLING)
    if ticket.request is RequestKind.ACTIVATE:
        return years_later(activated_on(ticket) or scene.today).isoformat()
    return years_later(chosen.effective or scene.today).isoformat()


def _restored(licence: Licence | None, today: date) -> dict[str, Value]:
    """What would end a re-activated licence at once is lifted."""
    lifted: dict[str, Value] = {}
    if licence and licence.demo_ends:
        lifted["demo_ends"] = None
    if licence and licence.expires_on and licence.expires_on < today:
        lifted["expires_on"] = None
    return lifted


def _moved(
    old: Licence, new: str, scene: Scene, decider: str, until: date | None, *, to_motion: bool
) -> tuple[ChangeLicence, ...]:
    """All terms and dates go to the new token, changes that lie ahead too; the old one becomes ``replaced``.

    A demo on the new token ends with it.
    """
    today, demo = scene.today, scene.ledger.licence(new)
    terms: dict[str, Value] = {item: old.value(item) for item in MOVED}
    terms.update((item, False) for item in (demo.extras if demo else ()))
    terms.update((item, True) for item in old.extras)
    terms |= {"product": "motion" if to_motion else old.product}
    terms |= {"status": old.status if old.status in ("active", "demo") else "active"}
    terms |= {"demo_ends": _iso(old.demo_ends), "renews_on": _iso(old.renews_on), "expires_on": _iso(old.expires_on)}
    if old.status not in ("active", "demo"):
        terms |= _restored(old, today)
    if until is not None:
        terms["expires_on"] = until.isoformat()
    ahead = tuple(
        ChangeLicence(
            new,
            line.effective,
            "moved",
            {line.item: line.to},
            line.rule or Rule.BY_STAFF,
            decider,
            ticket=line.ticket,
            asked_on=line.asked_on,
        )
        for line in old.scheduled
    )
    ended: dict[str, Value] = {"status": "replaced", "replaced_by": new}
    return (
        ChangeLicence(old.token, today, "moved", ended, Rule.BY_STAFF, decider),
        ChangeLicence(new, today, "moved", terms, Rule.BY_STAFF, decider),
        *ahead,
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _events(
    ticket: Ticket, licence: Licence | None, changes: tuple[ChangeLicence, ...], scene: Scene
) -> tuple[LicenceEvent, ...]:
    """The licence's events with those that the changes will be."""
    token = changes[-1].token if changes else ticket.token
    history = licence.history if licence and licence.token == token else ()
    return history + tuple(
        LicenceEvent(
            token=c.token,
            revision=len(history) + n,
            at=scene.now,
            effective=c.effective,
            kind=c.kind,
            changes=c.changes,
        )
        for n, c in enumerate((c for c in changes if c.token == token), 1)
    )


def _after(events: tuple[LicenceEvent, ...], licence: Licence | None, today: date) -> Licence | None:
    """The licence once all those events hold."""
    after = state_on(events, dates_of(events, today)[-1])
    return replace(after, contacts=licence.contacts) if after and licence else after
