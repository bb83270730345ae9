"""A unit of work writes each ticket once, however much happens to it, and nothing at all when it fails."""

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import event

from mailbot.core.desk.events import StatusAsked
from mailbot.process.unit_of_work import UnitOfWork
from tests.support.running import Running, running
from tests.whole_desk.test_whole_desk import ANNA, JOE, PLAN, import_active


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    found = running(tmp_path)
    import_active(found, "OTHERTOKEN12")
    return found


def written(desk: Running) -> Counter[str]:
    """Counts the statements that write tickets from now on."""
    found: Counter[str] = Counter()

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        word, *rest = statement.split()
        if "ticket" in rest[:2]:
            found[word] += 1

    event.listen(desk.desk.store.engine, "before_cursor_execute", count)
    return found


def test_a_form_with_four_mails_writes_its_ticket_once(desk: Running) -> None:
    statements = written(desk)
    assert len(desk.write(JOE, PLAN)) == 4
    assert statements == {"INSERT": 1}


def test_a_decision_of_several_lines_writes_its_ticket_once(desk: Running) -> None:
    approval = desk.write(JOE, PLAN)[2]
    statements = written(desk)
    desk.write(ANNA, "APPROVE billing\nREJECT support: not sold here\nANSWER Thank you.", reply_to=approval)
    assert desk.ticket().state == "done"
    assert statements == {"UPDATE": 1}


def test_a_unit_of_work_that_fails_composes_and_writes_nothing(desk: Running) -> None:
    desk.write(JOE, PLAN)
    statements, kinds = written(desk), desk.kinds()
    with pytest.raises(ZeroDivisionError):
        fail_half_way(desk)
    assert (statements, desk.kinds()) == ({}, kinds)


def fail_half_way(desk: Running) -> None:
    with desk.desk.store.write() as session, UnitOfWork(desk.desk, session, desk.moment[0], "failing") as work:
        ticket = work.ticket("LIC-1")
        assert ticket is not None
        work.apply(ticket, StatusAsked(JOE))
        raise ZeroDivisionError
