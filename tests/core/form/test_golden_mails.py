"""The golden mails are understood as their .expected files say."""

import pytest

from tests.support.golden import MAILS, expected_of, seen


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_golden_mail_is_understood_as_expected(path):
    expected = expected_of(path)
    assert expected["source"]
    found = seen(path.read_bytes(), expected)
    assert found == {key: expected[key] for key in found}
    assert {"intake", "forms", "attachments"} <= found.keys()


def test_there_are_at_least_120_golden_mails():
    assert len(MAILS) >= 120
