"""A person is erased: nothing of him is left in the database, and licences, bills and decisions are as they were."""

import base64
import json
from pathlib import Path

import pytest

from mailbot.operations.audit import audit_books
from storage import licences, outbox
from tests.support.commands import mailbot
from tests.support.running import Running, running
from tests.whole_desk.test_whole_desk import ANNA, JOE, PLAN, import_active

SUE = "Sue.Long@Acme.example"
TOKEN = "A1B2C3D4E5F6"
LOG = (
    b"[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] token=A1B2C3D4E5F6 status=expired reason=expired "
    b"user=secretperson\n"
)


def call(desk: Running, *words: str) -> tuple[int, str]:
    done = mailbot(Path(desk.desk.config.mailbot.data_dir).parent, *words)
    return done.exit_code, done.output


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    """Sue has a plan, asked a question with her own words, and sent a log; Joe, a colleague, has written too."""
    desk = running(tmp_path)
    mails = desk.write(SUE, PLAN + "Comments: call Penelope on 0039-555-0199\n")
    approval = next(mail for mail in mails if mail["To"] == ANNA)
    desk.write(ANNA, "APPROVE", reply_to=approval)
    asked = desk.write(SUE, "What about my cousin Bartholomew?", subject="A question")
    desk.write(ANNA, "ANSWER Bartholomew is welcome", reply_to=next(mail for mail in asked if mail["To"] == ANNA))
    form = f"Request: reactivate\nReason: expired\nCustomer name: Acme\nOld token: {TOKEN}\n"
    late = desk.write(SUE, form, files=(("license.log", LOG),))
    desk.write(ANNA, "REJECT Penelope must pay first", reply_to=next(mail for mail in late if mail["To"] == ANNA))
    desk.write(JOE, f"is {SUE} away?", subject="[LIC-1]")
    return desk


def stored(desk: Running) -> bytes:
    """Every byte that the database keeps, upper and lower case alike."""
    folder = Path(desk.desk.config.mailbot.data_dir)
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir())).lower()


def test_erased_data_is_in_no_file_of_the_database(desk: Running) -> None:
    words = (SUE.lower().encode(), b"penelope", b"0199", b"bartholomew", base64.b64encode(LOG)[:60].lower())
    before = stored(desk)
    assert all(word in before for word in words)
    code, said = call(desk, "erase", SUE)
    assert (code, said.splitlines()[0]) == (0, f"{SUE}: erased")
    after = stored(desk)
    assert [word for word in words if word in after] == []
    assert JOE.encode() in after


def test_an_alert_that_names_the_person_is_sent_before_its_bytes_are_erased(desk: Running) -> None:
    approval = next(mail for mail in desk.sent if mail["To"] == ANNA)
    assert [mail["Subject"] for mail in desk.write(SUE, "APPROVE", reply_to=approval)] == [
        "Something needs your attention"
    ] * 2
    desk.take(desk.raw(SUE, "status").replace(b"Message-ID: <", b"Message-ID: <penelope."))
    code, said = call(desk, "erase", SUE)
    assert (code, "is not sent yet; run first: mailbot run --once" in said) == (1, True)
    with desk.desk.store.write() as session:
        for row in outbox.listing(session):
            outbox.delivered(session, row.id, desk.moment[0], "250 OK")
    assert call(desk, "erase", SUE)[0] == 0
    after = stored(desk)
    assert [word for word in (SUE.lower().encode(), b"penelope") if word in after] == []


def test_erasure_keeps_licences_bills_and_decisions(desk: Running) -> None:
    def ledger() -> list[tuple[object, ...]]:
        with desk.desk.store.read() as session:
            return [(row.token, row.changes, row.ticket, row.decider) for row in licences.all_events(session)]

    events = ledger()
    assert call(desk, "erase", SUE.upper(), "--json")[0] == 0
    assert ledger() == events
    with desk.desk.store.read() as session:
        assert audit_books(session, desk.moment[0], desk.desk.config.zone).disagreement is None
    code, said = call(desk, "show", "LIC-1", "--json")
    shown = json.loads(said)
    assert (code, shown["sender"], shown["customer_name"], shown["comments"]) == (0, "erased", None, None)
    assert {item["status"] for item in shown["items"]} == {"applied"}
    assert shown["events"][-1]["kind"] == "erased"
    assert call(desk, "tickets")[0] == call(desk, "outbox")[0] == call(desk, "inbox")[0] == 0


def test_erasure_report_is_the_same_in_a_dry_run_that_changes_nothing(desk: Running) -> None:
    before = stored(desk)
    code, said = call(desk, "erase", SUE, "--dry-run", "--json")
    told = json.loads(said)
    assert (code, told["tickets"], told["contact_of"], told["without_contact"], told["dry_run"]) == (
        0, ["LIC-3", "LIC-2", "LIC-1"], [TOKEN], [TOKEN], True,
    )  # fmt: skip
    assert (told["mails_in"] >= 6, told["mails_out"] >= 8) == (True, True)
    assert stored(desk) == before
    assert "has no contact left" in call(desk, "erase", SUE)[1]
    again = json.loads(call(desk, "erase", SUE, "--json")[1])
    assert (again["tickets"], again["contact_of"], again["mails_in"], again["mails_out"]) == ([], [], 0, 0)


def test_a_mail_without_bytes_cannot_be_sent_again(desk: Running) -> None:
    call(desk, "erase", SUE)
    code, said = call(desk, "outbox", "resend", "1")
    assert (code, "cannot be" in said) == (1, True)


def test_tickets_of_a_colleague_stay_without_the_erased_name(tmp_path: Path) -> None:
    desk = running(tmp_path)
    import_active(desk, TOKEN)
    asked = desk.write(JOE, f"is {SUE} away?")
    assert asked
    call(desk, "erase", SUE)
    code, said = call(desk, "show", "LIC-1", "--json")
    assert (code, SUE in said, JOE in said) == (0, False, True)


@pytest.mark.parametrize(
    ("who", "code", "why"),
    [
        ("anna@vendor.example", 1, "member of staff"),
        ("desk@vendor.example", 1, "the desk's"),
        ("@acme.example", 2, "one plain address"),
        (JOE, 1, "still open: LIC-1 (waiting_staff)"),
    ],
)
def test_an_erasure_that_is_refused_says_why(tmp_path: Path, who: str, code: int, why: str) -> None:
    desk = running(tmp_path)
    desk.write(JOE, PLAN)
    before = stored(desk)
    found, said = call(desk, "erase", who)
    assert (found, why in said) == (code, True), said
    assert stored(desk) == before
