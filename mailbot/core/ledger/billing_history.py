"""The course of a licence as billing sees it: which parts were billable from which day on, by which ticket and rule.

A part is an item with its option: ``("agents", "")`` counts seats, ``("plan", "voice")`` is one plan. Everything follows
from the events alone. How it becomes invoice lines: ``invoices``.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from mailbot.core.catalogue.item_kinds import CHOSEN, ItemKey, ItemKind, item_key
from mailbot.core.ledger.licence import LicenceEvent, Value, state_on, valid_events
from mailbot.core.ledger.period import Period, decrease_day, next_period, period_of, years_later
from mailbot.core.ledger.rule import DECREASES, Rule

#: Items with a value that is chosen: of two that follow each other only the difference is billed.
OPTIONS = frozenset({ItemKind.PLAN, ItemKind.SUPPORT})

Part = tuple[ItemKey, str]
Parts = tuple[tuple[Part, int], ...]
ONE_DAY = timedelta(days=1)


class MoveKind(StrEnum):
    """What a move does to the running period: adds to it, gives nothing back, or leaves it alone by its nature."""

    UP = "up"
    DOWN = "down"
    EVEN = "even"


@dataclass(frozen=True)
class Move:
    """From ``day`` on billing counts ``parts`` more (or less, below 0) of ``item``; ``event`` (token, revision) made it."""

    item: ItemKey
    day: date
    parts: Parts
    kind: MoveKind
    ticket: str | None
    rule: str | None
    event: tuple[str, int]


@dataclass(frozen=True)
class Stage:
    """From ``day`` until the next stage: whether the licence is billable, and how."""

    day: date
    active: bool
    billing: str | None
    renews_on: date | None


@dataclass(frozen=True)
class Course:
    """All moves by their days, and all stages by theirs."""

    token: str
    moves: tuple[Move, ...]
    stages: tuple[Stage, ...]

    def stage(self, day: date) -> Stage | None:
        """The stage on that day; None before the first."""
        place = bisect_right(self.stages, day, key=lambda stage: stage.day)
        return self.stages[place - 1] if place else None

    def begins_anew(self, day: date) -> bool:
        """Whether the licence was over as that day began and is active by its end: nothing of before goes on."""
        return any(stage.day == day and not stage.active for stage in self.stages)

    def periods(self, until: date) -> Iterator[tuple[date, Period]]:
        """The billing periods that begin by ``until`` while the licence is active, each with the day it counts from.

        Nothing while no way of billing is decided; once it is, the periods count from the activation.
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
        """``day``, or the first one after it, on which the licence is active."""
        now = self.stage(day)
        if now is not None and now.active:
            return day
        return next((stage.day for stage in self.stages if stage.day > day and stage.active), None)

    def _billing(self, day: date) -> tuple[str, date | None] | None:
        """The way of billing on that day, or the first one that was decided after it."""
        now = self.stage(day)
        ahead = (stage for stage in self.stages if stage.day > day)
        decided = next((s for s in (now, *ahead) if s is not None and s.billing is not None), None)
        return None if decided is None else (str(decided.billing), decided.renews_on)


def course(events: Sequence[LicenceEvent], zone: ZoneInfo, unbilled: frozenset[str]) -> Course:
    """The course that those events make. ``unbilled`` items are on no bill (plugins that come by themselves)."""
    walk = _Walk(unbilled)
    undone = {(e.token, e.changes["reverses"]) for e in events if "reverses" in e.changes}
    counted = [e for e in valid_events(events) if (e.token, e.revision) not in undone and "reverses" not in e.changes]
    dated = sorted(((_billed_from(e, counted, zone), e) for e in counted), key=lambda pair: pair[0])
    for day, event in _last_words(dated, zone):
        walk.take(day, event)
    walk.end()
    moves = tuple(sorted(walk.moves, key=lambda move: move.day))
    return Course(events[-1].token, moves, tuple(walk.stages))


def _last_words(dated: Sequence[tuple[date, LicenceEvent]], zone: ZoneInfo) -> Iterator[tuple[date, LicenceEvent]]:
    """The events without what a later one set anew before its day came: that never happened."""
    last = {
        (day, item): event.revision for day, event in dated if committed_on(event, zone) < day for item in event.changes
    }
    for day, event in dated:
        kept = {k: v for k, v in event.changes.items() if event.revision >= last.get((day, k), event.revision)}
        yield day, event if len(kept) == len(event.changes) else event.model_copy(update={"changes": kept})


def counts_from(event: LicenceEvent, zone: ZoneInfo) -> date:
    """The day from which an event counts for billing: nothing is backdated."""
    return max(event.effective, committed_on(event, zone))


def _billed_from(event: LicenceEvent, events: Sequence[LicenceEvent], zone: ZoneInfo) -> date:
    """As `day_of`; a deactivation that the desk was late with ends billing as if it had been committed when it was asked for."""
    day = counts_from(event, zone)
    if event.rule != Rule.DEACTIVATION or event.asked_on is None:
        return day
    licence = state_on([e for e in events if e is not event], event.asked_on)
    return min(day, next_period(licence.billing, licence.renewal, event.asked_on)) if licence else day


def committed_on(event: LicenceEvent, zone: ZoneInfo) -> date:
    """The business date on which it was written to the ledger."""
    return _business_date(event.at, zone)


def _business_date(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


class _Walk:
    """Goes through the events in the order of their days and notes what changes for billing."""

    def __init__(self, unbilled: frozenset[str]) -> None:
        self.unbilled = unbilled
        self.terms: dict[str, Value] = {}
        self.implied: set[str] = set()
        self.parts: dict[Part, int] = {}
        self.moves: list[Move] = []
        self.stages: list[Stage] = []
        self.activated_on: date | None = None
        self.begun: dict[str | None, date] = {}  # by ticket: the day on which its plan replaced what was there
        self.ended_by: LicenceEvent | None = None

    def take(self, day: date, event: LicenceEvent) -> None:
        self._expire(day)
        for item, to in event.changes.items():
            self.terms[item] = to
            key = item_key(item)
            if key and key.kind in CHOSEN and event.kind != "moved":  # which goes on as it was
                (self.implied.add if to and event.rule == Rule.IMPLIED else self.implied.discard)(item)
        if "expires_on" in event.changes:
            self.ended_by = event
        if event.kind.startswith("activate/") and event.changes.get("status") == "active":
            self.begun[event.ticket] = day
        self._compare(day, event)

    def end(self) -> None:
        """What ends by its date alone."""
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
        """The day of the yearly renewal; where an annual licence names none, it is counted from the activation."""
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
            if item.kind is ItemKind.SEAT:
                yield (item, ""), int(value)
            elif item.kind in OPTIONS:
                yield (item, str(value)), 1
            elif item.kind is ItemKind.WHITELABEL or item.kind in CHOSEN:
                yield (item, ""), 1

    def _move(self, day: date, event: LicenceEvent, item: ItemKey, parts: Parts) -> None:
        kind = _kind(event, parts)
        steps = {day: parts}
        if kind is MoveKind.DOWN and (since := _in_time(event) or day) < day:
            steps = self._taken_back(since, day, parts)
        elif event.kind.startswith("activate/") and item in (ItemKey.SUPPORT, ItemKey.WHITELABEL):
            steps = {self.begun.get(event.ticket, day): parts}  # decided later, it counts from the activation
        for on, step in steps.items():
            self.moves.append(Move(item, on, step, kind, event.ticket, event.rule, (event.token, event.revision)))

    def _taken_back(self, since: date, day: date, parts: Parts) -> dict[date, Parts]:
        """A decrease that the desk was late with counts from ``since`` on, but takes away nothing while it was not there."""
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
    """Up or down by the numbers; of one option after another only the rule knows."""
    if event.kind == "import":
        return MoveKind.EVEN
    if len(parts) == 1:
        return MoveKind.UP if parts[0][1] > 0 else MoveKind.DOWN
    if event.rule == Rule.INCREASE:
        return MoveKind.UP
    return MoveKind.DOWN if event.rule in DECREASES else MoveKind.EVEN


def _in_time(event: LicenceEvent) -> date | None:
    """The day on which a decrease would have counted had it been committed when it was asked for; None if no request."""
    if event.asked_on is None or event.rule not in DECREASES:
        return None
    return decrease_day(event.asked_on)
