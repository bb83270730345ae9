"""Scheduled changes of a licence: their dates, and what a new request has to change on those dates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.ledger.licence import Licence, LicenceEvent, Value, state_on


def dates_of(history: Sequence[LicenceEvent], today: date) -> tuple[date, ...]:
    """Today and each later date on which an event takes effect, in order."""
    return tuple(sorted({today, *(event.effective for event in history if event.effective > today)}))


def superseding_changes(
    licence: Licence | None, day: date, changes: Mapping[str, Value]
) -> Iterator[tuple[date, dict[str, Value]]]:
    """Yields (date, changes) for each scheduled change of the same items after ``day``: they get the new values instead."""
    ahead = [s for s in (licence.scheduled if licence else ()) if s.effective > day and s.item in changes]
    for later in sorted({line.effective for line in ahead}):
        yield later, {line.item: changes[line.item] for line in ahead if line.effective == later}


def implied_plugin_changes(
    history: Sequence[LicenceEvent], today: date, catalogue: Catalogue
) -> Iterator[tuple[date, dict[str, Value]]]:
    """Yields (date, changes) for each later date on which the included plugins no longer match plan and add-ons."""
    events = list(history)
    never = _plugin_corrections(state_on(events, today), catalogue).keys()
    for day in dates_of(history, today)[1:]:
        licence = state_on(events, day)
        changes: dict[str, Value] = {
            item: to for item, to in _plugin_corrections(licence, catalogue).items() if item not in never
        }
        if licence is not None and licence.status == "active" and changes:
            yield day, changes
            last = events[-1]
            events.append(
                replace(last, revision=last.revision + 1, effective=day, changes=changes)
            )  # fmt: skip


def _plugin_corrections(licence: Licence | None, catalogue: Catalogue) -> dict[ItemKey, bool]:
    """Included plugins that are wrongly absent (True) or wrongly present (False), by item."""
    if licence is None:
        return {}
    wanted = catalogue.implied_plugins(licence.plan, frozenset(licence.addons))
    kinds = (plugin.key for plugin in catalogue.plugins.values() if plugin.implied_by)
    return {ItemKey.plugin(key): key in wanted for key in kinds if (key in wanted) != (key in licence.plugins)}
