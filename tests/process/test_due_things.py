"""The clock: what is due happens once, in order, whatever the clock and the processes do."""

import json
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from mailbot.core.ledger.period import next_month
from mailbot.operations import audit, upcoming
from mailbot.operations.ledger_import import put_licences
from mailbot.process import digest, invoicing
from mailbot.service.runner import keep_mail
from storage import due, licences, tickets
from tests.support.commands import mailbot
from tests.support.running import Running, body, running
from tests.support.warm import Warm

ROME = ZoneInfo("Europe/Rome")
JOE = "joe@acme.example"
FORM = "Customer name: Acme\nI accept the License Agreement: yes\n"


def rome(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ROME).astimezone(UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path, rome("2026-11-03 10:00"))


def give(desk: Running, count: int = 1, **terms: str) -> list[str]:
    tokens = [f"TOKEN{number:08}" for number in range(count)]
    row = {
        "product": "motion", "status": "active", "plan": "voice_digital", "agents": "10", "billing": "monthly",
        "contacts": JOE, **terms,
    }  # fmt: skip
    put_licences(desk.desk, [{"token": token, **row} for token in tokens], "import", "a file")
    return tokens


def remove(desk: Running, token: str, agents: int) -> None:
    desk.write(
        JOE, f"Request: modify\nAction: remove\nLicense token: {token}\n{FORM}Reason: cost\nAgents: {agents}\n"
    )  # fmt: skip


def open_kinds(desk: Running) -> list[str]:
    with desk.desk.store.read() as session:
        return [row.kind for row in due.open_(session)]


def test_due_lists_what_will_happen_and_when(desk: Running, tmp_path: Path) -> None:
    (token,) = give(desk, billing="annual", renews_on="2027-03-15", expires_on="2028-01-31")
    desk.write(JOE, f"Request: activate\nLicense token: DEMO12345678\n{FORM}30 days free demo: yes\n")
    desk.moment[0] = rome("2026-11-25 10:00")
    desk.work()
    remove(desk, token, 8)
    now = desk.moment[0].isoformat()
    shown = json.loads(mailbot(tmp_path, "due", "--json", now=now).stdout)
    assert [(thing["due_at"], thing["kind"], thing["ref"] or thing["token"]) for thing in shown] == [
        ("2026-11-26T07:00:00+00:00", "demo_warning", "LIC-1"),
        ("2026-11-30T23:00:00+00:00", "day", "LIC-2"),
        ("2026-11-30T23:00:00+00:00", "invoice", None),
        ("2026-11-30T23:00:00+00:00", "scheduled", "LIC-2"),
        ("2026-12-02T07:00:00+00:00", "demo_warning", "LIC-1"),
        ("2026-12-02T23:00:00+00:00", "demo_end", "DEMO12345678"),
        ("2027-03-14T23:00:00+00:00", "renewal", token),
        ("2028-01-31T23:00:00+00:00", "expiry", token),
    ]
    assert list(shown[0]) == list(upcoming.KEYS)
    table = mailbot(tmp_path, "due", now=now).stdout
    assert "agents becomes 8" in table
    assert "the demo ends" in table


def test_a_licence_that_becomes_monthly_does_not_renew(desk: Running, tmp_path: Path) -> None:
    (token,) = give(desk, billing="annual", renews_on="2027-03-15")
    desk.write(JOE, f"Request: contract\nLicense token: {token}\n{FORM}Billing frequency: monthly\n")
    now = desk.moment[0].isoformat()
    assert mailbot(tmp_path, "decide", "LIC-1", "APPROVE", now=now).exit_code == 0
    table = mailbot(tmp_path, "due", now=now).stdout
    assert ("billing becomes monthly" in table, "renews_on becomes empty" in table) == (True, True)
    assert "the next year begins" not in table
    told = desk.write(JOE, "status", subject="status")[-1]
    assert "Billing frequency  Monthly" in body(told)
    assert "Renews on" not in body(told)


def test_a_day_comes_once_and_in_order_after_a_week_of_downtime(desk: Running) -> None:
    digest.ensure_digest(desk.desk)
    tokens = give(desk, 3)
    desk.moment[0] = rome("2026-11-25 10:00")
    for token, agents in zip(tokens, (8, 7, 6), strict=True):
        remove(desk, token, agents)
    before = len(desk.kinds())
    done = desk.later(days=14)
    assert [k for k, _ in desk.kinds()[before:]] == ["done"] * 3
    assert [str(mail["Subject"]).split("]")[0] for mail in done] == ["[LIC-1", "[LIC-2", "[LIC-3"]
    assert desk.later(days=1) == []
    with desk.desk.store.read() as session:
        rows = [row for row in session.exec(select(due.Due).order_by(due.Due.done_at, due.Due.id)) if row.done_at]
    assert [row.due_at for row in rows] == sorted(row.due_at for row in rows)
    assert open_kinds(desk) == ["digest"], "one digest is owed, not one for each day of the downtime"


def test_after_a_year_of_downtime_each_month_has_its_invoice_and_nobody_a_flood_of_mails(desk: Running) -> None:
    digest.ensure_digest(desk.desk)
    monthly, leaving = give(desk, 2)
    put_licences(desk.desk, [{"token": leaving, "billing": "annual", "renews_on": "2027-03-15"}], "set", "by hand")
    desk.moment[0] = rome("2026-11-24 10:00")
    desk.write(JOE, f"Request: activate\nLicense token: DEMO12345678\n{FORM}30 days free demo: yes\n")
    remove(desk, monthly, 8)
    desk.write(JOE, f"Request: modify\nAction: deactivate\nLicense token: {leaving}\n{FORM}Reason: cost\n")
    desk.write(JOE, f"Request: contract\nLicense token: {monthly}\n{FORM}Support package: platinum\n")
    before = len(desk.kinds())
    mails = desk.later(days=365)
    assert [kind for kind, _ in desk.kinds()[before:]] == [*["digest"] * 2, *["reminder"] * 2, "done", "done"]
    done = [" ".join(body(mail).split()) for mail in mails[-2:]]
    assert "took effect on 1 December 2026: Agents" in done[0]
    assert "took effect on 15 March 2027: Licence status" in done[1]
    assert "Renews on" not in done[1]
    zone, months = desk.desk.config.zone, [next_month(rome("2026-11-01 12:00").date())]
    while len(months) < 10:
        months.append(next_month(months[-1]))
    with desk.desk.store.read() as session:
        for month in months:
            lines = invoicing.lines_of(session, month, zone)
            assert [(x.token, x.item, x.quantity) for x in lines] == [(monthly, "plan", 1), (monthly, "agents", 8)]
        assert audit.audit_books(session, desk.moment[0], zone).disagreement is None


def test_a_mail_that_arrived_before_a_due_thing_goes_first(desk: Running) -> None:
    (token,) = give(desk)
    desk.moment[0] = rome("2026-11-25 10:00")
    remove(desk, token, 8)
    scheduled = desk.sent[-1]
    arrival = rome("2026-11-30 23:00")
    desk.moment[0] = rome("2026-12-05 09:00")
    cancel = EmailMessage()
    cancel["Authentication-Results"] = "mx.vendor.example; dmarc=pass header.from=acme.example"
    cancel["From"], cancel["To"], cancel["Message-ID"] = JOE, str(scheduled["Reply-To"]), "<late@acme.example>"
    cancel.set_content("cancel")
    keep_mail(desk.desk, cancel.as_bytes(), arrival, "inject")
    desk.work()
    assert desk.ticket().state == "cancelled"
    assert "done" not in [kind for kind, _ in desk.kinds()]


def test_a_clock_that_jumps_back_does_nothing_twice(desk: Running) -> None:
    (token,) = give(desk)
    desk.moment[0] = rome("2026-11-25 10:00")
    remove(desk, token, 8)
    assert len(desk.later(days=7)) == 1
    for jump in (-7, 1, 6, -3, 30):
        desk.later(days=jump)
    assert [kind for kind, _ in desk.kinds()].count("done") == 1


@pytest.mark.parametrize(
    ("day", "digest_utc", "midnight_utc"),
    [
        (
            "2026-10-24",
            "2026-10-25T07:00:00+00:00",
            "2026-10-31T23:00:00+00:00",
        ),  # the night in which winter time begins
        ("2026-03-28", "2026-03-29T06:00:00+00:00", "2026-03-31T22:00:00+00:00"),  # and summer time
    ],
)
def test_times_of_day_stay_what_they_are_across_summer_time(
    tmp_path: Path, day: str, digest_utc: str, midnight_utc: str
) -> None:
    desk = running(tmp_path, rome(f"{day} 10:00"))
    digest.ensure_digest(desk.desk)
    (token,) = give(desk)
    remove(desk, token, 8)
    with desk.desk.store.read() as session:
        at = {row.kind: row.due_at.isoformat() for row in due.open_(session)}
    assert at == {"digest": digest_utc, "day": midnight_utc}


WORKER = """
import sys
import time
from datetime import datetime
from pathlib import Path
from mailbot.assembly import assemble
from mailbot.clock import fixed
from mailbot.config.settings import load_config
from mailbot.service.runner import step
desk = assemble(load_config(Path(sys.argv[1]), {}), fixed(datetime.fromisoformat(sys.argv[2])))
print("ready", flush=True)
while not Path(sys.argv[3]).exists():
    time.sleep(0.01)
while step(desk):
    pass
"""


def test_two_processes_do_each_thing_once(desk: Running, tmp_path: Path, warm: Warm) -> None:
    tokens = give(desk, 12)
    desk.moment[0] = rome("2026-11-25 10:00")
    for token in tokens:
        remove(desk, token, 8)
    (worker := tmp_path / "worker.py").write_text(WORKER)
    words = (worker, tmp_path / "mailbot.toml", rome("2026-12-02 09:00").isoformat(), go := tmp_path / "go")
    workers = [warm.start(*words) for _ in range(2)]
    for one in workers:
        one.until("ready")
    go.touch()
    assert [one.end().returncode for one in workers] == [0, 0]
    assert [kind for kind, _ in desk.kinds()].count("done") == 12
    with desk.desk.store.read() as session:
        for number in range(1, 13):
            kinds = [event.kind for event in tickets.events(session, number)]
            assert kinds.count("done") == 1
        assert len(licences.all_events(session)) == 24
