"""The desk stood still for days: what was due and what came meanwhile is worked off as if by the days on which it was."""

from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from mailbot.process import digest
from mailbot.service.runner import keep_mail
from storage import outbox
from tests.support.running import Running, body, running
from tests.whole_desk.test_whole_desk import ANNA, DEMO, JOE, WHO, import_active, licence

ADD = f"Request: modify\n{WHO}Action: add\nReason: cost\nAgents: "
DEACTIVATE = f"Request: modify\n{WHO}Action: deactivate\nReason: cost\n"
OTHER = "Request: reactivate\nCustomer name: Acme\nReason: other\nOld token: A1B2C3D4E5F6\nComments: we go on\n"


def day(month: int, number: int, hour: int = 9) -> datetime:
    return datetime(2026, month, number, hour, tzinfo=UTC)


def meanwhile(desk: Running, when: datetime, sender: str, text: str, to: EmailMessage) -> None:
    """A reply that reaches the mailbox while nobody works it."""
    desk.written += 1
    mail = EmailMessage()
    domain = sender.partition("@")[2]
    mail["Authentication-Results"] = f"mx.vendor.example; dmarc=pass header.from={domain}"
    mail["From"], mail["To"], mail["Message-ID"] = sender, str(to["Reply-To"]), f"<{desk.written}@{domain}>"
    mail.set_content(text)
    keep_mail(desk.desk, mail.as_bytes(), when, "imap")


def again_at(desk: Running, when: datetime) -> list[EmailMessage]:
    desk.moment[0] = when
    return desk.work()


def to(mails: list[EmailMessage], address: str) -> EmailMessage:
    return next(mail for mail in mails if mail["To"] == address)


def subjects(mails: list[EmailMessage]) -> list[str]:
    return [str(mail["Subject"]) for mail in mails]


def test_after_a_standstill_a_demo_gets_one_of_two_due_warnings(tmp_path: Path) -> None:
    desk = running(tmp_path)
    desk.write(JOE, DEMO)
    (mail,) = again_at(desk, day(12, 2, 10))
    assert "ends tomorrow" in body(mail)


def test_a_reminder_is_not_sent_along_with_the_closing(tmp_path: Path) -> None:
    desk = running(tmp_path)
    import_active(desk)
    desk.write(JOE, ADD + "ten")
    assert subjects(again_at(desk, day(11, 20))) == ["[LIC-1] Your request was closed"]


def test_an_answer_that_came_in_time_is_taken_before_the_closing(tmp_path: Path) -> None:
    desk = running(tmp_path)
    import_active(desk)
    (mail,) = desk.write(JOE, ADD + "ten")
    meanwhile(desk, day(11, 10), JOE, "Agents: 15", mail)
    assert subjects(again_at(desk, day(11, 20))) == ["[LIC-1] Your request is done"]
    assert str(desk.ticket().items[0].effective) == "2026-11-20"  # nothing is backdated


def test_a_decision_counts_by_its_arrival_not_by_when_it_is_handled(tmp_path: Path) -> None:
    desk = running(tmp_path)
    import_active(desk)
    mails = desk.write(JOE, ADD + "150")
    meanwhile(desk, day(12, 2), ANNA, "APPROVE", to(mails, ANNA))
    again_at(desk, day(12, 6))  # its key was good until 3 December
    assert desk.ticket().state == "done"
    assert licence(desk).agents == 150


def test_a_decision_after_its_key_expired_is_late(tmp_path: Path) -> None:
    desk = running(tmp_path)
    import_active(desk)
    mails = desk.write(JOE, ADD + "150")
    meanwhile(desk, day(12, 4), ANNA, "APPROVE", to(mails, ANNA))
    again_at(desk, day(12, 6))
    assert desk.ticket().state == "waiting_staff"


def test_a_change_due_during_a_standstill_is_done_before_a_later_request_that_ends_it(tmp_path: Path) -> None:
    desk = running(tmp_path, day(11, 25))
    import_active(desk)
    desk.write(JOE, DEACTIVATE)
    mails = desk.write(JOE, OTHER)
    meanwhile(desk, day(11, 30), ANNA, "APPROVE", to(mails, ANNA))
    sent = again_at(desk, day(12, 5))
    assert "[LIC-1] Your scheduled change has taken effect" in subjects(sent)
    (item,) = desk.ticket("LIC-1").items
    assert (item.status, str(item.effective)) == ("applied", "2026-12-01")
    assert (licence(desk).status, str(desk.ticket("LIC-2").items[0].effective)) == ("active", "2026-12-05")


def test_the_digest_after_a_standstill_tells_what_came_before_it(tmp_path: Path) -> None:
    desk = running(tmp_path)
    import_active(desk, "Z1B2C3D4E5F6", billing=None)  # so that there is a digest every morning
    digest.ensure_digest(desk.desk)
    again_at(desk, day(11, 4))
    again_at(desk, day(11, 4, 10))
    desk.write("eve@evil.example", "buy my watches", verified=False)
    told = " ".join(body(to(again_at(desk, day(11, 8)), ANNA)).split())
    assert "eve@evil.example: a message from somebody we do not know" in told
    again = body(to(again_at(desk, day(11, 9)), ANNA))
    assert "eve@evil.example" not in again
    with desk.desk.store.read() as session:
        assert len([row for row in outbox.listing(session) if row.kind == "digest"]) == 6
