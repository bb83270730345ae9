"""`mailbot run` on a real Dovecot and a real SMTP server."""

import email
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailbot.assembly import assemble
from mailbot.config.settings import load_config
from mailbot.maillog import MailLog
from mailbot.service.loops import Service
from mailbot.service.runner import keep_mail
from storage import due, inbox
from tests.support import servers
from tests.support.running import CONFIG, migrated
from tests.support.warm import Ran, Warm

FORM = (
    b"Authentication-Results: mx.vendor.example; dmarc=pass header.from=acme.example\r\n"
    b"From: Joe <joe%d@acme.example>\r\nTo: desk@vendor.example\r\nSubject: demo\r\nMessage-ID: <%d@acme.example>\r\n\r\n"
    b"Request: activate\r\nLicense token: A1B2C3D4E5F%d\r\nCustomer name: Acme %d\r\n"
    b"I accept the License Agreement: yes\r\n30 days free demo: yes\r\n"
)


@pytest.fixture
def smtp() -> Iterator[servers.SmtpServer]:
    with servers.smtp_server() as server:
        yield server


@pytest.fixture
def imap(tmp_path: Path) -> Iterator[servers.Dovecot]:
    with servers.dovecot(tmp_path) as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, imap: servers.Dovecot, smtp: servers.SmtpServer) -> Path:
    return configured(tmp_path, imap, smtp)


def configured(folder: Path, imap: servers.Dovecot, smtp: servers.SmtpServer) -> Path:
    """The configuration file of a desk on those servers."""
    settings = imap.settings()
    text = CONFIG.format(folder=folder / "var")
    text = text.replace(
        'username = "desk"\npassword = "desk"',
        f'username = "{settings.username}"\npassword = "{settings.password}"\nport = {settings.port}',
    ).replace('[smtp]\nhost = "127.0.0.1"\n', f'[smtp]\nhost = "127.0.0.1"\nport = {smtp.port}\n')
    path = folder / "mailbot.toml"
    path.write_text(text)
    return path


Call = Callable[..., Ran]


@pytest.fixture
def mailbot(warm: Warm, config: Path) -> Call:
    """The command with that configuration, each time in a process of its own."""
    return lambda *words: warm.run("mailbot", *words, "-c", config)


def test_once_takes_the_mail_answers_it_and_moves_it(
    imap: servers.Dovecot, smtp: servers.SmtpServer, config: Path, mailbot: Call
) -> None:
    imap.append(FORM % ((1,) * 4))
    imap.append(b"Subject: nobody\r\n\r\nwrote this\r\n")
    done = mailbot("run", "--once")
    assert done.returncode == 0, done.stderr
    assert [mail.recipient for mail in smtp.mails] == ["joe1@acme.example"] * 2
    assert (len(imap.mails("INBOX")), len(imap.mails("Done")), len(imap.mails("Quarantine"))) == (0, 1, 1)
    (ticket,) = json.loads(mailbot("tickets", "--json").stdout)
    assert (ticket["ref"], ticket["state"]) == ("LIC-1", "done")
    assert mailbot("run", "--once").returncode == 0
    assert len(smtp.mails) == 2


def test_check_has_a_line_for_everything(config: Path, mailbot: Call) -> None:
    done = mailbot("check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[1].rstrip(":") for line in done.stdout.splitlines()] == [
        "configuration", "catalogue", "templates", "database", "imap", "smtp",
    ]  # fmt: skip


def test_a_running_desk_answers_and_ends_cleanly(imap: servers.Dovecot, smtp: servers.SmtpServer, config: Path) -> None:
    # As an operator starts it; elsewhere desks begin in a warm process.
    process = subprocess.Popen([sys.executable, "-m", "mailbot", "run", "-c", str(config)], stderr=subprocess.PIPE)
    try:
        imap.append(FORM % ((1,) * 4))
        until(lambda: len(smtp.mails) == 2)
        imap.append(FORM % ((2,) * 4))
        until(lambda: len(smtp.mails) == 4)
        until(lambda: len(imap.mails("Done")) == 2)
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err.decode()


def test_what_came_while_the_desk_stood_still_is_taken_before_what_fell_due_since(
    imap: servers.Dovecot, smtp: servers.SmtpServer, config: Path, mailbot: Call, warm: Warm
) -> None:
    form = FORM % ((1,) * 4)
    imap.append(form.replace(b"Customer name: Acme 1\r\n", b""))
    assert mailbot("run", "--once").returncode == 0
    asked = email.message_from_bytes(smtp.mails[0].raw)
    with assemble(load_config(config, {})).store.write() as session:
        for row in due.open_(session, "close"):
            row.due_at = datetime.now(UTC) + timedelta(seconds=2)  # as if it had been asked a fortnight ago
    reply = (
        f"From: joe1@acme.example\r\nTo: {asked['Reply-To']}\r\nMessage-ID: <r@acme.example>\r\n\r\nCustomer name: Acme"
    )
    imap.append(form.split(b"From:")[0] + reply.encode())
    time.sleep(2.5)
    running = warm.start("mailbot", "run", "-c", config)
    try:
        until(lambda: len(smtp.mails) == 3)
    finally:
        running.signal(signal.SIGTERM)
        running.end()
    subjects = sorted(email.message_from_bytes(mail.raw)["Subject"] for mail in smtp.mails[1:])  # each by its own lane
    assert subjects == ["[LIC-1] Your plugins", "[LIC-1] Your request is done"]


def until(holds: object) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_desks_on_one_database_do_everything_once(
    imap: servers.Dovecot, smtp: servers.SmtpServer, config: Path, mailbot: Call, warm: Warm
) -> None:
    count = 12
    assert mailbot("run", "--once").returncode == 0  # makes database and folders
    for number in range(1, count + 1):
        imap.append(FORM % ((number,) * 4))
    both = [desk.end() for desk in [warm.start("mailbot", "run", "--once", "-c", config) for _ in range(2)]]
    assert all(desk.returncode in (0, 1) for desk in both), both  # 1: mails were in the other's hands
    assert not any("Traceback" in desk.stderr for desk in both), both
    assert mailbot("run", "--once").returncode == 0
    sent = [email.message_from_bytes(mail.raw)["Message-ID"] for mail in smtp.mails]
    assert len(sent) == len(set(sent)) == 2 * count
    tickets = json.loads(mailbot("tickets", "--json").stdout)
    assert sorted(ticket["customer_name"] for ticket in tickets) == sorted(f"Acme {n}" for n in range(1, count + 1))
    assert {row["attempts"] for row in json.loads(mailbot("inbox", "--json").stdout)} == {1}
    assert (len(imap.mails("INBOX")), len(imap.mails("Done"))) == (0, count)


def test_a_desk_that_was_killed_leaves_nothing_in_hand_for_long(
    imap: servers.Dovecot, smtp: servers.SmtpServer, config: Path, mailbot: Call
) -> None:
    found = assemble(load_config(config, {}))
    now = found.clock()
    raw = FORM % ((1,) * 4)
    inbox_id, _ = keep_mail(found, raw, now, "inject")
    with found.store.write() as session:
        inbox.claim(session, inbox_id, now, now + timedelta(days=1))
    with found.store.presence(lambda _: None):  # somebody else works: what is in hand may be his
        assert mailbot("run", "--once").returncode == 1
    assert smtp.mails == []
    assert mailbot("run", "--once").returncode == 0
    assert len(smtp.mails) == 2


def test_a_lost_connection_is_logged_once(imap: servers.Dovecot, config: Path) -> None:
    said: list[str] = []

    class Heard(MailLog):
        def _say(self, level: str, event: str, **values: object) -> None:
            said.append(f"{event} {values.get('why', '')}")

    service = Service(assemble(load_config(config, {}), log=Heard()))
    thread = threading.Thread(target=service._mailbox)
    thread.start()
    try:
        until(lambda: "idle " in said)
        imap.stop()
        until(lambda: sum("Connection refused" in line for line in said) == 2)  # vain tries to come back
    finally:
        imap.start()
        service.stop()
        thread.join(60)
        service.close()
    lost = [line for line in said if line.startswith("connection lost") and "Connection refused" not in line]
    assert (said.count("connected "), len(lost)) == (1, 1), said


DRIVER = """
import os, signal, sys, pathlib
from datetime import UTC, datetime
from mailbot.assembly import assemble
from mailbot.config.settings import load_config
from mailbot.clock import fixed
from mailbot.ids import RepeatableIds
from mailbot.maillog import MailLog
from mailbot.service.loops import run_once

class Dying(MailLog):
    left = int(sys.argv[2])
    def _say(self, *args, **values):
        Dying.left -= 1
        if Dying.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

desk = assemble(load_config(pathlib.Path(sys.argv[1]), {}), fixed(datetime(2026, 11, 3, 9, tzinfo=UTC)), RepeatableIds(b"x"), Dying())
run_once(desk)
print(Dying.left)
"""


def final(warm: Warm, config: Path, server: servers.SmtpServer) -> tuple[object, ...]:
    """Tickets, licences and mails, without what differs from run to run."""
    tickets = warm.run("mailbot", "tickets", "--json", "-c", config).stdout
    licences = warm.run("mailbot", "licences", "list", "--json", "-c", config).stdout
    mails = {email.message_from_bytes(raw)["Message-ID"]: raw for raw in (mail.raw for mail in server.mails)}
    return json.loads(tickets), json.loads(licences), sorted(mails.items())


def test_a_desk_killed_at_any_step_comes_to_the_same_end(
    warm: Warm, imap: servers.Dovecot, smtp: servers.SmtpServer, config: Path, tmp_path: Path
) -> None:
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER)

    def begin() -> None:
        for name in ("mailbot.db-wal", "mailbot.db-shm"):
            (tmp_path / "var" / name).unlink(missing_ok=True)
        (tmp_path / "var" / "mailbot.db").write_bytes(migrated())
        smtp.mails.clear()
        for folder in ("INBOX", "Done", "Quarantine"):
            with imap.client(folder) as client:
                uids = client.search("ALL")
                if uids:
                    client.delete_messages(uids)
                    client.expunge()
        for number in (1, 2):
            imap.append(FORM % ((number,) * 4), datetime(2026, 11, 3, 8, number, tzinfo=UTC))

    def drive(kill_at: int) -> int:
        return warm.run(driver, config, kill_at).returncode

    assert drive(0) == 0  # makes the folders
    begin()
    assert drive(10_000) == 0
    expected = final(warm, config, smtp)
    assert len(expected[2]) == 4
    kills = 0
    every = 1 if os.environ.get("THOROUGH") else 6
    for step in itertools.count(1, every):
        begin()
        code = drive(step)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        kills += 1
        assert drive(10_000) == 0
        for got, wanted, what in zip(
            final(warm, config, smtp), expected, ("tickets", "licences", "mails"), strict=True
        ):
            assert got == wanted, f"{what} differ after a kill at step {step}"
    assert kills >= 28 // every
