"""What a valid request asks for: each item with its current and its requested value."""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import assert_never

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import SEATS, ItemKey, ItemKind
from mailbot.core.form.request import Action, Request, RequestKind
from mailbot.core.ledger.licence import Licence, Value

#: Items and their requested values.
Wanted = dict[ItemKey, Value]


@dataclass(frozen=True)
class RequestedItem:
    """``item`` goes from ``today`` (None: no licence yet) to ``to``. ``implied``: another item brings or removes it."""

    item: ItemKey
    today: Value
    to: Value
    implied: bool = False


def requested_items(request: Request, licence: Licence | None, catalogue: Catalogue) -> tuple[RequestedItem, ...]:
    """The items of a request about that licence (None: not in the ledger), in the order of every list."""
    match request.request:
        case RequestKind.ACTIVATE:
            wanted = _demo(catalogue) if request.demo else _plan(request, catalogue)
            return _activation(wanted, licence, catalogue)
        case RequestKind.MODIFY if request.action is Action.DEACTIVATE:
            return (RequestedItem(ItemKey.STATUS, licence.status if licence else None, "deactivated"),)
        case RequestKind.MODIFY:
            return _with_implied(_seats(request) | _changed_extras(request, catalogue), licence, catalogue)
        case RequestKind.CONTRACT:
            return _with_implied(_differing(request, licence), licence, catalogue)
        case RequestKind.REACTIVATE | RequestKind.SHUTTLE:
            return (_restored(request, licence),)
        case RequestKind.INFORMATION | RequestKind.UNKNOWN:
            return ()
        case kind:
            assert_never(kind)


def _demo(catalogue: Catalogue) -> Wanted:
    demo = catalogue.demo
    seats: Wanted = {ItemKey(seat): count for seat, count in demo.seats.items()}
    return {ItemKey.PLAN: demo.plan} | seats | {ItemKey.addon(key): True for key in demo.addons}


def _for_itself(request: Request, catalogue: Catalogue) -> tuple[str, ...]:
    """The requested plugins, without implied ones: those come and go with the add-on that implies them."""
    return tuple(key for key in request.plugins if not catalogue.plugins[key].implied_by)


def _plan(request: Request, catalogue: Catalogue) -> Wanted:
    wanted: Wanted = {ItemKey.PLAN: request.plan, **_seats(request)}
    wanted |= {ItemKey.addon(key): True for key in request.addons}
    wanted |= {ItemKey.plugin(key): True for key in _for_itself(request, catalogue)}
    wanted |= {ItemKey.SUPPORT: request.support, ItemKey.BILLING: request.billing}
    return wanted | ({ItemKey.WHITELABEL: True} if request.whitelabel else {})


def _seats(request: Request) -> Wanted:
    counts = {seat: getattr(request, seat) for seat in SEATS}
    return {seat: count for seat, count in counts.items() if count is not None}


def _activation(wanted: Wanted, licence: Licence | None, catalogue: Catalogue) -> tuple[RequestedItem, ...]:
    wanted = {ItemKey.ADMIN: 1, **wanted, ItemKey.WEBRTC: True, ItemKey.PHONEBAR: True}
    addons = frozenset(item.key for item, to in wanted.items() if item.kind is ItemKind.ADDON and to)
    plan = wanted[ItemKey.PLAN]
    found = catalogue.implied_plugins(plan if isinstance(plan, str) else None, addons)
    implied: Wanted = {ItemKey.plugin(key): True for key in sorted(found)}
    if licence is not None:
        implied.update((item, False) for item in _leaving(licence, catalogue) if item not in implied)
        wanted = {**wanted, **_surplus(licence, wanted.keys() | implied.keys())}
    lines = [RequestedItem(item, _today(licence, item), to) for item, to in wanted.items()]
    coming = [RequestedItem(item, _today(licence, item), to, implied=True) for item, to in implied.items()]
    return _in_order(iter(lines + [line for line in coming if line.today != line.to]))


def _leaving(licence: Licence, catalogue: Catalogue) -> Iterator[ItemKey]:
    """The licence's implied plugins."""
    plugins = (catalogue.plugins[key] for key in licence.plugins if key in catalogue.plugins)
    return (ItemKey.plugin(plugin.key) for plugin in plugins if plugin.implied_by)


def _surplus(licence: Licence, wanted: Set[ItemKey]) -> Wanted:
    """What the licence has and the new activation does not request; an activation replaces the whole licence."""
    gone: Wanted = {seat: 0 for seat in SEATS if seat not in wanted and licence.value(seat)}
    gone.update((item, False) for item in licence.extras if item not in wanted)
    return gone | ({ItemKey.WHITELABEL: False} if licence.whitelabel and ItemKey.WHITELABEL not in wanted else {})


def _changed_extras(request: Request, catalogue: Catalogue) -> Wanted:
    to = request.action is Action.ADD
    extras: Wanted = {ItemKey.addon(key): to for key in request.addons}
    extras.update((ItemKey.plugin(key), to) for key in _for_itself(request, catalogue))
    return extras


def contract_options(request: Request) -> Wanted:
    """The options that a contract change names."""
    options: Wanted = {
        ItemKey.PLAN: request.plan,
        ItemKey.SUPPORT: request.support,
        ItemKey.BILLING: request.billing,
        ItemKey.WHITELABEL: request.whitelabel,
    }
    return {item: to for item, to in options.items() if to is not None}


def _differing(request: Request, licence: Licence | None) -> Wanted:
    """The options whose value differs from the licence."""
    return {item: to for item, to in contract_options(request).items() if _today(licence, item) != to}


def _with_implied(wanted: Wanted, licence: Licence | None, catalogue: Catalogue) -> tuple[RequestedItem, ...]:
    lines = [RequestedItem(item, _today(licence, item), to) for item, to in wanted.items()]
    if licence is not None:
        lines += [
            RequestedItem(item, licence.value(item), to, implied=True)
            for item, to in implied_by(wanted, licence, catalogue)
        ]
    return _in_order(iter(lines))


def implied_by(wanted: Wanted, licence: Licence, catalogue: Catalogue) -> Iterator[tuple[ItemKey, bool]]:
    """The implied plugins that come (True) or go (False) when the licence gets the ``wanted`` values.

    A plugin changes only if its add-on or the plan is among them, even if the licence has it wrongly today.
    """
    plan = wanted.get(ItemKey.PLAN, licence.plan)
    addons = set(licence.addons)
    for item, to in wanted.items():
        if item.kind is ItemKind.ADDON:
            (addons.add if to else addons.discard)(item.key)
    after = catalogue.implied_plugins(plan if isinstance(plan, str) else None, frozenset(addons))
    for plugin in catalogue.plugins.values():
        touched = plugin.implied_by and {ItemKey.PLAN, ItemKey.addon(plugin.implied_by)} & wanted.keys()
        if touched and (plugin.key in after) != (plugin.key in licence.plugins):
            yield ItemKey.plugin(plugin.key), plugin.key in after


def _restored(request: Request, licence: Licence | None) -> RequestedItem:
    if request.new_token or request.motion_token:
        return RequestedItem(
            ItemKey.TOKEN, request.old_token or request.token, request.new_token or request.motion_token
        )
    status = licence.status if licence else None
    return RequestedItem(ItemKey.STATUS, status, status if request.request is RequestKind.SHUTTLE else "active")


def _today(licence: Licence | None, item: ItemKey) -> Value:
    return licence.value(item) if licence is not None else None


def _in_order(lines: Iterator[RequestedItem]) -> tuple[RequestedItem, ...]:
    return tuple(sorted(lines, key=lambda line: line.item.place))
