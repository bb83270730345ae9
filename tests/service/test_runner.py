"""Kept mails and due things in one order of time, and what happens to those that fail."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.process import digest, due_things, kept_mail
from mailbot.process.unit_of_work import UnitOfWork
from mailbot.service import runner
from mailbot.service.runner import keep_mail, step, undone, work_off
from storage import due, inbox
from storage.faults import StoreError
from tests.support.running import Running, body, running

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
QUESTION = (
    "Authentication-Results: mx.vendor.example; dmarc=pass header.from=acme.example\nFrom: joe@acme.example\n"
    "To: desk@vendor.example\nSubject: {name}\nMessage-ID: <{name}@acme.example>\n\nWhat does {name} cost?\n"
)


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path, NOON)


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was tried, in order: the subject of a mail, the ref of a due thing; what is called bad fails."""
    tried: list[str] = []
    handle, handle_due = kept_mail.handle, due_things.handle_due

    def mail(desk, session, inbox_id, now):
        subject = inbox.raw(session, inbox_id).decode().partition("Subject: ")[2].split("\n")[0]
        tried.append(subject)
        done = handle(desk, session, inbox_id, now)
        if subject.startswith("bad"):
            raise LookupError(subject)
        return done

    def thing(desk, session, row, now):
        tried.append(row.ref or row.kind)
        done = handle_due(desk, session, row, now)
        if (row.ref or "").startswith("bad"):
            raise LookupError(row.ref)
        return done

    monkeypatch.setattr(runner, "handle", mail)
    monkeypatch.setattr(runner, "handle_due", thing)
    return tried


def arrive(desk: Running, name: str, minutes: int) -> int:
    raw = QUESTION.format(name=name).encode()
    return keep_mail(desk.desk, raw, NOON + minutes * MINUTE, "inject")[0]


def remember(desk: Running, name: str, minutes: int) -> int:
    with desk.desk.store.write() as session:
        return due.add(session, "close", NOON + minutes * MINUTE, NOON, ref=name)


def test_mails_and_due_things_are_handled_in_one_order_of_time_a_mail_first_at_a_tie(
    desk: Running, order: list[str]
) -> None:
    remember(desk, "due 2", 2)
    arrive(desk, "mail 3", 3)
    arrive(desk, "mail 2", 2)
    remember(desk, "due 1", 1)
    remember(desk, "due 9", 9)
    desk.later(minutes=5)
    assert order == ["due 1", "mail 2", "due 2", "mail 3"]


def test_run_once_tries_what_fails_last_and_three_times(desk: Running, order: list[str]) -> None:
    remember(desk, "bad due", 0)
    arrive(desk, "bad mail", 1)
    arrive(desk, "good mail", 2)
    remember(desk, "good due", 3)
    desk.moment[0] += 5 * MINUTE
    work_off(desk.desk, again=True)
    first, again = order[:4], order[4:]
    assert first == ["bad due", "bad mail", "good mail", "good due"]
    assert again == ["bad mail"] * 2 + ["bad due"] * 2
    assert desk.states() == {"handled": 1, "quarantined": 1}
    (reason,) = desk.quarantine()
    assert reason.startswith("LookupError: bad mail\nTraceback")
    assert undone(desk.desk)  # the due thing


def test_a_due_thing_that_failed_makes_undone_until_it_is_done(
    desk: Running, order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(desk, "bad due", 0)
    work_off(desk.desk, again=True)
    assert undone(desk.desk)
    monkeypatch.setattr(runner, "handle_due", due_things.handle_due)
    work_off(desk.desk, again=True)
    assert not undone(desk.desk)


def test_a_mail_that_fails_waits_longer_each_time_and_blocks_nobody(desk: Running, order: list[str]) -> None:
    bad = arrive(desk, "bad mail", 0)
    arrive(desk, "good mail", 1)
    tried_at = []
    for minute in range(30):
        count = order.count("bad mail")
        desk.later(minutes=1)
        tried_at += [minute] * (order.count("bad mail") - count)
    assert order.index("good mail") == 1
    assert tried_at == [0, 1, 6]
    with desk.desk.store.read() as session:
        row = inbox.get(session, bad)
        assert row is not None
        assert (row.state, row.attempts) == ("quarantined", 3)
    assert [kind for kind, _ in desk.kinds() if kind == "help"] == ["help"]  # nothing of the bad one stayed


def test_staff_are_told_at_once_who_wrote_a_mail_that_cannot_be_handled_and_what_went_wrong(
    desk: Running, order: list[str]
) -> None:
    arrive(desk, "bad mail", 0)
    desk.later(minutes=1)
    assert not desk.later(minutes=2)
    told = desk.later(minutes=5)
    assert [mail["To"] for mail in told] == ["anna@vendor.example", "bob@vendor.example"]
    said = " ".join(body(told[0]).split())
    assert "mail 1 from joe@acme.example could not be processed and is in quarantine: LookupError: bad mail" in said
    with desk.desk.store.write() as session:  # it fails again: nobody is told twice
        assert inbox.retry(session, 1)
    assert not [mail for _ in range(3) for mail in desk.later(hours=1)]
    assert desk.states() == {"quarantined": 1}


def test_a_due_thing_that_fails_waits_longer_each_time_and_staff_are_told_once(desk: Running, order: list[str]) -> None:
    remember(desk, "bad due", 0)
    arrive(desk, "good mail", 1)
    desk.later(minutes=1)
    assert order == ["bad due", "good mail"]
    desk.later(minutes=4)
    assert order.count("bad due") == 2
    for _ in range(200):
        desk.later(minutes=1)
    assert order.count("bad due") == 7  # after 1, 5, 15, 60, 60 and 60 minutes
    alerts = [mail for mail in desk.sent if mail["Subject"] == "Something needs your attention"]
    assert [mail["To"] for mail in alerts] == ["anna@vendor.example", "bob@vendor.example"]
    assert "close (bad due) failed: LookupError: bad due" in alerts[0].get_body(("plain",)).get_content()


def test_when_staff_cannot_be_told_either_the_desk_goes_on(
    desk: Running, order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UnitOfWork, "alert", lambda *_: 1 / 0)
    remember(desk, "bad due", 0)
    arrive(desk, "good mail", 1)
    desk.later(minutes=2)
    assert order[:2] == ["bad due", "good mail"]
    assert desk.states() == {"handled": 1}


def test_a_digest_that_fails_is_sent_later(desk: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    digest.ensure_digest(desk.desk)
    arrive(desk, "question", 0)
    send = digest.send
    monkeypatch.setattr(digest, "send", lambda work: 1 / 0)
    desk.later(hours=20)
    monkeypatch.setattr(digest, "send", send)
    mails = desk.later(minutes=1)
    assert any("Open requests" in str(mail["Subject"]) for mail in mails)


def test_a_mail_that_ended_the_desk_three_times_is_set_aside(desk: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    arrive(desk, "killer", 0)
    monkeypatch.setattr(runner, "handle", die)
    for _ in range(3):
        with pytest.raises(Killed):
            step(desk.desk)
        assert not step(desk.desk)  # its lease holds
        desk.moment[0] += runner.LEASE
    work_off(desk.desk)
    assert desk.quarantine() == ["the desk stopped during each of 3 attempts"]


def test_a_mail_that_another_process_has_handled_is_left_alone(desk: Running) -> None:
    number = arrive(desk, "question", 0)
    desk.work()
    before = desk.kinds()
    with desk.desk.store.write() as session:
        again = kept_mail.handle(desk.desk, session, number, NOON)
    assert (again.state, again.intake) == ("handled", "handled already")
    assert desk.kinds() == before


def test_a_full_disk_is_no_fault_of_the_mail(desk: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive(desk, "price", -1)

    def full(desk, session, inbox_id, now):
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        return kept_mail.handle(desk, session, inbox_id, now)

    with monkeypatch.context() as patched:
        patched.setattr(runner, "handle", full)
        for _ in range(runner.TRIES + 1):
            with pytest.raises(StoreError, match="free space on the disk"):
                work_off(desk.desk, again=True)
    assert (desk.states(), desk.sent) == ({"kept": 1}, [])
    with desk.desk.store.write() as session:
        session.connection().exec_driver_sql("PRAGMA max_page_count = 1000000")
    desk.work()
    assert desk.states() == {"handled": 1}
    assert desk.kinds()
