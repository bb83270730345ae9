"""One row of each queue fails: the others are done, it waits for its next attempt, and staff are told once."""

import email
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from mailbot.assembly import assemble
from mailbot.config.settings import LicenceServerSection, load_config
from mailbot.environment import Desk
from mailbot.operations.ledger_import import put_licences
from mailbot.servers import smtp as smtp_module
from mailbot.service.loops import run_once
from mailbot.service.runner import keep_mail
from storage import due, inbox, licence_posts, outbox
from tests.service.test_licence_server_loop import SECRET, Vendor, vendor
from tests.service.test_loops import Running, until
from tests.service.test_run import FORM, config, imap, smtp
from tests.support import servers

__all__ = ["config", "imap", "smtp", "vendor"]  # fixtures
pytestmark = pytest.mark.dovecot

TOKENS = ("A1B2C3D4E5F6", "B1B2C3D4E5F6", "C1B2C3D4E5F6")
Work = Callable[[Desk, Callable[[], bool]], None]


@pytest.fixture
def ahead() -> list[timedelta]:
    """How far the desk's clock is ahead."""
    return [timedelta()]


@pytest.fixture
def desk(config: Path, ahead: list[timedelta]) -> Desk:
    return assemble(load_config(config, {}), clock=lambda: datetime.now(UTC) + ahead[0])


def once(desk: Desk, done: Callable[[], bool]) -> None:
    assert not run_once(desk)
    assert done()


def running(desk: Desk, done: Callable[[], bool]) -> None:
    with Running(desk):
        until(done)


@pytest.fixture(params=[running, once], ids=["running", "once"])
def work(request: pytest.FixtureRequest) -> Work:
    """A desk works until everything that can be done is done."""
    found: Work = request.param
    return found


def refuse(desk: Desk, when: str, failing: str) -> None:
    """From now on the database refuses that change of a row, ``when`` and of which."""
    with desk.store.write() as session:
        session.connection().exec_driver_sql(
            f"CREATE TRIGGER refuse BEFORE {when} WHEN {failing} BEGIN SELECT RAISE(ABORT, 'this row cannot be'); END"
        )


def heal(desk: Desk, ahead: list[timedelta]) -> None:
    """The database takes it again, and every back-off is over."""
    with desk.store.write() as session:
        session.connection().exec_driver_sql("DROP TRIGGER refuse")
    ahead[0] += timedelta(hours=2)


def alerts(server: servers.SmtpServer) -> list[str]:
    """The alerts that one member has, as one text each."""
    mails = [email.message_from_bytes(mail.raw) for mail in server.mails if mail.recipient == "anna@vendor.example"]
    return [str(mail.get_payload()) for mail in mails if mail["Subject"] == "Something needs your attention"]


def arrive(desk: Desk) -> list[int]:
    now = desk.clock()
    return [keep_mail(desk, FORM % ((number,) * 4), now, "inject")[0] for number in (1, 2, 3)]


@pytest.mark.parametrize("what", ["OF state ON inbox", "ON inbox"], ids=["its outcome", "anything"])
def test_a_mail(desk: Desk, smtp: servers.SmtpServer, work: Work, ahead: list[timedelta], what: str) -> None:
    bad = arrive(desk)[0]
    refuse(desk, f"UPDATE {what}", f"OLD.id = {bad}")

    def states() -> list[str]:
        with desk.store.read() as session:
            return [row.state for row in reversed(inbox.listing(session))]

    def done() -> bool:
        ahead[0] += timedelta(seconds=4)  # three attempts fail before a mail goes to quarantine
        answered = {mail.recipient for mail in smtp.mails} >= {"joe2@acme.example", "joe3@acme.example"}
        return answered and states() == ["kept", "handled", "handled"] and len(alerts(smtp)) == 1

    work(desk, done)
    work(desk, done)
    heal(desk, ahead)
    if what == "ON inbox":
        with Running(desk):
            until(lambda: states() == ["handled"] * 3)
    assert len(alerts(smtp)) == 1


def test_a_mail_that_cannot_be_kept(desk: Desk, imap: servers.Dovecot, smtp: servers.SmtpServer, work: Work) -> None:
    for number in (1, 2, 3):
        imap.append(FORM % ((number,) * 4))
    refuse(desk, "INSERT ON inbox", f"NEW.size = {len(FORM % ((2,) * 4))} AND NEW.uid = 2")

    def done() -> bool:
        left = len(imap.mails("INBOX")), len(imap.mails("Done"))
        return left == (1, 2) and len(alerts(smtp)) == 1

    work(desk, done)
    work(desk, done)


def test_a_due_thing(desk: Desk, smtp: servers.SmtpServer, work: Work, ahead: list[timedelta]) -> None:
    now = desk.clock()
    with desk.store.write() as session:
        for ref in ("LIC-1", "LIC-2", "LIC-3"):
            due.add(session, "close", now, now, ref=ref)
    refuse(desk, "UPDATE ON due", "OLD.ref = 'LIC-1'")

    def left() -> list[str | None]:
        with desk.store.read() as session:
            return [row.ref for row in due.open_(session, "close")]

    def done() -> bool:
        return left() == ["LIC-1"] and len(alerts(smtp)) == 1

    work(desk, done)
    work(desk, done)
    heal(desk, ahead)
    with Running(desk):
        until(lambda: left() == [])
    assert len(alerts(smtp)) == 1


@pytest.mark.series(3)
@pytest.mark.parametrize("step", ["request", "answer", "claim"])
def test_a_licence_post(
    config: Path, smtp: servers.SmtpServer, vendor: Vendor, work: Work, ahead: list[timedelta], step: str
) -> None:
    desk = assemble(load_config(config, {}), clock=lambda: datetime.now(UTC) + ahead[0])
    terms = {"status": "active", "plan": "voice_digital", "agents": "10", "billing": "monthly", "product": "motion"}
    put_licences(desk, [{"token": token, **terms} for token in TOKENS], "import", "a file")
    settings = LicenceServerSection(url=vendor.url, secret=SecretStr(SECRET))
    object.__setattr__(desk, "config", desk.config.model_copy(update={"licence_server": settings}))
    put_licences(desk, [{"token": token, "agents": "12"} for token in TOKENS], "set", "by phone")
    if step == "claim":
        refuse(desk, "UPDATE ON licence_post", f"OLD.token = '{TOKENS[0]}'")
    elif step == "answer":
        refuse(desk, "INSERT ON licence_event", f"NEW.token = '{TOKENS[0]}' AND NEW.kind = 'accepted'")
    else:
        with desk.store.write() as session:
            licence_posts.listing(session)[0].revision = 9  # an event that is not in the ledger

    def states() -> list[str]:
        with desk.store.read() as session:
            return [row.state for row in licence_posts.listing(session)]

    def done() -> bool:
        return states() == ["waiting", "accepted", "accepted"]

    work(desk, done)
    with desk.store.read() as session:
        row = licence_posts.listing(session)[0]
    assert row.lease_until is None
    if step != "claim":
        assert (row.attempts, row.not_before > desk.clock()) == (1, True)
        assert "Traceback" in (row.last_result or "")
    work(desk, lambda: done() and len(alerts(smtp)) == 1)
    if step != "request":
        heal(desk, ahead)
        with Running(desk):
            until(lambda: states() == ["accepted"] * 3)
    assert len(alerts(smtp)) == 1


@pytest.mark.series(3)
@pytest.mark.parametrize("step", ["reply", "record", "claim"])
def test_a_delivery(
    desk: Desk, smtp: servers.SmtpServer, work: Work, ahead: list[timedelta], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(desk)
    if step != "reply":
        refuse(desk, "UPDATE OF state ON outbox" if step == "record" else "UPDATE ON outbox", "OLD.id = 3")
    else:
        smtp.say("RCPT joe1@acme.example", "451 a reply that breaks the parser", times=1)
        parse = smtp_module._reply
        monkeypatch.setattr(smtp_module, "_reply", lambda e: 1 // 0 if "breaks" in str(e) else parse(e))

    def states() -> dict[str, int]:
        with desk.store.read() as session:
            return outbox.counts(session)

    failed = "unknown" if step == "reply" else "queued"

    def done() -> bool:
        return states() == {failed: 1, "sent": 7} and len(alerts(smtp)) == 1  # six answers, two alerts

    work(desk, done)
    if step != "reply":
        heal(desk, ahead)
    else:
        ahead[0] += timedelta(hours=2)
    with Running(desk):
        until(lambda: states() == {"sent": 8})
    assert len(alerts(smtp)) == 1


def test_a_mail_that_was_sent_but_not_recorded_is_not_sent_again(
    desk: Desk, smtp: servers.SmtpServer, ahead: list[timedelta]
) -> None:
    arrive(desk)
    refuse(desk, "UPDATE OF state ON outbox", "OLD.id = 1")

    def unsent() -> int:
        with desk.store.read() as session:
            return len(outbox.listing(session, outbox.OutboxState.QUEUED))

    with Running(desk):
        until(lambda: unsent() == 1 and len(smtp.mails) == 8)
        heal(desk, ahead)  # its lease is over too
        until(lambda: unsent() == 0)
    assert len(smtp.mails) == 8
