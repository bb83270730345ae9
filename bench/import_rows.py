"""Time to import 100,000 licences, compared with a loop that only parses the same CSV.

    .venv/bin/python bench/import_rows.py [ROWS]

Compare the ratio between machines, not the seconds.
"""

import argparse
import csv
import io
import tempfile
import time
from pathlib import Path

from mailbot.json_shapes import LICENCE
from mailbot.operations.ledger_csv import read_csv
from mailbot.operations.ledger_import import put_licences
from tests.support.running import running


def main(rows: int) -> None:
    """Print one line: rows, seconds of the first import, of the same import again, and of parsing alone."""
    line = "{},motion,active,Customer {},voice_digital,10,2,3,0,quality_analysis,botify,silver,monthly,false,a{}@example.com,,,"
    text = "\n".join([",".join(LICENCE), *(line.format(f"TOKEN{n:08}", n, n) for n in range(rows))])
    raw = text.encode()
    bare = _seconds(lambda: sum(len(cell) for cells in csv.reader(io.StringIO(text)) for cell in cells))
    with tempfile.TemporaryDirectory() as folder:
        desk = running(Path(folder)).desk

        def whole() -> None:
            found, faults = read_csv(raw, desk.catalogue)
            assert not faults
            put_licences(desk, found, "import", "bench")

        first, again = _seconds(whole), _seconds(whole)
    print(
        f"{rows} rows: {first:.1f} s the first time, {again:.1f} s again (nothing changed), {bare:.2f} s to parse alone:"
        f" ratio {first / bare:.0f}"
    )


def _seconds(work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=100_000, help="how many licences")
    given = parser.parse_args()
    main(given.rows)
