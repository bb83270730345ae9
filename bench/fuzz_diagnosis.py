"""Fuzzes the readers of logs: ``fuzz_diagnosis.py [COUNT]``. Stops at the first exception and names its input.

The files of ``tests/support/loggen.py`` (plain, packed, in mails, in every encoding) and archives in archives are cut, overwritten,
doubled and joined at random, then examined with a form and a ledger. What must be true of every diagnosis is checked.
"""

import argparse
import random
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mailbot.core.desk.log_review import examine
from mailbot.core.ledger.licence import Licence
from mailbot.core.logs.log_sources import sources_in
from mailbot.core.logs.masking import LONGEST
from mailbot.core.logs.statement import STATUSES
from tests.core.logs.test_log_sources import file, mail, winmail
from tests.support import loggen

WORDS = (b"[LICENSE:CHECK] ", b"status=grace", b"token=", b'{"schema": "license-status/1",', b"[2026-11-03 08:15:00] ", b"\0", b"\n", b"\xff\xfe", b"PK\x03\x04", b"{" * 50)  # fmt: skip


def mutated(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 5, 20))):
        at = rng.randrange(len(changed)) if changed else 0
        match rng.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del changed[at : at + rng.randrange(1, 200)]
            case 2:
                changed[at:at] = rng.choice(WORDS)
            case 3:
                changed[at:at] = changed[at : at + rng.randrange(1, 500)]
            case 4:
                changed[at : at + 4] = rng.randbytes(4)
            case _:
                changed = changed[:at] if rng.random() < 0.2 else changed
    return bytes(changed)


def wrapped(rng: random.Random, name: str, data: bytes) -> tuple[str, bytes]:
    match rng.randrange(5):
        case 0:
            return "a.eml", mail(file(name, data))
        case 1:
            return "winmail.dat", winmail(name, data)
        case 2:
            return "a.zip", loggen.zipped((name, data), (f"old/{name}", data))
        case _:
            return name, data


def one(rng: random.Random) -> str:
    """Examine one damaged request; what kind of sentence came of it."""
    known = loggen.scenario(rng.choice(loggen.SCENARIOS), rng.randrange(10**6))
    files = [(name, mutated(rng, data)) for name, data in (wrapped(rng, *given) for given in known.files)]
    try:
        sources = [source for name, data in files for source in sources_in(name, data)]
        told = examine(sources, known.form, {}.get if rng.random() < 0.5 else licence, date(2026, 6, 1))
        assert told.sentence.endswith("."), told.sentence
        assert told.status is None or told.status in STATUSES, told.status
        assert all(len(proof.text) <= LONGEST and proof.line > 0 for proof in told.proof)
        assert all("\n" not in text for text in (told.sentence, *told.disagreements, *told.unreadable))
    except BaseException:
        print(files)
        raise
    return " ".join(told.sentence.split()[:2])


def licence(token: str) -> Licence | None:
    return Licence(token, customer_name="Somebody") if token[-1] < "M" else None


def main(count: int) -> None:
    rng, kinds, slowest = random.Random(6), Counter[str](), 0.0  # noqa: S311
    for _ in range(count):
        started = time.perf_counter()
        kinds[one(rng)] += 1
        slowest = max(slowest, time.perf_counter() - started)
    print(f"{count} damaged requests, no exception; the slowest took {slowest:.3f} s")
    print(", ".join(f"{kind!r} {number}" for kind, number in kinds.most_common()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=2_000, help="how many requests")
    given = parser.parse_args()
    main(given.count)
