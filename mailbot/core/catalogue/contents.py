"""The catalogue: plans, seats, add-ons, plugins, options, demo, links and prices, parsed from the text of a TOML file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, Strict, TypeAdapter, ValidationError, with_config

from mailbot.core.base.config_faults import sentences, table, unknown_key
from mailbot.core.catalogue.catalogue_faults import catalogue_inconsistencies


def _http(address: str) -> str:
    rest = address.partition("://")[2]
    if not address.startswith(("https://", "http://")) or not rest or not address.isascii() or " " in address:
        raise ValueError("an address that begins with https:// or http://")
    return address


def _one_word(text: str) -> str:
    if len(text.split()) != 1 or not text.isprintable() or text != text.strip():
        raise ValueError("one word, such as 2026.1")
    return text


Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=0)]
Days = Annotated[int, Strict(), Field(ge=1)]
Amount = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Http = Annotated[str, AfterValidator(_http)]


@dataclass(frozen=True)
class Plan:
    """A plan. A change to a higher ``rank`` is an increase; ``channels`` are for example "voice" and "digital"."""

    key: str
    label: str
    rank: Count
    channels: frozenset[str]


@dataclass(frozen=True)
class Seat:
    """A kind of seat that is counted. ``minimum``: smallest total on a plan; above ``automatic_max`` staff decide."""

    key: str
    label: str
    minimum: Count
    automatic_max: Count
    note: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Addon:
    """An add-on. ``requires``: keys of the add-ons it needs; ``ai``: usage is billed on top."""

    key: str
    label: str
    requires: tuple[str, ...] = ()
    ai: Flag = False


@dataclass(frozen=True)
class Plugin:
    """A plugin with its links. With ``implied_by``, it is included with that add-on on plans with the channel ``implied_on``."""

    key: str
    label: str
    documentation: Http
    zip: Http
    implied_by: str | None = None
    implied_on: str | None = None


@dataclass(frozen=True)
class Option:
    """One choice of a support package or billing frequency. A higher ``rank`` is an increase."""

    key: str
    label: str
    rank: Count = 0


@dataclass(frozen=True)
class DemoBundle:
    """What a free demo contains, and how many ``days`` it runs."""

    days: Days
    plan: str
    seats: Mapping[str, Count]
    addons: tuple[str, ...]
    warn_days: tuple[Days, ...] = (7, 1)


@dataclass(frozen=True)
class Links:
    """Web addresses that appear in mails to customers."""

    agreement: Http
    self_service: Http
    plans: Http
    addons: Http
    plugins: Http
    whitelabel: Http
    token: Http
    status_log: Http
    grace_period: Http
    apply_licence: Http
    documentation: Http
    support: Http


@with_config(ConfigDict(extra="forbid", str_min_length=1))  # applies to the nested dataclasses too
@dataclass(frozen=True)
class Catalogue:
    """The whole catalogue, validated. Mappings go from key to entry, in the order of the file."""

    version: Annotated[str, AfterValidator(_one_word)]
    vendor: str
    products: Mapping[str, str]  # motion -> "Motion", shuttle -> "Shuttle"
    plans: Mapping[str, Plan]
    seats: Mapping[str, Seat]
    addons: Mapping[str, Addon]
    plugins: Mapping[str, Plugin]
    support: Mapping[str, Option]
    billing: Mapping[str, Option]
    demo: DemoBundle
    reasons: Mapping[str, Mapping[str, str]]  # add|remove|deactivate|reactivate -> key -> label
    links: Links
    agreement_version: str
    account_reference: str
    ai_note: str
    token_help: str
    automatic: tuple[str, ...]
    by_staff: tuple[str, ...]
    prices: Mapping[str, Amount] = field(default_factory=dict)  # item (agents, addon:KEY, ...) -> per month
    currency: str | None = None

    def implied_plugins(self, plan: str | None, addons: frozenset[str]) -> frozenset[str]:
        """The keys of the plugins that are included with ``addons`` on ``plan``."""
        channels = self.plans[plan].channels if plan is not None and plan in self.plans else frozenset()
        return frozenset(p.key for p in self.plugins.values() if p.implied_by in addons and p.implied_on in channels)

    def lacking(self, plugin: str, plan: str | None, addons: frozenset[str]) -> tuple[str, ...]:
        """The labels of what an included plugin needs and lacks: its add-on, else the plans that would bring it.

        Returns () if it lacks nothing, or if ``plan`` is None.
        """
        cause = self.plugins[plugin].implied_by
        if cause is None or plugin in self.implied_plugins(plan, addons):
            return ()
        if cause not in addons:
            return (self.addons[cause].label,)
        plans = self.plans.values() if plan is not None else ()
        return tuple(p.label for p in plans if plugin in self.implied_plugins(p.key, addons))

    def askable_plugins(self) -> tuple[Plugin, ...]:
        """The plugins that a customer can request: all that are not included with something else."""
        return tuple(p for p in self.plugins.values() if p.implied_by is None)


_WHOLE = TypeAdapter(Catalogue)
#: Tables whose entries carry their own key.
_KEYED = ("plans", "seats", "addons", "plugins", "support", "billing")


def parse_catalogue(text: str) -> Catalogue | tuple[str, ...]:
    """The catalogue in the TOML ``text``, or one sentence for each fault in it.

    ``version`` is the declared one plus ``+`` and the first 8 hexadecimal digits of the SHA-256 of ``text``, so that an
    edited file is recognised even if its declared version did not change.
    """
    raw = table(text)
    if isinstance(raw, str):
        return (raw,)
    faults = [*_keys_inside(raw), *catalogue_inconsistencies(raw)]
    try:
        catalogue = _WHOLE.validate_python(_with_keys(raw))
    except ValidationError as error:
        return (*sentences(error, Catalogue), *faults)
    if faults:
        return tuple(faults)
    return replace(catalogue, version=f"{catalogue.version}+{sha256(text.encode()).hexdigest()[:8]}")


def _entries(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    return raw[name] if isinstance(raw.get(name), dict) else {}


def _keys_inside(raw: Mapping[str, Any]) -> list[str]:
    """Faults for entries that contain ``key``: the name of the table is the key."""
    entries = ((name, key, one) for name in _KEYED for key, one in _entries(raw, name).items())
    return [
        unknown_key(f"{name}.{key}.key", "key", ())
        for name, key, one in entries
        if isinstance(one, dict) and "key" in one
    ]


def _with_keys(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The file with each entry's key copied into the entry, as the dataclasses need it."""
    keyed = {
        name: {key: {**one, "key": key} if isinstance(one, dict) else one for key, one in _entries(raw, name).items()}
        for name in _KEYED
        if isinstance(raw.get(name), dict)
    }
    return {**raw, **keyed}
