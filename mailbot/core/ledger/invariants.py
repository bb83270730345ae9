"""States that no request or decision may leave a licence in, on any date."""

from datetime import date

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import SEATS, ItemKey
from mailbot.core.ledger.licence import Licence, LicenceEvent, state_on
from mailbot.core.ledger.scheduled import dates_of


def broken_invariant(after: Licence | None, catalogue: Catalogue) -> str | None:
    """The code of the rule that this licence breaks (its sentence is in the templates), or None."""
    if after is None or after.status not in ("active", "demo"):
        return None
    has = any(after.value(seat) for seat in SEATS) or after.addons or after.plugins
    if after.plan is None:
        return "plan_refused" if has else None
    if after.status == "active" and any(
        int(after.value(ItemKey(k)) or 0) < s.minimum for k, s in catalogue.seats.items()
    ):
        return "under_minimum"
    if any(
        need not in after.addons for k in after.addons if k in catalogue.addons for need in catalogue.addons[k].requires
    ):
        return "requires"
    return None


def first_broken_invariant(
    events: tuple[LicenceEvent, ...], today: date, catalogue: Catalogue
) -> tuple[date, str] | None:
    """The first date from ``today`` on when the events break a rule, with its code; None if there is none."""
    for day in dates_of(events, today):
        why = broken_invariant(state_on(events, day), catalogue)
        if why:
            return day, why
    return None
