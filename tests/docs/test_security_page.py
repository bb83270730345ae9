"""docs/security.md is true: each test that it names exists, and each forged decision stands in it with its group."""

import re
from pathlib import Path

from tests.process.test_forged_decisions import all_of
from tests.support.paths import TESTS
from tests.support.running import running
from tests.whole_desk.test_whole_desk import JOE, PLAN

PAGE = (TESTS.parent / "docs" / "security.md").read_text()
ROWS = [row for row in PAGE.partition("## Threats")[2].partition("\n## ")[0].splitlines() if row.startswith("| ")][2:]


def test_every_threat_has_a_test_and_every_test_exists() -> None:
    assert len(ROWS) >= 30
    for row in ROWS:
        named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", row)
        assert named, row
        for file, test in named:
            (found,) = TESTS.rglob(file)
            assert not test or f"def {test}(" in found.read_text(), f"{file} has no {test}"


def test_every_forged_decision_is_listed_with_its_group(tmp_path: Path) -> None:
    desk = running(tmp_path)
    groups: dict[str, list[str]] = {}
    for group, name, _ in all_of(desk, desk.write(JOE, PLAN)):
        groups.setdefault(group, []).append(name)
    listed = "\n\n".join(f"**{group}** ({len(names)}): {'; '.join(names)}." for group, names in groups.items())
    assert listed in PAGE
    assert f"{sum(map(len, groups.values()))} forged decisions" in PAGE
