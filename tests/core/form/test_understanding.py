"""Random realistic mails (``mailgen``): 99 % of the fields of correct ones are read right, none ever wrong."""

import pytest

from mailbot.core.mail.message import parse
from tests.support.mailgen import MARKUP, MISTAKES, PLAIN, Made, Measured, compared, mails, understood


@pytest.fixture(scope="module")
def made() -> list[Made]:
    return list(mails(8, 300))


def test_random_mails_are_read_right_and_never_wrong(made: list[Made]) -> None:
    well, spoilt = Measured(), Measured()
    for one in made:
        (well if one.well_meant else spoilt).add(compared(one.truths, understood(one), one.traits))
    assert (well.wrong, spoilt.wrong) == (0, 0), well.faults + spoilt.faults
    assert well.right >= 0.99 * well.fields, well.faults
    assert spoilt.missed == 0, spoilt.faults
    assert spoilt.asked > 10


def test_random_mails_cover_all_layouts_clients_and_mistakes(made: list[Made]) -> None:
    for one in made:
        message = parse(one.raw)
        assert message.fault is None
        assert message.sender
        assert message.text.strip()
    layouts = " ".join(one.traits["layout"] for one in made)
    assert all(layout in layouts for layout in (*PLAIN, *MARKUP, "several", "forwarded", "reply"))
    assert len({one.traits["client"] for one in made}) == 19
    assert {one.traits["mistake"] for one in made} >= {*MISTAKES}


def test_same_seed_gives_the_same_mails(made: list[Made]) -> None:
    assert [one.raw for one in mails(8, 20)] == [one.raw for one in made[:20]]


def test_comparison_notices_wrong_fields(made: list[Made]) -> None:
    """Compared with the truth of another mail, the same reading is wrong."""
    one, other = made[0], next(m for m in made[1:] if m.truths[0].fields.keys() & made[0].truths[0].fields.keys())
    assert compared(other.truths, understood(one), {}).wrong > 0
