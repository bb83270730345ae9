"""`mailbot run` with a licence server that hangs, fails, is late and refuses; killed between a POST and its answer."""

import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.service.test_licence_server_loop import HANG, SECRET, Vendor, vendor
from tests.service.test_run import config, configured, imap, smtp, until
from tests.support import servers
from tests.support.warm import Ran, Warm

__all__ = ["config", "imap", "smtp", "vendor"]  # fixtures
FORM = (
    b"Authentication-Results: mx.vendor.example; dmarc=pass header.from=acme.example\r\n"
    b"From: Joe <joe@acme.example>\r\nTo: desk@vendor.example\r\nMessage-ID: <%d@acme.example>\r\n\r\n"
    b"Request: modify\r\nAction: %s\r\nLicense token: A1B2C3D4E5F6\r\nCustomer name: Acme\r\n"
    b"I accept the License Agreement: yes\r\nReason: %s\r\nAgents: %d\r\n"
)


@pytest.fixture
def desk(tmp_path: Path, imap: servers.Dovecot, smtp: servers.SmtpServer, vendor: Vendor) -> Path:
    """The configuration of a desk with that licence server, and a licence."""
    path = configured(tmp_path, imap, smtp)
    path.write_text(f'{path.read_text()}\n[licence_server]\nurl = "{vendor.url}"\nsecret = "{SECRET}"\n')
    (tmp_path / "l.csv").write_text(
        "token,product,status,customer_name,plan,agents,users,telephones,mobile_agents,addons,plugins,support,billing,"
        "whitelabel,contacts,demo_ends,expires_on,renews_on\n"
        "A1B2C3D4E5F6,motion,active,Acme,voice_digital,10,0,0,0,,,,monthly,false,joe@acme.example,,,\n"
    )
    return path


Call = Callable[..., Ran]


def test_nothing_is_lost_or_done_twice_whatever_the_server_does(
    tmp_path: Path, desk: Path, imap: servers.Dovecot, smtp: servers.SmtpServer, vendor: Vendor, warm: Warm
) -> None:
    def mailbot(*words: str, minutes: float = 0) -> Ran:
        now = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
        return warm.run("mailbot", *words, *(("--now", now) if minutes else ()), "-c", desk)

    def ticket(ref: str) -> dict:
        return json.loads(mailbot("show", ref, "--json", minutes=30).stdout)

    assert mailbot("licences", "import", str(tmp_path / "l.csv")).returncode == 0
    vendor.answers = [HANG, 503, 200, (422, '{"reason": "this token is blocked"}')]
    imap.append(FORM % (1, b"add", b"more agents", 15))
    running = warm.start("mailbot", "run", "-c", desk)
    try:
        until(lambda: len(vendor.events) == 1)
    finally:
        running.signal(signal.SIGKILL)  # the server has the event, mailbot has no answer
        running.end()
    vendor.released.set()
    at_once = mailbot("run", "--once")  # what the dead desk had in hand is free
    assert (at_once.returncode, len(vendor.events)) == (1, 2), "503: not yet"
    assert "licence server has not answered" in at_once.stderr
    assert mailbot("run", "--once").returncode == 1, "nothing is due, but an item is not in force yet"
    assert len(vendor.events) == 2
    assert (ticket("LIC-1")["state"], smtp.mails) == ("applying", [])
    configured = desk.read_text()
    desk.write_text(configured.partition("\n[licence_server]")[0])
    alone = mailbot("run", "--once")
    assert (alone.returncode, "[licence_server] is not configured" in alone.stderr) == (1, True)
    assert "[licence_server] is missing: put it back" in mailbot("check").stdout
    desk.write_text(configured)
    assert mailbot("run", "--once", minutes=13).returncode == 0
    assert [item["status"] for item in ticket("LIC-1")["items"]] == ["applied"]
    assert mailbot("run", "--once", minutes=14).returncode == 0
    assert {headers["Idempotency-Key"] for headers in vendor.headers} == {"A1B2C3D4E5F6-2"}
    assert len(vendor.events) == 3
    subjects = [mail.raw.partition(b"Subject: ")[2].split(b"\r\n")[0] for mail in smtp.mails]
    assert len(subjects) == 2, subjects  # that it takes a while, once; that it is done, once
    imap.append(FORM % (2, b"remove", b"cost", 12))
    assert mailbot("run", "--once", minutes=16).returncode == 0
    refused = ticket("LIC-2")
    assert [(item["status"], item["reason"]) for item in refused["items"]] == [("refused", "this token is blocked")]
    assert {mail.recipient for mail in smtp.mails[2:]} >= {"joe@acme.example", "anna@vendor.example"}
    assert mailbot("audit", minutes=17).returncode == 0
    licence = json.loads(mailbot("licences", "show", "A1B2C3D4E5F6", "--json", minutes=17).stdout)
    assert licence["agents"] == 15
