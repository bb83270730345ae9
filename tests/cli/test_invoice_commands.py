"""``mailbot invoices`` and ``audit`` as programs see them."""

import csv
import io
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from mailbot.core.desk.ticket import Ticket
from mailbot.operations.ledger_import import put_licences
from mailbot.process import mapping
from mailbot.process.invoicing import LINE, remember_prices
from storage import licences, tickets
from tests.process.test_due_things import FORM, JOE, rome
from tests.support.commands import mailbot
from tests.support.running import Running, running

TOKEN = "A1B2C3D4E5F6"
LATER = "2027-02-01T09:00:00+01:00"


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    desk = running(tmp_path, rome("2026-11-03 10:00"))
    row = {
        "token": TOKEN, "product": "motion", "status": "active", "plan": "voice_digital", "agents": "10",
        "billing": "monthly", "contacts": JOE, "customer_name": "=Acme, Inc.",
    }  # fmt: skip
    put_licences(desk.desk, [row], "import", "a file")
    desk.moment[0] = rome("2026-11-20 10:00")
    desk.write(JOE, f"Request: modify\nAction: add\nLicense token: {TOKEN}\n{FORM}Reason: more agents\nAgents: 12\n")
    return desk


def test_an_invoice_as_json_csv_and_table(desk: Running, tmp_path: Path) -> None:
    shown = json.loads(mailbot(tmp_path, "invoices", "--month", "2026-11", "--json", now=LATER).stdout)
    assert shown[1] == {
        "month": "2026-11", "token": TOKEN, "customer_name": "=Acme, Inc.", "item": "agents", "quantity": 2,
        "period_from": "2026-11-20", "period_to": "2026-11-30", "fraction": "11/30", "amount": None, "currency": None,
        "ticket": "LIC-1", "rule": "increase",
    }  # fmt: skip
    assert [line["item"] for line in shown] == ["plan", "agents", "agents"]
    text = mailbot(tmp_path, "invoices", "--month", "2026-11", "--csv", now=LATER).stdout
    assert text.splitlines()[0] == ",".join(LINE)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows == [{k: "" if v is None else str(v) for k, v in line.items()} for line in shown]
    escaped = mailbot(tmp_path, "invoices", "--month", "2026-11", "--csv", "--spreadsheet", now=LATER).stdout
    assert escaped == text.replace("=Acme", "'=Acme")
    table = mailbot(tmp_path, "invoices", "--month", "2026-11", now=LATER)
    assert "11/30" in table.stdout
    assert table.exit_code == 0


def test_invoices_of_a_running_month_are_marked_as_not_final(desk: Running, tmp_path: Path) -> None:
    early = mailbot(tmp_path, "invoices", "--month", "2026-11", "--json", now="2026-11-30T23:59:59+01:00")
    assert "has not ended" in early.stderr
    assert len(json.loads(early.stdout)) == 3
    final = mailbot(tmp_path, "invoices", "--month", "2026-11", "--json", now="2026-12-01T00:00:00+01:00")
    assert final.stderr == ""
    assert final.stdout == early.stdout


@pytest.mark.parametrize("month", ["2026-13", "november", "2026-11-01", "26-11", ""])
def test_invoices_reject_a_malformed_month(desk: Running, tmp_path: Path, month: str) -> None:
    assert mailbot(tmp_path, "invoices", f"--month={month}").exit_code == 2


def test_invoices_reject_csv_with_json(desk: Running, tmp_path: Path) -> None:
    assert mailbot(tmp_path, "invoices", "--month", "2026-11", "--json", "--csv").exit_code == 2


def test_show_explains_the_rules_of_a_ticket(desk: Running, tmp_path: Path) -> None:
    desk.moment[0] = rome("2026-11-25 10:00")
    desk.write(JOE, f"Request: modify\nAction: add\nLicense token: {TOKEN}\n{FORM}Reason: other\nPlugins: botify\n")
    desk.write(JOE, f"Request: modify\nAction: remove\nLicense token: {TOKEN}\n{FORM}Reason: cost\nPlugins: botify\n")
    shown = " ".join(mailbot(tmp_path, "show", "LIC-3", now=desk.moment[0].isoformat()).stdout.split())
    assert "decrease_after_20th Reductions requested after the 20th of a month take effect on the 1st of the" in shown
    assert "plugin:botify becomes no" in mailbot(tmp_path, "due", now=desk.moment[0].isoformat()).stdout


def append(desk: Running, **changed: object) -> None:
    values = {
        "token": TOKEN, "at": desk.moment[0], "effective": date(2026, 11, 20), "kind": "set", "changes": {"users": 1},
        "catalogue_version": "x", "rule": "set",
    }  # fmt: skip
    with desk.desk.store.write() as session:
        licences.append(session, licences.NewEvent(**values | changed))


def forge(desk: Running, **update: object) -> None:
    """The ticket is changed behind the desk's back."""
    with desk.desk.store.write() as session:
        ticket = mapping.load_ticket(session, "LIC-1")
        forged = TypeAdapter(Ticket).dump_python(replace(ticket, **update), mode="json", by_alias=True, warnings=False)
        row = tickets.load(session, "LIC-1")
        mapping.save_ticket(session, Ticket.from_json(forged), desk.moment[0], row)


def forge_item(desk: Running, **update: object) -> None:
    items = tuple(replace(i, **update) for i in desk.ticket().items)
    forge(desk, items=items)


def test_audit_finds_no_disagreement_on_a_good_desk(desk: Running, tmp_path: Path) -> None:
    desk.moment[0] = rome("2026-11-25 10:00")
    desk.write(JOE, f"Request: modify\nAction: remove\nLicense token: {TOKEN}\n{FORM}Reason: cost\nAgents: 8\n")
    desk.write(JOE, f"Request: activate\nLicense token: DEMO12345678\n{FORM}30 days free demo: yes\n")
    desk.moment[0] = rome("2027-02-01 10:00")
    desk.work()
    told = mailbot(tmp_path, "audit", "--json", now=desk.moment[0].isoformat())
    assert told.exit_code == 0, told.stdout
    report = json.loads(told.stdout)
    assert report == {"good": True, "events": 5, "tickets": 3, "lines": 7, "disagreement": None}
    assert "everything agrees" in mailbot(tmp_path, "audit", now=desk.moment[0].isoformat()).stdout


def rewrite(desk: Running, statement: str) -> None:
    """Somebody takes the triggers away and writes to the database by hand."""
    with desk.desk.store.write() as session:
        for trigger in ("update", "delete", "replace"):
            session.connection().exec_driver_sql(f"DROP TRIGGER licence_event_no_{trigger}")
        session.connection().exec_driver_sql(statement)


def reprice(desk: Running, statement: str) -> None:
    """Somebody takes the trigger away and changes prices of the past."""
    for n in (1, 2):
        catalogue = replace(desk.desk.catalogue, prices={"agents": Decimal(n)}, currency="EUR")
        remember_prices(desk.desk.store, catalogue, desk.moment[0])
    with desk.desk.store.write() as session:
        for trigger in ("update", "delete"):
            session.connection().exec_driver_sql(f"DROP TRIGGER price_list_no_{trigger}")
        session.connection().exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("wrong", "where", "what"),
    [
        (lambda d: append(d, ticket="LIC-99"), f"licence {TOKEN}, event 3", "LIC-99"),
        (lambda d: append(d, effective=rome("2026-11-02 10:00").date()), f"licence {TOKEN}, event 3", "backdated"),
        (lambda d: append(d, at=rome("2026-11-02 10:00")), f"licence {TOKEN}, event 3", "before event 2"),
        (lambda d: append(d, at=rome("2029-11-02 10:00")), f"licence {TOKEN}, event 3", "is in the future"),
        (lambda d: forge(d, state="cancelled"), "ticket LIC-1", "is cancelled, but its items make it done"),
        (lambda d: forge_item(d, to=99), "ticket LIC-1, item agents", "says 99"),
        (lambda d: forge_item(d, rule="by_staff"), "ticket LIC-1, item agents", "by by_staff"),
        (lambda d: forge_item(d, item="users"), f"licence {TOKEN}, event 2", "changes agents, which ticket LIC-1"),
        (lambda d: forge_item(d, status="refused") or forge(d, state="rejected"), "ticket LIC-1, item agents", "refused"),
        (
            lambda d: forge_item(d, billing=replace(d.ticket().items[0].billing, fraction="12/30")),
            "ticket LIC-1, item agents",
            "12/30",
        ),
        (lambda d: append(d, ticket="LIC-1", kind="modify/add", rule="increase"), f"licence {TOKEN}, event 3", "changes users"),
        (lambda d: append(d, ticket="LIC-1", asked_on=date(2026, 10, 2)), f"licence {TOKEN}, event 3", "requested on"),
        (lambda d: append(d, pending=True), f"licence {TOKEN}, event 3", "is not in its queue"),
        (
            lambda d: reprice(d, """UPDATE price_list SET amounts = '{"agents": "9"}' WHERE id = 2"""),
            "price list 2, in force from 2026-11-20 09:00:00+00:00",
            "changed after it was written",
        ),
        (
            lambda d: reprice(d, "DELETE FROM price_list WHERE id = 2"),
            "price list 3, in force from 2026-11-20 09:00:00+00:00",
            "the one before it was removed",
        ),
        (
            lambda d: rewrite(d, "UPDATE licence_event SET changes = replace(changes, 'voice', 'digital') WHERE revision = 1"),
            f"licence {TOKEN}, event 1",
            "changed after it was written",
        ),
        (
            lambda d: rewrite(
                d,
                "INSERT INTO licence_event (token, revision, at, effective, kind, changes, catalogue_version, seal)"
                " SELECT token, 3, at, effective, 'set', '{}', 'x', seal FROM licence_event WHERE revision = 2",
            ),
            f"licence {TOKEN}, event 3",
            "changed after it was written",
        ),
        (lambda d: rewrite(d, "UPDATE ticket SET state = 'rejected'"), "ticket LIC-1", "is done, but listed as rejected"),
        (lambda d: forge_item(d, status="scheduled") or forge(d, state="scheduled"), "ticket LIC-1", "nothing is due"),
    ],
)  # fmt: skip
def test_audit_names_the_first_disagreement(
    desk: Running, tmp_path: Path, wrong: object, where: str, what: str
) -> None:
    wrong(desk)
    told = mailbot(tmp_path, "audit", "--json", now=LATER)
    assert told.exit_code == 1, told.output
    found = json.loads(told.stdout)["disagreement"]
    assert found["where"] == where, found
    assert what in found["what"]
