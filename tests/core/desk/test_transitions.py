"""The one table: every event has its place in every state, and what is over changes nothing."""

import inspect
from datetime import UTC, date, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk import events
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.events import Event
from mailbot.core.desk.ticket import FINAL, Ending, Item, ItemStatus, Route, State, Ticket, with_state
from mailbot.core.desk.transitions import TABLE, decide
from mailbot.core.form.request import RequestKind
from mailbot.core.ledger.licence import Ledger, Licence
from mailbot.core.ledger.rule import Rule
from tests.support.desk import catalogue

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
TOKEN = "A1B2C3D4E5F6"
CONTEXT = DecisionContext(
    NOW, ZoneInfo("Europe/Rome"), catalogue(), Ledger({TOKEN: Licence(TOKEN, support="platinum")})
)
EVENTS = get_args(Event)
#: What a ticket looks like in each state.
LOOK = {
    State.WAITING_CUSTOMER: {"token_doubt": True},
    State.WAITING_CONFIRMATION: {"released": False, "challenged": ("joe@acme.example",)},
    State.WAITING_STAFF: {"released": True, "status": ItemStatus.WAITING_STAFF},
    State.APPLYING: {"released": True, "status": ItemStatus.APPLYING},
    State.SCHEDULED: {"released": True, "status": ItemStatus.SCHEDULED},
    State.DONE: {"released": True, "status": ItemStatus.APPLIED},
    State.REJECTED: {"released": True, "status": ItemStatus.REFUSED},
    State.DENIED: {"neutral": True, "status": ItemStatus.CANCELLED, "ending": Ending.DENIED},
    State.CANCELLED: {"released": True, "status": ItemStatus.CANCELLED, "ending": Ending.CANCELLED},
    State.CLOSED: {"released": True, "ending": Ending.CLOSED},
}
BY_STAFF = [
    events.Approved("anna", "APPROVE"),
    events.Rejected("anna", "REJECT no", "no"),
    events.PutOnHold("anna", "HOLD"),
    events.QuestionAsked("anna", "ASK what", "what"),
]
OTHERS = [
    events.Denied("joe@acme.example"),
    events.Withdrawn("joe@acme.example"),
    events.DayCame(date(2026, 12, 1)),
    events.StaffReminded(),
    events.CustomerReminded(),
    events.CustomerSilent(),
]


def ticket(state: State) -> Ticket:
    look = dict(LOOK[state])
    item = Item(
        item=ItemKey.SUPPORT, from_="silver", to="platinum", rule=Rule.INCREASE, route=Route.STAFF, status=look.pop("status", None),
        effective=date(2026, 12, 1),
    )  # fmt: skip
    made = Ticket(
        ref="LIC-1", number=1, request=RequestKind.CONTRACT, token=TOKEN, sender="joe@acme.example", sender_verdict="verified",
        received_at=NOW, items=(item,), **look,
    )  # fmt: skip
    return with_state(made)


@pytest.mark.parametrize("state", State)
def test_the_examples_are_in_their_states(state: State) -> None:
    assert ticket(state).state is state


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_has_its_place_in_every_state(state: State, event: type) -> None:
    assert event in TABLE[state]


@pytest.mark.parametrize("state", State)
def test_each_step_takes_the_event_it_is_listed_for(state: State) -> None:
    for event, step in TABLE[state].items():
        _, taken, _ = list(inspect.signature(step, eval_str=True).parameters.values())
        assert taken.annotation is object or event in (get_args(taken.annotation) or (taken.annotation,)), step


@pytest.mark.parametrize("state", sorted(FINAL - {State.DENIED}))
@pytest.mark.parametrize("event", [*BY_STAFF, *OTHERS], ids=lambda event: type(event).__name__)
def test_what_is_final_stays_as_it_is(state: State, event: Event) -> None:
    before = ticket(state)
    decision = decide(before, event, CONTEXT)
    assert decision.ticket == before
    assert decision.result is None or event == BY_STAFF[3] or not decision.result.done


#: What each event makes of each open state; the same state where it is not listed.
LEADS = {
    (State.WAITING_CUSTOMER, events.Withdrawn): State.CANCELLED,
    (State.WAITING_CUSTOMER, events.CustomerSilent): State.CLOSED,
    (State.WAITING_CUSTOMER, events.QuestionAsked): State.WAITING_CUSTOMER,
    (State.WAITING_CONFIRMATION, events.Denied): State.CANCELLED,
    (State.WAITING_CONFIRMATION, events.Withdrawn): State.CANCELLED,
    (State.WAITING_CONFIRMATION, events.CustomerSilent): State.CLOSED,
    (State.WAITING_CONFIRMATION, events.QuestionAsked): State.WAITING_CUSTOMER,
    (State.WAITING_STAFF, events.Approved): State.DONE,
    (State.WAITING_STAFF, events.Rejected): State.REJECTED,
    (State.WAITING_STAFF, events.QuestionAsked): State.WAITING_CUSTOMER,
    (State.WAITING_STAFF, events.Withdrawn): State.CANCELLED,
    (State.SCHEDULED, events.DayCame): State.DONE,
    (State.SCHEDULED, events.Withdrawn): State.CANCELLED,
    (State.SCHEDULED, events.QuestionAsked): State.WAITING_CUSTOMER,
    (State.APPLYING, events.QuestionAsked): State.WAITING_CUSTOMER,
    (State.DENIED, events.Withdrawn): State.CANCELLED,
    (State.DENIED, events.CustomerSilent): State.CANCELLED,
}


@pytest.mark.parametrize("state", [state for state in State if state not in FINAL or state is State.DENIED])
@pytest.mark.parametrize("event", [*BY_STAFF, *OTHERS], ids=lambda event: type(event).__name__)
def test_where_each_event_leads(state: State, event: Event) -> None:
    assert decide(ticket(state), event, CONTEXT).ticket.state is LEADS.get((state, type(event)), state)
