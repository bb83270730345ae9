"""Whether events, licences, tickets and invoices agree, each looked at from the other side; the first that does not is named."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from mailbot.core.desk.due_kind import DueKind
from mailbot.core.desk.grant import SILENT
from mailbot.core.desk.ticket import GRANTED, Item, ItemStatus, Ticket, state_of
from mailbot.core.form.request_kinds import Action, RequestKind
from mailbot.core.ledger.billing_history import billing_history, committed_on
from mailbot.core.ledger.invoices import InvoiceLine
from mailbot.core.ledger.licence import DATES, LicenceEvent, state_on, valid_events
from mailbot.core.ledger.period import month_end, next_month
from mailbot.core.ledger.rule import Rule
from mailbot.process import invoicing, mapping
from storage import due, licence_posts, licences, people, price_lists, tickets


@dataclass(frozen=True)
class AuditReport:
    """How much was looked at, and the first thing that does not agree: ``where`` and ``what``."""

    events: int
    tickets: int
    lines: int
    disagreement: tuple[str, str] | None

    @property
    def shape(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
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


Found = Iterator[tuple[str, str]]


@dataclass
class Books:
    """Everything that must agree, as it is now."""

    now: datetime
    zone: ZoneInfo
    events: Sequence[LicenceEvent]
    tickets: Mapping[str, Ticket]
    listed: Mapping[str, str]  # the state by which each ticket is found
    lines: Sequence[InvoiceLine]
    named: frozenset[str]  # the tokens that have a name or contacts
    waiting: frozenset[tuple[str, date]]  # the tickets with a day still to come, and that day
    unasked: frozenset[tuple[str, int]]  # the events that the licence server will still be told
    last: date  # the end of the last month that has an invoice
    #: The first event and the first price list that are not as they were written.
    altered: tuple[licences.LicenceEventRow | None, price_lists.PriceList | None]
    by_ticket: dict[str, list[LicenceEvent]] = field(default_factory=dict)
    by_token: dict[str, list[LicenceEvent]] = field(default_factory=dict)

    @cached_property
    def undone(self) -> frozenset[tuple[str, int]]:
        """The events that a later one reversed."""
        return frozenset((e.token, int(e.changes["reverses"] or 0)) for e in self.events if "reverses" in e.changes)

    @cached_property
    def answered(self) -> frozenset[tuple[str, int]]:
        """The events that the licence server accepted or refused."""
        return frozenset(
            (e.token, int(e.changes[key] or 0))
            for e in self.events
            for key in ("accepts", "reverses")
            if key in e.changes
        )


def audit_books(session: Session, now: datetime, zone: ZoneInfo) -> AuditReport:
    """Look at everything; the report names the first disagreement."""
    books = _books(session, now, zone)
    checks: tuple[Callable[[Books], Found], ...] = (_events, _states, _items, _lines, _increases, _people, _seals)
    first = next((found for check in checks for found in check(books)), None)
    return AuditReport(len(books.events), len(books.tickets), len(books.lines), first)


def _books(session: Session, now: datetime, zone: ZoneInfo) -> Books:
    written = licences.all_events(session)
    events = [mapping.event_of(row) for row in written]
    rows = list(reversed(tickets.listing(session)))
    today = now.astimezone(zone).date()
    month = min((committed_on(event, zone) for event in events), default=today)
    lines: list[InvoiceLine] = []
    last = date.min
    while month_end(month) < today:
        lines += invoicing.lines_of(session, month, zone, events)
        last, month = month_end(month), next_month(month)
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


def _events(books: Books) -> Found:
    """Each licence's events are numbered without gaps, in order of time, not backdated, and name tickets that exist."""
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
            yield from ((where, what) for what in _unlike(event, books.tickets[event.ticket], books))
        if event.pending and (event.token, event.revision) not in books.unasked | books.answered:
            yield where, "waits for the licence server, but is not in its queue"
        last[event.token] = event


def _unlike(event: LicenceEvent, ticket: Ticket, books: Books) -> Iterator[str]:
    """What a ticket's event says that its ticket does not."""
    day = ticket.received_at.astimezone(books.zone).date()
    if event.asked_on and ticket.version == 1 and event.kind != "moved" and event.asked_on != day:
        yield f"says that it was requested on {event.asked_on}, but ticket {ticket.ref} arrived on {day}"
    if event.kind.startswith(("modify", "contract")) and event.rule != Rule.IMPLIED:
        strange = [key for key in event.changes if key not in DATES and not ticket.item(key)]
        if strange:
            yield f"changes {', '.join(strange)}, which ticket {ticket.ref} does not ask for"


def _states(books: Books) -> Found:
    """A ticket's state is the one that its items make, and what is scheduled has its day among the due things."""
    for ref, ticket in books.tickets.items():
        if ticket.state is not state_of(ticket):
            yield f"ticket {ref}", f"is {ticket.state}, but its items make it {state_of(ticket)}"
        elif ticket.state != books.listed[ref]:
            yield f"ticket {ref}", f"is {ticket.state}, but listed as {books.listed[ref]}"
        for item in ticket.items:
            if item.status is ItemStatus.SCHEDULED and (ref, item.effective) not in books.waiting:
                yield (
                    f"ticket {ref}",
                    f"has scheduled items, but nothing is due that will apply them on {item.effective}",
                )


def _items(books: Books) -> Found:
    """What a ticket says it granted is in the ledger as it says, and what the ledger has of a ticket is granted there."""
    for ref, ticket in books.tickets.items():
        if ticket.request is RequestKind.SHUTTLE and ticket.action is Action.MODIFY:
            continue  # done by hand, the ledger is untouched
        mine = books.by_ticket.get(ref, [])
        for item in ticket.items:
            where = f"ticket {ref}, item {item.item}"
            if item.status in GRANTED and item.item not in SILENT:
                yield from ((where, what) for what in _missing(item, mine))
            elif item.status is ItemStatus.CANCELLED and _changed(item, mine):
                withdrawn = any(event.changes.get("withdraws") == ref for event in mine)
                if not (withdrawn or _overtaken(item, mine, books) or _undone(item, mine, books)):
                    yield where, "is cancelled, but the ledger still has its change"
            elif item.status in (None, ItemStatus.WAITING_STAFF, ItemStatus.REFUSED) and _changed(item, mine):
                yield where, f"is {item.status}, but the ledger has its change"


def _missing(item: Item, mine: Sequence[LicenceEvent]) -> Iterator[str]:
    if item.item == "token":
        if not any(event.changes.get("replaced_by") == item.to for event in mine):
            yield f"is {item.status}, but no event of the ledger moves the licence to {item.to}"
        return
    same = [event for event in mine if item.item in event.changes]
    if not same:
        yield f"is {item.status}, but no event of the ledger changes it"
    elif not any((e.changes[item.item], e.effective, e.rule) == (item.to, item.effective, item.rule) for e in same):
        event = same[-1]
        yield (
            f"says {item.to} from {item.effective} by {item.rule}, the ledger's event {event.revision}"
            f" {event.changes[item.item]} from {event.effective} by {event.rule}"
        )


def _changed(item: Item, mine: Sequence[LicenceEvent]) -> bool:
    return any(item.item in event.changes and event.rule == item.rule for event in mine)


def _undone(item: Item, mine: Sequence[LicenceEvent], books: Books) -> bool:
    """Whether each event that made the item's change was reversed."""
    made = (e for e in mine if item.item in e.changes and e.rule == item.rule)
    return all((e.token, e.revision) in books.undone for e in made)


def _overtaken(item: Item, mine: Sequence[LicenceEvent], books: Books) -> bool:
    """Whether a later request set for the same day what the item's event (the last one, where it moved) would have set."""
    event = max((e for e in mine if item.item in e.changes), key=lambda e: e.at)
    later = (e for e in books.by_token[event.token] if e.revision > event.revision and e.ticket != event.ticket)
    return any(e.effective == event.effective and item.item in e.changes for e in later)


def _seals(books: Books) -> Found:
    """No event and no price list was changed, taken away or put in after it was written, however well all else agrees."""
    event, prices = books.altered
    place = f"price list {prices.id}, in force from {prices.since}" if prices else None
    if where := f"licence {event.token}, event {event.revision}" if event else place:
        yield where, "was changed after it was written, or the one before it was removed"


def _lines(books: Books) -> Found:
    """Each line's licence and ticket exist."""
    for line in books.lines:
        where = f"invoice {line.month}, {line.item} of {line.token}"
        if line.token not in books.by_token:
            yield where, "is of a licence that is not in the ledger"
        if line.ticket and line.ticket not in books.by_ticket:
            yield where, f"names the ticket {line.ticket}, which changed nothing in the ledger"


def _increases(books: Books) -> Found:
    """Each increase that a ticket announced is invoiced with its fraction, once its month has ended and billing is decided."""
    billed = {(line.ticket, line.item, line.fraction) for line in books.lines}
    named = {(line.ticket, line.item) for line in books.lines}
    restored = {(line.ticket, line.fraction) for line in books.lines}
    for ref, ticket in books.tickets.items():
        for item in ticket.items:
            if not _owed(item, ticket, books):
                continue
            fraction = item.billing.fraction if item.billing else None
            if item.item in ("status", "token"):  # all that the licence has
                found = (ref, fraction) in restored
            elif _forecast(item, ticket, books):
                found = (ref, item.item) in named
            else:
                found = (ref, item.item, fraction) in billed
            if not found and not _over(item, ticket, books):
                where = f"ticket {ref}, item {item.item}"
                yield where, f"announced {fraction} of a period, but no invoice has that line"


def _over(item: Item, ticket: Ticket, books: Books) -> bool:
    """Whether billing had ended by the item's day: with a deactivation that was asked for in time and read later."""
    stage = billing_history(books.by_token[ticket.token or ""], books.zone, frozenset()).stage(
        item.effective or books.last
    )
    return item.item != "token" and stage is not None and not stage.active


def _forecast(item: Item, ticket: Ticket, books: Books) -> bool:
    """Whether the way of billing was not decided when the change was granted: its fraction was a forecast."""
    if ticket.request is RequestKind.ACTIVATE or item.effective is None:  # which is told anew once it is decided
        return False
    licence = state_on(books.by_token.get(ticket.token or "", []), item.effective)
    return licence is not None and licence.billing is None


def _owed(item: Item, ticket: Ticket, books: Books) -> bool:
    effect = item.billing
    if item.status is not ItemStatus.APPLIED or effect is None or effect.kind != "increase" or not item.effective:
        return False
    if not effect.invoice_on or max(effect.invoice_on, item.effective) > books.last:
        return False
    events = books.by_token.get(ticket.token or "", [])
    known = [event for event in events if committed_on(event, books.zone) <= books.last]
    mine = [event for event in known if event.ticket == ticket.ref and item.item in event.changes]
    licence = state_on(known, books.last)
    if licence is None or licence.billing is None:
        return False
    return not any((event.token, event.revision) in books.undone for event in mine)


def _people(books: Books) -> Found:
    """Names and contacts belong to licences of the ledger."""
    for token in sorted(books.named - books.by_token.keys()):
        yield f"licence {token}", "has a name or contacts, but no event in the ledger"
