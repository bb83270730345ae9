"""The half of the audit that starts from tickets: their states, what they say they granted, what they announced as billed."""

from collections.abc import Iterator, Sequence

from mailbot.core.catalogue.item_kinds import INCLUDED
from mailbot.core.desk.ticket import GRANTED, Item, ItemStatus, Ticket, state_of
from mailbot.core.form.request import Action, RequestKind
from mailbot.core.ledger.billing_history import billing_history, committed_on
from mailbot.core.ledger.licence import LicenceEvent, state_on
from mailbot.operations.audited_books import Books, Disagreements


def ticket_states(books: Books) -> Disagreements:
    """The state of a ticket follows from its items, and every scheduled item has a due thing on its day."""
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


def ticket_items(books: Books) -> Disagreements:
    """Every granted item is in the ledger with the same values, and no other item of the ticket is."""
    for ref, ticket in books.tickets.items():
        if ticket.request is RequestKind.SHUTTLE and ticket.action is Action.MODIFY:
            continue  # staff do it by hand, outside the ledger
        mine = books.by_ticket.get(ref, [])
        for item in ticket.items:
            where = f"ticket {ref}, item {item.item}"
            if item.status in GRANTED and item.item not in INCLUDED:
                yield from ((where, what) for what in _ledger_faults(item, mine))
            elif item.status is ItemStatus.CANCELLED and _is_in_ledger(item, mine):
                withdrawn = any(event.changes.get("withdraws") == ref for event in mine)
                if not (withdrawn or _was_superseded(item, mine, books) or _was_reversed(item, mine, books)):
                    yield where, "is cancelled, but the ledger still has its change"
            elif item.status in (None, ItemStatus.WAITING_STAFF, ItemStatus.REFUSED) and _is_in_ledger(item, mine):
                yield where, f"is {item.status}, but the ledger has its change"


def _ledger_faults(item: Item, mine: Sequence[LicenceEvent]) -> Iterator[str]:
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


def _is_in_ledger(item: Item, mine: Sequence[LicenceEvent]) -> bool:
    return any(item.item in event.changes and event.rule == item.rule for event in mine)


def _was_reversed(item: Item, mine: Sequence[LicenceEvent], books: Books) -> bool:
    """Whether every event with the item's change was reversed."""
    made = (e for e in mine if item.item in e.changes and e.rule == item.rule)
    return all((e.token, e.revision) in books.undone for e in made)


def _was_superseded(item: Item, mine: Sequence[LicenceEvent], books: Books) -> bool:
    """Whether a later request changes the same on the same day as the item's event (the last one, if it was moved)."""
    event = max((e for e in mine if item.item in e.changes), key=lambda e: e.at)
    later = (e for e in books.by_token[event.token] if e.revision > event.revision and e.ticket != event.ticket)
    return any(e.effective == event.effective and item.item in e.changes for e in later)


def announced_increases(books: Books) -> Disagreements:
    """Every increase that a ticket announced is invoiced with its fraction, once its month has ended and billing is decided."""
    billed = {(line.ticket, line.item, line.fraction) for line in books.lines}
    named = {(line.ticket, line.item) for line in books.lines}
    restored = {(line.ticket, line.fraction) for line in books.lines}
    for ref, ticket in books.tickets.items():
        for item in ticket.items:
            if not _must_be_invoiced(item, ticket, books):
                continue
            fraction = item.billing.fraction if item.billing else None
            if item.item in ("status", "token"):  # restores everything the licence has
                found = (ref, fraction) in restored
            elif _was_forecast(item, ticket, books):
                found = (ref, item.item) in named
            else:
                found = (ref, item.item, fraction) in billed
            if not found and not _billing_ended(item, ticket, books):
                where = f"ticket {ref}, item {item.item}"
                yield where, f"announced {fraction} of a period, but no invoice has that line"


def _billing_ended(item: Item, ticket: Ticket, books: Books) -> bool:
    """Whether billing had ended by the item's day, by a deactivation requested in time and handled later."""
    stage = billing_history(books.by_token[ticket.token or ""], books.zone, frozenset()).stage(
        item.effective or books.last
    )
    return item.item != "token" and stage is not None and not stage.active


def _was_forecast(item: Item, ticket: Ticket, books: Books) -> bool:
    """Whether billing was undecided when the change was granted, so that its fraction was a forecast."""
    if ticket.request is RequestKind.ACTIVATE or item.effective is None:  # announced again once billing is decided
        return False
    licence = state_on(books.by_token.get(ticket.token or "", []), item.effective)
    return licence is not None and licence.billing is None


def _must_be_invoiced(item: Item, ticket: Ticket, books: Books) -> bool:
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
