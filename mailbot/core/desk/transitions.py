"""The one table: what each event does to a ticket in each state. Whatever affects a ticket's state goes through here.

A state's row names every event; an event that is over in that state does nothing, or is answered as late.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mailbot.core.base.frozen import replace
from mailbot.core.desk import (
    events,
    on_correction,
    on_customer_and_calendar,
    on_decision,
    on_licence_server,
    on_request,
)
from mailbot.core.desk.context import Scene
from mailbot.core.desk.events import Decision, Event
from mailbot.core.desk.ticket import FINAL, State, Ticket

Step = Callable[[Ticket, Any, Scene], Decision]

#: What holds in every state: words are passed on, notes are kept, mails may come back.
ALWAYS: Mapping[type, Step] = {
    events.Answers: on_decision.answer,
    events.Notes: on_decision.note,
    events.Commented: on_customer_and_calendar.comment,
    events.StatusAsked: on_customer_and_calendar.status,
    events.Undelivered: on_customer_and_calendar.undelivered,
    events.EmailConfirmed: on_request.confirm_email,
    events.Reversed: on_customer_and_calendar.take_back,
    events.Accepted: on_licence_server.licence_server_accepted,
    events.RefusedThere: on_licence_server.licence_server_refused,
    events.StillApplying: on_licence_server.still_applying,
}
#: What is over, unless the state's own row says otherwise.
OVER: Mapping[type, Step] = {
    events.Opened: on_customer_and_calendar.stay,
    events.Changed: on_customer_and_calendar.stay,
    events.Confirmed: on_customer_and_calendar.stay,
    events.Denied: on_customer_and_calendar.stay,
    events.Approved: on_decision.late,
    events.Rejected: on_decision.late,
    events.Asks: on_decision.say,
    events.Holds: on_decision.hold_of_final,
    events.Withdrawn: on_customer_and_calendar.stay,
    events.DayCame: on_customer_and_calendar.stay,
    events.StaffReminded: on_customer_and_calendar.stay,
    events.CustomerReminded: on_customer_and_calendar.stay,
    events.Silent: on_customer_and_calendar.stay,
}
#: What holds as long as a ticket is open.
OPEN: Mapping[type, Step] = {
    events.Changed: on_correction.change,
    events.Withdrawn: on_customer_and_calendar.withdraw,
    events.DayCame: on_customer_and_calendar.day_came,
    events.Asks: on_decision.ask,
    events.Holds: on_decision.hold,
}
DECIDING: Mapping[type, Step] = {events.Approved: on_decision.approve, events.Rejected: on_decision.reject}

OWN: Mapping[State, Mapping[type, Step]] = {
    State.WAITING_CUSTOMER: {
        events.Opened: on_request.open_ticket,
        events.CustomerReminded: on_customer_and_calendar.remind_customer,
        events.Silent: on_customer_and_calendar.close,
        **DECIDING,
    },
    State.WAITING_CONFIRMATION: {
        events.Approved: on_decision.early,
        events.Rejected: on_decision.early,
        events.Confirmed: on_request.confirm,
        events.Denied: on_request.deny,
        events.CustomerReminded: on_customer_and_calendar.remind_customer,
        events.Silent: on_customer_and_calendar.close,
    },
    State.WAITING_STAFF: {events.StaffReminded: on_customer_and_calendar.remind_staff, **DECIDING},
    State.APPLYING: {},
    State.SCHEDULED: {},
    # The requester must not learn that a contact said NO: for him all goes on as with a token that does not exist.
    State.DENIED: {
        events.Changed: on_correction.change_denied,
        events.Withdrawn: on_customer_and_calendar.withdraw_denied,
        events.CustomerReminded: on_customer_and_calendar.remind_denied,
        events.Silent: on_customer_and_calendar.close_denied,
    },
}

TABLE: Mapping[State, Mapping[type, Step]] = {
    state: {**OVER, **ALWAYS, **({} if state in FINAL else OPEN), **OWN.get(state, {})} for state in State
}


def decide(ticket: Ticket, event: Event, scene: Scene) -> Decision:
    """What the event makes of the ticket. Pure: ticket, ledger and time come in, the new ticket and the effects go out."""
    made = TABLE[ticket.state][type(event)](ticket, event, scene)
    return replace(made, ticket=replace(made.ticket, hold=False)) if _unheld(ticket, made.ticket) else made


def _unheld(before: Ticket, after: Ticket) -> bool:
    """Whether a HOLD is over: the ticket has changed since."""
    return before.hold and after.hold and (before.state, before.items) != (after.state, after.items)
