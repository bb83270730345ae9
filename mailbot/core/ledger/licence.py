"""A licence is the sum of its events: its state on a date, and the changes scheduled after it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, assert_never

from pydantic import TypeAdapter

from mailbot.core.base.address import matches_pattern
from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import CHOSEN, ItemKey, ItemKind, item_key
from mailbot.core.ledger.period import next_renewal, years_later

#: The value of an item, current or requested: a count, a catalogue key, yes or no, a licence status, a token, or none.
Value = bool | int | str | None


@dataclass(frozen=True, kw_only=True)
class LicenceEvent:
    """One entry of the ledger, never edited. ``changes`` (item or term -> new value) apply from ``effective`` on."""

    token: str
    revision: int
    at: datetime
    effective: date
    kind: str
    changes: dict[str, Value]
    #: The business date of the request. A decrease requested in time is billed from here, however late it is committed.
    asked_on: date | None = None
    ticket: str | None = None
    mail: str | None = None
    rule: str | None = None
    decider: str | None = None
    catalogue_version: str = ""
    why: str | None = None
    #: Applies only after the licence server accepted it, from the day of the later event that ``accepts`` this one.
    pending: bool = False

    @staticmethod
    def checked(values: Mapping[str, Any]) -> "LicenceEvent":
        """The event with those values. pydantic's ValidationError where one has another type than its field."""
        return _EVENT.validate_python(values)

    def to_json(self) -> dict[str, Any]:
        """The event as JSON values."""
        values: dict[str, Any] = _EVENT.dump_python(self, mode="json")
        return values


_EVENT = TypeAdapter(LicenceEvent)


@dataclass(frozen=True)
class Scheduled:
    """A registered change whose day has not come."""

    item: str
    to: Value
    effective: date
    ticket: str | None
    rule: str | None = None
    asked_on: date | None = None


@dataclass(frozen=True)
class Licence:
    """A licence on one date. ``status``: demo, active, expired, deactivated or replaced."""

    token: str
    product: str = "motion"
    status: str = "active"
    customer_name: str | None = None
    plan: str | None = None
    agents: int = 0
    users: int = 0
    telephones: int = 0
    mobile_agents: int = 0
    addons: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    support: str | None = None
    billing: str | None = None
    whitelabel: bool = False
    contacts: tuple[str, ...] = ()
    demo_ends: date | None = None
    expires_on: date | None = None
    renews_on: date | None = None
    replaced_by: str | None = None
    activated_on: date | None = None
    had_demo: bool = False
    scheduled: tuple[Scheduled, ...] = ()
    history: tuple[LicenceEvent, ...] = ()
    #: The events of all its tokens, in the order written; () if the licence never changed its token.
    lineage: tuple[LicenceEvent, ...] = ()

    @property
    def whole_history(self) -> tuple[LicenceEvent, ...]:
        """Its events under all its tokens."""
        return self.lineage or self.history

    @property
    def revision(self) -> int:
        """The number of its last event; 0 without events."""
        return self.history[-1].revision if self.history else 0

    @property
    def bound_revision(self) -> int:
        """The revision that decisions are bound to. Answers of the licence server do not raise it: they change no item."""
        return next((event.revision for event in reversed(self.history) if event.kind != "accepted"), 0)

    @property
    def renewal(self) -> date | None:
        """The renewal date. An annual licence without one renews a year after its activation."""
        if self.renews_on is None and self.billing == "annual" and self.activated_on is not None:
            return years_later(self.activated_on)
        return self.renews_on

    @property
    def renews(self) -> bool:
        """Whether it will still be active and annual on ``renews_on``, given what is scheduled."""
        day = self.renews_on
        if day is None or (self.expires_on and self.expires_on < day):
            return False
        ahead = [s for s in self.scheduled if s.effective <= day]
        status = [self.status, *(s.to for s in ahead if s.item == "status")]
        return status[-1] == "active" and not any(s.item == "renews_on" for s in ahead)

    @property
    def extras(self) -> tuple[ItemKey, ...]:
        """Its add-ons and plugins as items."""
        return (*map(ItemKey.addon, self.addons), *map(ItemKey.plugin, self.plugins))

    def is_demo_of(self, other: "Licence | None") -> bool:
        """Whether this licence was only ever a demo and shares a contact with ``other``, so that a token change may end it."""
        mere = self.had_demo and self.activated_on is None and self.status in ("demo", "expired")
        return mere and any(
            matches_pattern(one, two) or matches_pattern(two, one)
            for one in self.contacts
            for two in (other.contacts if other else ())
        )

    def value(self, item: ItemKey) -> Value:
        """The value of an item; a boolean for an add-on or a plugin."""
        match item.kind:
            case ItemKind.ADDON:
                return item.key in self.addons
            case ItemKind.PLUGIN:
                return item.key in self.plugins
            case ItemKind.ADMIN:
                return 1
            case ItemKind.WEBRTC | ItemKind.PHONEBAR:
                return self.plan is not None
            case ItemKind.SEAT | ItemKind.TOKEN | ItemKind.STATUS:
                return self._term(item)
            case ItemKind.PLAN | ItemKind.SUPPORT | ItemKind.BILLING | ItemKind.WHITELABEL:
                return self._term(item)
            case kind:
                assert_never(kind)

    def _term(self, item: ItemKey) -> Value:
        value: Value = getattr(self, item)
        return value


#: Terms whose value is a date; events store it as ISO 8601 text.
DATES = ("demo_ends", "expires_on", "renews_on")
#: The fields of a licence that an event sets. Other keys, apart from add-ons and plugins, only stay in the history.
TERMS = frozenset({"product", "status", "plan", "agents", "users", "telephones", "mobile_agents", "support", "billing", "whitelabel", "replaced_by"})  # fmt: skip

#: Keys that refer to other events. An event with only these does not begin a licence.
ABOUT = frozenset({"accepts", "reverses", "withdraws"})


def state_on(
    events: Iterable[LicenceEvent], on: date, name: str | None = None, contacts: tuple[str, ...] = ()
) -> Licence | None:
    """The licence on date ``on``, from ``events`` in the order of their revisions; None before its first event.

    Later changes are listed in ``scheduled``. The end of a demo and ``expires_on`` apply by date, without an event.
    """
    history = tuple(events)
    valid = valid_events(history)
    begun = sorted(
        (e for e in valid if e.effective <= on and not e.changes.keys() <= ABOUT),
        key=lambda e: (e.effective, e.revision),
    )
    if not begun:
        return None
    licence = Licence(token=history[0].token, customer_name=name, contacts=contacts)
    for event in begun:
        licence = _after(licence, event)
    return _on_date(replace(licence, history=history, scheduled=_ahead(valid, on)), on)


def without(licence: Licence, ticket: str, on: date) -> Licence | None:
    """The licence without the events of ``ticket``; None if no others are left."""
    others = tuple(event for event in licence.history if event.ticket != ticket)
    return state_on(others, on, licence.customer_name, licence.contacts) if others else None


def valid_events(history: Sequence[LicenceEvent]) -> tuple[LicenceEvent, ...]:
    """The events that apply; those that the licence server accepted late are dated to the day of its answer.

    Left out are events that had not taken effect when a later event withdrew them (``withdraws`` names their ticket),
    moved the licence to another token (``replaced_by``) or reversed them (``reverses`` alone), and events that the
    licence server has not accepted.
    """
    history = _accepted(history)
    undone = {(e.token, e.changes["reverses"]) for e in history if "reverses" in e.changes}
    reversed_ahead = {(e.token, e.changes["reverses"]) for e in history if e.changes.keys() == {"reverses"}}
    gone = [
        (e, str(e.changes["withdraws"]) if "withdraws" in e.changes else None)
        for e in history
        if "withdraws" in e.changes or (e.changes.get("replaced_by") and (e.token, e.revision) not in undone)
    ]

    def applies(event: LicenceEvent) -> bool:
        return (event.token, event.revision) not in reversed_ahead and not any(
            event.effective > by.effective and event.revision < by.revision and event.token == by.token
            for by, ticket in gone
            if ticket in (None, event.ticket)
        )

    return tuple(event for event in history if applies(event))


def _accepted(history: Sequence[LicenceEvent]) -> Sequence[LicenceEvent]:
    """The events without those that the licence server has not answered or has refused."""
    if not any(event.pending for event in history):
        return history
    days = {event.changes["accepts"]: event.effective for event in history if "accepts" in event.changes}
    return [
        from_day(event, days[event.revision]) if event.pending else event
        for event in history
        if not event.pending or event.revision in days
    ]


def from_day(event: LicenceEvent, day: date) -> LicenceEvent:
    """The event dated to ``day`` if that is later; the end of a demo and the first renewal move with it."""
    if day <= event.effective:
        return event
    changes = dict(event.changes)
    ends, renews = changes.get("demo_ends"), changes.get("renews_on")
    if isinstance(ends, str):
        changes["demo_ends"] = (date.fromisoformat(ends) + (day - event.effective)).isoformat()
    if renews == years_later(event.effective).isoformat():
        changes["renews_on"] = years_later(day).isoformat()
    return replace(event, effective=day, changes=changes)


def _after(licence: Licence, event: LicenceEvent) -> Licence:
    terms: dict[str, object] = {}
    addons, plugins = set(licence.addons), set(licence.plugins)
    for item, to in event.changes.items():
        if item in TERMS:
            terms[item] = to
        elif item in DATES:
            terms[item] = date.fromisoformat(to) if isinstance(to, str) else None
        elif (key := item_key(item)) and key.kind in CHOSEN:
            chosen = addons if key.kind is ItemKind.ADDON else plugins
            (chosen.add if to else chosen.discard)(key.key)
    terms |= {"addons": tuple(sorted(addons)), "plugins": tuple(sorted(plugins))}
    if event.changes.get("status") == "demo":
        terms["had_demo"] = True
    if event.changes.get("status") == "active" and licence.activated_on is None:
        terms["activated_on"] = event.effective
    return replace(licence, **terms)  # type: ignore[arg-type]


def _ahead(events: tuple[LicenceEvent, ...], on: date) -> tuple[Scheduled, ...]:
    later = (e for e in events if e.effective > on)
    lines = [
        Scheduled(item, to, e.effective, e.ticket, e.rule, e.asked_on) for e in later for item, to in e.changes.items()
    ]
    return tuple(sorted(lines, key=lambda line: (line.effective, line.item)))


def _on_date(licence: Licence, on: date) -> Licence:
    if licence.status == "demo" and licence.demo_ends and on >= licence.demo_ends:
        licence = replace(licence, status="expired")
    if licence.status == "active" and licence.expires_on and on > licence.expires_on:
        licence = replace(licence, status="expired")
    if licence.renews_on:
        licence = replace(licence, renews_on=next_renewal(licence.renews_on, on))
    return licence


@dataclass(frozen=True)
class Ledger:
    """What the rules may consult: the licences that a request names, and whether its customer had a demo on another token."""

    licences: Mapping[str, Licence]
    demo_elsewhere: bool = False

    def licence(self, token: str | None) -> Licence | None:
        """The licence of ``token``; None if it is not in the ledger."""
        return self.licences.get(token) if token else None
