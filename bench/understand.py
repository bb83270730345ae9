"""How well mails are understood: the golden set and 5,000 random realistic mails, field by field, and the time per mail.

    python bench/understand.py [NUMBER [SEED]]

Exits with 1 when a field was read wrong, or less than 99 % of the fields of well-meant mails were read right.
"""

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.mailgen import Measured, compared, mails, understood


def main(count: int = 5000, seed: int = 1) -> int:
    well, spoilt, times = Measured(), Measured(), []
    for made in mails(seed, count):
        begun = time.perf_counter()
        found = understood(made)
        times.append(1000 * (time.perf_counter() - begun))
        (well if made.well_meant else spoilt).add(compared(made.truths, found, made.traits))
    row("mails", "fields", "right", "asked about", "read wrong", "lost")
    told("well meant", well)
    told("with a mistake", spoilt)
    for fault in (well.faults + spoilt.faults)[:40]:
        print(fault)
    print(
        f"time per mail: median {statistics.median(times):.2f} ms, 99th percentile {statistics.quantiles(times, n=100)[98]:.2f} ms"
    )
    return int(well.wrong + spoilt.wrong > 0 or well.right < 0.99 * well.fields)


def row(*cells: object) -> None:
    print("  ".join(str(cell).rjust(12) for cell in cells))


def told(name: str, of: Measured) -> None:
    row(name, of.fields, f"{100 * of.right / max(of.fields, 1):.2f} %", of.asked, of.wrong, of.missed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
