"""What one recipient may read: licence data goes to staff, contacts of that licence and its partner, to nobody else. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mailbot.core.base.address import matches, same
from mailbot.core.desk.effects import Send
from mailbot.core.desk.mail_kind import STAFF_KINDS, MailKind
from mailbot.core.desk.ticket import Item, Route, Ticket
from mailbot.core.form.problem import LEDGER_CODES, Problem
from mailbot.core.ledger.licence import Licence


@dataclass(frozen=True)
class Reader:
    """The one address that a mail goes to, ``staff`` or not, and the licences that are at hand to judge it by."""

    address: str
    staff: bool
    licences: tuple[Licence, ...] = ()

    def may_read(self, ticket: Ticket) -> bool:
        """Whether he may read today's values, billing, dates and rules of the ticket's licence.

        An activation of a token that is not in the ledger shows nothing of anybody's.
        """
        if self.staff or (same(self.address, ticket.sender) and (ticket.sender_is_contact or ticket.sender_is_partner)):
            return True
        mine = [licence for licence in self.licences if licence.token in (ticket.token, ticket.new_token)]
        if any(matches(self.address, contact) for licence in mine for contact in licence.contacts):
            return True
        new = ticket.request == "activate" and all(item.from_ is None for item in ticket.items)
        return new and all(licence.token != ticket.token for licence in mine)

    def items(self, ticket: Ticket) -> tuple[Item, ...]:
        """The items that he may know of, without what only contacts may read."""
        if self.may_read(ticket):
            return ticket.items
        bare = {"from_": None, "effective": None, "expected": None, "billing": None, "rule": ""}
        return tuple(item.model_copy(update=bare) for item in ticket.items if item.route is not Route.IMPLIED)

    def problems(self, ticket: Ticket) -> tuple[tuple[Problem, bool], ...]:
        """The problems, and for each whether it may be told what the ledger says."""
        reads = self.may_read(ticket)
        return tuple((p, reads or not (p.from_ledger or p.code in LEDGER_CODES)) for p in ticket.problems)

    def plugins(self, ticket: Ticket | None, keys: Iterable[str]) -> tuple[str, ...]:
        """The plugin items among ``keys`` that he may hear of."""
        known = {item.item for item in self.items(ticket)} if ticket else set()
        return tuple(key for key in keys if key.startswith("plugin:") and key in known)


def reader(send: Send, address: str, *licences: Licence | None) -> Reader:
    """The reader of a mail to that address."""
    staff = send.kind in STAFF_KINDS or (send.kind is MailKind.REMINDER and send.facts.why == "staff")
    at_hand = (*licences, *send.facts.licences)
    return Reader(address, staff, tuple(licence for licence in at_hand if licence))


def unsaid(send: Send, ticket: Ticket | None, reader: Reader) -> Send | None:
    """The mail without what its reader may not hear of; None when nothing is left to say."""
    if send.kind is not MailKind.PLUGINS:
        return send
    mine = reader.plugins(ticket, send.facts.items)
    return replace(send, facts=replace(send.facts, items=mine)) if mine else None
