"""One finished mail goes out and one outcome comes back, whatever the server or the network does."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.servers.smtp import Deferred, Outcome, Refused, Sent, Smtp, SmtpError, SmtpSettings, Unknown
from mailbot.service import delivery_attempt
from storage import outbox
from tests.support.servers import (
    ELSEWHERE,
    HOST,
    PASSWORD,
    Certificate,
    Fault,
    SmtpServer,
    certificate,
    free_port,
    relayed,
    smtp_server,
)

DESK, CUSTOMER = "desk@example.com", "anna@example.org"
MAIL = b"From: desk@example.com\r\nTo: anna@example.org\r\nSubject: LIC-1\r\n\r\nYour licence is active.\r\n"


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with smtp_server() as running:
        yield running


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("certificate"))


def on_a_lane(lane: Smtp, work: Callable[[Smtp], Awaitable[object]]) -> object:
    async def run() -> object:
        try:
            return await work(lane)
        finally:
            await lane.close()

    return asyncio.run(run())


def outcomes(lane: Smtp, *raws: bytes, sender: str = DESK, recipient: str = CUSTOMER) -> list[Outcome]:
    async def work(lane: Smtp) -> list[Outcome]:
        return [await lane.send(sender, recipient, raw) for raw in raws]

    return on_a_lane(lane, work)  # type: ignore[return-value]


def test_smtp_sends_the_mail_with_its_envelope(server: SmtpServer) -> None:
    assert outcomes(Smtp(server.settings()), MAIL) == [Sent("250 OK")]
    (mail,) = server.mails
    assert (mail.envelope_from, mail.recipient, mail.raw) == (DESK, CUSTOMER, MAIL)


@pytest.mark.parametrize(
    "body",
    [
        b".\r\n..\r\n.hidden\r\n",
        b"\r\n\r\n.\r\n",
        "für Größe\r\n".encode(),
        b"x" * 990 + b"\r\n",
        b"line\r\n" * 100_000,
    ],
    ids=["dots", "a lone dot", "8 bit", "long line", "large"],
)
def test_smtp_changes_no_byte(server: SmtpServer, body: bytes) -> None:
    raw = b"Subject: x\r\n\r\n" + body
    assert outcomes(Smtp(server.settings()), raw) == [Sent("250 OK")]
    assert server.mails[0].raw == raw


def test_bare_line_ends_are_sent_as_crlf_against_smuggling(server: SmtpServer) -> None:
    smuggled = b"Subject: x\r\n\r\none\n.\nMAIL FROM:<evil@example.net>\r.\rtwo"
    assert outcomes(Smtp(server.settings()), smuggled) == [Sent("250 OK")]
    (mail,) = server.mails
    assert mail.raw == b"Subject: x\r\n\r\none\r\n.\r\nMAIL FROM:<evil@example.net>\r\n.\r\ntwo\r\n"


def test_an_empty_envelope_from_is_the_null_reverse_path(server: SmtpServer) -> None:
    assert outcomes(Smtp(server.settings()), MAIL, sender="") == [Sent("250 OK")]
    assert server.mails[0].envelope_from == ""


def test_smtp_keeps_its_connection(server: SmtpServer) -> None:
    assert outcomes(Smtp(server.settings()), MAIL, MAIL, MAIL) == [Sent("250 OK")] * 3
    assert server.connections == 1


@pytest.mark.parametrize("step", ["MAIL", "RCPT", f"RCPT {CUSTOMER}", "DATA", "BODY"])
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("451 4.3.0 try again", Deferred("451 4.3.0 try again")),
        ("550 5.1.1 no such user", Refused("550 5.1.1 no such user")),
        ("530 5.7.0 log in first", Deferred("530 5.7.0 log in first")),
        ("421 4.3.2 shutting down", Deferred("421 4.3.2 shutting down")),
    ],
)
def test_the_reply_code_decides_the_outcome(server: SmtpServer, step: str, answer: str, outcome: Outcome) -> None:
    server.say(step, answer)
    lane = Smtp(server.settings())

    async def work(lane: Smtp) -> list[Outcome]:
        first = await lane.send(DESK, CUSTOMER, MAIL)
        server.heal()
        return [first, await lane.send(DESK, CUSTOMER, MAIL)]

    if step == "MAIL" and isinstance(outcome, Refused):  # the desk's own address, not the mail, is at fault
        outcome = Deferred(outcome.reply)
    first, second = on_a_lane(lane, work)
    assert (type(first), first.reply, second) == (type(outcome), outcome.reply, Sent("250 OK"))
    assert len(server.mails) == 1


def test_faults_of_the_desk_or_its_login_defer_any_mail(server: SmtpServer) -> None:
    for step, answer, sender, expected in (
        ("MAIL", "550 5.7.1 not allowed to send as that", DESK, True),
        ("MAIL", "552 5.3.4 too large", DESK, None),
        ("MAIL", "550 5.7.1 no bounces here", "", None),
        ("MAIL", "450 4.7.1 slow down", DESK, False),
        ("RCPT", "530 5.7.0 log in first", DESK, True),
        ("RCPT", "450 4.2.0 greylisted", DESK, False),
    ):
        server.say(step, answer)
        told = on_a_lane(Smtp(server.settings()), lambda lane, sender=sender: lane.send(sender, CUSTOMER, MAIL))
        server.heal()
        assert told == (Refused(answer) if expected is None else Deferred(answer, any_mail=expected)), step


def test_a_refused_recipient_does_not_affect_the_next_mail(server: SmtpServer) -> None:
    server.say("RCPT gone@example.org", "550 5.1.1 no such user")
    lane = Smtp(server.settings())

    async def work(lane: Smtp) -> list[Outcome]:
        return [await lane.send(DESK, name, MAIL) for name in ("gone@example.org", CUSTOMER)]

    assert on_a_lane(lane, work) == [Refused("550 5.1.1 no such user"), Sent("250 OK")]
    assert [mail.recipient for mail in server.mails] == [CUSTOMER]
    assert server.connections == 1


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", Fault)
def test_a_connection_lost_before_the_body_defers_the_mail(server: SmtpServer, step: str, fault: Fault) -> None:
    server.say(step, fault)
    (outcome,) = outcomes(Smtp(server.settings(), answer=0.2), MAIL)
    assert isinstance(outcome, Deferred)
    assert server.seen == []


@pytest.mark.parametrize("fault", Fault)
def test_a_connection_lost_after_the_body_is_unknown(server: SmtpServer, fault: Fault) -> None:
    server.say("BODY", fault, times=1)
    first, second = outcomes(Smtp(server.settings(), verdict=0.2), MAIL, MAIL)
    assert isinstance(first, Unknown)
    assert first.reply
    assert len(server.seen) == 2  # the server had it all the same
    assert second == Sent("250 OK")
    assert server.connections == 2


@pytest.mark.parametrize("answer", ["what?", "999 strange", "334 more", "100 soon"])
def test_a_malformed_answer_after_the_body_is_unknown(server: SmtpServer, answer: str) -> None:
    server.say("BODY", answer)
    (outcome,) = outcomes(Smtp(server.settings()), MAIL)
    assert isinstance(outcome, Unknown)


def test_the_body_is_sent_only_after_354(server: SmtpServer) -> None:
    server.say("DATA", "250 OK")
    (outcome,) = outcomes(Smtp(server.settings()), MAIL)
    assert isinstance(outcome, Deferred)
    assert server.seen == []


def test_a_dead_kept_connection_is_replaced(server: SmtpServer) -> None:
    async def work(lane: Smtp) -> list[Outcome]:
        first = await lane.send(DESK, CUSTOMER, MAIL)
        server.hang_up()  # the lane has not noticed yet
        return [first, await lane.send(DESK, CUSTOMER, MAIL)]

    assert on_a_lane(Smtp(server.settings()), work) == [Sent("250 OK")] * 2
    assert len(server.mails) == 2


@pytest.mark.parametrize("goodbye", ["421 4.4.2 idle for too long", Fault.DROP, Fault.HANG])
def test_a_kept_connection_answered_with_421_is_replaced(server: SmtpServer, goodbye: str | Fault) -> None:
    async def work(lane: Smtp) -> list[Outcome]:
        first = await lane.send(DESK, CUSTOMER, MAIL)
        server.say("MAIL", goodbye, times=1)
        return [first, await lane.send(DESK, CUSTOMER, MAIL)]

    assert on_a_lane(Smtp(server.settings(), answer=0.5), work) == [Sent("250 OK")] * 2


def test_smtp_without_a_server_defers() -> None:
    (outcome,) = outcomes(Smtp(SmtpSettings(HOST, free_port(), "plain")), MAIL)
    assert isinstance(outcome, Deferred)
    assert HOST in outcome.reply


def test_smtp_sends_again_after_a_server_restart(server: SmtpServer) -> None:
    with smtp_server() as other:
        lane = Smtp(other.settings())
    (outcome,) = outcomes(lane, MAIL)
    assert isinstance(outcome, Deferred)
    lane._settings = server.settings()
    assert outcomes(lane, MAIL) == [Sent("250 OK")]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_smtp_over_tls_with_login(made: Certificate, security: str) -> None:
    with smtp_server(security, made, login=True) as server:
        assert outcomes(Smtp(server.settings()), MAIL, MAIL) == [Sent("250 OK")] * 2
        assert server.connections == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_smtp_with_an_untrusted_certificate_defers(made: Certificate, security: str) -> None:
    with smtp_server(security, made, login=True) as server:
        (outcome,) = outcomes(Smtp(server.settings(ca_file=None)), MAIL)
        assert isinstance(outcome, Deferred)
        assert "certificate" in outcome.reply.lower()
        assert server.seen == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_smtp_with_a_certificate_for_another_name_defers(made: Certificate, security: str) -> None:
    with smtp_server(security, made) as server, relayed(server.port) as port:
        (outcome,) = outcomes(Smtp(server.settings(host=ELSEWHERE, port=port)), MAIL)
        assert isinstance(outcome, Deferred)
        assert "certificate is not valid" in outcome.reply
        assert server.seen == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_smtp_without_starttls_sends_nothing(made: Certificate, security: str) -> None:
    """The server takes logins in the clear; we do not give ours."""
    with smtp_server(login=True) as server:
        (outcome,) = outcomes(Smtp(server.settings(security=security, ca_file=str(made.chain)), answer=2), MAIL)
        assert isinstance(outcome, Deferred)
        assert ("no TLS on this port" if security == "tls" else "STARTTLS") in outcome.reply
        assert server.seen == []


def test_a_wrong_smtp_password_defers_every_mail() -> None:
    with smtp_server(login=True) as server:
        (outcome,) = outcomes(Smtp(server.settings(password="wrong")), MAIL)
        assert isinstance(outcome, Deferred)
        assert "rejects the login of 'desk': 535" in outcome.reply
        assert "wrong" not in outcome.reply


def test_a_missing_smtp_login_defers_every_mail() -> None:
    with smtp_server(login=True) as server:
        (outcome,) = outcomes(Smtp(server.settings(username=None, password=None)), MAIL)
        assert outcome == Deferred("530 5.7.0 Authentication required", any_mail=True)


@pytest.mark.parametrize("host", ["mail.example.com", "192.0.2.1", "2001:db8::1"])
def test_smtp_plain_text_to_another_machine_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="unencrypted"):
        Smtp(SmtpSettings(host, 25, "plain"))


@pytest.mark.parametrize("recipient", ["a b@example.org", "a@example.org>\r\nRSET", "ä@example.org", "a@ex\x00.org"])
def test_an_address_that_is_not_plain_is_refused(server: SmtpServer, recipient: str) -> None:
    (outcome,) = outcomes(Smtp(server.settings()), MAIL, recipient=recipient)
    assert isinstance(outcome, Refused)
    assert outcome.reply.isprintable()
    assert outcomes(Smtp(server.settings()), MAIL) == [Sent("250 OK")]
    assert len(server.mails) == 1


def test_replies_are_cleaned_to_one_line(server: SmtpServer) -> None:
    server.say("BODY", "550-no\r\n550-\x1b[31mway\r\n550 " + "x" * 3000)
    (outcome,) = outcomes(Smtp(server.settings()), MAIL)
    assert isinstance(outcome, Refused)
    assert outcome.reply.startswith("550 no [31mway xxx")
    assert outcome.reply.isprintable()
    assert len(outcome.reply) == 500


def test_a_send_cancelled_before_the_body_can_be_repeated(server: SmtpServer) -> None:
    server.say("DATA", Fault.HANG, times=1)

    async def work(lane: Smtp) -> Outcome:
        sending = asyncio.create_task(lane.send(DESK, CUSTOMER, MAIL))
        while not server.connections:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        return await lane.send(DESK, CUSTOMER, MAIL)

    assert on_a_lane(Smtp(server.settings()), work) == Sent("250 OK")
    assert (server.connections, len(server.seen)) == (2, 1)


def test_a_send_cancelled_after_the_body_is_unknown_and_can_be_repeated(server: SmtpServer) -> None:
    server.say("BODY", Fault.HANG, times=1)

    async def work(lane: Smtp) -> Outcome:
        sending = asyncio.create_task(lane.send(DESK, CUSTOMER, MAIL))
        while not server.seen:
            await asyncio.sleep(0.01)
        sending.cancel()
        assert isinstance(await sending, Unknown)
        return await lane.send(DESK, CUSTOMER, MAIL)

    assert on_a_lane(Smtp(server.settings()), work) == Sent("250 OK")
    assert server.connections == 2


def test_smtp_check_reports_extensions_and_login(made: Certificate) -> None:
    with smtp_server("starttls", made, login=True) as server:
        said = on_a_lane(Smtp(server.settings()), Smtp.check)
        assert f"{HOST}:{server.port} (starttls), logged in as desk" in str(said)
        assert "8BITMIME" in str(said)
        assert PASSWORD not in str(said)


def test_smtp_check_reports_the_fault(tmp_path: Path) -> None:
    with pytest.raises(SmtpError, match=HOST):
        on_a_lane(Smtp(SmtpSettings(HOST, free_port(), "plain")), Smtp.check)
    with pytest.raises(SmtpError, match=r"connection to .* failed"):
        on_a_lane(Smtp(SmtpSettings(HOST, 1, "tls", ca_file=str(tmp_path / "missing.pem"))), Smtp.check)


def test_a_long_outage_does_not_use_up_the_attempts_of_a_mail() -> None:
    at = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
    row = outbox.Outbox(attempts=500, composed_at=at - timedelta(days=20))
    away = delivery_attempt.Attempt(row, Deferred("no good connection", any_mail=True), at)
    assert (away.given_up, away.again - at) == (False, timedelta(minutes=15))
    slow = delivery_attempt.Attempt(row, Deferred("450 try later"), at)
    assert (slow.given_up, slow.again - at) == (True, timedelta(hours=3))
    row.composed_at = at - timedelta(days=1)  # its tries were those of the outage
    assert not slow.given_up
