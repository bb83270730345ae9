"""Where a request meets what is scheduled already: no date may come on which the licence lacks what it needs."""

from collections.abc import Iterable
from datetime import date

from mailbot.core.catalogue.contents import Addon, Catalogue
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.context import Scene
from mailbot.core.desk.ticket import Item
from mailbot.core.form.problem import Code, Problem
from mailbot.core.ledger.licence import Licence, LicenceEvent, Value, state_on
from mailbot.core.ledger.scheduled import dates_of, superseding_changes


def clashes(licence: Licence, items: Iterable[Item], scene: Scene) -> list[Problem]:
    """A problem for each add-on that would stand alone on a later date if the items were granted today."""
    wanted = [item for item in items if item.expected]
    events = [*licence.history]
    for item in wanted:
        day = item.expected or scene.today
        terms: dict[str, Value] = {item.item: item.to}
        for on, changes in ((day, terms), *superseding_changes(licence, day, terms)):
            events.append(_event(licence, on, changes, len(events) + 1, scene))
    found: dict[str, Problem] = {}
    for day in dates_of(events, scene.today):
        before = {addon.key for addon, _ in _alone(licence.history, day, scene.catalogue)}
        for addon, missing in _alone(events, day, scene.catalogue):
            if addon.key not in before:
                found.setdefault(addon.key, _problem(addon, missing, day, scene.catalogue, asked=wanted))
    return list(found.values())


def _event(licence: Licence, day: date, changes: dict[str, Value], revision: int, scene: Scene) -> LicenceEvent:
    return LicenceEvent(
        token=licence.token, revision=revision, at=scene.now, effective=day, kind="modify", changes=changes
    )


def _alone(events: Iterable[LicenceEvent], day: date, catalogue: Catalogue) -> list[tuple[Addon, str]]:
    """The add-ons of that day without one that they require, with the first of those."""
    licence = state_on(events, day)
    if licence is None or licence.status != "active":
        return []
    has = [catalogue.addons[key] for key in licence.addons if key in catalogue.addons]
    return [(addon, need) for addon in has for need in addon.requires if need not in licence.addons]


def _problem(addon: Addon, missing: str, day: date, catalogue: Catalogue, *, asked: list[Item]) -> Problem:
    """The sentence speaks of what was asked for: the add-on that comes, or the one that leaves."""
    needed = catalogue.addons[missing].label
    if any(item.item == ItemKey.addon(addon.key) for item in asked):
        expected = f"{needed}, which leaves this licence on {day}"
        return Problem(field="addons", code=Code.REQUIRES, read=addon.label, expected=expected, from_ledger=True)
    return Problem(field="addons", code=Code.REQUIRED_BY, read=needed, expected=addon.label, from_ledger=True)
