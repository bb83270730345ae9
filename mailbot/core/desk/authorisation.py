"""Who may ask for what: whether a request is taken at once, is asked about first, or is staff's to judge (spec section 5)."""

from dataclasses import dataclass
from typing import assert_never

from mailbot.core.base.address import fold_case, matches_pattern, same_address
from mailbot.core.base.frozen import replace
from mailbot.core.form.reader import Request
from mailbot.core.form.request_kinds import RequestKind
from mailbot.core.ledger.licence import Licence


@dataclass(frozen=True)
class Sender:
    """The writer of a mail: ``verified`` by the border (or trusted by configuration), ``known`` to the ledger."""

    address: str
    verdict: str
    verified: bool
    known: bool = False
    partner: bool = False


@dataclass(frozen=True)
class Standing:
    """How a request is taken.

    ``released``: nobody needs to be asked. ``challenged``: the addresses that are asked to confirm. ``neutral``: the
    requester hears only the neutral words. ``token_doubt``: the token is unknown and the request needs a known one.
    ``staff_whole``: staff decide on all of it. ``reads_ledger``: what the ledger says may be told to the requester.
    """

    released: bool = False
    challenged: tuple[str, ...] = ()
    neutral: bool = False
    token_doubt: bool = False
    staff_whole: bool = False
    reads_ledger: bool = False
    is_contact: bool = False
    is_partner: bool = False


def standing_of(request: Request, sender: Sender, licence: Licence | None, *, always_confirm: bool = False) -> Standing:
    """How a request of that sender on that licence (None: its token is not in the ledger) is taken."""
    if licence is not None and request.request is not RequestKind.INFORMATION:
        return _on_licence(request, sender, licence, always_confirm=always_confirm)
    partner = sender.verified and sender.partner
    match request.request:
        case RequestKind.INFORMATION:
            return _asks(sender, always_confirm=always_confirm)
        case RequestKind.ACTIVATE:
            taken = _asks(sender, always_confirm=always_confirm)
            return replace(
                taken, staff_whole=not (request.demo or sender.known), is_partner=partner, reads_ledger=partner
            )
        case RequestKind.MODIFY | RequestKind.CONTRACT:
            return Standing(
                released=True, token_doubt=True, neutral=not partner, reads_ledger=partner, is_partner=partner
            )
        case RequestKind.REACTIVATE | RequestKind.SHUTTLE | RequestKind.UNKNOWN:
            return Standing(
                released=True, staff_whole=True, neutral=not partner, is_partner=partner, reads_ledger=partner
            )
        case kind:
            assert_never(kind)


def _asks(sender: Sender, *, always_confirm: bool) -> Standing:
    """An activation of a new token or a question: taken from a verified sender, else the sender himself confirms it."""
    if sender.verified and not always_confirm:
        return Standing(released=True)
    return Standing(challenged=(sender.address,))


def _on_licence(request: Request, sender: Sender, licence: Licence, *, always_confirm: bool) -> Standing:
    contact = any(matches_pattern(sender.address, pattern) for pattern in licence.contacts)
    partner = sender.verified and sender.partner
    whole = request.request is RequestKind.ACTIVATE and not request.demo and not sender.known
    if sender.verified and (contact or sender.partner) and not always_confirm:
        return Standing(released=True, staff_whole=whole, reads_ledger=True, is_contact=contact, is_partner=partner)
    asked = contacts_to_ask(licence, sender.address)
    if not asked:
        return Standing(released=True, staff_whole=True, neutral=True)
    himself = any(same_address(address, sender.address) for address in asked)
    return Standing(challenged=asked, neutral=not himself, staff_whole=whole)


def contacts_to_ask(licence: Licence, sender: str) -> tuple[str, ...]:
    """The licence's plain contact addresses, and the sender's own where a pattern of its contacts matches it."""
    plain = {fold_case(contact): contact for contact in licence.contacts if not contact.startswith("@")}
    if any(contact.startswith("@") and matches_pattern(sender, contact) for contact in licence.contacts):
        plain.setdefault(fold_case(sender), sender)
    return tuple(plain.values())
