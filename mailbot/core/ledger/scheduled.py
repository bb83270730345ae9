"""What lies ahead on a licence: its dates, what a new request sets there anew, the plugins that come and go by themselves."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.ledger.licence import Licence, LicenceEvent, Value, state_on


def dates_of(history: Sequence[LicenceEvent], today: date) -> tuple[date, ...]:
    """Today and every later day on which one of the events takes effect."""
    return tuple(sorted({today, *(event.effective for event in history if event.effective > today)}))


def set_anew(
    licence: Licence | None, day: date, changes: Mapping[str, Value]
) -> Iterator[tuple[date, dict[str, Value]]]:
    """For each later day on which something else was to become of what changes on ``day``: what is set there instead."""
    ahead = [s for s in (licence.scheduled if licence else ()) if s.effective > day and s.item in changes]
    for later in sorted({line.effective for line in ahead}):
        yield later, {line.item: changes[line.item] for line in ahead if line.effective == later}


def implied_ahead(
    history: Sequence[LicenceEvent], today: date, catalogue: Catalogue
) -> Iterator[tuple[date, dict[str, Value]]]:
    """For each later day on which plan and add-ons come not to fit the implied plugins: what has to change with them."""
    events = list(history)
    never = _unfitting(state_on(events, today), catalogue).keys()
    for day in dates_of(history, today)[1:]:
        licence = state_on(events, day)
        changes: dict[str, Value] = {
            item: to for item, to in _unfitting(licence, catalogue).items() if item not in never
        }
        if licence is not None and licence.status == "active" and changes:
            yield day, changes
            last = events[-1]
            events.append(
                last.model_copy(update={"revision": last.revision + 1, "effective": day, "changes": changes})
            )  # fmt: skip


def _unfitting(licence: Licence | None, catalogue: Catalogue) -> dict[ItemKey, bool]:
    """The implied plugins that the licence lacks or has without what brings them, and what would be right."""
    if licence is None:
        return {}
    wanted = catalogue.implied_plugins(licence.plan, frozenset(licence.addons))
    kinds = (plugin.key for plugin in catalogue.plugins.values() if plugin.implied_by)
    return {ItemKey.plugin(key): key in wanted for key in kinds if (key in wanted) != (key in licence.plugins)}
