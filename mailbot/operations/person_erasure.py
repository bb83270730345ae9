"""``mailbot erase``: removes a person from the database; licences, bills and decisions stay.

The rows are changed by ``storage.erasure``; here is what must be finished before, and what of a ticket is emptied.
"""

from dataclasses import replace
from typing import Any

from sqlmodel import Session

from mailbot.core.base.address import same_address
from mailbot.core.desk.ticket import FINAL, Ticket
from mailbot.environment import Desk
from storage import erasure, tickets


class StillNeededError(ValueError):
    """The person cannot be erased yet; the text says why and what to do first."""


def erase_person(desk: Desk, address: str, *, dry_run: bool) -> erasure.Erased:
    """Erase the person in one transaction, then overwrite the deleted rows in the database file.

    With ``dry_run`` everything is rolled back.

    Raises:
        StillNeededError: while a ticket or mail of that address is open, or it belongs to the desk.
    """
    _require_outsider(desk, address)
    with desk.store.rehearsal() if dry_run else desk.store.write() as session:
        _require_nothing_open(session, address)
        erased = erasure.erase(session, address, desk.clock(), _emptied)
    if not dry_run:
        desk.store.scrub()
    return erased


def _require_outsider(desk: Desk, address: str) -> None:
    if any(
        same_address(address, own) for own in (desk.config.mailbot.address, *(one.address for one in desk.config.staff))
    ):
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
    """A stored ticket without the person. Its items, dates, token and linked tickets stay."""
    ticket = Ticket.from_json(body)
    erased = replace(
        ticket,
        sender=erasure.GONE, sender_name="", customer_name=None, customer_email=None, forwarded_from=None,
        comments=None, question=None, description=None, reason=None, subject="", fields={},
        problems=(), diagnosis=None, challenged=(), confirmed_by=None, threads={}, log_mails=(), files=(),
        items=tuple(replace(item, reason=None) for item in ticket.items),
    )  # fmt: skip
    return erased.to_json()
