"""Budgets and alerts: every limit ends in an answer to the person or a line for the operator, and nothing owed is lost."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.process import digest
from mailbot.process.unit_of_work import UnitOfWork
from storage import inbox
from tests.support.running import Running, body, running
from tests.whole_desk.test_whole_desk import ANNA, BOB, DEMO, JOE, PLAN, import_active

HOUR = timedelta(hours=1)


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path, datetime(2026, 11, 3, 9, 0, tzinfo=UTC))


def limit(desk: Running, **limits: int) -> None:
    desk.configure("limits", **limits)


def alert(desk: Running, incident: str) -> None:
    with desk.desk.store.write() as session, UnitOfWork(desk.desk, session, desk.moment[0], incident) as work:
        work.alert(incident, f"It is {incident}.")


def told(desk: Running) -> list[tuple[str, str]]:
    """(hour:minute, text) of every alert that anna got."""
    mails = [mail for mail in desk.sent if mail["Subject"] == "Something needs your attention" and mail["To"] == ANNA]
    return [(mail["Date"].datetime.astimezone(UTC).strftime("%H:%M"), body(mail)) for mail in mails]


def test_a_sender_gets_ten_answers_a_day_then_one_notice_and_staff_one_line(desk: Running) -> None:
    for _ in range(14):
        desk.write(JOE, "help", subject="help")
    assert Counter(desk.kinds()) == {("help", JOE): 10, ("cap", JOE): 1, ("alert", ANNA): 1, ("alert", BOB): 1}
    desk.later(hours=25)
    desk.write(JOE, "help", subject="help")
    assert desk.kinds()[-1] == ("help", JOE)


def test_mails_that_the_desk_owes_are_sent_after_the_budget_is_used_up(desk: Running) -> None:
    for _ in range(12):
        desk.write(JOE, "help", subject="help")
    before = len(desk.kinds())
    desk.write(JOE, DEMO)
    desk.write(
        JOE, DEMO.replace("A1B2C3D4E5F6", "B1B2C3D4E5F6").replace("Acme", "Other") + "Customer email: x@other.example\n"
    )
    import_active(desk, "C1B2C3D4E5F6")
    desk.write(JOE, PLAN.replace("A1B2C3D4E5F6", "D1B2C3D4E5F6"))
    kinds = Counter(kind for kind, _ in desk.kinds()[before:])
    assert (kinds["outcome"], kinds["plugins"], kinds["approval"]) >= (1, 2, 2)
    assert kinds["confirmation"] == 0
    approval = next(mail for mail in desk.sent if mail["To"] == ANNA and "Approve" in str(mail) and mail["Reply-To"])
    desk.write(ANNA, "APPROVE", reply_to=approval)
    assert ("receipt", ANNA) in desk.kinds()
    assert desk.kinds()[-2:] != []


def test_a_withheld_answer_stands_in_the_history_of_its_ticket(desk: Running) -> None:
    for _ in range(10):
        desk.write(JOE, "help", subject="help")
    desk.write(JOE, PLAN)
    assert "withheld" in desk.history()


def test_strangers_get_so_many_answers_an_hour_then_silence_and_one_alert(desk: Running) -> None:
    limit(desk, replies_to_unknown_per_hour=5)
    for number in range(9):
        desk.write(f"joe@{number}.example", "help", subject="help", verified=False)
    assert Counter(kind for kind, _ in desk.kinds()) == {"help": 5, "alert": 2}
    import_active(desk)
    desk.write(JOE, "help", subject="help")  # who is known is not held up by strangers
    assert desk.kinds()[-1] == ("help", JOE)
    desk.later(minutes=61)
    desk.write("joe@99.example", "help", subject="help", verified=False)
    assert desk.kinds()[-1] == ("help", "joe@99.example")


def test_mails_without_an_answer_are_lines_of_the_digest(desk: Running) -> None:
    digest.ensure_digest(desk.desk)
    limit(desk, replies_to_unknown_per_hour=5)
    for number in range(7):
        desk.write(f"joe@{number}.example", "help", subject="help", verified=False)
    with desk.desk.store.read() as session:
        assert [row.intake for row in inbox.listing(session)][:3] == ["help, not answered: budget"] * 2 + ["help"]
    mails = desk.later(hours=23)
    text = body(next(mail for mail in mails if "Open requests" in str(mail["Subject"])))
    assert [f"joe@{number}.example" in text for number in range(7)] == [False] * 5 + [True] * 2


def test_a_domain_of_strangers_gets_as_much_as_ten_senders(desk: Running) -> None:
    limit(desk, replies_per_sender_per_day=1, replies_to_unknown_per_hour=1000)
    for number in range(13):
        desk.write(f"joe{number}@flood.example", "help", subject="help", verified=False)
    desk.write("joe@calm.example", "help", subject="help", verified=False)
    assert Counter(kind for kind, _ in desk.kinds()) == {"help": 11, "alert": 2}
    assert "strangers at flood.example" in told(desk)[0][1]


def test_an_incident_is_told_once(desk: Running) -> None:
    for _ in range(3):
        alert(desk, "one")
        desk.later(hours=2)
    assert [at for at, _ in told(desk)] == ["09:00"]


def test_staff_get_one_alert_an_hour_with_everything_in_it(desk: Running) -> None:
    for minute in range(0, 60, 10):
        alert(desk, f"number {minute}")
        desk.later(minutes=10)
    desk.later(minutes=70)
    alert(desk, "another")
    desk.work()
    assert [at for at, _ in told(desk)] == ["09:00", "10:00", "11:10"]
    assert "number 0" in told(desk)[0][1]
    assert all(f"It is number {minute}." in told(desk)[1][1] for minute in range(10, 60, 10))


def test_more_incidents_than_fit_into_one_mail_follow_later(desk: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.process.staff_alerts.MOST_ALERTS", 2)
    for number in range(6):
        alert(desk, f"number {number}")
    for _ in range(4):
        desk.later(hours=1)
    texts = [text for _, text in told(desk)]
    assert [at for at, _ in told(desk)] == ["09:00", "10:00", "11:00", "12:00"]
    assert [sum(f"It is number {n}." in text for text in texts) for n in range(6)] == [1] * 6
