"""From rows to the core's values and back: tickets, licences and people."""

import hashlib
import json
from dataclasses import fields
from datetime import date, datetime

from sqlmodel import Session

from mailbot.core.base.frozen import replace
from mailbot.core.desk.ticket import Ticket
from mailbot.core.ledger.licence import Licence, LicenceEvent, state_on
from mailbot.core.mail.message import parse
from storage import licences as rows
from storage import outbox, people, tickets


def load_ticket(session: Session, ref: str) -> Ticket | None:
    """The ticket of that reference, any case; None when there is none."""
    row = tickets.load(session, ref.upper())
    return None if row is None else of_row(row)


def of_row(row: tickets.TicketRow) -> Ticket:
    """The ticket that the row holds."""
    return Ticket.from_json(row.body)


def form_digest(fields: dict[str, str]) -> str:
    """A digest that is equal for two forms with the same values."""
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def save_ticket(session: Session, ticket: Ticket, at: datetime, row: tickets.TicketRow | None) -> tickets.TicketRow:
    """Write the ticket over the ``row`` that it was read from, None for a new one. Returns the row as it is now."""
    return tickets.save(
        session,
        tickets.StoredTicket(
            number=ticket.number,
            ref=ticket.ref,
            state=ticket.state.value,
            request=ticket.request.value,
            action=ticket.action.value if ticket.action else None,
            token=ticket.token,
            sender=ticket.sender,
            opened_at=row.opened_at if row else at,
            updated_at=at,
            version=ticket.version,
            form_sha256=form_digest(ticket.fields),
            body=ticket.to_json(),
        ),
        expected_version=row.row_version if row else None,
    )


def load_licence(session: Session, token: str, on: date) -> Licence | None:
    """The licence of that token on a date, None when the ledger has none."""
    events = [event_of(row) for row in rows.events(session, token)]
    if not events:
        return None
    contacts = tuple(contact.address for contact in people.contacts(session, token))
    found = state_on(events, on, people.name(session, token), contacts)
    return replace(found, lineage=_lineage(session, events)) if found and any(map(_moves, events)) else found


def licences(session: Session, on: date) -> list[Licence]:
    """Every licence of the ledger on a date, by token, in three queries."""
    events: dict[str, list[LicenceEvent]] = {}
    ledger = [event_of(row) for row in rows.all_events(session)]
    for event in ledger:
        events.setdefault(event.token, []).append(event)
    names, contacts = people.names(session), people.all_contacts(session)
    every = (state_on(events[token], on, names.get(token), contacts.get(token, ())) for token in sorted(events))
    lineages = _lineages(ledger)
    return [replace(licence, lineage=lineages.get(licence.token, ())) for licence in every if licence]


def _moves(event: LicenceEvent) -> bool:
    return event.kind == "moved" and event.ticket is not None


def _lineage(session: Session, events: list[LicenceEvent]) -> tuple[LicenceEvent, ...]:
    """The events of all tokens that this licence has had, by the tickets that moved it."""
    tokens, todo = {events[0].token}, events
    while moves := {str(event.ticket) for event in todo if _moves(event)}:
        moved = {row.token for ref in moves for row in rows.events_of_ticket(session, ref) if row.kind == "moved"}
        todo = [event_of(row) for row in rows.events_of_tokens(session, moved - tokens)]
        tokens |= moved
    return tuple(event_of(row) for row in rows.events_of_tokens(session, tokens))


def _lineages(ledger: list[LicenceEvent]) -> dict[str, tuple[LicenceEvent, ...]]:
    """The lineage of every licence that has moved, by each of its tokens."""
    of_ticket: dict[str, set[str]] = {}
    for event in filter(_moves, ledger):
        of_ticket.setdefault(str(event.ticket), set()).add(event.token)
    family: dict[str, set[str]] = {}
    for tokens in of_ticket.values():
        joined = tokens.union(*(family.get(token, ()) for token in tokens))
        family |= dict.fromkeys(joined, joined)
    events: dict[int, list[LicenceEvent]] = {}
    for event in ledger:
        if event.token in family:
            events.setdefault(id(family[event.token]), []).append(event)
    return {token: tuple(events[id(tokens)]) for token, tokens in family.items()}


#: A row has a column for each field of an event.
_EVENT_FIELDS = tuple(field.name for field in fields(LicenceEvent))


def event_of(row: rows.LicenceEventRow) -> LicenceEvent:
    """One line of the ledger as the core's value."""
    return LicenceEvent.checked({name: getattr(row, name) for name in _EVENT_FIELDS})


def had_demo_elsewhere(session: Session, token: str | None, name: str | None, address: str) -> bool:
    """Whether another licence of the same customer (e-mail or name, any case) is or was a demo."""
    tokens = {
        contact.token for contact in people.tokens_of_address(session, address) if not contact.address.startswith("@")
    }
    tokens |= set(people.tokens_named(session, name)) if name else set()
    tokens.discard(token or "")
    return any(row.changes.get("status") == "demo" for row in rows.events_of_tokens(session, tokens))


def sent_text(session: Session, message_id: str | None, ref: str | None = None) -> str | None:
    """The text of our mail with this Message-ID (about ``ref``); None if there is none or its bytes are gone."""
    row = outbox.by_message_id(session, message_id) if message_id else None
    if row is None or (ref and row.ref != ref) or not outbox.has_raw(session, row.id):
        return None
    return parse(outbox.raw(session, row.id)).text
