"""Invoices: what the events of a licence put on which month's invoice. Worked examples stand in docs/billing.md."""

from calendar import monthrange
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.ledger.invoices import InvoiceLine, Prices, amount_of, invoice
from mailbot.core.ledger.licence import LicenceEvent
from mailbot.core.ledger.period import Period, month_end, next_month, period_of

ROME = ZoneInfo("Europe/Rome")
TOKEN = "A1B2C3D4E5F6"


def free(_: date) -> Prices:
    """No item has a price, in no month."""
    return Prices({})


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ROME).astimezone(UTC)


class Book:
    """A ledger that is written to day by day."""

    def __init__(self) -> None:
        self.events: list[LicenceEvent] = []

    def add(self, on: date, kind: str, rule: str, token: str = TOKEN, effective: date | None = None, **more) -> None:
        """``more``: the event's own fields; all else are terms, ``__`` for the colon of a key."""
        own = {key: more.pop(key) for key in ("ticket", "asked_on") if key in more}
        revision = sum(e.token == token for e in self.events) + 1
        changes = {key.replace("__", ":"): value for key, value in more.items()}
        self.events.append(
            LicenceEvent(
                token=token, revision=revision, at=noon(on), effective=effective or on, kind=kind, rule=rule,
                changes=changes, **own,
            )
        )  # fmt: skip

    def imported(self, on: date, **terms) -> None:
        self.add(on, "import", "import", **{"status": "active", "plan": "voice", "billing": "monthly", **terms})

    def month(self, year: int, month: int) -> list[tuple]:
        return [short(line) for line in invoice(self.events, date(year, month, 1), ROME, free)]


def short(line: InvoiceLine) -> tuple:
    return (line.item, line.quantity, f"{line.period_from}..{line.period_to}", line.fraction, line.ticket, line.rule)


def test_an_imported_licence_is_billed_from_the_next_period_on() -> None:
    book = Book()
    book.imported(date(2026, 11, 3), agents=10)
    assert book.month(2026, 10) == []
    assert book.month(2026, 11) == [
        ("plan", 1, "2026-12-01..2026-12-31", "31/31", None, "import"),
        ("agents", 10, "2026-12-01..2026-12-31", "31/31", None, "import"),
    ]


def test_a_change_of_token_goes_on_with_the_same_account() -> None:
    book = Book()
    book.imported(date(2026, 11, 3), agents=10)
    terms = {"status": "active", "plan": "voice", "agents": 10, "billing": "monthly"}
    book.add(
        date(2026, 11, 10), "moved", "by_staff", status="replaced", replaced_by="NEWTOKEN1234", ticket="LIC-9"
    )  # fmt: skip
    book.add(date(2026, 11, 10), "moved", "by_staff", token="NEWTOKEN1234", ticket="LIC-9", **terms)
    lines = invoice(book.events, date(2026, 11, 1), ROME, free)
    assert {(line.token, line.item, line.quantity) for line in lines} == {
        ("NEWTOKEN1234", "plan", 1),
        ("NEWTOKEN1234", "agents", 10),
    }
    book.add(date(2026, 12, 5), "set", "set", status="active")  # the old token is brought back by hand
    lines = invoice(book.events, date(2026, 12, 1), ROME, free)
    assert Counter(line.token for line in lines) == {"NEWTOKEN1234": 2, TOKEN: 4}


def test_a_reversed_change_is_credited_whole() -> None:
    book = Book()
    book.imported(date(2026, 10, 3), agents=10)
    book.add(date(2026, 11, 10), "modify/add", "increase", agents=15, ticket="LIC-1")
    before = book.month(2026, 11)
    assert before[1:] == [
        ("agents", 5, "2026-11-10..2026-11-30", "21/30", "LIC-1", "increase"),
        ("agents", 15, "2026-12-01..2026-12-31", "31/31", "LIC-1", "increase"),
    ]
    book.add(date(2026, 12, 2), "set", "reversal", agents=10, reverses=2)
    assert book.month(2026, 11) == before
    assert book.month(2026, 12)[1:] == [
        ("agents", -5, "2026-11-10..2026-11-30", "21/30", "LIC-1", "reversal"),
        ("agents", -5, "2026-12-01..2026-12-31", "31/31", "LIC-1", "reversal"),
        ("agents", 10, "2027-01-01..2027-01-31", "31/31", None, "import"),
    ]


def test_amounts_are_rounded_once_and_a_credit_undoes_its_charge() -> None:
    prices = Prices({"agents": Decimal("9.99"), "plan:voice": Decimal(10), "plan:voice_digital": Decimal(25)}, "EUR")
    assert amount_of({("agents", ""): 1}, 1, "1/2", prices) == Decimal("5.00")  # 4.995
    assert amount_of({("agents", ""): -1}, 1, "1/2", prices) == Decimal("-5.00")
    assert amount_of({("plan", "voice_digital"): 1, ("plan", "voice"): -1}, 1, "10/30", prices) == Decimal("5.00")
    assert amount_of({("agents", ""): 2}, 12, "365/365", prices) == Decimal("239.76")
    assert amount_of({("users", ""): 2}, 1, "30/30", prices) is None


days = st.dates(date(2023, 1, 1), date(2033, 12, 31))


@given(days, st.sampled_from(["monthly", "annual"]), st.dates(date(2024, 1, 1), date(2029, 12, 31)), st.data())
def test_the_parts_of_a_split_period_add_up_to_the_whole(day: date, billing: str, renews_on: date, data) -> None:
    period = period_of(billing, renews_on, day)
    assert period.first <= day <= period.last
    assert period_of(billing, renews_on, period.last + timedelta(days=1)).first == period.last + timedelta(days=1)
    assert period_of(billing, renews_on, period.first - timedelta(days=1)).last == period.first - timedelta(days=1)
    cuts = data.draw(st.lists(st.dates(period.first, period.last), unique=True, max_size=6))
    starts = sorted({period.first, *cuts})
    left = [Fraction(period.fraction(start)) for start in starts] + [Fraction(0)]
    assert sum(here - after for here, after in pairwise(left)) == 1
    assert Period(period.first, period.last).fraction(period.first) == f"{period.days}/{period.days}"


#: What may happen on a day: (seats or option, rule by which it grows).
Change = tuple[int, str, int]
changes = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(["agents", "users", "plugin:botify"]), st.integers(0, 9)),
    max_size=12,
)


def grown(script: list[Change], begins: date) -> Book:
    """A licence activated on ``begins`` whose seats go up and down by the rules."""
    book = Book()
    book.add(
        begins, "activate/plan", "automatic", status="active", plan="voice", agents=5, billing="monthly",
        renews_on=None, ticket="LIC-0",
    )  # fmt: skip
    held = Counter({"agents": 5})
    for number, (after, item, to) in enumerate(sorted(script, key=lambda change: change[0]), 1):
        day = begins + timedelta(days=after)
        value = bool(to % 2) if ":" in item else to
        if value == held[item]:
            continue
        up = value > held[item]
        rule = "increase" if up else "decrease_by_20th" if day.day <= 20 else "decrease_after_20th"
        effective = day if up or day.day <= 20 else next_month(day)
        name = item.replace(":", "__")
        kind = "modify/add" if up else "modify/remove"
        book.add(day, kind, rule, effective=effective, ticket=f"LIC-{number}", asked_on=day, **{name: value})
        held[item] = value
    return book


def seat_days(book: Book, until: date) -> Counter:
    """Independently, day by day: what each day costs. A rise counts from its day, a fall from the next period on."""
    begins = book.events[0].effective
    cost: Counter = Counter()
    real: Counter = Counter()
    paid: Counter = Counter()
    day = begins
    while day <= until:
        if day.day == 1:
            paid = Counter(real)  # as it stood at the end of the month before
        for event in sorted(book.events, key=lambda e: e.effective):
            if event.effective != day:
                continue
            for item, value in event.changes.items():
                if item in ("agents", "users") or ":" in item:
                    if value > real[item]:
                        paid[item] += value - real[item]
                    real[item] = int(value)
        for item, count in paid.items():
            cost[item] += Fraction(count, monthrange(day.year, day.month)[1])
        day += timedelta(days=1)
    return cost


@settings(max_examples=150, deadline=None)
@given(changes, st.dates(date(2026, 1, 1), date(2028, 3, 1)))
def test_nothing_is_billed_twice_or_forgotten(script: list[Change], begins: date) -> None:
    book = grown(script, begins)
    last = month_end(begins + timedelta(days=430))
    billed: Counter = Counter()
    month = begins
    while month <= last:
        for line in invoice(book.events, month, ROME, free):
            if line.item != "plan":
                billed[line.item] += line.quantity * Fraction(line.fraction)
        month = next_month(month)
    expected = seat_days(book, month_end(next_month(last)))
    assert {k: v for k, v in billed.items() if v} == {k: v for k, v in expected.items() if v}


@settings(max_examples=60, deadline=None)
@given(changes, st.dates(date(2026, 1, 1), date(2028, 3, 1)), st.integers(0, 12))
def test_what_comes_later_changes_no_earlier_invoice(script: list[Change], begins: date, months: int) -> None:
    book = grown(script, begins)
    end = month_end(begins)
    for _ in range(months):
        end = month_end(next_month(end))
    known = [event for event in book.events if event.at.astimezone(ROME).date() <= end]
    month = begins
    while month <= end:
        assert invoice(known, month, ROME, free) == invoice(book.events, month, ROME, free)
        assert invoice(book.events, month, ROME, free) == invoice(book.events, month, ROME, free)
        month = next_month(month)
