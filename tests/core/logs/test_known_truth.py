"""Nothing that a diagnosis says of a generated log is wrong; ``docs/diagnosis.md`` has the table of a longer run."""

import pytest

from tests.support import known_truth, loggen

RUNS = 15


@pytest.mark.parametrize("make", loggen.SCENARIOS, ids=lambda make: make.__name__)
def test_nothing_that_is_said_of_a_known_log_is_wrong(make) -> None:  # type: ignore[no-untyped-def]
    verdicts = [one for number in range(RUNS) for one in known_truth.judged(make, number)]
    assert [one for one in verdicts if one.verdict == "wrong"] == []
    assert sum(one.verdict == "right" for one in verdicts) > 10 * sum(one.verdict == "missed" for one in verdicts)


def test_the_judge_sees_what_is_wrong_and_what_is_missed() -> None:
    known = loggen.scenario(loggen.token_change, 1)
    kind = type(known)
    other = kind(**{**vars(known), "truth": {**known.truth, "status": "active"}})
    lacking = kind(**{**vars(known), "truth": {**known.truth, "version": "3.58.0"}})
    told = known_truth.told(known)
    assert [v for v in known_truth.verdicts(other, told) if v[0] == "status"] == [
        ("status", "wrong", "grace for active")
    ]
    assert [v[1] for v in known_truth.verdicts(lacking, told) if v[0] == "version"] == ["missed"]


def test_a_scenario_is_the_same_each_time() -> None:
    for make in loggen.SCENARIOS:
        assert loggen.scenario(make, 3) == loggen.scenario(make, 3)
