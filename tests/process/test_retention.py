"""What grows too old: bytes of mails go, hashes, tickets and ledger stay; keys that nobody used end."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from mailbot.process import retention
from mailbot.service.runner import keep_mail
from storage import due, inbox, keys, licences, outbox
from tests.process.test_decision_binding import details, of
from tests.process.test_due_things import give, remove, rome
from tests.support.commands import mailbot
from tests.support.running import Running, running
from tests.whole_desk.test_whole_desk import ANNA, JOE, PLAN, import_active


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    found = running(tmp_path, rome("2026-11-03 10:00"))
    found.configure("retention", raw_days=30)
    retention.ensure_retention(found.desk)
    return found


def raws(desk: Running) -> tuple[int, int]:
    """How many mails still have their bytes: in, out."""
    with desk.desk.store.read() as session:
        return len(session.exec(select(inbox.Raw)).all()), len(session.exec(select(outbox.OutboxRaw)).all())


def sent(desk: Running) -> None:
    with desk.desk.store.write() as session:
        for row in outbox.listing(session, outbox.OutboxState.QUEUED):
            outbox.delivered(session, row.id, desk.moment[0], "250 ok")


def things(session: Session, kind: str) -> list[str]:
    return [row.due_at.isoformat() for row in due.open_(session, kind)]


def test_bytes_go_when_they_are_too_old_and_all_else_stays(desk: Running, tmp_path: Path) -> None:
    (token,) = give(desk)
    remove(desk, token, 8)
    sent(desk)
    raw = keep_form(desk)
    shown = json.loads(mailbot(tmp_path, "due", "--json", now=desk.moment[0].isoformat()).stdout)
    assert ("retention", "2026-12-03T23:00:00+00:00") in {(thing["kind"], thing["due_at"]) for thing in shown}
    before = desk.ticket(), desk.history()
    desk.later(days=30)
    assert raws(desk)[0] == 2, "not a day too early"
    desk.later(days=1)
    assert raws(desk) == (0, 0)
    assert (desk.ticket(), desk.history()) == before
    with desk.desk.store.read() as session:
        assert len(inbox.listing(session)) == 2
        assert all(row.sha256 and row.sender for row in inbox.listing(session))
        assert len(licences.all_events(session)) == 2
        (row,) = outbox.listing(session, outbox.OutboxState.SENT)
        assert things(session, retention.RAW) == ["2027-01-03T23:00:00+00:00"]
    with desk.desk.store.write() as session:
        assert not outbox.resend(session, row.id, desk.moment[0]), "there is nothing left to send"
    assert keep_mail(desk.desk, raw, desk.moment[0], "inject")[1] is False, "the same mail is known again"


def keep_form(desk: Running) -> bytes:
    """A mail that is handled; its bytes."""
    raw = b"From: eve@else.example\nTo: desk@vendor.example\nMessage-ID: <x@else.example>\n\nhello\n"
    desk.take(raw)
    return raw


def test_what_still_waits_keeps_its_bytes(desk: Running) -> None:
    give(desk)
    desk.take(b"From: a@b.example, c@d.example\nTo: desk@vendor.example\n\nwho is it?\n")
    desk.write(JOE, "Request: activate\n")
    assert desk.states() == {"quarantined": 1, "handled": 1}
    desk.later(days=40)
    assert raws(desk)[0] == 1, "the quarantined one waits for the operator"
    with desk.desk.store.read() as session:
        assert all(outbox.has_raw(session, row.id) for row in outbox.listing(session, outbox.OutboxState.QUEUED))


def test_a_reply_to_a_mail_whose_bytes_are_gone_is_read(desk: Running) -> None:
    desk.configure("timers", close_after_days=90)
    desk.configure("identity", customers="trust")
    incomplete = desk.write(JOE, PLAN.replace("Agents: 10\n", ""))[0]
    sent(desk)
    desk.later(days=40)
    with desk.desk.store.read() as session:
        assert not outbox.has_raw(session, 1)
    desk.write(JOE, "Agents: 9\n", reply_to=incomplete)
    item = desk.ticket().item("agents")
    assert item is not None
    assert item.to == 9


def test_a_stricter_configuration_counts_from_the_next_start(desk: Running) -> None:
    keep_form(desk)
    desk.configure("retention", raw_days=10)
    retention.ensure_retention(desk.desk)
    retention.ensure_retention(desk.desk)
    with desk.desk.store.read() as session:
        assert things(session, retention.RAW) == ["2026-11-13T23:00:00+00:00"]


def test_a_key_that_nobody_used_ends_once_and_counts_by_the_arrival(desk: Running) -> None:
    desk.configure("timers", close_after_days=90)
    desk.write(JOE, PLAN)
    approval = of(desk, "approval")
    with desk.desk.store.read() as session:
        assert things(session, retention.KEYS) == ["2026-12-03T09:00:00+00:00"]
    in_time = desk.moment[0] + timedelta(days=29)
    desk.later(days=31)
    with desk.desk.store.read() as session:
        dead = [row for row in session.exec(select(keys.KeyRow)) if row.dead_why == keys.EXPIRED]
        assert {row.purpose for row in dead} >= {"decision"}
        assert len(things(session, retention.KEYS)) == 1
    desk.written += 1
    reply = approval["Reply-To"]
    raw = (
        "Authentication-Results: mx.vendor.example; dmarc=pass header.from=vendor.example\n"
        f"From: {ANNA}\nTo: {reply}\nMessage-ID: <late@vendor.example>\nSubject: Re\n\nAPPROVE\n"
    ).encode()
    keep_mail(desk.desk, raw, in_time, "inject")
    desk.work()
    assert desk.ticket().state == "done", "it came in time and was read late"


def test_a_decision_after_the_key_ended_hears_so_and_gets_a_new_mail(desk: Running) -> None:
    import_active(desk)
    desk.write(JOE, PLAN.replace("A1B2C3D4E5F6", "NEWTOKEN0001"))
    approval = of(desk, "approval")
    desk.later(days=31)
    mails = desk.write(ANNA, "APPROVE", reply_to=approval)
    assert desk.ticket().state == "waiting_staff"
    assert details(desk, "decision_late") == ["expired"]
    assert mails
