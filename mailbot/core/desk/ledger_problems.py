"""Problems of a request that only the ledger shows. Problems of the form itself: ``form.validation``."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import assert_never

from mailbot.core.catalogue.contents import Addon, Catalogue
from mailbot.core.catalogue.item_kinds import SEATS, ItemKey
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.requested_items import contract_options
from mailbot.core.desk.ticket import Item
from mailbot.core.form.choices import option_labels
from mailbot.core.form.problem import Code, Problem, either
from mailbot.core.form.request import Action, Request, RequestKind
from mailbot.core.ledger.licence import Ledger, Licence, LicenceEvent, Value, state_on
from mailbot.core.ledger.scheduled import dates_of, superseding_changes


def ledger_problems(request: Request, ledger: Ledger, catalogue: Catalogue) -> tuple[Problem, ...]:
    """All problems of a request against the ledger at once; none if the token is not in the ledger."""
    licence = ledger.licence(request.token or request.old_token)
    if licence is None:
        return ()
    match request.request:
        case RequestKind.ACTIVATE:
            return tuple(_activation(request, licence))
        case RequestKind.MODIFY | RequestKind.CONTRACT if licence.status != "active":
            return (_inactive(licence),)
        case RequestKind.MODIFY:
            return tuple(_modification(request, licence, catalogue))
        case RequestKind.CONTRACT:
            return tuple(_contract(request, licence, catalogue))
        case RequestKind.REACTIVATE | RequestKind.SHUTTLE | RequestKind.INFORMATION | RequestKind.UNKNOWN:
            return ()
        case kind:
            assert_never(kind)


def _fault(field: str, code: Code, read: object = "", expected: str = "", hint: str = "") -> Problem:
    return Problem(field=field, code=code, read=str(read), expected=expected, hint=hint, from_ledger=True)


def _activation(request: Request, licence: Licence) -> Iterator[Problem]:
    if licence.status == "active":
        yield _fault("token", Code.TOKEN_ACTIVE, licence.token, "modify")
    elif licence.status == "replaced":
        yield _inactive(licence)
    elif request.demo and licence.had_demo:
        yield _fault("token", Code.DEMO_USED, licence.token, "plan")


def _inactive(licence: Licence) -> Problem:
    successor = licence.replaced_by if licence.status == "replaced" else None
    return _fault("token", Code.TOKEN_NOT_ACTIVE, licence.token, licence.status, successor or "")


def _modification(request: Request, licence: Licence, catalogue: Catalogue) -> Iterator[Problem]:
    if request.action is Action.DEACTIVATE:
        if any(line.item == ItemKey.STATUS for line in licence.scheduled):
            yield _fault("action", Code.NO_CHANGE, "deactivate")
        return
    for seat in SEATS:
        count = getattr(request, seat)
        if count is not None:
            yield from _seat(seat, count, int(licence.value(seat) or 0), adding=request.action is Action.ADD)
    if request.action is Action.ADD:
        yield from _additions(request, licence, catalogue)
    else:
        yield from _removals(request, licence, catalogue)


def _seat(seat: str, count: int, today: int, *, adding: bool) -> Iterator[Problem]:
    if adding and count <= today:
        yield _fault(seat, Code.NOT_ABOVE_CURRENT, count, str(today))
    if not adding and count >= today:
        yield _fault(seat, Code.NOT_BELOW_CURRENT, count, str(today))


def _additions(request: Request, licence: Licence, catalogue: Catalogue) -> Iterator[Problem]:
    staying = _staying(licence)
    for key in request.addons:
        addon = catalogue.addons[key]
        missing = [need for need in addon.requires if need not in (*staying, *request.addons)]
        if key in licence.addons:
            yield _fault("addons", Code.ALREADY_HAS, addon.label)
        elif missing:
            labels = ", ".join(catalogue.addons[need].label for need in missing)
            yield _fault("addons", Code.REQUIRES, addon.label, labels)
    for key in request.plugins:
        if key in licence.plugins:
            yield _fault("plugins", Code.ALREADY_HAS, catalogue.plugins[key].label)
        elif catalogue.plugins[key].implied_by:
            lacking = catalogue.lacking(key, licence.plan, frozenset((*licence.addons, *request.addons)))
            if lacking or catalogue.plugins[key].implied_by not in request.addons:
                expected = either(lacking) or _cause(key, catalogue)
                yield _fault("plugins", Code.REQUIRES, catalogue.plugins[key].label, expected)


def _staying(licence: Licence) -> list[str]:
    """The licence's add-ons without those scheduled to leave. Later dates: ``schedule_conflicts``."""
    leaving = {line.item for line in licence.scheduled if not line.to}
    return [key for key in licence.addons if ItemKey.addon(key) not in leaving]


def _removals(request: Request, licence: Licence, catalogue: Catalogue) -> Iterator[Problem]:
    for key in request.addons:
        staying = [a for a in _staying(licence) if a not in request.addons]
        needed_by = [a for a in staying if a in catalogue.addons and key in catalogue.addons[a].requires]
        if key not in licence.addons:
            yield _fault("addons", Code.DOES_NOT_HAVE, catalogue.addons[key].label)
        elif needed_by:
            labels = ", ".join(catalogue.addons[a].label for a in needed_by)
            yield _fault("addons", Code.REQUIRED_BY, catalogue.addons[key].label, labels)
    for key in request.plugins:
        if key not in licence.plugins:
            yield _fault("plugins", Code.DOES_NOT_HAVE, catalogue.plugins[key].label)
        elif catalogue.plugins[key].implied_by not in (None, *request.addons):
            yield _fault("plugins", Code.REQUIRED_BY, catalogue.plugins[key].label, _cause(key, catalogue))


def _cause(plugin: str, catalogue: Catalogue) -> str:
    """The label of the add-on that implies a plugin."""
    return catalogue.addons[str(catalogue.plugins[plugin].implied_by)].label


def _contract(request: Request, licence: Licence, catalogue: Catalogue) -> Iterator[Problem]:
    """No problem if any option differs from the licence; otherwise one for each option."""
    wanted = contract_options(request)
    if any(to != licence.value(field) for field, to in wanted.items()):
        return
    for field, to in wanted.items():
        read = option_labels(field, catalogue)[str(to)] if isinstance(to, str) else "yes" if to else "no"
        yield _fault(field, Code.NO_CHANGE, read)


def schedule_conflicts(licence: Licence, items: Iterable[Item], context: DecisionContext) -> list[Problem]:
    """A problem for each add-on that would lack one it requires on a later date if the items were granted today."""
    wanted = [item for item in items if item.expected]
    events = [*licence.history]
    for item in wanted:
        day = item.expected or context.today
        terms: dict[str, Value] = {item.item: item.to}
        for on, changes in ((day, terms), *superseding_changes(licence, day, terms)):
            events.append(_planned(licence, on, changes, len(events) + 1, context))
    found: dict[str, Problem] = {}
    for day in dates_of(events, context.today):
        before = {addon.key for addon, _ in _unsupported(licence.history, day, context.catalogue)}
        for addon, missing in _unsupported(events, day, context.catalogue):
            if addon.key not in before:
                found.setdefault(addon.key, _unsupported_problem(addon, missing, day, context.catalogue, asked=wanted))
    return list(found.values())


def _planned(
    licence: Licence, day: date, changes: dict[str, Value], revision: int, context: DecisionContext
) -> LicenceEvent:
    return LicenceEvent(
        token=licence.token, revision=revision, at=context.now, effective=day, kind="modify", changes=changes
    )


def _unsupported(events: Iterable[LicenceEvent], day: date, catalogue: Catalogue) -> list[tuple[Addon, str]]:
    """The licence's add-ons on that day that lack a required one, each with the first that it lacks."""
    licence = state_on(events, day)
    if licence is None or licence.status != "active":
        return []
    has = [catalogue.addons[key] for key in licence.addons if key in catalogue.addons]
    return [(addon, need) for addon in has for need in addon.requires if need not in licence.addons]


def _unsupported_problem(addon: Addon, missing: str, day: date, catalogue: Catalogue, *, asked: list[Item]) -> Problem:
    """The problem names the requested item: the add-on to be added, or the one to be removed."""
    needed = catalogue.addons[missing].label
    if any(item.item == ItemKey.addon(addon.key) for item in asked):
        expected = f"{needed}, which leaves this licence on {day}"
        return Problem(field="addons", code=Code.REQUIRES, read=addon.label, expected=expected, from_ledger=True)
    return Problem(field="addons", code=Code.REQUIRED_BY, read=needed, expected=addon.label, from_ledger=True)
