"""What is sold, as data. The text of a catalogue file comes in, a Catalogue or the list of all its faults goes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Plan:
    """A plan: ``rank`` orders plans (higher = increase), ``channels`` such as ``voice`` or ``digital``."""

    key: str
    label: str
    rank: int
    channels: frozenset[str]


@dataclass(frozen=True)
class Seat:
    """A counted kind of seat. ``minimum`` is the least total a plan may have, above ``automatic_max`` staff decide."""

    key: str
    label: str
    minimum: int
    automatic_max: int
    note: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Addon:
    """An add-on; ``requires`` names the add-ons that it cannot be without; ``ai`` ones are billed by usage too."""

    key: str
    label: str
    requires: tuple[str, ...] = ()
    ai: bool = False


@dataclass(frozen=True)
class Plugin:
    """A plugin with its links. ``implied_by`` (an add-on) on a plan with channel ``implied_on``: it is never asked for."""

    key: str
    label: str
    documentation: str
    zip: str
    implied_by: str | None = None
    implied_on: str | None = None


@dataclass(frozen=True)
class Option:
    """A value to choose (support package, billing frequency); ``rank`` orders them."""

    key: str
    label: str
    rank: int = 0


@dataclass(frozen=True)
class DemoBundle:
    """What a free demo holds and for how many ``days``."""

    days: int
    plan: str
    seats: Mapping[str, int]
    addons: tuple[str, ...]
    warn_days: tuple[int, ...] = (7, 1)


@dataclass(frozen=True)
class Links:
    """Addresses that the mails give to customers."""

    agreement: str
    self_service: str
    plans: str
    addons: str
    plugins: str
    whitelabel: str
    token: str
    status_log: str
    grace_period: str
    apply_licence: str
    documentation: str
    support: str


@dataclass(frozen=True)
class Catalogue:
    """Everything that is sold, checked. Mappings are keyed by the item's key, in the order of the file."""

    version: str
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
    prices: Mapping[str, Decimal] = field(default_factory=dict)  # item (agents, addon:KEY, ...) -> per month
    currency: str | None = None

    def implied_plugins(self, plan: str | None, addons: frozenset[str]) -> frozenset[str]:
        """The plugins that come by themselves with ``addons`` on ``plan``."""
        channels = self.plans[plan].channels if plan in self.plans else frozenset()
        return frozenset(p.key for p in self.plugins.values() if p.implied_by in addons and p.implied_on in channels)

    def askable_plugins(self) -> tuple[Plugin, ...]:
        """The plugins that a customer may ask for."""
        return tuple(p for p in self.plugins.values() if p.implied_by is None)
