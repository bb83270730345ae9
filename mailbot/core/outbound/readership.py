"""Who may read what of a ticket and of its licence.

The rule, on which customers rely:

- Licence data (today's values, dates, bills, rules, and problems that only the ledger reveals) is read by staff, by the
  contacts of that licence and by the partner or contact who sent the request. Nobody else reads any of it.
- Everybody else reads what the request asks for and what became of it.
- A requester who cannot act for a licence reads the same, whether or not the token exists and whether or not a contact
  said NO, until somebody who can has agreed.

Every mail sees its ticket through ``Reader.sees``, and nothing else decides what a mail may say of it. Which state and items a
requester is shown is decided by ``desk.disclosure``.
"""

from dataclasses import dataclass

from mailbot.core.base.address import matches_pattern, same_address
from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import ItemKind
from mailbot.core.desk.disclosure import Viewer, shown_to
from mailbot.core.desk.effects import Send
from mailbot.core.desk.mail_kind import STAFF_KINDS, MailKind
from mailbot.core.desk.ticket import Item, Route, Ticket
from mailbot.core.form.problem import LEDGER_CODES, Problem
from mailbot.core.form.request import RequestKind
from mailbot.core.ledger.licence import Licence
from mailbot.core.ledger.rule import Rule


@dataclass(frozen=True)
class Sight:
    """A ticket as one reader may see it.

    ``neutral``: whether it is the neutral view of ``disclosure.shown_to``, with another state and without items. ``licence_data``: whether the reader may read licence data; if not, ``items`` are without it. ``problems``
    has, for each problem, whether the reader may know what the ledger says.
    """

    ticket: Ticket
    neutral: bool
    licence_data: bool
    items: tuple[Item, ...]
    problems: tuple[tuple[Problem, bool], ...]


@dataclass(frozen=True)
class Reader:
    """The recipient of a mail: an address, whether it reads as staff, and the licences known to judge it by."""

    address: str
    staff: bool
    licences: tuple[Licence, ...] = ()

    def sees(self, ticket: Ticket, *, shown: bool = False) -> Sight:
        """The ticket as this reader may see it. ``shown``: it has been through ``disclosure.shown_to`` already."""
        requester = same_address(self.address, ticket.sender)
        seen = ticket if shown else shown_to(Viewer.REQUESTER if requester else Viewer.OTHERS, ticket)
        reads = self._may_read_licence(seen)
        return Sight(
            ticket=seen,
            neutral=requester and ticket.neutral,
            licence_data=reads,
            items=seen.items if reads else _without_licence_data(seen.items),
            problems=tuple((p, reads or not (p.from_ledger or p.code in LEDGER_CODES)) for p in seen.problems),
        )

    def _may_read_licence(self, ticket: Ticket) -> bool:
        """Also true for the activation of a token that is not in the ledger: there is no licence data to protect."""
        if self.staff or (
            same_address(self.address, ticket.sender) and (ticket.sender_is_contact or ticket.sender_is_partner)
        ):
            return True
        licences = [licence for licence in self.licences if licence.token in (ticket.token, ticket.new_token)]
        if any(matches_pattern(self.address, contact) for licence in licences for contact in licence.contacts):
            return True
        new = ticket.request is RequestKind.ACTIVATE and all(item.from_ is None for item in ticket.items)
        return new and all(licence.token != ticket.token for licence in licences)


def _without_licence_data(items: tuple[Item, ...]) -> tuple[Item, ...]:
    bare = (item for item in items if item.route is not Route.IMPLIED)
    return tuple(
        replace(item, from_=None, effective=None, expected=None, billing=None, rule=Rule.BY_STAFF) for item in bare
    )


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
    plugins = tuple(key for key in send.facts.items if key.kind is ItemKind.PLUGIN and key in known)
    return replace(send, facts=replace(send.facts, items=plugins)) if plugins else None
