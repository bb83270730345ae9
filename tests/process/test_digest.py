"""What the digest says, and what a reply to it may decide."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailbot.process import digest
from mailbot.service import runner
from storage import due, outbox
from tests.support.running import Running, body, running
from tests.whole_desk.test_whole_desk import ANNA, DEMO, JOE, PLAN, WHO, import_active

MODIFY = f"Request: modify\n{WHO}Action: add\nReason: more agents\nAgents: 20\n"


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    found = running(tmp_path, datetime(2026, 11, 3, 9, 0, tzinfo=UTC))
    digest.ensure_digest(found.desk)
    return found


def morning(desk: Running) -> str:
    """The text of anna's next digest, "" when there is none."""
    mails = desk.later(hours=22)
    return next((body(m) for m in mails if "Open requests" in str(m["Subject"]) and m["To"] == ANNA), "")


def test_no_digest_is_sent_when_there_is_nothing_to_say(desk: Running) -> None:
    assert morning(desk) == ""
    desk.write(JOE, PLAN)
    desk.later(hours=2)
    assert "LIC-1" in morning(desk)


def test_the_digest_names_a_token_that_is_not_in_the_ledger(desk: Running) -> None:
    import_active(desk, "Z1B2C3D4E5F6")
    desk.write(JOE, MODIFY)
    assert "LIC-1: its token A1B2C3D4E5F6 is not in the ledger" in morning(desk)


def test_words_beside_what_was_applied_by_itself_are_read_by_somebody(desk: Running) -> None:
    desk.write(JOE, f"{DEMO}Comments: please call\nPenelope\n")
    desk.write("sue@x.example", DEMO.replace("A1B2C3D4E5F6", "Z1B2C3D4E5F6").replace("Acme", "Other"))
    said = " ".join(morning(desk).split())
    assert "LIC-1 was applied automatically, but the customer added a comment: please call Penelope" in said
    assert "LIC-2" not in said
    desk.later(hours=2)
    late = DEMO.replace("A1B2C3D4E5F6", "Y1B2C3D4E5F6")
    (asked,) = desk.write("kim@y.example", late.replace("Customer name: Acme", "Comments: and a late word"))
    morning(desk)
    desk.later(hours=2)
    desk.write("kim@y.example", "Customer name: Late", reply_to=asked)
    assert "LIC-3 was applied automatically, but the customer added a comment: and a late word" in " ".join(
        morning(desk).split()
    )
    desk.later(hours=2)
    assert morning(desk) == ""


def test_the_digest_names_our_mails_that_did_not_arrive(desk: Running) -> None:
    desk.write(JOE, PLAN)
    with desk.desk.store.write() as session:
        mine = [row for row in outbox.listing(session) if row.recipient == JOE]
        outbox.refused(session, mine[0].id, desk.moment[0], "550 no such user")
    assert f"our mail {mine[0].id} ({mine[0].kind} to {JOE}) is refused: 550 no such user" in morning(desk)


def test_a_mail_in_quarantine_stays_a_line_until_it_is_dealt_with(desk: Running) -> None:
    desk.take(b"Subject: nobody\r\n\r\nwrote this\r\n")
    assert "mail 1 from an unknown sender" in morning(desk)
    desk.later(hours=2)
    assert "mail 1 from an unknown sender" in morning(desk)


def test_the_digest_names_a_due_thing_that_fails(desk: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    handle_due = runner.handle_due

    def failing(desk, session, row, now):
        if row.kind == "close":
            raise LookupError("no way")
        return handle_due(desk, session, row, now)

    monkeypatch.setattr(runner, "handle_due", failing)
    with desk.desk.store.write() as session:
        due.add(session, "close", desk.moment[0], desk.moment[0], ref="LIC-9")
    assert "close of LIC-9 failed: LookupError: no way" in morning(desk)


def test_an_active_licence_whose_billing_is_not_settled_is_among_the_facts(desk: Running, monkeypatch) -> None:
    import_active(desk, "A1B2C3D4E5F6", billing=None)
    import_active(desk, "B1B2C3D4E5F6")
    sent = []
    monkeypatch.setattr("mailbot.process.outgoing.Composer.write", lambda _, letter: sent.append(letter.send))
    desk.later(hours=22)
    assert [[licence.token for licence in send.facts.licences] for send in sent] == [["A1B2C3D4E5F6"]]


def test_a_long_digest_is_cut_and_says_so(desk: Running) -> None:
    for number in range(digest.MOST_LINES + 5):
        desk.take(b"Subject: %d\r\n\r\nnobody wrote this\r\n" % number)
    text = morning(desk)
    assert text.count("from an unknown sender") == digest.MOST_LINES
    assert "and 5 more" in text


def reply_unproved(desk: Running) -> tuple[Running, list]:
    """Two tickets wait; anna answers the digest from a mail without a verdict."""
    desk.write(JOE, PLAN)
    desk.write(JOE, PLAN.replace("A1B2C3D4E5F6", "B1B2C3D4E5F6").replace("Acme", "Other"))
    mails = desk.later(hours=22)
    asked = next(m for m in mails if "Open requests" in str(m["Subject"]) and m["To"] == ANNA)
    answers = desk.write(ANNA, "APPROVE LIC-1\nAPPROVE LIC-2", reply_to=asked, verified=False)
    assert [str(mail["To"]) for mail in answers] == [ANNA]
    assert desk.ticket("LIC-1").state == "waiting_staff"
    return desk, answers


def test_a_reply_without_a_verdict_is_confirmed_and_then_decides_every_ticket_it_names(desk: Running) -> None:
    _, (again,) = reply_unproved(desk)
    desk.write(ANNA, "CONFIRM", reply_to=again, verified=False)
    assert [desk.ticket(ref).state for ref in ("LIC-1", "LIC-2")] == ["done", "done"]


def test_a_ticket_that_changed_after_the_digest_is_not_decided_by_its_confirmation(desk: Running) -> None:
    _, (again,) = reply_unproved(desk)
    import_active(desk, "A1B2C3D4E5F6")  # somebody else's change of that licence
    desk.write(ANNA, "CONFIRM", reply_to=again, verified=False)
    assert [desk.ticket(ref).state for ref in ("LIC-1", "LIC-2")] == ["waiting_staff", "done"]


def test_the_confirmation_of_a_digest_works_without_sub_addresses(desk: Running) -> None:
    desk.configure("smtp", sub_addressing=False)
    _, (again,) = reply_unproved(desk)
    assert "[digest." in str(again["Subject"])
    del again["Message-ID"]  # the tag alone carries the key
    again["Message-ID"] = "<other@vendor.example>"
    desk.write(ANNA, "CONFIRM", reply_to=again, verified=False)
    assert desk.ticket("LIC-1").state == "done"


def test_a_reply_to_a_digest_that_was_not_understood_can_be_written_again(desk: Running) -> None:
    desk.write(JOE, PLAN)
    desk.write(JOE, PLAN.replace("A1B2C3D4E5F6", "B1B2C3D4E5F6").replace("Acme", "Other"))
    asked = next(m for m in desk.later(hours=22) if "Open requests" in str(m["Subject"]) and m["To"] == ANNA)
    (told,) = desk.write(ANNA, "APPROVE", reply_to=asked)
    assert "This mail covers several tickets" in body(told)
    desk.write(ANNA, "APPROVE LIC-1\nAPPROVE LIC-2", reply_to=told)
    assert [desk.ticket(ref).state for ref in ("LIC-1", "LIC-2")] == ["done", "done"]
