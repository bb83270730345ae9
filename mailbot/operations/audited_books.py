"""The books that the audit compares, read from the database: events, tickets, invoice lines, people and queues."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlmodel import Session

from mailbot.core.desk.effects import DueKind
from mailbot.core.desk.ticket import Ticket
from mailbot.core.ledger.billing_history import committed_on
from mailbot.core.ledger.invoices import InvoiceLine
from mailbot.core.ledger.licence import LicenceEvent, valid_events
from mailbot.core.ledger.period import month_end, next_month
from mailbot.process import invoicing, mapping
from storage import due, licence_posts, licences, people, price_lists, tickets

#: (where, what) of each.
Disagreements = Iterator[tuple[str, str]]


@dataclass
class Books:
    """Everything that must agree, as it is now."""

    now: datetime
    zone: ZoneInfo
    events: Sequence[LicenceEvent]
    tickets: Mapping[str, Ticket]
    listed: Mapping[str, str]  # state by reference, from the column that lists of tickets use
    lines: Sequence[InvoiceLine]
    named: frozenset[str]  # tokens with a name or contacts
    waiting: frozenset[tuple[str, date]]  # (ticket, day on which its scheduled items are due)
    unasked: frozenset[tuple[str, int]]  # (token, revision) of events in the queue of the licence server
    last: date  # last day of the last month that has ended
    #: The first event and the first price list whose seal is broken: changed after it was written.
    altered: tuple[licences.LicenceEventRow | None, price_lists.PriceList | None]
    by_ticket: dict[str, list[LicenceEvent]] = field(default_factory=dict)
    by_token: dict[str, list[LicenceEvent]] = field(default_factory=dict)

    @cached_property
    def undone(self) -> frozenset[tuple[str, int]]:
        """(token, revision) of the events that a later event reversed."""
        return frozenset((e.token, int(e.changes["reverses"] or 0)) for e in self.events if "reverses" in e.changes)

    @cached_property
    def answered(self) -> frozenset[tuple[str, int]]:
        """(token, revision) of the events that the licence server accepted or refused."""
        return frozenset(
            (e.token, int(e.changes[key] or 0))
            for e in self.events
            for key in ("accepts", "reverses")
            if key in e.changes
        )


def read_books(session: Session, now: datetime, zone: ZoneInfo) -> Books:
    """Everything that the audit compares, read in one session."""
    written = licences.all_events(session)
    events = [mapping.event_of(row) for row in written]
    rows = list(reversed(tickets.listing(session)))
    lines, last = _ended_months(session, events, now.astimezone(zone).date(), zone)
    books = Books(
        now=now,
        zone=zone,
        events=events,
        tickets={row.ref: mapping.of_row(row) for row in rows},
        listed={row.ref: row.state for row in rows},
        lines=lines,
        named=frozenset(people.names(session)) | frozenset(people.all_contacts(session)),
        waiting=frozenset(
            (row.ref, row.due_at.astimezone(zone).date()) for row in due.open_(session, DueKind.DAY) if row.ref
        ),
        unasked=frozenset(
            (row.token, row.revision) for row in licence_posts.listing(session, licence_posts.PostState.WAITING)
        ),
        last=last,
        altered=(licences.changed(written), price_lists.changed(session)),
    )
    for event in events:
        books.by_token.setdefault(event.token, []).append(event)
    for event in (event for history in books.by_token.values() for event in valid_events(history)):
        if event.ticket:
            books.by_ticket.setdefault(event.ticket, []).append(event)
    return books


def _ended_months(
    session: Session, events: Sequence[LicenceEvent], today: date, zone: ZoneInfo
) -> tuple[list[InvoiceLine], date]:
    """The invoice lines of every month that has ended, and the last day of the last of them (``date.min`` if none)."""
    month = min((committed_on(event, zone) for event in events), default=today)
    lines: list[InvoiceLine] = []
    last = date.min
    while month_end(month) < today:
        lines += invoicing.lines_of(session, month, zone, events)
        last, month = month_end(month), next_month(month)
    return lines, last
