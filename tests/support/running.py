"""A desk in a temporary folder with a clock that the test sets, driven by mails as a border would deliver them."""

import email
import email.policy
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlmodel import col, select

from mailbot.assembly import assemble
from mailbot.config.settings import load_config
from mailbot.core.desk.disclosure import Viewer, shown_to
from mailbot.core.desk.ticket import Ticket
from mailbot.environment import Desk
from mailbot.ids import RepeatableIds
from mailbot.process.mapping import load_ticket
from mailbot.service.runner import keep_mail, work_off
from storage import inbox, outbox, tickets
from storage.engine import open_store
from storage.outbox import Outbox

CONFIG = """
[mailbot]
address = "desk@vendor.example"
name = "Licence Desk"
time_zone = "Europe/Rome"
data_dir = "{folder}"
[imap]
host = "127.0.0.1"
security = "plain"
username = "desk"
password = "desk"
[smtp]
host = "127.0.0.1"
security = "plain"
[identity]
authserv_id = "mx.vendor.example"
partners = ["@partner.example"]
[[staff]]
address = "anna@vendor.example"
name = "Anna"
[[staff]]
address = "bob@vendor.example"
name = "Bob"
"""


class Headers(HeaderRegistry):
    """The standard library reads a part's Content-Type anew a dozen times; here each value is read once."""

    def __call__(self, name: str, value: str) -> Any:
        return _read(name, value)


_read = lru_cache(HeaderRegistry())
POLICY = email.policy.default.clone(header_factory=Headers())


@dataclass
class Running:
    """``write`` a mail, ``mails`` come out; time stands still until ``later``."""

    desk: Desk
    moment: list[datetime]
    seen: int = 0  # the newest mail that was composed
    written: int = 0
    sent: list[EmailMessage] = field(default_factory=list)

    def write(self, sender: str, text: str, **how: Any) -> list[EmailMessage]:
        """A person writes (``how``: as in ``raw``); returns the mails that the desk sends because of it."""
        return self.take(self.raw(sender, text, **how))

    def raw(
        self, sender: str, text: str, *, subject: str = "", to: str = "desk@vendor.example", verified: bool = True,
        reply_to: EmailMessage | None = None, files: tuple[tuple[str, bytes], ...] = (),
    ) -> bytes:  # fmt: skip
        """The next mail that a person writes, as a border delivers it."""
        self.written += 1
        mail = EmailMessage(POLICY)
        domain = sender.rpartition("@")[2]
        if verified:
            mail["Authentication-Results"] = f"mx.vendor.example; dmarc=pass header.from={domain}"
        mail["From"] = sender
        mail["To"] = str(reply_to["Reply-To"] or to) if reply_to else to
        mail["Subject"] = f"Re: {reply_to['Subject']}" if reply_to else subject
        mail["Message-ID"] = f"<{self.written}@{domain}>"
        if reply_to:
            mail["In-Reply-To"] = reply_to["Message-ID"]
        mail.set_content(text)
        for name, data in files:
            mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
        return mail.as_bytes()

    def take(self, raw: bytes) -> list[EmailMessage]:
        """A raw mail arrives now."""
        keep_mail(self.desk, raw, self.moment[0], "inject")
        return self.work()

    def work(self) -> list[EmailMessage]:
        """Everything that can be done now is done; returns the new mails."""
        work_off(self.desk)
        with self.desk.store.read() as session:
            fresh = select(Outbox.id).where(col(Outbox.id) > self.seen).order_by(col(Outbox.id))
            raws = {id_: outbox.raw(session, id_) for id_ in session.exec(fresh)}
        self.seen = max(raws, default=self.seen)
        new = [email.message_from_bytes(raw, policy=POLICY) for raw in raws.values()]
        self.sent += new  # type: ignore[arg-type]
        return new  # type: ignore[return-value]

    def later(self, **by: float) -> list[EmailMessage]:
        """Time passes."""
        self.moment[0] += timedelta(**by)
        return self.work()

    def configure(self, section: str, **settings: object) -> None:
        """Other settings from now on, for this desk alone: sections that say nothing are shared by all."""
        config = self.desk.config
        changed = getattr(config, section).model_copy(update=settings)
        self.desk = replace(self.desk, config=config.model_copy(update={section: changed}))

    def ticket(self, ref: str = "LIC-1") -> Ticket:
        """The ticket as staff are shown it."""
        with self.desk.store.read() as session:
            found = load_ticket(session, ref)
        assert found is not None
        return shown_to(Viewer.OTHERS, found)

    def states(self) -> dict[str, int]:
        """How many kept mails are in which state."""
        with self.desk.store.read() as session:
            return inbox.counts(session)

    def kinds(self) -> list[tuple[str, str]]:
        """(kind, recipient) of every mail that was composed, in order."""
        with self.desk.store.read() as session:
            return [(row.kind, row.recipient) for row in sorted(outbox.listing(session), key=lambda row: row.id)]

    def history(self, ref: str = "LIC-1") -> list[str]:
        """What happened to the ticket."""
        with self.desk.store.read() as session:
            return [event.kind for event in tickets.events(session, self.ticket(ref).number)]

    def quarantine(self) -> list[str]:
        """The reasons of what stands there."""
        with self.desk.store.read() as session:
            return [row.last_result or "" for row in inbox.listing(session, "quarantined")]


def running(
    folder: Path, at: datetime = datetime(2026, 11, 3, 9, 0, tzinfo=UTC), replace: Mapping[str, str] | None = None
) -> Running:
    """A new desk; ``replace``: texts of its configuration and what stands there instead."""
    path = folder / "mailbot.toml"
    config = CONFIG.format(folder=folder / "var")
    for old, new in (replace or {}).items():
        assert old in config, old
        config = config.replace(old, new)
    path.write_text(config)
    moment = [at]
    loaded = load_config(path, {})
    if not (database := folder / "var" / "mailbot.db").exists():
        database.parent.mkdir(parents=True)
        database.write_bytes(migrated())
    desk = assemble(loaded, clock=lambda: moment[0], ids=RepeatableIds(b"test"))
    # Nobody cuts the power here: no commit waits for the disk.
    event.listen(desk.store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    desk.store.close()
    return Running(desk, moment)


@cache
def migrated() -> bytes:
    """A database without rows: its tables are made once for all tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        store = open_store(f"sqlite:///{path}")
        store.migrate()
        store.close()
        return path.read_bytes()


def body(mail: EmailMessage) -> str:
    """The text of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())
