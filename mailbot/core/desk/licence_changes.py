"""The ledger events for granted items."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import INCLUDED, SEATS, ItemKey
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.effects import ChangeLicence
from mailbot.core.desk.ticket import Item, Ticket
from mailbot.core.form.request import Action, RequestKind
from mailbot.core.ledger.licence import Licence, LicenceEvent, Value
from mailbot.core.ledger.period import years_later
from mailbot.core.ledger.rule import Rule
from mailbot.core.ledger.scheduled import implied_plugin_changes, superseding_changes

Terms = dict[str, Value]
Changes = tuple[ChangeLicence, ...]

#: Items that move to a new token, besides add-ons and plugins.
MOVED = (ItemKey.PLAN, *SEATS, ItemKey.SUPPORT, ItemKey.BILLING, ItemKey.WHITELABEL)


@dataclass(frozen=True)
class Grant:
    """A decision to grant items of a ticket. ``until`` is the licence's last day, if staff set one."""

    ticket: Ticket
    context: DecisionContext
    decider: str
    until: date | None = None

    @property
    def licence(self) -> Licence | None:
        """The licence before the grant."""
        return self.context.ledger.licence(self.ticket.token)

    @property
    def kind(self) -> str:
        """The kind of its ledger events: "modify/add", "contract", ..."""
        ticket = self.ticket
        return f"{ticket.request}/{ticket.action}" if ticket.action else ticket.request


def changes_of(grant: Grant, items: Sequence[Item]) -> Changes:
    """One change for each day and rule of items just granted, and one for each later day that they supersede."""
    ticket, licence = grant.ticket, grant.licence
    moved = next((item for item in items if item.item == ItemKey.TOKEN), None)
    if moved is not None and licence is not None:
        return _moved(grant, licence, str(moved.to))
    if ticket.request is RequestKind.SHUTTLE or ticket.token is None:
        return ()
    asked_on = grant.context.date_of(ticket.received_at)
    groups = dict.fromkeys((item.effective, item.rule) for item in items if item.effective)
    made = tuple(
        ChangeLicence(ticket.token, day, grant.kind, terms, rule, grant.decider, asked_on=asked_on)
        for day, rule in sorted(groups, key=lambda group: group[0])
        if (terms := _terms(grant, [i for i in items if (i.effective, i.rule) == (day, rule)]))
    )
    return made + tuple(again for change in made for again in _superseding(change, licence))


def _superseding(change: ChangeLicence, licence: Licence | None) -> Iterator[ChangeLicence]:
    """The latest request wins: what an earlier one scheduled for a later day is set to the new value."""
    for day, terms in superseding_changes(licence, change.effective, change.changes):
        yield replace(change, effective=day, changes=terms)


def implied_later(grant: Grant, changes: Changes) -> Changes:
    """Changes for implied plugins that come or go on later days, given the changes and what is already scheduled."""
    if not changes:
        return ()
    context = grant.context
    return tuple(
        ChangeLicence(changes[-1].token, day, grant.kind, terms, Rule.IMPLIED, grant.decider)
        for day, terms in implied_plugin_changes(events_after(grant, changes), context.today, context.catalogue)
    )


def events_after(grant: Grant, changes: Changes) -> tuple[LicenceEvent, ...]:
    """The licence's events, followed by those that the changes will become."""
    licence = grant.licence
    token = changes[-1].token if changes else grant.ticket.token
    history = licence.history if licence and licence.token == token else ()
    return history + tuple(
        LicenceEvent(
            token=change.token,
            revision=revision,
            at=grant.context.now,
            effective=change.effective,
            kind=change.kind,
            changes=change.changes,
        )
        for revision, change in enumerate((c for c in changes if c.token == token), len(history) + 1)
    )


def _terms(grant: Grant, items: Sequence[Item]) -> Terms:
    ticket = grant.ticket
    terms: Terms = {item.item: item.to for item in items if item.item not in INCLUDED}
    if ticket.request is RequestKind.ACTIVATE and ItemKey.PLAN in terms:
        terms = _beginning(grant) | terms
    billing = next((item for item in items if item.item == ItemKey.BILLING), None)
    if billing is not None and isinstance(billing.to, str):
        terms["renews_on"] = _renewal(grant, billing) if billing.to == "annual" else None
    if ticket.request is RequestKind.REACTIVATE:
        terms |= _lifted(grant.licence, grant.context.today)
    return terms | _last_day(grant)


def _beginning(grant: Grant) -> Terms:
    """What an activation sets besides its items. It replaces the whole licence; options stay empty until decided."""
    context = grant.context
    begun: Terms = {"product": grant.ticket.product, "demo_ends": None, "expires_on": None, "renews_on": None}
    begun |= {"support": None, "billing": None, "whitelabel": False}
    if grant.ticket.action is Action.DEMO:
        ends = context.today + timedelta(days=context.catalogue.demo.days)
        return begun | {"status": "demo", "demo_ends": ends.isoformat()}
    return begun | {"status": "active"}


def _renewal(grant: Grant, billing: Item) -> str:
    begins = grant.ticket.activated_on if grant.ticket.request is RequestKind.ACTIVATE else billing.effective
    return years_later(begins or grant.context.today).isoformat()


def _lifted(licence: Licence | None, today: date) -> Terms:
    """Clears end dates that would expire a re-activated licence at once."""
    lifted: Terms = {}
    if licence and licence.demo_ends:
        lifted["demo_ends"] = None
    if licence and licence.expires_on and licence.expires_on < today:
        lifted["expires_on"] = None
    return lifted


def _last_day(grant: Grant) -> Terms:
    return {"expires_on": grant.until.isoformat()} if grant.until is not None else {}


def _moved(grant: Grant, old: Licence, new: str) -> Changes:
    """Moves all terms, dates and scheduled changes to the new token; the old one becomes ``replaced``."""
    today = grant.context.today
    ended: Terms = {"status": "replaced", "replaced_by": new}
    return (
        ChangeLicence(old.token, today, "moved", ended, Rule.BY_STAFF, grant.decider),
        ChangeLicence(new, today, "moved", _moved_terms(grant, old, new), Rule.BY_STAFF, grant.decider),
        *(
            ChangeLicence(
                new,
                line.effective,
                "moved",
                {line.item: line.to},
                line.rule or Rule.BY_STAFF,
                grant.decider,
                ticket=line.ticket,
                asked_on=line.asked_on,
            )
            for line in old.scheduled
        ),
    )


def _moved_terms(grant: Grant, old: Licence, new: str) -> Terms:
    """The terms for the new token. A demo there ends: its add-ons and plugins are removed."""
    demo, runs = grant.context.ledger.licence(new), old.status in ("active", "demo")
    terms: Terms = {item: old.value(item) for item in MOVED}
    terms.update((item, False) for item in (demo.extras if demo else ()))
    terms.update((item, True) for item in old.extras)
    terms |= {"product": "motion" if grant.ticket.request is RequestKind.SHUTTLE else old.product}
    terms |= {"status": old.status if runs else "active"}
    terms |= {"demo_ends": _iso(old.demo_ends), "renews_on": _iso(old.renews_on), "expires_on": _iso(old.expires_on)}
    return terms | ({} if runs else _lifted(old, grant.context.today)) | _last_day(grant)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
