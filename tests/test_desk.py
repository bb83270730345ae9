"""Conversations with a whole desk, from the raw mail to the mails that go out, the ticket and the ledger."""

from pathlib import Path

import pytest

from tests.running import Running, body, running

WHO = "License token: A1B2C3D4E5F6\nCustomer name: Acme\nI accept the License Agreement: yes\n"
DEMO = f"Request: activate\n{WHO}30 days free demo: yes\n"
PLAN = f"Request: activate\n{WHO}demo: no\nPlan: Voice Digital\nAgents: 10\nBilling frequency: monthly\nSupport package: Silver\nPlugins: Botify, Queue manager\n"
JOE = "joe@acme.example"
ANNA, BOB = "anna@vendor.example", "bob@vendor.example"


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path)


def kinds(mails: list) -> list[str]:
    return [str(mail["To"]) for mail in mails]


def test_a_demo_is_given_at_once(desk: Running) -> None:
    desk.write(JOE, DEMO)
    assert desk.kinds() == [("outcome", JOE), ("plugins", JOE)], desk.quarantine()
    ticket = desk.ticket()
    assert (ticket.state, ticket.request, ticket.action) == ("done", "activate", "demo")
    assert [i.item for i in ticket.items][:4] == ["admin", "plan", "agents", "telephones"]
    assert all(i.status == "applied" and i.from_ is None for i in ticket.items)
