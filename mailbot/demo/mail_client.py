"""The people of the demo and their mail clients, which send by SMTP, read by IMAP and reply."""

import email.policy
import mimetypes
import smtplib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, formataddr

from imapclient import IMAPClient

from mailbot.clock import system
from mailbot.core.mail.message import Message, parse
from mailbot.demo.mail_server import HOST
from mailbot.ids import SystemIds
from mailbot.servers.imap_connection import wait_readable

DESK = "desk@vendor.example"
#: (name, address, role) of everybody who writes.
JOE, ANNA, BOB = PEOPLE = (
    ("Joe Miller", "joe@acme.example", "customer"),
    ("Anna", "anna@vendor.example", "staff"),
    ("Bob", "bob@vendor.example", "staff"),
)
ADDRESSES = frozenset({DESK, *(address for _, address, _ in PEOPLE)})
_SLICE = 1.0  # seconds of one IDLE
_TIMEOUT = 30.0  # seconds for an answer of a server


@dataclass
class MailClient:
    """A person's mail client. ``inbox`` has the fetched mails by UID, ``done`` the UIDs that ``wait`` has returned."""

    name: str
    address: str
    role: str
    password: str
    imap_port: int
    smtp_port: int
    inbox: dict[int, Message] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)

    def send(
        self, text: str, *, subject: str = "", to: str = DESK, answers: Message | None = None,
        files: tuple[tuple[str, bytes], ...] = (),
    ) -> None:  # fmt: skip
        """Send a mail, in the thread of the mail that it ``answers``.

        Raises:
            smtplib.SMTPException: if the server refuses it.
        """
        mail = EmailMessage(policy=email.policy.SMTP)
        mail["From"], mail["To"], mail["Subject"] = formataddr((self.name, self.address)), to, " ".join(subject.split())
        mail["Date"] = format_datetime(system())
        mail["Message-ID"] = f"<{SystemIds().stream('mail')(15).hex()}@{self.address.partition('@')[2]}>"
        if answers is not None and answers.message_id:
            mail["In-Reply-To"] = answers.message_id
            mail["References"] = " ".join([*answers.references, answers.message_id])
        mail.set_content(text)
        for name, data in files:
            kind, _, sub = (mimetypes.guess_type(name)[0] or "application/octet-stream").partition("/")
            mail.add_attachment(data, maintype=kind, subtype=sub, filename=name)
        with smtplib.SMTP(HOST, self.smtp_port, local_hostname="localhost", timeout=_TIMEOUT) as server:
            server.login(self.address, self.password)
            server.send_message(mail, self.address, [to])

    def reply(self, mail: Message, text: str, files: tuple[tuple[str, bytes], ...] = ()) -> None:
        """Reply as mail clients do: to the Reply-To, with the text quoted below."""
        self.send(
            f"{text}\n\n{quoted(mail)}",
            subject=reply_subject(mail),
            to=recipient_of_reply(mail),
            answers=mail,
            files=files,
        )

    def fetch(self) -> None:
        """Fetch new mails into ``inbox``."""
        with self._connected() as client:
            self._fetch(client)

    def wait(self, wanted: Callable[[Message], bool], seconds: float) -> Message | None:
        """Wait for a mail that is ``wanted`` and was not returned before; None after ``seconds`` without one."""
        end = time.monotonic() + seconds
        with self._connected() as client:
            while True:
                self._fetch(client)
                for uid, mail in self.inbox.items():
                    if uid not in self.done and wanted(mail):
                        self.done.add(uid)
                        return mail
                left = end - time.monotonic()
                if left <= 0:
                    return None
                client.idle()
                wait_readable((client.socket(),), min(left, _SLICE))
                client.idle_done()

    @contextmanager
    def _connected(self) -> Iterator[IMAPClient]:
        client = IMAPClient(HOST, self.imap_port, ssl=False, timeout=_TIMEOUT)
        try:
            client.login(self.address, self.password)
            client.select_folder("INBOX")
            yield client
            client.logout()
        except BaseException:  # perhaps interrupted in IDLE, where LOGOUT is not allowed
            client.shutdown()
            raise

    def _fetch(self, client: IMAPClient) -> None:
        new = [uid for uid in client.search("ALL", charset=None) if uid not in self.inbox]
        for uid, parts in sorted(client.fetch(new, ["BODY.PEEK[]"]).items()) if new else ():
            self.inbox[uid] = parse(parts[b"BODY[]"])


def recipient_of_reply(mail: Message) -> str:
    """The address for a reply: Reply-To, else From."""
    return mail.reply_to or mail.sender or ""


def reply_subject(mail: Message) -> str:
    """The subject with one "Re:" in front."""
    return mail.subject if mail.subject.lower().startswith("re:") else f"Re: {mail.subject}"


def quoted(mail: Message) -> str:
    """The quotation below a reply: an attribution line and the text behind ">"."""
    lines = [f"> {line}".rstrip() for line in mail.text.rstrip().splitlines()]
    return "\n".join([f"On {mail.date}, {mail.sender_name} <{mail.sender}> wrote:", *lines, ""])
