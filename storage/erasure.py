"""Removes one person from every table but the ledger, which names tokens, tickets and mails but no people."""

import re
from binascii import a2b_qp
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, delete, or_, select, update

from storage import inbox, outbox, people, tickets
from storage.alerts import Incident
from storage.due import Due
from storage.keys import KeyRow
from storage.types import folded

#: Replaces the address wherever its row stays.
GONE = "erased"


@dataclass(frozen=True)
class Erased:
    """What was erased: the person's tickets and contacts of licences, and how many mails lost their bytes.

    ``without_contact`` are the licences that have no contact any more.
    """

    address: str
    tickets: list[str]
    contact_of: list[str]
    without_contact: list[str]
    mails_in: int
    mails_out: int


def unhandled(s: Session, address: str) -> list[int]:
    """The numbers of the mails from that address that are not handled yet."""
    query = select(inbox.Inbox.id, inbox.Inbox.sender).where(col(inbox.Inbox.state) == inbox.InboxState.KEPT)
    return [number for number, sender in s.exec(query) if sender is not None and folded(sender) == folded(address)]


def unsent(s: Session, address: str) -> list[int]:
    """The numbers of the alerts and digests that name the address and are not delivered yet."""
    return [row.id for row in _naming(s, address) if row.state in outbox.WAITING_STATES]


def _naming(s: Session, address: str) -> list[outbox.Outbox]:
    """The mails to others that name the address and belong to no ticket."""
    raws, name = outbox.OutboxRaw, folded(address).encode()
    query = select(outbox.Outbox, raws.data).join(raws, col(raws.outbox_id) == col(outbox.Outbox.id))
    others = query.where(col(outbox.Outbox.ref).is_(None), col(outbox.Outbox.recipient_folded) != folded(address))
    return [row for row, raw in s.exec(others) if name in a2b_qp(raw).lower()]


def erase(s: Session, address: str, at: datetime, dismantled: Callable[[dict[str, Any]], dict[str, Any]]) -> Erased:
    """Erases everything of that address; ``dismantled`` turns a ticket's body into one without the person's words.

    Mails keep their hash, times and outcome; tickets keep their items and the kinds of their events.
    """
    own = tickets.of_sender(s, address)
    refs = [row.ref for row in own]
    for row in own:
        row.body, row.form_sha256, row.sender = dismantled(row.body), "", GONE
        _without_words(s, row.number)
        tickets.add_event(s, row.number, at, "erased", "operator")
    _elsewhere(s, address)
    contact_of = _contacts(s, address)
    alone = [token for token in contact_of if not people.contacts(s, token)]
    found = Erased(address, refs, contact_of, alone, _mails_in(s, address, refs), _mails_out(s, address, refs))
    s.flush()
    return found


def _without_words(s: Session, number: int) -> None:
    rows = col(tickets.TicketEventRow.number) == number
    s.exec(update(tickets.TicketEventRow).where(rows).values(detail=None, mail=None))


def _elsewhere(s: Session, address: str) -> None:
    """Replaces the address in the tickets, keys, due things and alerts of others."""

    def without(value: Any) -> Any:
        return replaced(value, address)

    for ticket in s.exec(select(tickets.TicketRow)):
        _set(ticket, "body", without(ticket.body))
    for event in s.exec(select(tickets.TicketEventRow)):
        _set(event, "by", without(event.by))
        _set(event, "detail", without(event.detail))
    for thing in s.exec(select(Due).where(col(Due.payload).is_not(None))):
        _set(thing, "payload", without(thing.payload))
    for incident in s.exec(select(Incident)):
        _set(incident, "text", without(incident.text))
    s.exec(delete(KeyRow).where(col(KeyRow.address) == folded(address)))
    for key in s.exec(select(KeyRow).where(col(KeyRow.payload).is_not(None))):
        _set(key, "payload", without(key.payload))


def _set(row: Any, name: str, value: Any) -> None:
    if value != getattr(row, name):
        setattr(row, name, value)


def replaced(value: Any, address: str) -> Any:
    """A JSON value with ``erased`` in place of the address, in any case, in every text and key."""
    if isinstance(value, str):
        return re.sub(rf"(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w)", GONE, value, flags=re.IGNORECASE)
    if isinstance(value, list):
        return [replaced(one, address) for one in value]
    if isinstance(value, dict):
        return {replaced(key, address): replaced(one, address) for key, one in value.items()}
    return value


def _contacts(s: Session, address: str) -> list[str]:
    mine = col(people.Contact.folded) == folded(address)
    tokens = sorted(s.exec(select(people.Contact.token).where(mine)))
    s.exec(delete(people.Contact).where(mine))
    return tokens


def _mails_in(s: Session, address: str, refs: Collection[str]) -> int:
    """Deletes the bytes of mails from the address and about the tickets; those from it lose their sender too."""
    own = [row for row in s.exec(select(inbox.Inbox).where(col(inbox.Inbox.sender).is_not(None)))
           if folded(str(row.sender)) == folded(address)]  # fmt: skip
    for row in own:
        row.sender, row.message_id, row.last_result = GONE, None, None
        if row.state == inbox.InboxState.QUARANTINED:
            row.state = inbox.InboxState.DROPPED
    about = s.exec(select(inbox.Inbox.id).where(col(inbox.Inbox.ref).in_(refs)))
    return _forgotten(s, col(inbox.Raw.inbox_id), {row.id for row in own} | set(about))


def _mails_out(s: Session, address: str, refs: Collection[str]) -> int:
    """Deletes the bytes of mails to the address, about the tickets, or naming it; those to it lose their recipient too."""
    to_address = col(outbox.Outbox.recipient_folded) == folded(address)
    rows = list(s.exec(select(outbox.Outbox).where(or_(to_address, col(outbox.Outbox.ref).in_(refs)))))
    rows += [row for row in _naming(s, address) if row not in rows]
    for row in rows:
        if row.recipient_folded == folded(address):
            row.recipient = row.recipient_folded = GONE
            row.recipient_domain = None
        if row.state in outbox.WAITING_STATES:
            row.state, row.lease_until = outbox.OutboxState.DROPPED, None
        row.last_result = None
    numbers = {row.id for row in rows}
    s.exec(update(outbox.Delivery).where(col(outbox.Delivery.outbox_id).in_(numbers)).values(reply=""))
    return _forgotten(s, col(outbox.OutboxRaw.outbox_id), numbers)


def _forgotten(s: Session, number: Any, numbers: Collection[int]) -> int:
    """Deletes the bytes of those mails; returns how many had any."""
    s.flush()
    return int(s.exec(delete(number.class_).where(number.in_(numbers))).rowcount)
