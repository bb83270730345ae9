"""What the requester and everybody else are shown of a ticket that a contact has denied."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk import events
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.disclosure import PUBLIC_STATES, Viewer, shown_to, stored_states
from mailbot.core.desk.ticket import Ending, Item, State, Ticket, with_state
from mailbot.core.desk.transitions import decide
from mailbot.core.form.problem import Code, Problem
from mailbot.core.form.request import RequestKind
from mailbot.core.ledger.licence import Ledger
from mailbot.core.ledger.rule import Rule
from tests.support.desk import catalogue

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
CONTEXT = DecisionContext(NOW, ZoneInfo("Europe/Rome"), catalogue(), Ledger({}))
CONTACT = "owner@acme.example"


def challenged() -> Ticket:
    """A stranger's request for a licence whose contact is asked."""
    item = Item(item=ItemKey("users"), from_=1, to=5, rule=Rule.INCREASE)
    asked = Ticket(
        ref="LIC-1", number=1, request=RequestKind.MODIFY, token="A1B2C3D4E5F6", sender="eve@evil.example",
        sender_verdict="verified", received_at=NOW, items=(item,), challenged=(CONTACT,), neutral=True,
    )  # fmt: skip
    return with_state(asked)


def states(ticket: Ticket) -> tuple[State, State]:
    return shown_to(Viewer.REQUESTER, ticket).state, shown_to(Viewer.OTHERS, ticket).state


def test_the_requester_does_not_learn_that_a_contact_said_no() -> None:
    before = challenged()
    denied = decide(before, events.Denied(CONTACT), CONTEXT).ticket
    assert denied.state is State.DENIED
    assert states(denied) == (State.WAITING_CONFIRMATION, State.CANCELLED)
    assert shown_to(Viewer.REQUESTER, denied) == replace(shown_to(Viewer.REQUESTER, before), ending=Ending.DENIED)


@pytest.mark.parametrize(
    ("event", "told"),
    [(events.Withdrawn("eve@evil.example"), State.CANCELLED), (events.CustomerSilent(), State.CLOSED)],
)
def test_a_denied_ticket_ends_for_the_requester_like_any_other(event: events.Event, told: State) -> None:
    undenied = decide(challenged(), event, CONTEXT).ticket
    denied = decide(decide(challenged(), events.Denied(CONTACT), CONTEXT).ticket, event, CONTEXT).ticket
    assert states(denied) == (told, State.CANCELLED)
    assert states(undenied)[0] is told


def test_a_contact_who_asked_himself_is_shown_what_he_refused() -> None:
    denied = decide(replace(challenged(), neutral=False), events.Denied(CONTACT), CONTEXT).ticket
    assert denied.state is State.CANCELLED
    assert states(denied) == (State.CANCELLED, State.CANCELLED)


def test_a_neutral_view_has_no_items_and_no_problem_of_the_ledger() -> None:
    own = Problem(field="agents", code=Code.MISSING)
    ledger = Problem(field="token", code=Code.TOKEN_NOT_ACTIVE, from_ledger=True)
    shown = shown_to(Viewer.REQUESTER, with_state(replace(challenged(), problems=(own, ledger))))
    assert (shown.items, shown.problems, shown.challenged, shown.token_doubt) == ((), (own,), (), False)


def test_the_private_state_is_shown_to_nobody() -> None:
    assert set(State) - set(PUBLIC_STATES) == {State.DENIED}
    assert stored_states(State.CANCELLED) == (State.CANCELLED, State.DENIED)
    assert [stored_states(state) for state in PUBLIC_STATES if state is not State.CANCELLED] == [
        (state,) for state in PUBLIC_STATES if state is not State.CANCELLED
    ]


def test_a_ticket_comes_back_from_json_as_it_was() -> None:
    denied = decide(challenged(), events.Denied(CONTACT), CONTEXT).ticket
    assert Ticket.from_json(denied.to_json()) == denied
    assert denied.to_json()["items"][0]["from"] == 1
