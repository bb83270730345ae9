"""A running desk: handling and delivery side by side, and its end, with a server that does not answer."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailbot.assembly import assemble
from mailbot.config.settings import load_config
from mailbot.environment import Desk
from mailbot.service import delivery
from mailbot.service.loops import Service
from storage import outbox
from tests.service.test_run import FORM, configured
from tests.support import servers

pytestmark = pytest.mark.dovecot


@pytest.fixture
def smtp() -> Iterator[servers.SmtpServer]:
    with servers.smtp_server() as server:
        yield server


@pytest.fixture
def imap(tmp_path: Path) -> Iterator[servers.Dovecot]:
    with servers.dovecot(tmp_path) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path, imap: servers.Dovecot, smtp: servers.SmtpServer) -> Desk:
    return assemble(load_config(configured(tmp_path, imap, smtp), {}))


class Running:
    """A desk at work in a thread of its own."""

    def __init__(self, desk: Desk) -> None:
        self.service = Service(desk)
        self.fault: BaseException | None = None
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            asyncio.run(self.service.run())
        except BaseException as fault:
            self.fault = fault

    def __enter__(self) -> "Running":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.service.stop()
        self.thread.join(60)
        assert not self.thread.is_alive()
        assert self.fault is None, self.fault


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def states(desk: Desk) -> list[tuple[str, bool]]:
    """(state, whether somebody has it in hand) of every mail to send."""
    with desk.store.read() as session:
        return sorted((row.state, row.lease_until is not None) for row in outbox.listing(session))


def at_once(desk: Desk) -> None:
    """The operator wants no back-off."""
    with desk.store.write() as session:
        for row in outbox.listing(session):
            outbox.retry(session, row.id, desk.clock())


def in_hand(desk: Desk) -> int:
    return sum(held for _, held in states(desk))


def test_mails_are_handled_and_moved_while_the_server_says_nothing_and_sent_when_it_is_well(
    desk: Desk, imap: servers.Dovecot, smtp: servers.SmtpServer
) -> None:
    smtp.say("RCPT", servers.Fault.HANG)
    imap.append(FORM % ((1,) * 4))
    with Running(desk):
        until(lambda: in_hand(desk) == 2)
        for number in range(2, 6):
            imap.append(FORM % ((number,) * 4))
        until(lambda: len(imap.mails("Done")) == 5)
        assert smtp.mails == []
        smtp.heal()
        smtp.hang_up()
        until(lambda: in_hand(desk) == 0)
        at_once(desk)
        until(lambda: [state for state, _ in states(desk)] == ["sent"] * 10)
    assert len(smtp.mails) == 10


@pytest.mark.parametrize(("step", "fate"), [("RCPT", "queued"), ("BODY", "unknown")])
def test_the_desk_ends_although_the_server_does_not_answer_and_leaves_no_mail_leased(
    desk: Desk, imap: servers.Dovecot, smtp: servers.SmtpServer, monkeypatch: pytest.MonkeyPatch, step: str, fate: str
) -> None:
    monkeypatch.setattr(delivery, "GRACE", 0.2)
    smtp.say(step, servers.Fault.HANG)
    for number in (1, 2, 3):
        imap.append(FORM % ((number,) * 4))
    with Running(desk):
        until(lambda: len(imap.mails("Done")) == 3)
        until(lambda: in_hand(desk) >= 4 and (step != "BODY" or len(smtp.seen) == 4))
    assert states(desk) == [("queued", False)] * (2 if fate == "unknown" else 6) + [("unknown", False)] * (
        4 if fate == "unknown" else 0
    )
    smtp.heal()
    at_once(desk)
    with Running(desk):
        until(lambda: [state for state, _ in states(desk)] == ["sent"] * 6)


def test_one_mail_without_an_answer_holds_up_no_other(
    desk: Desk, imap: servers.Dovecot, smtp: servers.SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "GRACE", 0.2)
    smtp.say("BODY", servers.Fault.HANG, times=1)
    for number in range(1, 11):
        imap.append(FORM % ((number,) * 4))
    with Running(desk):
        until(lambda: len(smtp.mails) == 19)
    assert [state for state, _ in states(desk)] == ["sent"] * 19 + ["unknown"]


def test_the_desk_can_be_stopped_from_any_thread_before_its_start_and_after_its_end(desk: Desk) -> None:
    service = Service(desk)
    service.stop("before it began")
    asyncio.run(service.run())
    service.stop("after its end")


def test_the_desk_goes_on_when_the_imap_thread_cannot_be_woken(desk: Desk) -> None:
    service = Service(desk)
    for _ in range(10_000):  # more than any socket holds
        service._wake()
    service.close()
