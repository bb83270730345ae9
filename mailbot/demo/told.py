"""The conversation as it happens: who wrote what, what mailbot understood, what it sent. For people, or as JSON at the end."""

import re
import threading
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mailbot.clock import system
from mailbot.core.address import clean, same
from mailbot.core.reply import own_text
from mailbot.core.ticket import Ticket
from mailbot.demo.people import DESK, read, text_of

_GIST = 4  # lines of a mail of the desk
_OWN = 12  # lines of what a person wrote
#: Characters of a line where the terminal does not say.
WIDTH = 110
_NAMED = 5  # items of a ticket that are told by name


class Told:
    """Takes what happens from several threads, in order; ``entries`` is all of it, ``console`` None prints nothing."""

    def __init__(self, console: Console | None) -> None:
        self.console = console
        self.entries: list[dict[str, Any]] = []
        #: (kind, reference) of a mail of the desk, once there is a desk to ask; and the line that is no one's words.
        self.kind: Callable[[str | None], tuple[str, str | None]] = lambda _: ("", None)
        self.marker = ""
        self._lock = threading.Lock()

    def case(self, title: str) -> None:
        """A case begins."""
        self._add({"what": "case", "title": title}, [("", ""), (f"== {title} ", "bold")])

    def mail(self, mailbox: str, raw: bytes) -> None:
        """A mail enters a mailbox."""
        mail = read(raw)
        sender = mail["From"].addresses[0].addr_spec if mail["From"] and mail["From"].addresses else ""
        subject = clean(str(mail["Subject"] or ""), WIDTH)
        entry: dict[str, Any] = {"what": "mail", "from": sender, "to": mailbox, "subject": subject}
        entry["message_id"], entry["text"] = str(mail["Message-ID"] or ""), text_of(mail)
        entry["files"] = [part.get_filename() for part in mail.iter_attachments()]
        if same(sender, DESK):
            entry["kind"], entry["ref"] = self.kind(entry["message_id"])
            head, shown = f"mailbot -> {mailbox}  {entry['kind']}: {subject}", self._gist(mail)
            self._add(entry, [(head, "green"), *((f"  {line}", "dim") for line in shown)])
        else:
            head, shown = f"{sender} -> {mailbox}: {subject}", self._own(mail)
            files = [f"[attached: {clean(str(name or ''), 80)}]" for name in entry["files"]]
            self._add(entry, [(head, "cyan"), *((f"  {line}", "") for line in (*shown, *files))])

    def understood(self, intake: str, tickets: list[Ticket]) -> None:
        """What mailbot made of a mail, and the tickets that changed by it."""
        lines = [_state(ticket) for ticket in tickets]
        entry = {
            "what": "understood",
            "intake": intake,
            "tickets": [{"ref": t.ref, "state": t.state.value} for t in tickets],
        }
        said = "; ".join(lines)
        self._add(entry, [(f"mailbot understood: {intake}" + (f" | {said}" if said else ""), "yellow")])

    def trouble(self, text: str) -> None:
        """Something that the desk logs as a warning or an error, or that the demo finds wrong."""
        self._add({"what": "trouble", "text": text}, [(text, "bold red")])

    def note(self, text: str) -> None:
        """A word of the demo itself."""
        self._add({"what": "note", "text": text}, [(text, "")])

    def tickets(self, tickets: list[dict[str, Any]]) -> None:
        """The list at the end."""
        if self.console is None:
            return
        columns = ("ref", "state", "request", "action", "token", "customer_name")
        table = Table(*columns, title="Tickets", title_justify="left")
        for ticket in tickets:
            table.add_row(*(Text(clean(str(ticket[column] or ""), 60)) for column in columns))
        with self._lock:
            self.console.print()
            self.console.print(table)

    def _add(self, entry: dict[str, Any], lines: list[tuple[str, str]]) -> None:
        now = system()
        with self._lock:
            self.entries.append({"at": now.isoformat(), **entry})
            if self.console is None:
                return
            local = f"{now.astimezone():%H:%M:%S}"
            for text, style in lines:
                stamp = "" if text.startswith("  ") or entry["what"] in ("case", "note") else f"{local} "
                indent = " " * 9 if text.startswith("  ") else ""
                self.console.print(
                    Text(f"{stamp}{indent}{clean(text, 200) if text.strip() else ''}", style=style), soft_wrap=True
                )

    def _gist(self, mail: EmailMessage) -> list[str]:
        return _some([line for line in _words(text_of(mail)) if line != self.marker], _GIST)

    def _own(self, mail: EmailMessage) -> list[str]:
        text = text_of(mail)
        return _some(_words(own_text(text, (self.marker,)).own if mail["In-Reply-To"] else text), _OWN)


def _words(text: str) -> list[str]:
    """The lines of a text that say something, up to the signature."""
    return [line.strip() for line in re.split(r"(?m)^-- ?$", text)[0].splitlines() if line.strip()]


def _some(lines: list[str], most: int) -> list[str]:
    """The first ``most`` lines, each cut to the width, and a sign when there are more."""
    shown = [clean(line, WIDTH) for line in lines[:most]]
    return [*shown, "..."] if len(lines) > most else shown


def _state(ticket: Ticket) -> str:
    name = f"{ticket.ref} {ticket.request}" + (f"/{ticket.action}" if ticket.action else "")
    problems = [f"{problem.field} {problem.code}" for problem in ticket.problems]
    counted: dict[str, list[str]] = {}
    for item in ticket.items:
        if item.status is not None:
            counted.setdefault(item.status.value, []).append(item.item)
    items = [
        f"{', '.join(names) if len(names) <= _NAMED else f'{len(names)} items'} {status}"
        for status, names in counted.items()
    ]
    return "; ".join([f"{name}: {ticket.state.value}", *([", ".join(problems)] if problems else items)])
