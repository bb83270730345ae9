"""The one table: what each event does to a ticket in each state. Whatever affects a ticket's state goes through here.

A state's row names every event; an event that is over in that state does nothing, or is answered as late.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mailbot.core import applying, changing, deciding, events, following, opening
from mailbot.core.events import Decision, Event
from mailbot.core.scene import Scene
from mailbot.core.ticket import FINAL, State, Ticket

Step = Callable[[Ticket, Any, Scene], Decision]

#: What holds in every state: words are passed on, notes are kept, mails may come back.
ALWAYS: Mapping[type, Step] = {
    events.Answers: deciding.answer,
    events.Notes: deciding.note,
    events.Commented: following.comment,
    events.StatusAsked: following.status,
    events.Undelivered: following.undelivered,
    events.EmailConfirmed: opening.confirm_email,
    events.Reversed: following.take_back,
    events.Accepted: applying.accepted,
    events.RefusedThere: applying.refused,
    events.StillApplying: applying.still_applying,
}
#: What is over, unless the state's own row says otherwise.
OVER: Mapping[type, Step] = {
    events.Opened: following.stay,
    events.Changed: following.stay,
    events.Confirmed: following.stay,
    events.Denied: following.stay,
    events.Approved: deciding.late,
    events.Rejected: deciding.late,
    events.Asks: deciding.say,
    events.Holds: deciding.keep,
    events.Withdrawn: following.stay,
    events.DayCame: following.stay,
    events.StaffReminded: following.stay,
    events.CustomerReminded: following.stay,
    events.Silent: following.stay,
}
#: What holds as long as a ticket is open.
OPEN: Mapping[type, Step] = {
    events.Changed: changing.change,
    events.Withdrawn: following.withdraw,
    events.DayCame: following.day_came,
    events.Asks: deciding.ask,
    events.Holds: deciding.hold,
}
DECIDING: Mapping[type, Step] = {events.Approved: deciding.approve, events.Rejected: deciding.reject}

OWN: Mapping[State, Mapping[type, Step]] = {
    State.WAITING_CUSTOMER: {
        events.Opened: opening.open_ticket,
        events.CustomerReminded: following.remind_customer,
        events.Silent: following.close,
        **DECIDING,
    },
    State.WAITING_CONFIRMATION: {
        events.Approved: deciding.early,
        events.Rejected: deciding.early,
        events.Confirmed: opening.confirm,
        events.Denied: opening.deny,
        events.CustomerReminded: following.remind_customer,
        events.Silent: following.close,
    },
    State.WAITING_STAFF: {events.StaffReminded: following.remind_staff, **DECIDING},
    State.APPLYING: {},
    State.SCHEDULED: {},
    # A contact said NO, and the requester must not learn that there is one.
    State.CANCELLED: {
        events.Changed: changing.change_denied,
        events.Withdrawn: following.withdraw_denied,
        events.CustomerReminded: following.remind_denied,
        events.Silent: following.close_denied,
    },
}

TABLE: Mapping[State, Mapping[type, Step]] = {
    state: {**OVER, **ALWAYS, **({} if state in FINAL else OPEN), **OWN.get(state, {})} for state in State
}


def decide(ticket: Ticket, event: Event, scene: Scene) -> Decision:
    """What the event makes of the ticket. Pure: ticket, ledger and time come in, the new ticket and the effects go out."""
    made = TABLE[ticket.state][type(event)](ticket, event, scene)
    return (
        replace(made, ticket=made.ticket.model_copy(update={"hold": False})) if _unheld(ticket, made.ticket) else made
    )


def _unheld(before: Ticket, after: Ticket) -> bool:
    """Whether a HOLD is over: the ticket has changed since."""
    return before.hold and after.hold and (before.state, before.items) != (after.state, after.items)
