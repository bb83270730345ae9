"""What diagnoses say of generated logs, right, missed and wrong: ``known_truth.py [RUNS] [--write]`` (into docs/diagnosis.md)."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support import known_truth

DOCS = Path(__file__).resolve().parents[1] / "docs" / "diagnosis.md"
BEGIN, END = "<!-- bench/known_truth.py --write -->\n", "<!-- end -->\n"


def main(runs: int, *, write: bool) -> None:
    counts, wrong = known_truth.table(runs)
    rows = [(name, count["right"], count["missed"], count["wrong"]) for name, count in counts.items()]
    rows.append(("all", *(sum(row[n] for row in rows) for n in (1, 2, 3))))
    lines = [
        f"{runs} runs of each scenario.",
        "",
        "| scenario | right | missed | wrong |",
        "| --- | ---: | ---: | ---: |",
    ]
    text = "\n".join([*lines, *(f"| {name} | {right} | {missed} | {bad} |" for name, right, missed, bad in rows), ""])
    print(text)
    for verdict in wrong[:10]:
        print(verdict)
    if write:
        before, _, rest = DOCS.read_text("utf-8").partition(BEGIN)
        DOCS.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="?", type=int, default=100, help="runs of each scenario")
    parser.add_argument("--write", action="store_true", help="put the table into docs/diagnosis.md")
    given = parser.parse_args()
    main(given.runs, write=given.write)
