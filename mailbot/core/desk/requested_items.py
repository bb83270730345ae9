"""What a valid request asks for: one line per item, from today's value to the requested one."""

from collections.abc import Iterator
from dataclasses import dataclass

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import ORDER, SEATS
from mailbot.core.form.request import Request
from mailbot.core.ledger.licence import Licence, Value

#: Items that every activation lists, in this order.
ALWAYS = ("admin", "plan", "agents", "webrtc", "phonebar")


@dataclass(frozen=True)
class Asked:
    """``item`` is to go from ``today`` (None: there is no licence yet) to ``to``; ``implied``: nobody asked for it."""

    item: str
    today: Value
    to: Value
    implied: bool = False


def asked(request: Request, licence: Licence | None, catalogue: Catalogue) -> tuple[Asked, ...]:
    """The items of a request on that licence (None: not in the ledger), in the order of the contract."""
    match request.request:
        case "activate":
            wanted = _demo(catalogue) if request.demo else _plan(request, catalogue)
            return _activation(wanted, licence, catalogue)
        case "modify" if request.action == "deactivate":
            return (Asked("status", licence.status if licence else None, "deactivated"),)
        case "modify":
            return _with_implied(_seats(request) | _changed_extras(request, catalogue), licence, catalogue)
        case "contract":
            return _with_implied(_differing(request, licence), licence, catalogue)
        case "reactivate" | "shuttle":
            return (_restored(request, licence),)
        case _:
            return ()


def _demo(catalogue: Catalogue) -> dict[str, Value]:
    demo = catalogue.demo
    wanted: dict[str, Value] = {"plan": demo.plan, **demo.seats}
    return wanted | {f"addon:{key}": True for key in demo.addons}


def _for_itself(request: Request, catalogue: Catalogue) -> tuple[str, ...]:
    """The plugins that are asked for; an implied one that is named comes and leaves with what brings it."""
    return tuple(key for key in request.plugins if not catalogue.plugins[key].implied_by)


def _plan(request: Request, catalogue: Catalogue) -> dict[str, Value]:
    wanted: dict[str, Value] = {"plan": request.plan, **_seats(request)}
    wanted |= {f"addon:{key}": True for key in request.addons}
    wanted |= {f"plugin:{key}": True for key in _for_itself(request, catalogue)}
    wanted |= {"support": request.support, "billing": request.billing}
    return wanted | ({"whitelabel": True} if request.whitelabel else {})


def _seats(request: Request) -> dict[str, Value]:
    counts = {seat: getattr(request, seat) for seat in SEATS}
    return {seat: count for seat, count in counts.items() if count is not None}


def _activation(wanted: dict[str, Value], licence: Licence | None, catalogue: Catalogue) -> tuple[Asked, ...]:
    wanted = {"admin": 1, **wanted, "webrtc": True, "phonebar": True}
    addons = frozenset(item.removeprefix("addon:") for item, to in wanted.items() if item.startswith("addon:") and to)
    plan = wanted["plan"] if isinstance(wanted["plan"], str) else None
    implied: dict[str, Value] = {f"plugin:{key}": True for key in sorted(catalogue.implied_plugins(plan, addons))}
    if licence is not None:
        implied.update((item, False) for item in _leaving(licence, catalogue) if item not in implied)
        wanted = {**wanted, **_surplus(licence, wanted.keys() | implied.keys())}
    lines = [Asked(item, _today(licence, item), to) for item, to in wanted.items()]
    coming = [Asked(item, _today(licence, item), to, implied=True) for item, to in implied.items()]
    return _in_order(iter(lines + [line for line in coming if line.today != line.to]))


def _leaving(licence: Licence, catalogue: Catalogue) -> Iterator[str]:
    """The plugins on the licence that nobody asks for."""
    plugins = (catalogue.plugins[key] for key in licence.plugins if key in catalogue.plugins)
    return (f"plugin:{plugin.key}" for plugin in plugins if plugin.implied_by)


def _surplus(licence: Licence, wanted: frozenset[str] | set[str]) -> dict[str, Value]:
    """What the licence has and the new activation, which replaces it whole, does not ask for."""
    gone: dict[str, Value] = {seat: 0 for seat in SEATS if seat not in wanted and licence.value(seat)}
    has = [f"addon:{key}" for key in licence.addons] + [f"plugin:{key}" for key in licence.plugins]
    gone.update((item, False) for item in has if item not in wanted)
    return gone | ({"whitelabel": False} if licence.whitelabel and "whitelabel" not in wanted else {})


def _changed_extras(request: Request, catalogue: Catalogue) -> dict[str, Value]:
    to = request.action == "add"
    extras: dict[str, Value] = {f"addon:{key}": to for key in request.addons}
    extras.update((f"plugin:{key}", to) for key in _for_itself(request, catalogue))
    return extras


def contract_options(request: Request) -> dict[str, Value]:
    """What a contract change names: item -> requested value."""
    options: dict[str, Value] = {
        "plan": request.plan,
        "support": request.support,
        "billing": request.billing,
        "whitelabel": request.whitelabel,
    }
    return {item: to for item, to in options.items() if to is not None}


def _differing(request: Request, licence: Licence | None) -> dict[str, Value]:
    """Options that are as they are today need no decision."""
    return {item: to for item, to in contract_options(request).items() if _today(licence, item) != to}


def _with_implied(wanted: dict[str, Value], licence: Licence | None, catalogue: Catalogue) -> tuple[Asked, ...]:
    lines = [Asked(item, _today(licence, item), to) for item, to in wanted.items()]
    if licence is not None:
        lines += [
            Asked(item, licence.value(item), to, implied=True) for item, to in implied_by(wanted, licence, catalogue)
        ]
    return _in_order(iter(lines))


def implied_by(wanted: dict[str, Value], licence: Licence, catalogue: Catalogue) -> Iterator[tuple[str, bool]]:
    """The plugins that come or leave by themselves when ``wanted`` is put on the licence.

    What does not touch its plan or its add-on leaves a plugin as it is, also where an import or a hand has put it amiss.
    """
    plan = wanted.get("plan", licence.plan)
    addons = set(licence.addons)
    for item, to in wanted.items():
        if item.startswith("addon:"):
            (addons.add if to else addons.discard)(item.removeprefix("addon:"))
    after = catalogue.implied_plugins(plan if isinstance(plan, str) else None, frozenset(addons))
    for plugin in catalogue.plugins.values():
        touched = plugin.implied_by and {"plan", f"addon:{plugin.implied_by}"} & wanted.keys()
        if touched and (plugin.key in after) != (plugin.key in licence.plugins):
            yield f"plugin:{plugin.key}", plugin.key in after


def _restored(request: Request, licence: Licence | None) -> Asked:
    if request.new_token or request.motion_token:
        return Asked("token", request.old_token or request.token, request.new_token or request.motion_token)
    status = licence.status if licence else None
    return Asked("status", status, status if request.request == "shuttle" else "active")


def _today(licence: Licence | None, item: str) -> Value:
    return licence.value(item) if licence is not None else None


def place(item: str) -> int:
    """Where an item stands in the contract's order."""
    return ORDER.index(item.partition(":")[0])


def _in_order(lines: Iterator[Asked]) -> tuple[Asked, ...]:
    return tuple(sorted(lines, key=lambda line: place(line.item)))
