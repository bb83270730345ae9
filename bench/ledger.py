"""Times of the ledger: a licence from 1,000 events, an invoice of 10,000 licences, 10,000 overdue timers.

    .venv/bin/python bench/ledger.py

Each is printed with its ratio to the time for a licence of ten events, so that machines can be compared.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from mailbot.core.ledger.invoices import Prices, invoice
from mailbot.core.ledger.licence import LicenceEvent, state_on
from mailbot.service.runner import work_off
from storage import due
from tests.support.running import running

BEGUN = datetime(2020, 1, 1, 12, tzinfo=UTC)
ROME = ZoneInfo("Europe/Rome")


def free(_: date) -> Prices:
    """A price list without prices, for every month."""
    return Prices({})


def history(token: str, count: int) -> list[LicenceEvent]:
    """The events of a licence whose agents change every day."""
    terms = {"status": "active", "plan": "voice", "billing": "monthly", "agents": 10}
    return [
        LicenceEvent(
            token=token, revision=n + 1, at=BEGUN + timedelta(days=n), effective=(BEGUN + timedelta(days=n)).date(),
            kind="modify/add", rule="increase", changes=terms if n == 0 else {"agents": 10 + n % 7},
        )
        for n in range(count)
    ]  # fmt: skip


def main(things: int) -> None:
    """Print one line per measurement."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))  # errors only
    ten, thousand = history("TOKEN", 10), history("TOKEN", 1000)
    unit = min(seconds(lambda: [state_on(ten, date(2030, 1, 1)) for _ in range(100)]) for _ in range(5)) / 100
    say("a licence from 1,000 events", seconds(lambda: state_on(thousand, date(2030, 1, 1))), unit)
    say("its invoice after 1,000 events", seconds(lambda: invoice(thousand, date(2022, 9, 1), ROME, free)), unit)
    many = [event for n in range(10_000) for event in history(f"TOKEN{n:06}", 3)]
    say("an invoice of 10,000 licences", seconds(lambda: invoice(many, date(2020, 6, 1), ROME, free)), unit)
    with tempfile.TemporaryDirectory() as folder:
        desk = running(Path(folder)).desk
        now = desk.clock()
        with desk.store.write() as session:
            for n in range(things):
                due.add(session, "demo_warning", now - timedelta(seconds=n), now, ref=f"LIC-{n}")
        say(f"{things} due things caught up", seconds(lambda: work_off(desk)), unit)


def say(what: str, took: float, unit: float) -> None:
    print(f"{what}: {took:.3f} s, ratio {took / unit:.0f}")


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("things", nargs="?", type=int, default=10_000, help="how many licences and due things")
    given = parser.parse_args()
    main(given.things)
