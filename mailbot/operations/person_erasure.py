"""``mailbot erase``: what the desk knows of a person goes; licences, bills and what was decided stay."""

from dataclasses import replace
from typing import Any

from sqlmodel import Session

from mailbot.core.base.address import same_address
from mailbot.core.desk.ticket import FINAL, Ticket
from mailbot.environment import Desk
from storage import erasure, tickets


class StillNeededError(ValueError):
    """It cannot be done now; the text says why and what to do first."""


def erase_person(desk: Desk, address: str, *, dry_run: bool) -> erasure.Erased:
    """What was, or with ``dry_run`` would be, erased, from the tables and from the file of the database.

    StillNeededError while something of that person is still open.
    """
    _of_the_desk(desk, address)
    with desk.store.rehearsal() if dry_run else desk.store.write() as session:
        _nothing_open(session, address)
        erased = erasure.erase(session, address, desk.clock(), _dismantled)
    if not dry_run:
        desk.store.scrub()
    return erased


def _of_the_desk(desk: Desk, address: str) -> None:
    if any(
        same_address(address, own) for own in (desk.config.mailbot.address, *(one.address for one in desk.config.staff))
    ):
        msg = f"{address} is the desk's or a member of staff: remove it from the configuration first"
        raise StillNeededError(msg)


def _nothing_open(session: Session, address: str) -> None:
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


def _dismantled(body: dict[str, Any]) -> dict[str, Any]:
    """The ticket without anything that leads to a person."""
    ticket = Ticket.from_json(body)
    erased = replace(
        ticket,
        sender=erasure.GONE, sender_name="", customer_name=None, customer_email=None, forwarded_from=None,
        comments=None, question=None, description=None, reason=None, subject="", fields={},
        problems=(), diagnosis=None, challenged=(), confirmed_by=None, threads={}, log_mails=(), files=(),
        items=tuple(replace(item, reason=None) for item in ticket.items),
    )  # fmt: skip
    return erased.to_json()
