"""Random lives of a licence, played on a whole desk: each period costs what the states of its days say, and nothing else.

More of them: ``BILLING_PLAYS=200 pytest tests/whole_desk/test_billing_random.py``.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from mailbot.core.catalogue.item_kinds import AGENTS, ItemKey
from mailbot.core.ledger.licence import Licence
from mailbot.core.ledger.period import month_end, next_month, period_of
from mailbot.process import invoicing, mapping
from tests.docs.test_billing_page import NEW, ROME, TOKEN, Example

BEGIN, MONTHS = date(2026, 11, 3), 14
COUNTED = (AGENTS, ItemKey("users"), ItemKey.addon("quality_analysis"), ItemKey.plugin("botify"))
#: What may happen, how often; ``{n}`` and ``{m}`` are numbers.
ACTS = {
    "add agents={n}": 6, "add users={m}": 3, "remove agents={n}": 6, "remove users={m}": 3, "add addons=quality_analysis": 2,
    "remove addons=quality_analysis": 2, "add plugins=botify": 1, "remove plugins=botify": 1, "contract plan={plan}": 2,
    "contract support=platinum": 1, "deactivate": 1, "restore": 3, "set agents={n}": 1, "move": 1, "cancel": 2,
    "set expires_on={soon}": 1, "set status=active": 1,
}  # fmt: skip


def play(example: Example, rng: random.Random, billing: str) -> None:
    """A life: at most one thing a day, staff decide on the next."""
    example.desk.configure("timers", staff_reminder_hours=20_000)
    terms = "billing=monthly" if billing == "monthly" else f"billing=annual renews_on=2027-0{rng.randint(1, 9)}-15"
    example.happen(f"{BEGIN} 10:00 import agents=10 {terms}")
    day = BEGIN
    moved = False
    while day < BEGIN + timedelta(days=30 * (MONTHS - 2)):
        day += timedelta(days=rng.randint(2, 25))
        day += timedelta(
            days=day.day == 1
        )  # a seat that goes and comes on one day is no rise in the states of the days
        act = rng.choices(list(ACTS), list(ACTS.values()))[0].format(
            n=rng.randint(5, 20), m=rng.randint(1, 5), plan=rng.choice(["voice", "digital", "voice_digital"]),
            soon=day + timedelta(days=rng.randint(1, 40)),
        )  # fmt: skip
        if moved and act.startswith(("move", "set")):
            continue
        if act == "cancel":
            ref = f"LIC-{example.mails}"
            if not any(ref in str(mail["Subject"]) for mail in example.desk.sent):
                continue
            act = f"cancel {ref}"
        example.happen(f"{day} 10:00 {act}")
        if act.startswith(("contract", "restore", "move")):
            day += timedelta(days=1)
            example.happen(f"{day} 10:00 decide LIC-{example.mails} APPROVE")
            moved = moved or act == "move"
    example.go_to(datetime.combine(BEGIN + timedelta(days=31 * MONTHS), time(10), ROME).astimezone(UTC))


def states(example: Example) -> Iterator[tuple[date, Licence | None]]:
    """The licence on each day, by whichever token it has then."""
    with example.desk.desk.store.read() as session:
        for number in range(31 * MONTHS):
            day = BEGIN + timedelta(days=number)
            licence = mapping.load_licence(session, TOKEN, day)
            if licence is not None and licence.status == "replaced":
                licence = mapping.load_licence(session, NEW, day)
            yield day, licence


def owed(example: Example) -> dict[tuple[str, date], Fraction]:
    """By item and last day of the period: what was there as it began, and each rise from its day on."""
    cost: dict[tuple[str, date], Fraction] = {}
    before: Counter[str] = Counter()
    for day, licence in states(example):
        if licence is None:
            continue
        active = licence.status == "active"
        now = Counter({item: int(licence.value(item) or 0) for item in COUNTED} if active else {})
        period = period_of(licence.billing, licence.renewal, day)
        for item in COUNTED:
            key = item, period.last
            if active and day == period.first and before[item]:
                cost[key] = cost.get(key, Fraction(0)) + before[item]
            if now[item] > before[item] and day > BEGIN:
                cost[key] = cost.get(key, Fraction(0)) + (now[item] - before[item]) * Fraction(period.fraction(day))
        before = now
    return {key: value for key, value in cost.items() if value}


def billed(example: Example, months: int) -> dict[tuple[str, date], Fraction]:
    """By item and last day of the period: all invoice lines."""
    total: dict[tuple[str, date], Fraction] = {}
    month = BEGIN
    with example.desk.desk.store.read() as session:
        for _ in range(months):
            for line in invoicing.lines_of(session, month, ROME):
                if line.item in COUNTED:
                    key = line.item, line.period_to
                    total[key] = total.get(key, Fraction(0)) + line.quantity * Fraction(line.fraction)
            month = next_month(month)
    return {key: value for key, value in total.items() if value}


@pytest.mark.parametrize(
    "seed", range(int(os.environ.get("BILLING_PLAYS", "3" if os.environ.get("THOROUGH") else "1")))
)
def test_each_period_costs_what_its_days_say(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    example = Example(tmp_path)
    play(example, rng, "monthly" if seed % 3 else "annual")
    last = month_end(BEGIN + timedelta(days=31 * (MONTHS - 2)))
    expected = {key: cost for key, cost in owed(example).items() if key[1] <= last}
    found = {key: cost for key, cost in billed(example, MONTHS - 1).items() if key[1] <= last}
    assert found == expected
    example.audit()
