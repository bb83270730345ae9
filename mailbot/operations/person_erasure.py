"""``mailbot erase``: removes a person from the database; licences, bills and decisions stay.

The rows are changed by ``storage.erasure``; here is what must be finished before, and what of a ticket is emptied.
"""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from mailbot.core.base.address import same
from mailbot.core.desk.ticket import FINAL, Ticket
from mailbot.environment import Desk
from storage import erasure, people, tickets

#: The fields of a ticket that are emptied; its items, dates, token and linked tickets stay.
_EMPTIED: dict[str, Any] = {
    "sender": erasure.GONE, "sender_name": "", "customer_name": None, "customer_email": None, "forwarded_from": None,
    "comments": None, "question": None, "description": None, "reason": None, "subject": "", "fields": {},
    "problems": (), "diagnosis": None, "challenged": (), "confirmed_by": None, "threads": {}, "log_mails": (), "files": (),
}  # fmt: skip


class StillNeededError(ValueError):
    """The person cannot be erased yet; the text says why and what to do first."""


@dataclass(frozen=True)
class ErasureReport:
    """What was or would be erased; ``without_contact`` are the tokens of licences that have no contact left."""

    address: str
    tickets: list[str]
    contact_of: list[str]
    without_contact: list[str]
    mails_in: int
    mails_out: int


def erase_person(desk: Desk, address: str, *, dry_run: bool) -> ErasureReport:
    """Erase the person in one transaction, then overwrite the deleted rows in the database file.

    With ``dry_run`` everything is rolled back.

    Raises:
        StillNeededError: while a ticket or mail of that address is open, or it belongs to the desk.
    """
    _require_outsider(desk, address)
    with desk.store.rehearsal() if dry_run else desk.store.write() as session:
        _require_nothing_open(session, address)
        done = erasure.erase(session, address, desk.clock(), _emptied)
        without_contact = [token for token in done.contact_of if not people.contacts(session, token)]
    if not dry_run:
        desk.store.scrub()
    return ErasureReport(address, done.tickets, done.contact_of, without_contact, done.mails_in, done.mails_out)


def _require_outsider(desk: Desk, address: str) -> None:
    if any(same(address, own) for own in (desk.config.mailbot.address, *(one.address for one in desk.config.staff))):
        msg = f"{address} is the desk's or a member of staff: remove it from the configuration first"
        raise StillNeededError(msg)


def _require_nothing_open(session: Session, address: str) -> None:
    mine = tickets.of_sender(session, address)
    if still := [f"{row.ref} ({row.state})" for row in mine if row.state not in FINAL]:
        msg = f'still open: {", ".join(still)}; wait until they end, or end them: mailbot decide REF "REJECT ..."'
        raise StillNeededError(msg)
    if waiting := erasure.unhandled(session, address):
        msg = f"mail {waiting[0]} from that address is not handled yet; run first: mailbot run --once"
        raise StillNeededError(msg)
    if waiting := erasure.unsent(session, address):
        msg = (
            f"mail {waiting[0]} of the outbox, which names that address, is not sent yet; run first: mailbot run --once"
        )
        raise StillNeededError(msg)


def _emptied(body: dict[str, Any]) -> dict[str, Any]:
    ticket = Ticket.model_validate(body)
    items = tuple(item.model_copy(update={"reason": None}) for item in ticket.items)
    return ticket.model_copy(update={**_EMPTIED, "items": items}).model_dump(mode="json", by_alias=True)
