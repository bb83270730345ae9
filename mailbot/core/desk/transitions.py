"""The transition table: what each event does to a ticket in each state. Every change of state goes through it.

Each state has a step for every event; an event that no longer applies does nothing or is answered as too late.
"""

from collections.abc import Callable, Mapping
from typing import Any, assert_never

from mailbot.core.base.frozen import replace
from mailbot.core.desk import (
    events,
    on_correction,
    on_customer_and_calendar,
    on_decision,
    on_licence_server,
    on_request,
)
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.events import Decision, Event
from mailbot.core.desk.ticket import FINAL, State, Ticket

Step = Callable[[Ticket, Any, DecisionContext], Decision]

#: Steps that are the same in every state.
ALWAYS: Mapping[type, Step] = {
    events.AnswerGiven: on_decision.answer,
    events.NoteTaken: on_decision.take_note,
    events.Commented: on_customer_and_calendar.pass_on_comment,
    events.StatusAsked: on_customer_and_calendar.report_status,
    events.Undelivered: on_customer_and_calendar.report_undelivered,
    events.EmailConfirmed: on_request.confirm_email,
    events.EventReversed: on_customer_and_calendar.reverse_event,
    events.LicenceServerAccepted: on_licence_server.licence_server_accepted,
    events.LicenceServerRefused: on_licence_server.licence_server_refused,
    events.LicenceServerSlow: on_licence_server.still_applying,
}
#: Steps of a final ticket; states that are open replace most of them.
OVER: Mapping[type, Step] = {
    events.Opened: on_customer_and_calendar.no_effect,
    events.Changed: on_customer_and_calendar.no_effect,
    events.Confirmed: on_customer_and_calendar.no_effect,
    events.Denied: on_customer_and_calendar.no_effect,
    events.Approved: on_decision.too_late,
    events.Rejected: on_decision.too_late,
    events.QuestionAsked: on_decision.answer_final_ticket,
    events.PutOnHold: on_decision.hold_final_ticket,
    events.Withdrawn: on_customer_and_calendar.no_effect,
    events.DayCame: on_customer_and_calendar.no_effect,
    events.StaffReminded: on_customer_and_calendar.no_effect,
    events.CustomerReminded: on_customer_and_calendar.no_effect,
    events.CustomerSilent: on_customer_and_calendar.no_effect,
}
#: Steps of every open ticket.
OPEN: Mapping[type, Step] = {
    events.Changed: on_correction.correct,
    events.Withdrawn: on_customer_and_calendar.withdraw,
    events.DayCame: on_customer_and_calendar.day_came,
    events.QuestionAsked: on_decision.ask_customer,
    events.PutOnHold: on_decision.hold,
}
DECIDING: Mapping[type, Step] = {events.Approved: on_decision.approve, events.Rejected: on_decision.reject}

OWN: Mapping[State, Mapping[type, Step]] = {
    State.WAITING_CUSTOMER: {
        events.Opened: on_request.open_ticket,
        events.CustomerReminded: on_customer_and_calendar.remind_customer,
        events.CustomerSilent: on_customer_and_calendar.close,
        **DECIDING,
    },
    State.WAITING_CONFIRMATION: {
        events.Approved: on_decision.too_early,
        events.Rejected: on_decision.too_early,
        events.Confirmed: on_request.confirm_request,
        events.Denied: on_request.deny,
        events.CustomerReminded: on_customer_and_calendar.remind_customer,
        events.CustomerSilent: on_customer_and_calendar.close,
    },
    State.WAITING_STAFF: {events.StaffReminded: on_customer_and_calendar.remind_staff, **DECIDING},
    State.APPLYING: {},
    State.SCHEDULED: {},
    # For the requester everything goes on as with a token that does not exist.
    State.DENIED: {
        events.Changed: on_correction.correct_denied,
        events.Withdrawn: on_customer_and_calendar.withdraw_denied,
        events.CustomerReminded: on_customer_and_calendar.remind_denied,
        events.CustomerSilent: on_customer_and_calendar.close_denied,
    },
}

TABLE: Mapping[State, Mapping[type, Step]] = {
    state: {**OVER, **ALWAYS, **({} if state in FINAL else OPEN), **OWN.get(state, {})} for state in State
}


def decide(ticket: Ticket, event: Event, context: DecisionContext) -> Decision:
    """The new ticket and the effects of an event."""
    match event:  # names every event, so that a new one fails the type check until the table above has it
        case (
            events.Opened()
            | events.Changed()
            | events.Confirmed()
            | events.Denied()
            | events.EmailConfirmed()
            | events.Approved()
            | events.Rejected()
            | events.QuestionAsked()
            | events.AnswerGiven()
            | events.NoteTaken()
            | events.PutOnHold()
            | events.Commented()
            | events.Withdrawn()
            | events.StatusAsked()
            | events.DayCame()
            | events.StaffReminded()
            | events.CustomerReminded()
            | events.CustomerSilent()
            | events.Undelivered()
            | events.LicenceServerAccepted()
            | events.LicenceServerRefused()
            | events.EventReversed()
            | events.LicenceServerSlow()
        ):
            step = TABLE[ticket.state][type(event)]
        case _:
            assert_never(event)
    made = step(ticket, event, context)
    return replace(made, ticket=replace(made.ticket, hold=False)) if _unheld(ticket, made.ticket) else made


def _unheld(before: Ticket, after: Ticket) -> bool:
    """Whether a HOLD ends because the ticket has changed."""
    return before.hold and after.hold and (before.state, before.items) != (after.state, after.items)
