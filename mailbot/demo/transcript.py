"""The conversation of the demo, printed as it happens or kept for JSON: mails, what mailbot understood, what it sent."""

import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from mailbot.cli.output import print_table
from mailbot.clock import system
from mailbot.core.base.address import same_address
from mailbot.core.base.characters import single_line
from mailbot.core.desk.ticket import Ticket
from mailbot.core.form.quotes import split_at_quote
from mailbot.core.mail.message import Message, parse
from mailbot.demo.mail_client import DESK

_DESK_LINES = 4  # printed of a mail of the desk
_PERSON_LINES = 12  # printed of what a person wrote
#: Characters per line if the output is not a terminal.
WIDTH = 110
_ITEMS_NAMED = 5  # more items of a ticket are counted


class Transcript:
    """Records what happens, from several threads, in order in ``entries``; prints it unless ``console`` is None."""

    def __init__(self, console: Console | None) -> None:
        self.console = console
        self.entries: list[dict[str, Any]] = []
        #: (kind, reference) of a mail of the desk, and the marker line of its mails; both are set once the desk runs.
        self.kind: Callable[[str | None], tuple[str, str | None]] = lambda _: ("", None)
        self.marker = ""
        self._lock = threading.Lock()

    def case(self, title: str) -> None:
        """The start of a case."""
        if self.console is not None:
            self.console.print()
        self._add({"what": "case", "title": title}, f"== {title}", "bold")

    def mail(self, mailbox: str, raw: bytes) -> None:
        """A mail that is delivered to a mailbox."""
        mail = parse(raw)
        sender = mail.sender or "nobody"
        entry: dict[str, Any] = {"what": "mail", "from": sender, "to": mailbox, "subject": mail.subject}
        entry |= {"message_id": mail.message_id, "text": mail.text, "files": [file.name for file in mail.attachments]}
        if same_address(sender, DESK):
            entry["kind"], entry["ref"] = self.kind(mail.message_id)
            head, shown = f"mailbot -> {mailbox}  {entry['kind']}: {mail.subject}", self._desk_lines(mail)
            self._add(entry, head, "green", shown)
        else:
            head, shown = f"{sender} -> {mailbox}: {mail.subject}", self._person_lines(mail)
            files = [f"[attached: {name}]" for name in entry["files"]]
            self._add(entry, head, "cyan", (*shown, *files))

    def understood(self, intake: str, tickets: list[Ticket]) -> None:
        """The intake of a mail and the tickets that it changed."""
        entry = {
            "what": "understood",
            "intake": intake,
            "tickets": [{"ref": t.ref, "state": t.state.value} for t in tickets],
        }
        self._add(entry, " | ".join([f"mailbot understood: {intake}", *map(_summary, tickets)]), "yellow")

    def trouble(self, text: str) -> None:
        """A warning or error that the desk logs, or a fault that the demo finds."""
        self._add({"what": "trouble", "text": text}, text, "bold red")

    def note(self, text: str) -> None:
        """A message of the demo itself."""
        self._add({"what": "note", "text": text}, text, "")

    def tickets(self, tickets: list[dict[str, Any]]) -> None:
        """Print the list of tickets at the end."""
        if self.console is None:
            return
        columns = ("ref", "state", "request", "action", "token", "customer_name")
        with self._lock:
            self.console.print()
            print_table(
                "Tickets", columns, [[ticket[column] for column in columns] for ticket in tickets], self.console
            )

    def _add(self, entry: dict[str, Any], head: str, style: str, below: Sequence[str] = ()) -> None:
        now = system()
        with self._lock:
            self.entries.append({"at": now.isoformat(), **entry})
            if self.console is not None:
                stamp = "" if entry["what"] in ("case", "note") else f"{now.astimezone():%H:%M:%S} "
                self.console.print(Text(f"{stamp}{single_line(head, 2 * WIDTH)}", style=style), soft_wrap=True)
                for line in below:
                    self.console.print(Text(f"{' ' * 9}{single_line(line, WIDTH)}", style="dim"), soft_wrap=True)

    def _desk_lines(self, mail: Message) -> list[str]:
        return _first_lines([line for line in _lines(mail.text) if line != self.marker], _DESK_LINES)

    def _person_lines(self, mail: Message) -> list[str]:
        return _first_lines(
            _lines(split_at_quote(mail.text, (self.marker,)).own if mail.in_reply_to else mail.text), _PERSON_LINES
        )


def _lines(text: str) -> list[str]:
    """The lines of a text that are not empty, up to the signature."""
    return [line.strip() for line in re.split(r"(?m)^-- ?$", text)[0].splitlines() if line.strip()]


def _first_lines(lines: list[str], most: int) -> list[str]:
    """The first ``most`` lines, then "..." if there are more."""
    return [*lines[:most], "..."] if len(lines) > most else lines


def _summary(ticket: Ticket) -> str:
    name = f"{ticket.ref} {ticket.request}" + (f"/{ticket.action}" if ticket.action else "")
    problems = [f"{problem.field} {problem.code}" for problem in ticket.problems]
    counted: dict[str, list[str]] = {}
    for item in ticket.items:
        if item.status is not None:
            counted.setdefault(item.status.value, []).append(item.item)
    items = [
        f"{', '.join(names) if len(names) <= _ITEMS_NAMED else f'{len(names)} items'} {status}"
        for status, names in counted.items()
    ]
    return "; ".join([f"{name}: {ticket.state.value}", *([", ".join(problems)] if problems else items)])
