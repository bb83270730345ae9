"""The invoice lines of a month, from the events of the ledger alone.

An invoice is everything due at the end of its month less everything due at the end of the month before. So nothing is
billed twice or forgotten, and the next invoice corrects a mistake. Events are never changed, so past invoices are not
either.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import partial
from zoneinfo import ZoneInfo

from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.ledger.billing_history import BillingHistory, Move, MoveKind, Part, billing_history, committed_on
from mailbot.core.ledger.licence import LicenceEvent, Value
from mailbot.core.ledger.period import Period, month_end, next_month
from mailbot.core.ledger.rule import Rule

#: Identifies a licence across token changes: token and revision of its first event.
Origin = tuple[str, int]


@dataclass(frozen=True)
class InvoiceLine:
    """One invoice line. ``quantity`` is negative for a credit; ``fraction`` is "days billed/days of the period", not reduced."""

    month: str
    token: str
    item: ItemKey
    quantity: int
    period_from: date
    period_to: date
    fraction: str
    amount: Decimal | None
    currency: str | None
    ticket: str | None
    rule: str | None


@dataclass(frozen=True)
class Prices:
    """Monthly prices by item (``agents``, ``plan:voice``, ``addon:KEY``). Lines without a price have no amount."""

    amounts: Mapping[str, Decimal]
    currency: str | None = None


#: Returns the prices in force at the end of the month that contains a date.
PricesOf = Callable[[date], Prices]


@dataclass(frozen=True)
class _Charge:
    """An amount due: ``parts`` from ``first`` to the end of ``period``."""

    item: ItemKey
    first: date
    period: Period
    months: int
    move: tuple[str, int] | None  # the increase it comes from; None: held when the period began
    parts: Mapping[Part, int]
    ticket: str | None
    rule: str | None

    @property
    def key(self) -> tuple[ItemKey, date, Period, tuple[str, int] | None]:
        return self.item, self.first, self.period, self.move


def month_of_text(text: str) -> date:
    """The first day of a month written YYYY-MM. Raises ValueError for anything else."""
    if len(text) != 7:
        msg = "a month is written YYYY-MM"
        raise ValueError(msg)
    return date.fromisoformat(f"{text}-01")


def invoice(
    events: Iterable[LicenceEvent],
    month: date,
    zone: ZoneInfo,
    prices: PricesOf,
    unbilled: frozenset[str] = frozenset(),
) -> tuple[InvoiceLine, ...]:
    """The invoice lines of the month that contains ``month``, for the whole ledger, sorted by token, item and day.

    ``events`` are in the order written; those committed after the last day of the month are ignored.
    """
    end = month_end(month)
    before = month.replace(day=1) - timedelta(days=1)
    lines: list[InvoiceLine] = []
    for history in contracts([e for e in events if committed_on(e, zone) <= end]).values():
        now = billing_history(history, zone, unbilled)
        known = [e for e in history if committed_on(e, zone) <= before]
        same = len(known) == len(history)
        # Without new events, periods that ended before this month cannot change.
        since = month.replace(day=1) if same else date.min
        told = now if same or not known else billing_history(known, zone, unbilled)
        then = _due(told, before, since) if known else {}
        first = partial(_first_invoice, known, zone, unbilled, before)
        lines += _difference((told, now), (then, _due(now, end, since)), end, (prices, first))
    return tuple(sorted(lines, key=_order))


def contracts(events: Iterable[LicenceEvent]) -> dict[Origin, list[LicenceEvent]]:
    """The events of each licence, followed across token changes."""
    found: dict[Origin, list[LicenceEvent]] = {}
    current: dict[str, list[LicenceEvent]] = {}
    handed: dict[str, list[LicenceEvent]] = {}
    for event in events:
        token = event.token
        to = event.changes.get("replaced_by")
        if isinstance(to, str) and token in current:
            handed[to] = current.pop(token)
            handed[to][:] = [e for e in handed[to] if e.effective <= event.effective]
            current[token] = [_snapshot(handed[to], event)]
            found[token, event.revision] = current[token]
        elif event.kind == "moved" and token in handed:
            current[token] = handed.pop(token)
            current[token].append(event)
        elif token in current:
            current[token].append(event)
        else:
            current[token] = found[token, event.revision] = [event]
    return found


def _snapshot(history: Sequence[LicenceEvent], replaced: LicenceEvent) -> LicenceEvent:
    """The final state of a replaced token, in case an operator restores it."""
    changes: dict[str, Value] = {}
    for event in sorted(history, key=lambda e: e.effective):
        changes |= event.changes
    return replace(replaced, changes=changes | replaced.changes)


def _due(licence: BillingHistory, end: date, since: date) -> dict[object, _Charge]:
    """Everything due by the invoice dated ``end``: the periods that begin before the next invoice.

    Leaves out periods that ended before ``since``.
    """
    charges: dict[object, _Charge] = {}
    for first, period in licence.periods(month_end(next_month(end))):
        for charge in () if period.last < since else _of_period(licence, first, period, end):
            charges[charge.key] = charge
    return charges


def _of_period(licence: BillingHistory, first: date, period: Period, end: date) -> Iterable[_Charge]:
    """Yields what the licence held when the period began (or holds now, if it has not begun), and increases within it."""
    months = 12 if period.days > 31 else 1
    begun = date.min if licence.begins_anew(first) else min(first - timedelta(days=1), end)
    items: dict[ItemKey, list[Move]] = {}
    for move in licence.moves:
        if move.day <= begun:
            items.setdefault(move.item, []).append(move)
        elif first <= move.day <= min(period.last, end) and move.kind is MoveKind.UP:
            yield _Charge(
                move.item, move.day, period, months, move.event, dict(move.parts), move.ticket, move.rule
            )  # fmt: skip
    for item, moves in items.items():
        parts: dict[Part, int] = {}
        for part, difference in (pair for move in moves for pair in move.parts):
            parts[part] = parts.get(part, 0) + difference
        held = {part: count for part, count in parts.items() if count > 0}
        if held:
            yield _Charge(item, first, period, months, None, held, moves[-1].ticket, moves[-1].rule)


#: Ticket and rule of a line, and the direction if one option replaced another: 1 up, -1 down, 0 neither.
_Cause = tuple[str | None, str | None, int]
_Charges = Mapping[object, _Charge]


def _first_invoice(
    known: Sequence[LicenceEvent], zone: ZoneInfo, unbilled: frozenset[str], month: date, charge: _Charge
) -> date:
    """The last day of the month whose invoice first contained the charge."""
    before = month.replace(day=1) - timedelta(days=1)
    known = [e for e in known if committed_on(e, zone) <= before]
    if not known or charge.key not in _due(billing_history(known, zone, unbilled), before, charge.period.last):
        return month
    return _first_invoice(known, zone, unbilled, before, charge)


def _difference(
    histories: tuple[BillingHistory, BillingHistory],
    charges: tuple[_Charges, _Charges],
    end: date,
    pricing: tuple[PricesOf, Callable[[_Charge], date]],
) -> Iterable[InvoiceLine]:
    """Yields a line for each difference between what was due ``then`` and what is due ``now``.

    A correction uses the prices of the invoice that first contained the charge, so that a credit undoes it exactly.
    """
    then, now = charges
    prices, first = pricing
    for key in {**then, **now}:
        old, new = then.get(key), now.get(key)
        charge = new or old
        if charge is None or (old is not None and new is not None and old.parts == new.parts):
            continue
        parts = {
            part: count
            for part in {**(old.parts if old else {}), **(new.parts if new else {})}
            if (count := (new.parts.get(part, 0) if new else 0) - (old.parts.get(part, 0) if old else 0))
        }
        cause = (charge.ticket, charge.rule, 1) if old is None else _cause(*histories, charge)
        line = _line(histories[1].token, charge, parts, cause, end, prices(end if old is None else first(old)))
        if line.quantity:
            yield line


def _cause(then: BillingHistory, now: BillingHistory, charge: _Charge) -> _Cause:
    """The cause of a correction: the last move of its item before the period begins, or the reversal of a move."""
    stands, known = ({move.event for move in history.moves} for history in (now, then))
    if charge.move is not None:
        return charge.ticket, "reversal", 1 if charge.move in stands else -1
    before, after = ([m for m in c.moves if m.item == charge.item and m.day <= charge.first] for c in (then, now))
    gone = [move for move in before if move.event not in stands]
    if after and (not gone or after[-1].event not in known):
        return after[-1].ticket, after[-1].rule, _step(after[-1], down=MoveKind.DOWN)
    return (gone[-1].ticket, "reversal", _step(gone[-1], down=MoveKind.UP)) if gone else (charge.ticket, "reversal", -1)


def _step(move: Move, down: MoveKind) -> int:
    """1 or -1 by the kind of move; 0 for a change that staff approved as equal."""
    if move.kind is MoveKind.EVEN and move.rule == Rule.BY_STAFF:
        return 0
    return -1 if move.kind is down else 1


def _line(
    token: str, charge: _Charge, parts: Mapping[Part, int], cause: _Cause, end: date, prices: Prices
) -> InvoiceLine:  # fmt: skip
    amount = amount_of(parts, charge.months, charge.period.fraction(charge.first), prices)
    ticket, rule, step = cause
    return InvoiceLine(
        month=f"{end:%Y-%m}",
        token=token,
        item=charge.item,
        quantity=_quantity(parts, step if amount is None else -1 if amount < 0 else 1),
        period_from=charge.first,
        period_to=charge.period.last,
        fraction=charge.period.fraction(charge.first),
        amount=amount,
        currency=prices.currency if amount is not None else None,
        ticket=ticket,
        rule=rule,
    )


def _quantity(parts: Mapping[Part, int], step: int) -> int:
    """The count, or ``step`` if one option replaced another."""
    return next(iter(parts.values())) if len(parts) == 1 else step


def amount_of(parts: Mapping[Part, int], months: int, fraction: str, prices: Prices) -> Decimal | None:
    """Monthly price x months x count x fraction, rounded half up to cents once per line; None without a price."""
    total = Fraction(0)
    for (item, option), count in parts.items():
        price = prices.amounts.get(f"{item}:{option}" if option else item)
        if price is None:
            return None
        total += Fraction(price) * count
    exact = total * months * Fraction(fraction)
    return _cents(exact)


def _cents(exact: Fraction) -> Decimal:
    """Cents rounded half away from zero, so that a credit equals its charge."""
    cents = abs(exact) * 100
    whole = int(cents) + (cents - int(cents) >= Fraction(1, 2))
    return (Decimal(whole) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP).copy_sign(-1 if exact < 0 else 1)


def _order(line: InvoiceLine) -> tuple[str, int, str, date, date, str]:
    return line.token, line.item.place, line.item, line.period_from, line.period_to, line.ticket or ""
