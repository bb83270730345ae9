"""The desk of the demo: a configuration file in a folder, and ``mailbot run``'s own service on it, in a thread."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailbot import json_shapes
from mailbot.assembly import assemble
from mailbot.config.settings import load_config
from mailbot.core.desk.disclosure import Viewer, shown_to
from mailbot.core.desk.ticket import Ticket
from mailbot.core.ledger.period import DECREASE_DAY
from mailbot.demo.correspondents import DESK, PEOPLE
from mailbot.demo.demo_border import AUTHSERV_ID
from mailbot.demo.mail_server import HOST, Servers
from mailbot.maillog import MailLog
from mailbot.process import mapping
from mailbot.service.loops import Service
from storage import outbox, tickets

_CONFIG = """\
[mailbot]
address = "{desk}"
name = "Licence Desk"
time_zone = "Europe/Rome"
data_dir = "{folder}"

[imap]
host = "{host}"
port = {imap_port}
security = "plain"
username = "{desk}"
password = "{password}"
# The demo's server does not always announce a new mail to a client in IDLE.
poll_seconds = 1

[smtp]
host = "{host}"
port = {smtp_port}
security = "plain"
username = "{desk}"
password = "{password}"

[identity]
authserv_id = "{authserv_id}"
staff = "key+verified"

# One customer writes all mails of the demo.
[limits]
replies_per_sender_per_day = 100
"""
_MEMBER = """
[[staff]]
address = "{address}"
name = "{name}"
"""
_PATIENCE = 30.0  # seconds to start and to stop


def configuration(folder: Path, servers: Servers) -> str:
    """The text of ``mailbot.toml`` for a desk in that folder on those servers."""
    values = {"folder": folder / "var", "host": HOST, "desk": DESK, "authserv_id": AUTHSERV_ID}
    ports = {"imap_port": servers.imap_port, "smtp_port": servers.smtp_port, "password": servers.password}
    staff = (_MEMBER.format(address=address, name=name) for name, address, role in PEOPLE if role == "staff")
    return _CONFIG.format(**values, **ports) + "".join(staff)


class Log(MailLog):
    """Tells ``understood`` what a mail turned out to be once it is committed, and ``trouble`` what went wrong."""

    def __init__(self, understood: Callable[[int, str], None], trouble: Callable[[str], None]) -> None:
        self._told, self._trouble = understood, trouble
        self._intakes: dict[int, str] = {}

    def understood(self, inbox_id: int, sender: str | None, intake: str, ref: str | None) -> None:
        """Kept until the commit: before that nobody can look at the ticket."""
        self._intakes[inbox_id] = intake
        super().understood(inbox_id, sender, intake, ref)

    def handled(self, inbox_id: int, ref: str | None, state: str | None) -> None:
        """The commit is done."""
        self._told(inbox_id, self._intakes.pop(inbox_id, state or ""))
        super().handled(inbox_id, ref, state)

    def _say(self, level: str, event: str, **values: Any) -> None:
        if level in ("warning", "error"):
            self._trouble(f"{event}: " + ", ".join(f"{name}={value}" for name, value in values.items()))


class RunningDesk:
    """``with RunningDesk(...)``: the desk runs inside. ``understood(intake, tickets that it changed)`` for each mail."""

    def __init__(
        self, config: Path, understood: Callable[[str, list[Ticket]], None], trouble: Callable[[str], None]
    ) -> None:
        self.desk = assemble(load_config(config, {}), log=Log(self._handled, trouble))
        self._understood, self._trouble = understood, trouble
        self._versions: dict[str, int] = {}
        self._service: Service | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)

    def __enter__(self) -> "RunningDesk":
        self._thread.start()
        self._ready.wait(_PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._service is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._service.stop, "the demo is over")
        self._thread.join(_PATIENCE)
        self.desk.store.engine.dispose()

    def _run(self) -> None:
        async def run() -> None:
            self._loop, self._service = asyncio.get_running_loop(), Service(self.desk)
            self._ready.set()
            await self._service.run()

        try:
            asyncio.run(run())
        except Exception as error:  # whatever ends the desk must be told where the demo is told
            self._trouble(f"the desk stopped: {error!r}")
        finally:
            self._ready.set()

    def kind(self, message_id: str | None) -> tuple[str, str | None]:
        """(kind, ticket's reference) of a mail that the desk has sent; ("", None) for any other."""
        with self.desk.store.read() as session:
            row = outbox.by_message_id(session, message_id) if message_id else None
            return (row.kind, row.ref) if row else ("", None)

    def ticket(self, ref: str) -> Ticket | None:
        """The ticket as staff are shown it."""
        with self.desk.store.read() as session:
            found = mapping.load_ticket(session, ref)
        return shown_to(Viewer.OTHERS, found) if found else None

    def tickets(self) -> list[dict[str, Any]]:
        """All tickets, newest first, in the shape of ``mailbot tickets --json``."""
        with self.desk.store.read() as session:
            found = (mapping.load_ticket(session, row.ref) for row in tickets.listing(session))
            return [
                json_shapes.ticket_shape(t, tickets.events(session, t.number), self.desk.wording) for t in found if t
            ]

    def asked_by_the_20th(self, ticket: Ticket) -> bool:
        """Whether the request was made by the day up to which a decrease holds at once."""
        return ticket.received_at.astimezone(self.desk.config.zone).day <= DECREASE_DAY

    def _handled(self, _inbox_id: int, intake: str) -> None:
        with self.desk.store.read() as session:
            rows = {row.ref: row.row_version for row in tickets.listing(session)}
            changed = sorted(ref for ref, version in rows.items() if self._versions.get(ref) != version)
            found = [mapping.load_ticket(session, ref) for ref in changed]
        self._versions = rows
        self._understood(intake, [ticket for ticket in found if ticket])
