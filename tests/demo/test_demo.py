"""`mailbot demo` as it is called, its web mail page, and the border in front of its mail server."""

import json
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pytest

from mailbot.core.mail.message import Message
from mailbot.demo.demo_border import AUTHSERV_ID, mailbox_of, stamped, stamped_verdict
from mailbot.demo.mail_client import ADDRESSES, ANNA, DESK, JOE, MailClient
from mailbot.demo.mail_server import HOST, MailServers
from tests.conftest import ONE_WORKER
from tests.support.warm import Warm

#: One worker makes what these tests share.
pytestmark = ONE_WORKER

CUSTOMER, STAFF = JOE[1], ANNA[1]
PATIENCE = 60.0


# --- The whole demo --------------------------------------------------------------------------------------------------


def test_all_cases_of_the_demo_end_as_expected(warm: Warm) -> None:
    done = warm.run("mailbot", "demo", "--json")
    told = json.loads(done.stdout)
    assert (told["faults"], told["good"], done.returncode) == ([], True, 0)
    assert list(told) == ["good", "faults", "conversation", "tickets"]
    assert {entry["what"] for entry in told["conversation"]} <= {"case", "note", "trouble", "mail", "understood"}
    assert [(t["request"], t["action"]) for t in reversed(told["tickets"])] == [
        ("activate", "demo"), ("activate", "plan"), ("modify", "add"), ("modify", "remove"), ("contract", None),
        ("reactivate", "token_change"), ("information", None), ("activate", "plan"), ("modify", "deactivate"),
    ]  # fmt: skip
    assert not [entry for entry in told["conversation"] if entry["what"] == "trouble"]
    mails = [entry for entry in told["conversation"] if entry["what"] == "mail"]
    assert {"approval", "outcome", "plugins", "receipt", "incomplete", "answer"} <= {mail.get("kind") for mail in mails}
    assert any(mail["files"] == ["license.log"] for mail in mails)


def test_a_demo_without_its_packages_says_how_to_install_them() -> None:
    code = "import sys; sys.modules['mail_devel'] = None; sys.argv = ['mailbot', 'demo']; from mailbot.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "mailbot[demo]" in done.stderr


def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path, warm: Warm) -> None:
    demo = warm.start("mailbot", "demo", TMPDIR=str(tmp_path))
    demo.until("understood")
    assert list(tmp_path.glob("mailbot-demo-*"))
    demo.signal(signal.SIGINT)
    ended = demo.end()
    assert (ended.returncode, list(tmp_path.iterdir())) == (130, []), ended


# --- The web mail page -----------------------------------------------------------------------------------------------


class Browser:
    """Somebody at the page."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> str:
        with urlopen(self.url + path, timeout=PATIENCE) as answer:  # noqa: S310 - our own http page
            return str(answer.read().decode())

    def send(self, who: str, fields: dict[str, str], **headers: str) -> None:
        data = urlencode(fields).encode()
        with urlopen(Request(f"{self.url}{who}/write", data, headers), timeout=PATIENCE):  # noqa: S310
            pass

    def reply(self, who: str, page: str, text: str) -> None:
        """Fills the form below a mail, and sends it as it stands there."""
        fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page)}
        quote_ = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
        assert quote_ is not None
        self.send(who, {**fields, "text": text + unescape(quote_[1])})

    def wait(self, who: str, holds: Callable[[str], bool]) -> str:
        """The first mail, newest first, whose page ``holds``."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for uid in re.findall(rf'href="/{re.escape(who)}/(\d+)"', self.get(f"{who}/")):
                page = self.get(f"{who}/{uid}")
                if holds(page):
                    return page
        pytest.fail(f"the mail did not come to {who}")

    def wait_for_mails(self, who: str, ref: str, number: int) -> None:
        """Until so many mails about that ticket are in the list."""
        deadline = time.monotonic() + PATIENCE
        while self.get(f"{who}/").count(f"[{ref}]") < number:
            assert time.monotonic() < deadline, f"fewer than {number} mails about {ref} came to {who}"


@pytest.fixture(scope="module")
def stayed(warm: Warm) -> Iterator[list[str]]:
    """What a demo that stays has printed; it is ended by Ctrl-C and leaves nothing."""
    demo = warm.start("mailbot", "demo", "--stay")
    lines = demo.until("Ctrl-C").splitlines()
    folder = Path(lines[-2].rpartition("-c ")[2]).parent
    was_there = folder.is_dir()
    yield lines
    demo.signal(signal.SIGINT)
    ended = demo.end()
    assert (ended.returncode, was_there, folder.exists()) == (0, True, False), ended


@pytest.fixture(scope="module")
def browser(stayed: list[str]) -> Browser:
    found = re.search(r"http://127\.0\.0\.1:\d+/", "\n".join(stayed))
    assert found is not None, stayed
    return Browser(found[0])


def test_a_request_can_be_written_and_approved_on_the_demo_page(
    stayed: list[str], browser: Browser, warm: Warm
) -> None:
    token = "WEB1A2B3C4D5"
    text = (
        f"Request: contract\nLicense token: ACME3N4P5Q6R\nCustomer name: Acme\nI accept the License Agreement: yes\n"
        f"Support package: Platinum\nComments: written on the page {token}\n"
    )
    browser.send(CUSTOMER, {"to": DESK, "subject": "Request contract change", "text": text, "answers": ""})
    approval = browser.wait(STAFF, lambda page: token in page)
    assert re.search(r'name="to" value="desk\+lic-\d+\.\w{26}@', approval), "the answer goes to Reply-To"
    ref = re.search(r"\[(LIC-\d+)\]", approval)
    assert ref is not None
    browser.reply(STAFF, approval, "APPROVE")
    browser.wait_for_mails(CUSTOMER, ref[1], 2)  # that it waits, and what came of it
    shown = warm.run("mailbot", "show", ref[1], "--json", "-c", stayed[-2].rpartition("-c ")[2])
    assert json.loads(shown.stdout)["state"] == "done"


def test_a_mailto_link_opens_the_page_for_writing(browser: Browser) -> None:
    uids = re.findall(rf'href="/{re.escape(STAFF)}/(\d+)"', browser.get(f"{STAFF}/"))
    links = [
        link for uid in uids for link in re.findall(r'<a href="(/[^"]+/write\?[^"]+)"', browser.get(f"{STAFF}/{uid}"))
    ]
    assert links
    assert "desk+lic-" in browser.get(unescape(links[0])[1:]).lower()


def test_the_demo_page_escapes_mails(browser: Browser) -> None:
    browser.send(CUSTOMER, {"to": STAFF, "subject": "<script>alert(1)</script>", "text": "<b>bold</b>", "answers": ""})
    page = browser.wait(STAFF, lambda page: "bold" in page)
    assert "<script>" not in page + browser.get(f"{STAFF}/")
    assert "<b>" not in page


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_the_demo_page_refuses_other_sites(browser: Browser, headers: dict[str, str]) -> None:
    with pytest.raises(HTTPError, match="403"):
        browser.send(STAFF, {"to": DESK, "subject": "x", "text": "APPROVE", "answers": ""}, **headers)


def test_the_demo_page_has_no_other_people(browser: Browser) -> None:
    with pytest.raises(HTTPError, match="404"):
        browser.get(quote("mallory@evil.example") + "/")


# --- The border ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "login", "result"),
    [
        (STAFF, STAFF, "dmarc=pass header.from=vendor.example"),
        (STAFF.upper(), STAFF, "dmarc=pass header.from=vendor.example"),
        (STAFF, None, "dmarc=fail (p=reject) header.from=vendor.example"),
        (STAFF, CUSTOMER, "dmarc=fail (p=reject) header.from=vendor.example"),
        ("eve@evil.example", None, "dmarc=none header.from=evil.example"),
        ("eve@evil.example", CUSTOMER, "dmarc=none header.from=evil.example"),
        (None, CUSTOMER, "dmarc=none"),
    ],
)
def test_dmarc_passes_only_if_the_login_is_the_sender(sender: str | None, login: str | None, result: str) -> None:
    assert stamped_verdict(sender, login, ADDRESSES) == result


@pytest.mark.parametrize(
    "forged",
    [
        f"Authentication-Results: {AUTHSERV_ID}; dmarc=pass header.from=vendor.example",
        f"AUTHENTICATION-RESULTS : {AUTHSERV_ID.upper()}; dmarc=pass header.from=vendor.example",
        f"Authentication-Results:\r\n (hello) {AUTHSERV_ID};\r\n\tdmarc=pass header.from=vendor.example",
        f'Authentication-Results: "{AUTHSERV_ID}" 1; dmarc=pass header.from=vendor.example',
        "Return-Path: <anna@vendor.example>",
    ],
)
def test_the_demo_server_removes_forged_fields(forged: str) -> None:
    kept = b"Authentication-Results: other.example; dmarc=pass\r\nFrom: x@evil.example\r\n\r\nAuthentication-Results: in the text\r\n"
    own = f"Return-Path: <x@evil.example>\r\nAuthentication-Results: {AUTHSERV_ID}; dmarc=none\r\n".encode()
    assert stamped(forged.encode() + b"\r\n" + kept, "x@evil.example", "dmarc=none") == own + kept


def test_a_sub_address_leads_to_the_mailbox_of_its_owner() -> None:
    assert mailbox_of("Desk+lic-1.ABC@Vendor.example", ADDRESSES) == DESK
    assert mailbox_of("desk@vendor.example.evil.example", ADDRESSES) is None
    assert mailbox_of("carol@vendor.example", ADDRESSES) is None


@pytest.fixture(scope="module")
def servers() -> Iterator[MailServers]:
    with MailServers(ADDRESSES, "secret", lambda mailbox, raw: None) as running:
        yield running


def client(servers: MailServers, who: tuple[str, str, str], password: str = "secret") -> MailClient:
    return MailClient(*who, password, servers.imap_port, servers.smtp_port)


def results(mail: Message | None) -> list[str]:
    assert mail is not None
    return [value.strip() for value in mail.fields("Authentication-Results")]


def test_a_mail_sent_with_login_arrives_stamped_in_its_mailbox_only(servers: MailServers) -> None:
    client(servers, JOE).send("hello\n", subject="one", to=STAFF)
    mail = client(servers, ANNA).wait(lambda mail: mail.subject == "one", PATIENCE)
    assert results(mail) == [f"{AUTHSERV_ID}; dmarc=pass header.from=acme.example"]
    joe = client(servers, JOE)
    joe.fetch()
    assert "one" not in [mail.subject for mail in joe.inbox.values()]


def test_a_forged_mail_without_login_fails_dmarc(servers: MailServers) -> None:
    forged = f"Authentication-Results: {AUTHSERV_ID}; dmarc=pass header.from=vendor.example\r\nFrom: {STAFF}\r\nSubject: two\r\n\r\nAPPROVE\r\n"
    with smtplib.SMTP(HOST, servers.smtp_port, local_hostname="localhost") as smtp:
        smtp.sendmail(STAFF, [CUSTOMER], forged)
    mail = client(servers, JOE).wait(lambda mail: mail.subject == "two", PATIENCE)
    assert results(mail) == [f"{AUTHSERV_ID}; dmarc=fail (p=reject) header.from=vendor.example"]


def test_unknown_recipients_and_wrong_passwords_are_refused(servers: MailServers) -> None:
    with (
        smtplib.SMTP(HOST, servers.smtp_port, local_hostname="localhost") as smtp,
        pytest.raises(smtplib.SMTPRecipientsRefused),
    ):
        smtp.sendmail("eve@evil.example", ["carol@vendor.example"], "Subject: x\r\n\r\n")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        client(servers, JOE, "wrong").send("hello\n")


def test_the_demo_servers_listen_only_on_loopback(servers: MailServers) -> None:
    for port in (servers.imap_port, servers.smtp_port):
        with socket.create_connection((HOST, port), timeout=PATIENCE) as sock:
            assert sock.recv(1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=PATIENCE)
