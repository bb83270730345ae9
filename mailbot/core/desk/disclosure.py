"""What a reader is shown of a ticket. All that leaves the desk goes through ``shown_to``: mails, JSON, listings.

What a reader may know of the licence itself: ``outbound.readership``.
"""

from enum import StrEnum
from typing import assert_never

from mailbot.core.base.frozen import replace
from mailbot.core.desk.ticket import Ending, State, Ticket

#: The states that readers see.
PUBLIC_STATES = tuple(state for state in State if state is not State.DENIED)


class Viewer(StrEnum):
    """Who looks at a ticket: the sender of the request, or anybody else who may (staff, operators, contacts)."""

    REQUESTER = "requester"
    OTHERS = "others"


def shown_to(viewer: Viewer, ticket: Ticket) -> Ticket:
    """The ticket as the viewer may see it, in one of ``PUBLIC_STATES``.

    In the neutral view a requester sees no items, no diagnosis and no problem found in the ledger; the state is the one
    that a request for a token outside the ledger would be in.
    """
    match viewer:
        case Viewer.REQUESTER if ticket.neutral:
            own = tuple(problem for problem in ticket.problems if not problem.from_ledger)
            state = _neutral_state(ticket, faulty=bool(own))
            return replace(
                ticket, state=state, items=(), problems=own, diagnosis=None, challenged=(), token_doubt=False
            )
        case Viewer.REQUESTER | Viewer.OTHERS:
            return replace(ticket, state=State.CANCELLED) if ticket.state is State.DENIED else ticket
        case _:
            assert_never(viewer)


def _neutral_state(ticket: Ticket, *, faulty: bool) -> State:
    if ticket.ending is Ending.DENIED_AND_CLOSED:
        return State.CLOSED
    if ticket.state in (State.CANCELLED, State.CLOSED):
        return ticket.state
    return State.WAITING_CUSTOMER if ticket.state is State.DENIED and faulty else State.WAITING_CONFIRMATION


def is_over_for_requester(ticket: Ticket) -> bool:
    """Whether the ticket is final as its requester sees it."""
    return shown_to(Viewer.REQUESTER, ticket).final


def stored_states(shown: State) -> tuple[State, ...]:
    """The states in which a ticket is shown to staff and operators as ``shown``."""
    return (shown, State.DENIED) if shown is State.CANCELLED else (shown,)
