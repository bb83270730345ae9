"""Granting items of a ticket: the items afterwards, and what changes in the ledger."""

from dataclasses import dataclass
from datetime import date

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.effects import ChangeLicence
from mailbot.core.desk.granted_items import billed_again, case_of, granted_item
from mailbot.core.desk.licence_changes import Grant, changes_of, events_after, implied_later
from mailbot.core.desk.rules import Case, implied_day
from mailbot.core.desk.ticket import Item, ItemStatus, Route
from mailbot.core.ledger.licence import LicenceEvent, state_on


@dataclass(frozen=True)
class Granted:
    """The ticket's items after granting some, the changes of the ledger, and the licence's events with those changes."""

    items: tuple[Item, ...]
    changes: tuple[ChangeLicence, ...]
    events: tuple[LicenceEvent, ...]


def grant_items(grant: Grant, keys: frozenset[ItemKey]) -> Granted:
    """Grant the items of those keys today, and the implied plugins that follow from them."""
    case, today = case_of(grant.ticket, grant.licence, grant.scene), grant.scene.today
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
    items: tuple[Item, ...], keys: frozenset[ItemKey], events: tuple[LicenceEvent, ...], case: Case, today: date
) -> dict[ItemKey, Item]:
    """The implied plugins that follow from what the licence becomes, each granted for its own day."""
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
    """The items; implied ones are refused once nothing that could bring them waits any more."""
    if any(i.open and i.route is not Route.IMPLIED for i in items):
        return items
    return tuple(i.over(ItemStatus.REFUSED) if i.open else i for i in items)
