"""Faults that show only when parts of a catalogue file are compared: unknown keys, impossible limits, equal labels.

``contents.parse_catalogue`` reports values of the wrong type; they are skipped here, so that one run lists every fault.
"""

import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mailbot.core.base.config_faults import dotted, suggestion, unknown_key, wrong

Raw = Mapping[str, Any]

#: The parts of a new plan; the file says whether each is granted automatically or by staff.
SPLIT = ("admin", "plan", "seats", "webrtc", "phonebar", "addons", "plugins", "support", "billing", "whitelabel")
#: Tables with fixed keys, because the rules of the desk name them: the file sets labels and numbers only.
FIXED = {
    ("products",): ("motion", "shuttle"),
    ("seats",): ("agents", "users", "telephones", "mobile_agents"),
    ("billing",): ("monthly", "annual"),
    ("reasons",): ("add", "remove", "deactivate", "reactivate"),
    ("reasons", "reactivate"): ("expired", "token_change", "other"),
}
#: Tables with free keys; each needs at least one entry.
FREE = (("plans",), ("support",), ("reasons", "add"), ("reasons", "remove"), ("reasons", "deactivate"))
_MAY_BE_EMPTY = (("addons",), ("plugins",))
_KEY = frozenset(string.ascii_lowercase + string.digits + "_")
_UNIT_PRICES = ("admin", "webrtc", "phonebar", "whitelabel")


def catalogue_inconsistencies(raw: Raw) -> Iterator[str]:
    """Yields one sentence for each fault that shows only when two places of the file are compared."""
    for check in _CHECKS:
        yield from check(raw)


def _tables_complete(raw: Raw) -> Iterator[str]:
    for path, keys in FIXED.items():
        there = _table(raw, *path)
        yield from (f"{dotted((*path, key))}: missing" for key in keys if there is not None and key not in there)
        yield from (unknown_key(dotted((*path, key)), key, keys) for key in there or () if key not in keys)
    for path in FREE:
        if _table(raw, *path) == {}:
            yield f"{dotted(path)}: empty, must have at least one entry"


def _key_spelling(raw: Raw) -> Iterator[str]:
    for path in (*FREE, *_MAY_BE_EMPTY):
        for key in _table(raw, *path) or ():
            if not key or not _KEY.issuperset(key):
                yield f"{dotted((*path, key))}: a key must be of the letters a-z, digits and _"


def _labels_differ(raw: Raw) -> Iterator[str]:
    for path in (*FREE, *_MAY_BE_EMPTY, ("seats",), ("billing",), ("products",), ("reasons", "reactivate")):
        entries = _table(raw, *path) or {}
        labels = {key: one.get("label") if isinstance(one, Mapping) else one for key, one in entries.items()}
        folded = {key: label.casefold() for key, label in labels.items() if isinstance(label, str) and label}
        for label, count in Counter(folded.values()).items():
            if count > 1:
                keys = " and ".join(key for key, own in folded.items() if own == label)
                yield f"{dotted(path)}: {keys} have the same label {labels[keys.partition(' ')[0]]!r}, must differ"


def _seat_limits(raw: Raw) -> Iterator[str]:
    for key, seat in _entries(raw, "seats"):
        low, high = seat.get("minimum"), seat.get("automatic_max")
        if isinstance(low, int) and isinstance(high, int) and high < low:
            yield wrong(f"seats.{key}.automatic_max", high, f"at least the minimum, {low}")


def _addons_require(raw: Raw) -> Iterator[str]:
    needs = {key: _texts(addon.get("requires")) for key, addon in _entries(raw, "addons")}
    for key, names in needs.items():
        yield from _refer(("addons", key, "requires"), names, needs)
        if key in _all_requirements(key, needs):
            yield f"addons.{key}.requires: leads back to {key}, must not be circular"


def _all_requirements(start: str, needs: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    ahead = list(needs.get(start, ()))
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead.extend(needs.get(name, ()))
    return found


def _plugins_implied(raw: Raw) -> Iterator[str]:
    channels = {name for _, plan in _entries(raw, "plans") for name in _texts(plan.get("channels"))}
    for key, plugin in _entries(raw, "plugins"):
        by, on = plugin.get("implied_by"), plugin.get("implied_on")
        if (by is None) != (on is None):
            yield f"plugins.{key}: has only one of implied_by and implied_on, must have both or neither"
        yield from _refer(("plugins", key, "implied_by"), _texts([by]), _table(raw, "addons") or ())
        yield from _refer(("plugins", key, "implied_on"), _texts([on]), sorted(channels))


def _demo_known(raw: Raw) -> Iterator[str]:
    demo = _table(raw, "demo") or {}
    addons, known = _texts(demo.get("addons")), _table(raw, "addons") or {}
    yield from _refer(("demo", "plan"), _texts([demo.get("plan")]), _table(raw, "plans") or ())
    yield from _refer(("demo", "seats"), _table(demo, "seats") or (), FIXED[("seats",)])
    yield from _refer(("demo", "addons"), addons, known)
    for key, addon in _entries(raw, "addons"):
        lacking = [need for need in _texts(addon.get("requires")) if need in known and need not in addons]
        if key in addons and lacking:
            yield f"demo.addons: has {key}, so it must also have {', '.join(lacking)}"
    days, warn = demo.get("days"), demo.get("warn_days")
    if not (isinstance(warn, list) and isinstance(days, int) and days > 1):
        return
    for day in warn:
        if _is_count(day) and day >= days:
            yield wrong("demo.warn_days", day, f"from 1 to {days - 1}, days before the end of the demo")


def _split_complete(raw: Raw) -> Iterator[str]:
    lists = {name: _texts(raw.get(name)) for name in ("automatic", "by_staff")}
    counts = Counter(group for groups in lists.values() for group in groups)
    for name, groups in lists.items():
        yield from (_not_one_of((name,), group, SPLIT) for group in dict.fromkeys(groups) if group not in SPLIT)
    for group in SPLIT:
        if counts[group] != 1:
            said = "twice" if counts[group] else "missing"
            yield f"automatic, by_staff: {group} is {said}, must be in exactly one of them"


def _prices_known(raw: Raw) -> Iterator[str]:
    prices, currency = _table(raw, "prices") or {}, raw.get("currency")
    kinds = {"plan": "plans", "support": "support", "addon": "addons", "plugin": "plugins"}
    options = [f"{kind}:{key}" for kind, name in kinds.items() for key in _table(raw, name) or ()]
    yield from _refer(("prices",), prices, (*FIXED[("seats",)], *_UNIT_PRICES, *options))
    if prices and currency is None:
        yield "currency: missing, required with prices, such as 'EUR'"
    if isinstance(currency, str) and not (len(currency) == 3 and set(currency) <= set(string.ascii_uppercase)):
        yield wrong("currency", currency, "three capital letters, such as 'EUR'")


_CHECKS: tuple[Callable[[Raw], Iterator[str]], ...] = (
    _tables_complete,
    _key_spelling,
    _labels_differ,
    _seat_limits,
    _addons_require,
    _plugins_implied,
    _demo_known,
    _split_complete,
    _prices_known,
)


def _refer(path: tuple[str, ...], names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    """Yields a fault for each name at ``path`` that is not in ``known``."""
    known = tuple(known)
    yield from (_not_one_of(path, name, known) for name in names if name not in known)


def _not_one_of(path: tuple[str, ...], name: str, known: Iterable[str]) -> str:
    return wrong(dotted(path), name, f"one that exists{suggestion(name, known)}")


def _table(raw: Raw, *path: str) -> dict[str, Any] | None:
    """The table at ``path``; None if it is missing, which is reported elsewhere."""
    found: Any = raw
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else None


def _entries(raw: Raw, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((key, one) for key, one in (_table(raw, name) or {}).items() if isinstance(one, dict))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
