"""The billing history of a licence: which parts were billable from which day, and which ticket and rule changed them.

A part is an item and its option: ``("agents", "")`` counts seats, ``("plan", "voice")`` is one plan. The history follows
from the events alone; ``ledger.invoices`` turns it into invoice lines.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import assert_never
from zoneinfo import ZoneInfo

from mailbot.core.catalogue.item_kinds import CHOSEN, ItemKey, ItemKind, item_key
from mailbot.core.ledger.licence import LicenceEvent, Value, state_on, valid_events
from mailbot.core.ledger.period import Period, decrease_day, next_period, period_of, years_later
from mailbot.core.ledger.rule import DECREASES, Rule

#: The kinds of items whose value is an option. When one option replaces another, only the difference is billed.
OPTIONS = frozenset({ItemKind.PLAN, ItemKind.SUPPORT})

Part = tuple[ItemKey, str]
Parts = tuple[tuple[Part, int], ...]
ONE_DAY = timedelta(days=1)


class MoveKind(StrEnum):
    """Effect of a move on the running period: UP is charged, DOWN is not credited, EVEN changes nothing."""

    UP = "up"
    DOWN = "down"
    EVEN = "even"


@dataclass(frozen=True)
class Move:
    """From ``day`` on, ``parts`` of ``item`` change by these counts. ``event`` is the (token, revision) that caused it."""

    item: ItemKey
    day: date
    parts: Parts
    kind: MoveKind
    ticket: str | None
    rule: str | None
    event: tuple[str, int]


@dataclass(frozen=True)
class Stage:
    """Whether the licence is active, and how it is billed, from ``day`` until the next stage."""

    day: date
    active: bool
    billing: str | None
    renews_on: date | None


@dataclass(frozen=True)
class BillingHistory:
    """The moves and stages of one licence, each in order of their days."""

    token: str
    moves: tuple[Move, ...]
    stages: tuple[Stage, ...]

    def stage(self, day: date) -> Stage | None:
        """The stage on ``day``; None before the first."""
        place = bisect_right(self.stages, day, key=lambda stage: stage.day)
        return self.stages[place - 1] if place else None

    def begins_anew(self, day: date) -> bool:
        """Whether the licence ended before ``day`` and was activated again on it."""
        return any(stage.day == day and not stage.active for stage in self.stages)

    def periods(self, until: date) -> Iterator[tuple[date, Period]]:
        """Yields (first billable day, period) for the periods that begin by ``until`` while the licence is active.

        Yields nothing before a billing frequency is decided; after that, periods count from the activation.
        """
        day = self._active_from(date.min)
        while day is not None and day <= until:
            billing = self._billing(day)
            if billing is None:
                return
            period = period_of(*billing, day)
            yield day, period
            day = self._active_from(period.last + ONE_DAY)

    def _active_from(self, day: date) -> date | None:
        """The first day from ``day`` on when the licence is active; None if there is none."""
        now = self.stage(day)
        if now is not None and now.active:
            return day
        return next((stage.day for stage in self.stages if stage.day > day and stage.active), None)

    def _billing(self, day: date) -> tuple[str, date | None] | None:
        """Billing frequency and renewal date on ``day``, else the first that was decided later."""
        now = self.stage(day)
        ahead = (stage for stage in self.stages if stage.day > day)
        decided = next((s for s in (now, *ahead) if s is not None and s.billing is not None), None)
        return None if decided is None else (str(decided.billing), decided.renews_on)


def billing_history(events: Sequence[LicenceEvent], zone: ZoneInfo, unbilled: frozenset[str]) -> BillingHistory:
    """The billing history that ``events`` make. ``unbilled``: items that are never billed, such as included plugins."""
    walk = _Walk(unbilled)
    undone = {(e.token, e.changes["reverses"]) for e in events if "reverses" in e.changes}
    counted = [e for e in valid_events(events) if (e.token, e.revision) not in undone and "reverses" not in e.changes]
    dated = sorted(((_billed_from(e, counted, zone), e) for e in counted), key=lambda pair: pair[0])
    for day, event in _without_superseded(dated, zone):
        walk.take(day, event)
    walk.end()
    moves = tuple(sorted(walk.moves, key=lambda move: move.day))
    return BillingHistory(events[-1].token, moves, tuple(walk.stages))


def _without_superseded(
    dated: Sequence[tuple[date, LicenceEvent]], zone: ZoneInfo
) -> Iterator[tuple[date, LicenceEvent]]:
    """The events without changes that a later event replaced before they took effect."""
    last = {
        (day, item): event.revision for day, event in dated if committed_on(event, zone) < day for item in event.changes
    }
    for day, event in dated:
        kept = {k: v for k, v in event.changes.items() if event.revision >= last.get((day, k), event.revision)}
        yield day, event if len(kept) == len(event.changes) else replace(event, changes=kept)


def counts_from(event: LicenceEvent, zone: ZoneInfo) -> date:
    """The day from which an event is billed; never before it was committed."""
    return max(event.effective, committed_on(event, zone))


def _billed_from(event: LicenceEvent, events: Sequence[LicenceEvent], zone: ZoneInfo) -> date:
    """Like ``counts_from``, but a deactivation that the desk committed late ends billing as if it had been on time."""
    day = counts_from(event, zone)
    if event.rule != Rule.DEACTIVATION or event.asked_on is None:
        return day
    licence = state_on([e for e in events if e is not event], event.asked_on)
    return min(day, next_period(licence.billing, licence.renewal, event.asked_on)) if licence else day


def committed_on(event: LicenceEvent, zone: ZoneInfo) -> date:
    """The business date on which the event was committed."""
    return _business_date(event.at, zone)


def _business_date(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


class _Walk:
    """Goes through the events in order of their days and records moves and stages."""

    def __init__(self, unbilled: frozenset[str]) -> None:
        self.unbilled = unbilled
        self.terms: dict[str, Value] = {}
        self.implied: set[str] = set()
        self.parts: dict[Part, int] = {}
        self.moves: list[Move] = []
        self.stages: list[Stage] = []
        self.activated_on: date | None = None
        self.begun: dict[str | None, date] = {}  # ticket -> day on which its new plan began
        self.ended_by: LicenceEvent | None = None

    def take(self, day: date, event: LicenceEvent) -> None:
        self._expire(day)
        for item, to in event.changes.items():
            self.terms[item] = to
            key = item_key(item)
            if key and key.kind in CHOSEN and event.kind != "moved":  # a moved licence keeps what it has
                (self.implied.add if to and event.rule == Rule.IMPLIED else self.implied.discard)(item)
        if "expires_on" in event.changes:
            self.ended_by = event
        if event.kind.startswith("activate/") and event.changes.get("status") == "active":
            self.begun[event.ticket] = day
        self._compare(day, event)

    def end(self) -> None:
        """Applies an ``expires_on`` after the last event."""
        self._expire(date.max)

    def _expire(self, before: date) -> None:
        ends = self._date("expires_on")
        if self.parts and ends is not None and ends < before and self.ended_by is not None:
            self._compare(max(ends + ONE_DAY, self.stages[-1].day), self.ended_by)

    def _date(self, term: str) -> date | None:
        value = self.terms.get(term)
        return date.fromisoformat(value) if isinstance(value, str) else None

    def _compare(self, day: date, event: LicenceEvent) -> None:
        ends = self._date("expires_on")
        active = self.terms.get("status") == "active" and (ends is None or day <= ends)
        if active and self.activated_on is None:
            self.activated_on = day
        after = dict(self._billable()) if active else {}
        differences: dict[ItemKey, list[tuple[Part, int]]] = {}
        for part in {**self.parts, **after}:
            difference = after.get(part, 0) - self.parts.get(part, 0)
            if difference:
                differences.setdefault(part[0], []).append((part, difference))
        for item, parts in differences.items():
            self._move(day, event, item, tuple(parts))
        self.parts = after
        self.stages.append(Stage(day, active, self._text("billing"), self._renewal()))

    def _renewal(self) -> date | None:
        """The renewal date; an annual licence without one renews a year after its activation."""
        named = self._date("renews_on")
        if named is None and self.terms.get("billing") == "annual" and self.activated_on is not None:
            return years_later(self.activated_on)
        return named

    def _text(self, term: str) -> str | None:
        value = self.terms.get(term)
        return value if isinstance(value, str) else None

    def _billable(self) -> Iterable[tuple[Part, int]]:
        for term, value in self.terms.items():
            item = item_key(term)
            if not item or not value or item in self.unbilled or item in self.implied:
                continue
            match item.kind:
                case ItemKind.SEAT:
                    yield (item, ""), int(value)
                case ItemKind.PLAN | ItemKind.SUPPORT:
                    yield (item, str(value)), 1
                case ItemKind.WHITELABEL | ItemKind.ADDON | ItemKind.PLUGIN:
                    yield (item, ""), 1
                case ItemKind.ADMIN | ItemKind.WEBRTC | ItemKind.PHONEBAR:
                    pass  # included
                case ItemKind.BILLING | ItemKind.TOKEN | ItemKind.STATUS:
                    pass  # never billed
                case kind:
                    assert_never(kind)

    def _move(self, day: date, event: LicenceEvent, item: ItemKey, parts: Parts) -> None:
        kind = _kind(event, parts)
        steps = {day: parts}
        if kind is MoveKind.DOWN and (since := _decrease_counts_from(event) or day) < day:
            steps = self._late_decrease(since, day, parts)
        elif event.kind.startswith("activate/") and item in (ItemKey.SUPPORT, ItemKey.WHITELABEL):
            steps = {self.begun.get(event.ticket, day): parts}  # decided later, billed from the activation
        for on, step in steps.items():
            self.moves.append(Move(item, on, step, kind, event.ticket, event.rule, (event.token, event.revision)))

    def _late_decrease(self, since: date, day: date, parts: Parts) -> dict[date, Parts]:
        """The steps of a decrease committed late: it counts from ``since`` on, but never below what was there each day."""
        part, less = next((part, count) for part, count in parts if count < 0)
        left, taken = self.parts[part] + less, 0
        known = [(move.day, count) for move in self.moves for one, count in move.parts if one == part]
        steps: dict[date, Parts] = {}
        for on in sorted({since} | {at for at, _ in known if since < at <= day}):
            over = max(0, sum(count for at, count in known if at <= on) - left)
            if over != taken:
                steps[on] = tuple((one, over - taken if count > 0 else taken - over) for one, count in parts)
                taken = over
        return steps


def _kind(event: LicenceEvent, parts: Parts) -> MoveKind:
    """UP or DOWN by the counts; if one option replaced another, by the rule."""
    if event.kind == "import":
        return MoveKind.EVEN
    if len(parts) == 1:
        return MoveKind.UP if parts[0][1] > 0 else MoveKind.DOWN
    if event.rule == Rule.INCREASE:
        return MoveKind.UP
    return MoveKind.DOWN if event.rule in DECREASES else MoveKind.EVEN


def _decrease_counts_from(event: LicenceEvent) -> date | None:
    """The day from which a requested decrease counts if committed on time; None for anything else."""
    if event.asked_on is None or event.rule not in DECREASES:
        return None
    return decrease_day(event.asked_on)
