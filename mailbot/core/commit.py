"""Granting items: the changes of the ledger that they make, the day they hold from, and what must never result."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from mailbot.core.asked import SEATS
from mailbot.core.catalogue import Catalogue
from mailbot.core.effects import Change
from mailbot.core.licence import Licence, LicenceEvent, Value, fold
from mailbot.core.period import month_end, years_later
from mailbot.core.rules import Case, billing_of, day_of, implied_day
from mailbot.core.scene import Scene
from mailbot.core.ticket import Billing, Item, ItemStatus, Route, Ticket

#: Items that stand in mails and tickets but change no term of the ledger.
SILENT = frozenset({"admin", "webrtc", "phonebar"})


@dataclass(frozen=True)
class Granted:
    """The ticket's items after granting some, the ledger's changes, and the licence that they lead to."""

    items: tuple[Item, ...]
    changes: tuple[Change, ...]
    after: Licence | None


def case_of(ticket: Ticket, licence: Licence | None, scene: Scene) -> Case:
    """The case that the rules look at when the ticket's items are granted."""
    billing = ticket.item("billing")
    asked = billing.to if billing and isinstance(billing.to, str) else None
    day = scene.date_of(ticket.received_at)
    return Case(ticket.request, ticket.action, asked, day, licence, scene.catalogue, activated=activated_on(ticket))


def grant(ticket: Ticket, keys: frozenset[str], scene: Scene, decider: str, until: date | None = None) -> Granted:
    """Grant the items of those keys today. ``until`` ends the licence after that day."""
    licence = scene.ledger.licence(ticket.token)
    case = case_of(ticket, licence, scene)
    today = scene.today
    items = tuple(
        _granted(item, case, day_of(case, item, today), today) if item.item in keys else item for item in ticket.items
    )
    new = [item for item in items if item.item in keys]
    changes = _changes(ticket, licence, new, scene, decider, until)
    after = _after(ticket, licence, changes, scene)
    follow = _implied_now(items, after, scene.catalogue)
    if follow:
        days = {item.item: item.effective for item in new if item.effective}
        items = tuple(
            _granted(i, case, implied_day(i, days, today, scene.catalogue), today) if i.item in follow else i
            for i in items
        )
        new = [item for item in items if item.item in keys | follow]
        changes = _changes(ticket, licence, new, scene, decider, until)
        after = _after(ticket, licence, changes, scene)
    if ticket.request == "activate" and "billing" in keys:
        items = tuple(i.model_copy(update={"billing": _billed(i, case, today)}) if i.effective else i for i in items)
    return Granted(without_cause(items), changes, after)


def _granted(item: Item, case: Case, day: date, today: date) -> Item:
    status = ItemStatus.APPLIED if day <= today else ItemStatus.SCHEDULED
    item = item.model_copy(update={"status": status, "effective": day, "expected": None})
    return item.model_copy(update={"billing": _billed(item, case, today)})


def _billed(item: Item, case: Case, today: date) -> Billing | None:
    """The item's billing effect, on the earliest invoice there is.

    Options of a new plan that staff decide later are billed from the day the plan was activated; all its lines are
    worked out anew when the way of billing is decided.
    """
    late = case.activated is not None and item.item in ("support", "whitelabel")
    billing = (
        billing_of(case, item, case.activated or today) if late else billing_of(case, item, item.effective or today)
    )
    if billing is None or billing.invoice_on is None:
        return billing
    return billing.model_copy(update={"invoice_on": max(billing.invoice_on, month_end(today))})


def activated_on(ticket: Ticket) -> date | None:
    """The day on which this ticket's plan was granted, None before."""
    plan = ticket.item("plan")
    return plan.effective if plan and plan.status is ItemStatus.APPLIED else None


def _implied_now(items: Iterable[Item], after: Licence | None, catalogue: Catalogue) -> frozenset[str]:
    """The implied plugins that follow now from what the licence came to be."""
    if after is None:
        return frozenset()
    implied = catalogue.implied_plugins(after.plan, frozenset(after.addons))
    waiting = (i for i in items if i.route is Route.IMPLIED and i.open)
    return frozenset(i.item for i in waiting if bool(i.to) == (i.item.removeprefix("plugin:") in implied))


def without_cause(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items; those that are implied have fallen away where nothing that could still bring them is waiting."""
    if any(i.open and i.route is not Route.IMPLIED for i in items):
        return items
    return tuple(i.over(ItemStatus.REFUSED) if i.open else i for i in items)


def _changes(
    ticket: Ticket, licence: Licence | None, new: list[Item], scene: Scene, decider: str, until: date | None
) -> tuple[Change, ...]:
    moved = next((item for item in new if item.item == "token"), None)
    if moved is not None and licence is not None:
        return _moved(licence, str(moved.to), scene, decider, until, to_motion=ticket.request == "shuttle")
    if ticket.request == "shuttle" or ticket.token is None:
        return ()
    days = sorted({item.effective for item in new if item.effective})
    made = tuple(
        Change(ticket.token, day, _kind(ticket), terms, _rules(new, day), decider)
        for day in days
        if (terms := _terms(ticket, licence, [i for i in new if i.effective == day], scene, until))
    )
    return made + tuple(again for change in made for again in _instead(change, licence))


def _instead(change: Change, licence: Licence | None) -> Iterator[Change]:
    """The last word about an item counts: what an earlier request set for a later day is set anew to the new value."""
    ahead = [
        s for s in (licence.scheduled if licence else ()) if s.effective > change.effective and s.item in change.changes
    ]
    for day in sorted({line.effective for line in ahead}):
        terms = {line.item: change.changes[line.item] for line in ahead if line.effective == day}
        yield replace(change, effective=day, changes=terms)


def _kind(ticket: Ticket) -> str:
    return f"{ticket.request}/{ticket.action}" if ticket.action else ticket.request


def _rules(new: list[Item], day: date) -> str:
    return ",".join(dict.fromkeys(item.rule for item in new if item.effective == day))


def _terms(
    ticket: Ticket, licence: Licence | None, items: list[Item], scene: Scene, until: date | None
) -> dict[str, Value]:
    terms: dict[str, Value] = {item.item: item.to for item in items if item.item not in SILENT}
    if ticket.request == "activate" and "plan" in terms:
        terms = _beginning(ticket, scene) | terms
    if isinstance(terms.get("billing"), str):
        terms["renews_on"] = _renewal(ticket, terms["billing"] == "annual", items, scene)
    if ticket.request == "reactivate":
        terms |= _restored(licence, scene.today)
    if until is not None:
        terms["expires_on"] = until.isoformat()
    return terms


def _beginning(ticket: Ticket, scene: Scene) -> dict[str, Value]:
    """What an activation, which replaces the licence whole, sets besides its items; options are open until decided."""
    begun: dict[str, Value] = {"product": ticket.product, "demo_ends": None, "expires_on": None, "renews_on": None}
    begun |= {"support": None, "billing": None, "whitelabel": False}
    if ticket.action == "demo":
        ends = scene.today + timedelta(days=scene.catalogue.demo.days)
        return begun | {"status": "demo", "demo_ends": ends.isoformat()}
    return begun | {"status": "active"}


def _renewal(ticket: Ticket, annual: bool, items: list[Item], scene: Scene) -> str | None:
    if not annual:
        return None
    chosen = next(item for item in items if item.item == "billing")
    if ticket.request == "activate":
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
) -> tuple[Change, ...]:
    """All terms and dates go to the new token, changes that lie ahead too; the old one becomes ``replaced``.

    A demo on the new token ends with it.
    """
    today, demo = scene.today, scene.ledger.licence(new)
    gone = [*(f"addon:{key}" for key in demo.addons), *(f"plugin:{key}" for key in demo.plugins)] if demo else []
    terms: dict[str, Value] = {item: old.value(item) for item in ("plan", *SEATS, "support", "billing", "whitelabel")}
    terms |= dict.fromkeys(gone, False)
    terms |= {f"addon:{key}": True for key in old.addons} | {f"plugin:{key}": True for key in old.plugins}
    terms |= {"product": "motion" if to_motion else old.product}
    terms |= {"status": old.status if old.status in ("active", "demo") else "active"}
    terms |= {"demo_ends": _iso(old.demo_ends), "renews_on": _iso(old.renews_on), "expires_on": _iso(old.expires_on)}
    if old.status not in ("active", "demo"):
        terms |= _restored(old, today)
    if until is not None:
        terms["expires_on"] = until.isoformat()
    ahead = tuple(
        Change(new, line.effective, "moved", {line.item: line.to}, "by_staff", decider, ticket=line.ticket)
        for line in old.scheduled
    )
    ended: dict[str, Value] = {"status": "replaced", "replaced_by": new}
    return (
        Change(old.token, today, "moved", ended, "by_staff", decider),
        Change(new, today, "moved", terms, "by_staff", decider),
        *ahead,
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _after(ticket: Ticket, licence: Licence | None, changes: tuple[Change, ...], scene: Scene) -> Licence | None:
    """The licence once all those changes hold."""
    token = changes[-1].token if changes else ticket.token
    history = licence.history if licence and licence.token == token else ()
    events = history + tuple(
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
    last = max((event.effective for event in events), default=scene.today)
    after = fold(events, max(last, scene.today))
    return replace(after, contacts=licence.contacts) if after and licence else after


def forbidden(after: Licence | None, catalogue: Catalogue) -> str | None:
    """Why a licence must not become like this: a code with its sentence in the templates, or None."""
    if after is None or after.status not in ("active", "demo"):
        return None
    has = any(after.value(seat) for seat in SEATS) or after.addons or after.plugins
    if after.plan is None:
        return "plan_refused" if has else None
    if after.status == "active" and any(int(after.value(k) or 0) < s.minimum for k, s in catalogue.seats.items()):
        return "under_minimum"
    if any(
        need not in after.addons for k in after.addons if k in catalogue.addons for need in catalogue.addons[k].requires
    ):
        return "requires"
    return None
