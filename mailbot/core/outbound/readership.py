"""Who may read what of a ticket and of its licence.

The rule, on which customers rely:

- Licence data (today's values, dates, bills, rules, and problems that only the ledger reveals) is read by staff, by the
  contacts of that licence and by the partner or contact who sent the request. Nobody else reads any of it.
- Everybody else reads what the request asks for and what became of it.
- A requester who cannot act for a licence reads the same, whether or not the token exists and whether or not a contact
  said NO, until somebody who can has agreed.

Every mail sees its ticket through ``Reader.sees``, and nothing else decides what a mail may say of it.
"""

from dataclasses import dataclass, replace

from mailbot.core.base.address import matches, same
from mailbot.core.desk.effects import Send
from mailbot.core.desk.mail_kind import STAFF_KINDS, MailKind
from mailbot.core.desk.ticket import Item, Route, Ticket
from mailbot.core.form.problem import LEDGER_CODES, Problem
from mailbot.core.ledger.licence import Licence


@dataclass(frozen=True)
class Sight:
    """A ticket as one reader may see it.

    ``hidden``: whether the reader must not know how the ticket really stands, so that ``ticket`` shows another state and no
    items. ``licence_data``: whether the reader may read licence data; if not, ``items`` are without it. ``problems``
    has, for each problem, whether the reader may know what the ledger says.
    """

    ticket: Ticket
    hidden: bool
    licence_data: bool
    items: tuple[Item, ...]
    problems: tuple[tuple[Problem, bool], ...]


@dataclass(frozen=True)
class Reader:
    """The recipient of a mail: an address, whether it reads as staff, and the licences known to judge it by."""

    address: str
    staff: bool
    licences: tuple[Licence, ...] = ()

    def sees(self, ticket: Ticket) -> Sight:
        """The ticket as this reader may see it."""
        shown = ticket.as_seen if same(self.address, ticket.sender) else ticket
        reads = self._may_read_licence(shown)
        return Sight(
            ticket=shown,
            hidden=shown is not ticket,
            licence_data=reads,
            items=shown.items if reads else _without_licence_data(shown.items),
            problems=tuple((p, reads or not (p.from_ledger or p.code in LEDGER_CODES)) for p in shown.problems),
        )

    def _may_read_licence(self, ticket: Ticket) -> bool:
        """Also true for the activation of a token that is not in the ledger: there is no licence data to protect."""
        if self.staff or (same(self.address, ticket.sender) and (ticket.sender_is_contact or ticket.sender_is_partner)):
            return True
        licences = [licence for licence in self.licences if licence.token in (ticket.token, ticket.new_token)]
        if any(matches(self.address, contact) for licence in licences for contact in licence.contacts):
            return True
        new = ticket.request == "activate" and all(item.from_ is None for item in ticket.items)
        return new and all(licence.token != ticket.token for licence in licences)


def _without_licence_data(items: tuple[Item, ...]) -> tuple[Item, ...]:
    bare = {"from_": None, "effective": None, "expected": None, "billing": None, "rule": ""}
    return tuple(item.model_copy(update=bare) for item in items if item.route is not Route.IMPLIED)


def reader_of(send: Send, address: str, *licences: Licence | None) -> Reader:
    """The reader of that mail at ``address``."""
    staff = send.kind in STAFF_KINDS or (send.kind is MailKind.REMINDER and send.facts.why == "staff")
    known = (*licences, *send.facts.licences)
    return Reader(address, staff, tuple(licence for licence in known if licence))


def readable(send: Send, ticket: Ticket | None, reader: Reader) -> Send | None:
    """The mail without the plugins that its reader may not know of; None if no plugin is left to write about."""
    if send.kind is not MailKind.PLUGINS:
        return send
    known = {item.item for item in reader.sees(ticket).items} if ticket else set()
    plugins = tuple(key for key in send.facts.items if key.startswith("plugin:") and key in known)
    return replace(send, facts=replace(send.facts, items=plugins)) if plugins else None
