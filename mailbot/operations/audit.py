"""The audit: whether events, licences, tickets and invoices agree, each compared with the others.

Every check yields (where, what) for each disagreement; the report has the first. ``operations.audit_of_tickets`` has the
checks that start from tickets, here are those that start from the ledger and the invoices.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from mailbot.core.desk.ticket import Ticket
from mailbot.core.ledger.billing_history import committed_on
from mailbot.core.ledger.licence import DATES, LicenceEvent
from mailbot.core.ledger.rule import Rule
from mailbot.operations.audit_of_tickets import announced_increases, ticket_items, ticket_states
from mailbot.operations.audited_books import Books, Disagreements, read_books


@dataclass(frozen=True)
class AuditReport:
    """How many rows were compared, and the first disagreement: (where, what)."""

    events: int
    tickets: int
    lines: int
    disagreement: tuple[str, str] | None

    @property
    def shape(self) -> dict[str, Any]:
        """The document of ``mailbot audit --json``."""
        found = self.disagreement
        return {
            "good": found is None,
            "events": self.events,
            "tickets": self.tickets,
            "lines": self.lines,
            "disagreement": {"where": found[0], "what": found[1]} if found else None,
        }

    @property
    def text(self) -> str:
        """One line for people."""
        if self.disagreement:
            return f"{self.disagreement[0]}: {self.disagreement[1]}"
        return f"everything agrees: {self.events} events, {self.tickets} tickets, {self.lines} invoice lines"


def audit_books(session: Session, now: datetime, zone: ZoneInfo) -> AuditReport:
    """Run every check on everything in the database."""
    books = read_books(session, now, zone)
    checks: tuple[Callable[[Books], Disagreements], ...] = (
        _events,
        ticket_states,
        ticket_items,
        _lines,
        announced_increases,
        _people,
        _seals,
    )
    first = next((found for check in checks for found in check(books)), None)
    return AuditReport(len(books.events), len(books.tickets), len(books.lines), first)


def _events(books: Books) -> Disagreements:
    """The events of a licence are numbered without gaps, in order of time, not backdated, and name existing tickets."""
    last: dict[str, LicenceEvent] = {}
    for event in books.events:
        where = f"licence {event.token}, event {event.revision}"
        before = last.get(event.token)
        if event.revision != (before.revision if before else 0) + 1:
            yield where, f"its number does not follow the previous event ({before.revision if before else 0})"
        if before and event.at < before.at:
            yield where, f"was written at {event.at}, before event {before.revision} ({before.at})"
        if event.at > books.now:
            yield where, f"was written at {event.at}, which is in the future"
        if event.effective < committed_on(event, books.zone):
            yield where, f"is backdated: written on {committed_on(event, books.zone)}, in force from {event.effective}"
        if event.ticket and event.ticket not in books.tickets:
            yield where, f"names the ticket {event.ticket}, which does not exist"
        elif event.ticket:
            yield from ((where, what) for what in _contradictions(event, books.tickets[event.ticket], books))
        if event.pending and (event.token, event.revision) not in books.unasked | books.answered:
            yield where, "waits for the licence server, but is not in its queue"
        last[event.token] = event


def _contradictions(event: LicenceEvent, ticket: Ticket, books: Books) -> Iterator[str]:
    """What an event says differently from the ticket that it names."""
    day = ticket.received_at.astimezone(books.zone).date()
    if event.asked_on and ticket.version == 1 and event.kind != "moved" and event.asked_on != day:
        yield f"says that it was requested on {event.asked_on}, but ticket {ticket.ref} arrived on {day}"
    if event.kind.startswith(("modify", "contract")) and event.rule != Rule.IMPLIED:
        strange = [key for key in event.changes if key not in DATES and not ticket.item(key)]
        if strange:
            yield f"changes {', '.join(strange)}, which ticket {ticket.ref} does not ask for"


def _lines(books: Books) -> Disagreements:
    """The licence and the ticket of each invoice line exist."""
    for line in books.lines:
        where = f"invoice {line.month}, {line.item} of {line.token}"
        if line.token not in books.by_token:
            yield where, "is of a licence that is not in the ledger"
        if line.ticket and line.ticket not in books.by_ticket:
            yield where, f"names the ticket {line.ticket}, which changed nothing in the ledger"


def _people(books: Books) -> Disagreements:
    """Every name and contact belongs to a licence in the ledger."""
    for token in sorted(books.named - books.by_token.keys()):
        yield f"licence {token}", "has a name or contacts, but no event in the ledger"


def _seals(books: Books) -> Disagreements:
    """No event or price list was changed, removed or inserted after it was written."""
    event, prices = books.altered
    place = f"price list {prices.id}, in force from {prices.since}" if prices else None
    if where := f"licence {event.token}, event {event.revision}" if event else place:
        yield where, "was changed after it was written, or the one before it was removed"
