"""Who may request what: whether a request goes ahead, needs a confirmation first, or is for staff to decide."""

from dataclasses import dataclass
from typing import assert_never

from mailbot.core.base.address import fold_case, matches_pattern, same_address
from mailbot.core.base.frozen import replace
from mailbot.core.form.request import Request, RequestKind
from mailbot.core.ledger.licence import Licence


@dataclass(frozen=True)
class Sender:
    """The sender of a mail. ``verified``: by the mail server or by configuration. ``known``: from the ledger."""

    address: str
    verdict: str
    verified: bool
    known: bool = False
    partner: bool = False


@dataclass(frozen=True)
class Standing:
    """How a request is authorised.

    ``released``: no confirmation is needed. ``challenged``: the addresses asked to confirm. ``neutral``: the requester
    gets only neutral mails. ``token_doubt``: the request needs a token that is in the ledger, and this one is not.
    ``staff_whole``: staff decide on every item. ``reads_ledger``: the requester may be told what the ledger says.
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
    """How a request by that sender about that licence is authorised. No licence: the token is not in the ledger."""
    if licence is not None and request.request is not RequestKind.INFORMATION:
        return _on_licence(request, sender, licence, always_confirm=always_confirm)
    partner = sender.verified and sender.partner
    match request.request:
        case RequestKind.INFORMATION:
            return _without_licence(sender, always_confirm=always_confirm)
        case RequestKind.ACTIVATE:
            taken = _without_licence(sender, always_confirm=always_confirm)
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


def _without_licence(sender: Sender, *, always_confirm: bool) -> Standing:
    """A new token or a question: a verified sender needs no confirmation, any other must confirm it."""
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
    """The licence's contacts that are full addresses, and the sender if a domain among the contacts matches."""
    plain = {fold_case(contact): contact for contact in licence.contacts if not contact.startswith("@")}
    if any(contact.startswith("@") and matches_pattern(sender, contact) for contact in licence.contacts):
        plain.setdefault(fold_case(sender), sender)
    return tuple(plain.values())
