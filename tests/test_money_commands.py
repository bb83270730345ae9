"""``mailbot invoices`` and ``audit`` as programs see them."""

import csv
import io
import json
from pathlib import Path

import pytest

from mailbot.accounts import LINE
from mailbot.ledger_files import put
from tests.commands import mailbot
from tests.running import Running, running
from tests.test_due import FORM, JOE, rome

TOKEN = "A1B2C3D4E5F6"
LATER = "2027-02-01T09:00:00+01:00"


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    desk = running(tmp_path, rome("2026-11-03 10:00"))
    row = {
        "token": TOKEN, "product": "motion", "status": "active", "plan": "voice_digital", "agents": "10",
        "billing": "monthly", "contacts": JOE, "customer_name": "=Acme, Inc.",
    }  # fmt: skip
    put(desk.desk, [row], "import", "a file")
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
    table = mailbot(tmp_path, "invoices", "--month", "2026-11", now=LATER)
    assert "11/30" in table.stdout
    assert table.exit_code == 0


def test_a_month_that_has_not_ended_says_so_beside_its_lines(desk: Running, tmp_path: Path) -> None:
    early = mailbot(tmp_path, "invoices", "--month", "2026-11", "--json", now="2026-11-30T23:59:59+01:00")
    assert "has not ended" in early.stderr
    assert len(json.loads(early.stdout)) == 3
    final = mailbot(tmp_path, "invoices", "--month", "2026-11", "--json", now="2026-12-01T00:00:00+01:00")
    assert final.stderr == ""
    assert final.stdout == early.stdout


@pytest.mark.parametrize("month", ["2026-13", "november", "2026-11-01", "26-11", ""])
def test_a_month_must_be_one(desk: Running, tmp_path: Path, month: str) -> None:
    assert mailbot(tmp_path, "invoices", f"--month={month}").exit_code == 2


def test_one_form_at_a_time(desk: Running, tmp_path: Path) -> None:
    assert mailbot(tmp_path, "invoices", "--month", "2026-11", "--json", "--csv").exit_code == 2
