"""Accuracy of reading forms, field by field, on the golden mails and on random realistic mails, and the time per mail.

    python bench/understand.py [NUMBER [SEED]]

Exit code 1 if any field was read wrong, or under 99 % of the fields of mails without a mistake were read right.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.golden import MAILS, expected_of, seen
from tests.support.mailgen import Measured, compared, mails, understood


def main(count: int, seed: int) -> int:
    golden, well, spoilt, times = golden_set(), Measured(), Measured(), []
    numbers = {True: 0, False: 0}
    for made in mails(seed, count):
        begun = time.perf_counter()
        found = understood(made)
        times.append(1000 * (time.perf_counter() - begun))
        numbers[made.well_meant] += 1
        (well if made.well_meant else spoilt).add(compared(made.truths, found, made.traits))
    row("", "mails", "fields", "right", "asked", "wrong", "lost")
    told("golden set", len(MAILS), golden)
    told("random, without a mistake", numbers[True], well)
    told("random, with a mistake", numbers[False], spoilt)
    for fault in (golden.faults + well.faults + spoilt.faults)[:40]:
        print(fault)
    quantiles = statistics.quantiles(times, n=100)
    print(f"time per mail: median {statistics.median(times):.2f} ms, 99th percentile {quantiles[98]:.2f} ms")
    good = not golden.faults and not well.wrong + spoilt.wrong and well.right >= 0.99 * well.fields
    return int(not good)


def golden_set() -> Measured:
    """The fields of the golden mails, including those of replies."""
    one = Measured()
    for path in MAILS:
        expected = expected_of(path)
        found = seen(path.read_bytes(), expected)
        wanted, got = _fields(expected), _fields(found)
        one.right += sum(wanted[key] == got.get(key) for key in wanted)
        faults = [key for key in {**wanted, **got} if wanted.get(key) != got.get(key)]
        one.wrong += len(faults)
        one.asked += sum(len(form["problems"]) for form in _forms(found))
        if found != {key: expected[key] for key in found}:
            one.faults.append(f"{path.stem}: not as expected {faults}")
    return one


def _forms(of: dict[str, Any]) -> list[dict[str, Any]]:
    return list(of["forms"])


def _fields(of: dict[str, Any]) -> dict[tuple[int, str], object]:
    fields = {(n, key): value for n, form in enumerate(_forms(of)) for key, value in form["fields"].items()}
    kinds = {(n, "request"): (form["request"], form["action"]) for n, form in enumerate(_forms(of))}
    return {**fields, **kinds, **{(-1, key): value for key, value in of.get("corrected", {}).items()}}


def row(*cells: object) -> None:
    print(str(cells[0]).ljust(24), *(str(cell).rjust(9) for cell in cells[1:]))


def told(name: str, count: int, of: Measured) -> None:
    right = f"{100 * of.right / max(of.fields, 1):.2f} %"
    row(name, count, of.fields, right, of.asked, of.wrong, of.missed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("number", nargs="?", type=int, default=5000, help="how many random mails")
    parser.add_argument("seed", nargs="?", type=int, default=1, help="which random mails")
    given = parser.parse_args()
    sys.exit(main(given.number, given.seed))
