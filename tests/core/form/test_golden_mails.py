"""The golden mails are understood as their .expected files say, and nothing in them is read wrong."""

import pytest

from tests.support.golden import MAILS, expected_of, seen


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_what_is_understood(path):
    expected = expected_of(path)
    assert expected["source"]
    found = seen(path.read_bytes(), expected)
    assert found == {key: expected[key] for key in found}
    assert {"intake", "forms", "attachments"} <= found.keys()


def test_there_are_enough_of_them():
    assert len(MAILS) >= 120
