"""Import and export of the ledger: every fault with its line, all or nothing, and nothing lost on the way round."""

import json
from pathlib import Path

import pytest

from mailbot.core.ledger.licence import Licence
from mailbot.json_shapes import LICENCE
from mailbot.process import mapping
from storage import licences, people
from tests.process.test_due_things import FORM, JOE, rome
from tests.support.commands import mailbot
from tests.support.running import Running, running

HEADER = ",".join(LICENCE)
GOOD = "A1B2C3D4E5F6,motion,active,Acme,voice_digital,10,2,0,0,quality_analysis,botify,silver,monthly,false,joe@acme.example;@acme.example,,,"
ANNUAL = 'B1B2C3D4E5F6,shuttle,active,"Beta, ""Inc""",voice,5,0,0,0,,,,annual,true,,,2028-01-31,2027-03-15'
DEMO = "C1B2C3D4E5F6,motion,demo,,voice_digital,3,0,1,1,ai_assistants,,,,false,,2026-12-01,,"
NOW = "2026-11-03T10:00:00+01:00"


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path, rome("2026-11-03 10:00"))


def file(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "licences.csv"
    path.write_bytes(("\n".join((header, *lines)) + "\n").encode("utf-8", "surrogateescape"))
    return path


def load(folder: Path, *lines: str, header: str = HEADER, more: tuple[str, ...] = (), now: str = NOW):
    return mailbot(folder, "licences", "import", file(folder, *lines, header=header), *more, now=now)


def ledger(desk: Running) -> dict[str, Licence]:
    with desk.desk.store.read() as session:
        return {one.token: one for one in mapping.licences(session, desk.moment[0].date())}


def test_export_of_an_imported_file_is_the_same_file(desk: Running, tmp_path: Path) -> None:
    told = load(tmp_path, GOOD, ANNUAL, DEMO)
    assert (told.exit_code, told.stdout) == (0, "3 licences read, 3 changed\n"), told.output
    out = mailbot(tmp_path, "licences", "export", now=NOW).stdout
    assert out.splitlines() == [HEADER, GOOD.replace("joe@acme.example;@acme.example", "@acme.example;joe@acme.example"), ANNUAL, DEMO]  # fmt: skip
    (tmp_path / "out.csv").write_text(out)
    again = mailbot(tmp_path, "licences", "import", tmp_path / "out.csv", now=NOW)
    assert again.stdout == "3 licences read, 0 changed\n"
    with desk.desk.store.read() as session:
        assert len(licences.all_events(session)) == 3
        assert people.known(session, "anybody@acme.example")


def test_import_writes_only_differences_and_a_dry_run_shows_them(desk: Running, tmp_path: Path) -> None:
    load(tmp_path, GOOD, ANNUAL)
    changed = GOOD.replace(",10,2,", ",12,2,").replace("Acme", "Acme SpA").replace("joe@acme.example;", "")
    dry = load(tmp_path, changed, ANNUAL, DEMO, more=("--dry-run", "--json"))
    lines = json.loads(dry.stdout)
    assert [tuple(line.values()) for line in lines if line["kind"] == "change"] == [
        ("A1B2C3D4E5F6", "change", "agents", 10, 12),
        ("A1B2C3D4E5F6", "change", "customer_name", "Acme", "Acme SpA"),
        ("A1B2C3D4E5F6", "change", "contacts", "@acme.example;joe@acme.example", "@acme.example"),
    ]
    assert {line["token"] for line in lines if line["kind"] == "new"} == {"C1B2C3D4E5F6"}
    assert "would change" in load(tmp_path, changed, ANNUAL, DEMO, more=("--dry-run",)).stdout
    assert ledger(desk)["A1B2C3D4E5F6"].agents == 10, "a dry run changes nothing"
    assert load(tmp_path, changed, ANNUAL, DEMO).stdout == "3 licences read, 2 changed\n"
    now = ledger(desk)["A1B2C3D4E5F6"]
    assert (now.agents, now.customer_name, now.contacts) == (12, "Acme SpA", ("@acme.example",))
    assert now.history[-1].changes == {"agents": 12}
    assert load(tmp_path, changed, ANNUAL, DEMO).stdout == "3 licences read, 0 changed\n"


def test_a_file_with_faults_is_not_imported_and_every_fault_has_its_line(desk: Running, tmp_path: Path) -> None:
    two_lines = GOOD.replace("Acme", '"Acme\nSpA"').replace("A1B2C3D4E5F6", "D1B2C3D4E5F6")
    wrong = "short,motoin,asleep,X,voise,ten,-1,1.5,9999999999,quality,boty,gold,weekly,maybe,nobody,20270131,2027-13-01,tomorrow"
    told = load(
        tmp_path, GOOD, two_lines, wrong, "E1B2C3D4E5F6,motion", GOOD, GOOD.replace("active", "").replace("A1", "F1")
    )
    assert told.exit_code == 1
    lines = told.stderr.splitlines()
    assert "line 3: customer_name: read 'Acme\\nSpA', must be one line of text" in lines
    assert [line.split(": ")[1] for line in lines if line.startswith("line 5: ")] == [
        "token", "product", "status", "plan", "agents", "users", "telephones", "mobile_agents", "addons", "plugins",
        "support", "billing", "whitelabel", "contacts", "demo_ends", "expires_on", "renews_on",
    ]  # fmt: skip
    assert "line 6: 2 columns, must be 18" in lines
    assert "line 7: token: A1B2C3D4E5F6 is already in line 2" in lines
    assert "line 8: status: missing, must be one of demo, active, expired, deactivated, replaced" in lines
    assert ledger(desk) == {}


@pytest.mark.parametrize(
    ("lines", "header", "said"),
    [
        ((GOOD,), HEADER.removeprefix("token,"), "line 1: the header must be token,"),
        ((GOOD,), f"spreadsheet:{HEADER}", "line 1: this file was exported for a spreadsheet"),
        ((GOOD, GOOD.replace("Acme", "\udce9")), HEADER, "line 3: not UTF-8"),
        ((GOOD, GOOD.replace("Acme", '"Acme" SpA')), HEADER, "line 3: "),
    ],
)
def test_files_that_are_not_an_export_are_not_imported(
    desk: Running, tmp_path: Path, lines: tuple[str, ...], header: str, said: str
) -> None:
    told = load(tmp_path, *lines, header=header)
    assert (told.exit_code, told.stderr.startswith(said)) == (1, True), told.stderr
    assert ledger(desk) == {}


def test_an_export_for_spreadsheets_escapes_formulas_and_cannot_be_imported(desk: Running, tmp_path: Path) -> None:
    load(tmp_path, GOOD.replace("Acme", "=1+1"))
    out = mailbot(tmp_path, "licences", "export", "--spreadsheet", now=NOW).stdout
    assert ",'=1+1," in out
    (tmp_path / "sheet.csv").write_text(out)
    assert mailbot(tmp_path, "licences", "import", tmp_path / "sheet.csv", now=NOW).exit_code == 1
    assert ",=1+1," in mailbot(tmp_path, "licences", "export", now=NOW).stdout


def test_a_long_file_is_compared_with_the_whole_ledger_at_once(desk: Running, tmp_path: Path) -> None:
    lines = [GOOD.replace("A1B2C3D4E5F6", f"TOKEN{number:08}") for number in range(300)]
    assert load(tmp_path, *lines).stdout == "300 licences read, 300 changed\n"
    lines[7] = lines[7].replace(",10,", ",11,")
    lines[8] = lines[8].replace("joe@", "jo@")
    assert load(tmp_path, *lines).stdout == "300 licences read, 2 changed\n"
    assert ledger(desk)["TOKEN00000008"].contacts == ("@acme.example", "jo@acme.example")


def test_licences_that_break_an_invariant_are_written_with_a_warning(desk: Running, tmp_path: Path) -> None:
    few = "it has fewer seats than a plan's minimum"
    lines = [GOOD.replace("A1B2C3D4E5F6", f"TOKEN{number:08}").replace(",10,", ",3,") for number in range(22)]
    told = load(tmp_path, GOOD, *lines)
    assert (told.exit_code, told.stderr.count(f": {few}\n")) == (0, 20)
    assert told.stderr.endswith("warning: 2 more licences like these\n")

    def by_hand(*settings: str, now: str = NOW) -> str:
        told = mailbot(tmp_path, "licences", "set", "A1B2C3D4E5F6", *settings, "--why", "x", now=now)
        assert told.exit_code == 0, told.output
        return str(told.stderr)

    assert by_hand("agents=12") == ""
    desk.moment[0] = rome("2026-11-25 10:00")
    form = f"Request: modify\nAction: remove\nLicense token: A1B2C3D4E5F6\n{FORM}Reason: cost\nAgents: 5\n"
    desk.write(JOE, form)
    now = "2026-11-26T10:00:00+01:00"
    assert by_hand("plan=", now=now) == "warning: A1B2C3D4E5F6: it has seats, add-ons or plugins but no plan\n"
    assert by_hand("reverses=4", now=now) == ""
    assert by_hand("addons=ai_agent_assistants", now=now).endswith("an add-on without the add-on that it requires\n")


def test_reversing_an_event_credits_what_was_billed(desk: Running, tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    desk.moment[0] = rome("2026-11-16 10:00")
    desk.write(
        JOE, f"Request: modify\nAction: add\nLicense token: A1B2C3D4E5F6\n{FORM}Reason: more agents\nAgents: 20\n"
    )
    now = "2026-12-02T10:00:00+01:00"
    told = mailbot(tmp_path, "licences", "set", "A1B2C3D4E5F6", "reverses=2", "--why", "asked by mistake", now=now)
    assert told.exit_code == 0, told.output
    desk.moment[0] = rome("2026-12-02 10:00")
    licence = ledger(desk)["A1B2C3D4E5F6"]
    assert (licence.agents, licence.history[-1].why, len(licence.history)) == (10, "asked by mistake", 3)
    assert "asked by mistake" in mailbot(tmp_path, "licences", "show", "A1B2C3D4E5F6", now=now).stdout
    shown = json.loads(
        mailbot(tmp_path, "invoices", "--month", "2026-12", "--json", now="2027-01-01T10:00:00+01:00").stdout
    )
    credits_ = [(x["item"], x["quantity"], x["fraction"], x["rule"]) for x in shown if x["quantity"] < 0]
    assert credits_ == [("agents", -10, "15/30", "reversal"), ("agents", -10, "31/31", "reversal")]
    for wrong, code in (("reverses=2", 1), ("reverses=9", 1), ("reverses=x", 2)):
        assert mailbot(tmp_path, "licences", "set", "A1B2C3D4E5F6", wrong, "--why", "x", now=now).exit_code == code
    assert mailbot(tmp_path, "audit", now="2027-01-01T10:00:00+01:00").exit_code == 0


def test_reversing_a_scheduled_change_withdraws_it_and_updates_the_ticket(desk: Running, tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    desk.moment[0] = rome("2026-11-25 10:00")
    form = f"Request: modify\nAction: remove\nLicense token: A1B2C3D4E5F6\n{FORM}Reason: cost\nAgents: 8\n"
    desk.write(JOE, form)
    now = "2026-11-26T10:00:00+01:00"
    told = mailbot(tmp_path, "licences", "set", "A1B2C3D4E5F6", "reverses=2", "--why", "by mistake", now=now)
    assert told.exit_code == 0, told.output
    ticket = desk.ticket()
    assert (ticket.state, ticket.items[0].status) == ("cancelled", "cancelled")
    assert "taken_back" in str(ticket.items[0].reason)
    assert desk.history()[-1] == "reversed"
    shown = json.loads(mailbot(tmp_path, "due", "--json", now=now).stdout)
    assert [thing["kind"] for thing in shown if thing["ref"] == "LIC-1"] == []
    assert desk.later(days=7) == []
    assert ledger(desk)["A1B2C3D4E5F6"].agents == 10
    assert mailbot(tmp_path, "audit", now="2027-01-01T10:00:00+01:00").exit_code == 0


def test_an_expired_licence_is_not_made_active_by_its_status_alone(desk: Running, tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    words = ("licences", "set", "A1B2C3D4E5F6", "--why", "x")
    assert mailbot(tmp_path, *words, "expires_on=2026-11-10", now="2026-11-05T10:00:00+01:00").exit_code == 0
    later = "2026-11-20T10:00:00+01:00"
    for _ in range(2):
        told = mailbot(tmp_path, *words, "status=active", now=later)
        assert told.stdout.startswith("A1B2C3D4E5F6: nothing to change: its expiry date has passed"), told.output
    assert mailbot(tmp_path, *words, "status=active", "expires_on=", now=later).stdout == "A1B2C3D4E5F6: changed\n"
    desk.moment[0] = rome("2026-11-20 10:00")
    assert ledger(desk)["A1B2C3D4E5F6"].status == "active"
