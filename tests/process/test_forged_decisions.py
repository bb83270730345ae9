"""Forged decisions: none is taken, and after all of them the true one still is."""

from pathlib import Path

from tests.support import forgeries
from tests.support.running import Running, running
from tests.whole_desk.test_whole_desk import ANNA, JOE, PLAN, licence


def all_of(desk: Running, mails: list) -> list[forgeries.Forgery]:
    """Every forgery against LIC-1, whose mails are ``mails``; LIC-2 is another ticket that waits."""
    customers, annas, bobs = mails
    others = desk.write("sue@other.example", PLAN.replace("A1B2C3D4E5F6", "ANOTHER12345"))[1]
    forger = forgeries.Forger(annas)
    return [
        *forgeries.senders(forger),
        *forgeries.proofs(forger),
        *forgeries.keys(forger, bobs, others, customers),
        *forgeries.words(forger),
        *forgeries.automatic(forger),
    ]


def test_no_forged_decision_is_taken_and_the_true_one_still_is(tmp_path: Path) -> None:
    desk = running(tmp_path)
    mails = desk.write(JOE, PLAN)
    found = all_of(desk, mails)
    assert len({name for _, name, _ in found}) >= 100
    before, taken = (desk.ticket().items, desk.ticket("LIC-2").items), []
    for group, name, raw in found:
        desk.take(raw)
        now = (desk.ticket().items, desk.ticket("LIC-2").items)
        if now != before or licence(desk) is not None or desk.ticket().state != "waiting_staff":
            taken.append(f"{group}: {name}")
            break
    assert taken == []
    assert "kept" not in desk.states()
    desk.write(ANNA, "APPROVE", reply_to=mails[1])
    assert desk.ticket().state == "done"
