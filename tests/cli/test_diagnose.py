"""``mailbot diagnose``: files in, the approval mail's words out; and the one way in which logs are examined."""

import gzip
import io
import json
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mailbot.cli import options
from mailbot.cli.app import app
from mailbot.core.desk.log_review import arrival_of, examine
from mailbot.core.ledger.licence import Licence
from mailbot.core.logs.diagnosis import FormClaim
from mailbot.core.mail.message import parse
from tests.core.logs.test_log_sources import file, mail, winmail

NEW, OLD = "A1B2C3D4E5F6", "F6E5D4C3B2A1"
ACTIVE = f"[2026-11-01 08:15:00] [INFO] license - [LICENSE:CHECK] token={OLD} status=active\n"
GRACE = f"[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] token={NEW} previousToken={OLD} status=grace reason=token_change daysLeft=10\n"
LOG = (ACTIVE + GRACE).encode()
SENTENCE = f"The log confirms a token change from {OLD} to {NEW} on 3 November 2026; 10 days of grace are left."
FORM = f"Request: reactivate\nCustomer name: Acme\nReason: token change\nOld token: {OLD}\nNew token: {NEW}\n".encode()
TIMES = b"Received: from a by b; Tue, 10 Nov 2026 08:00:00 +0000\nDate: Mon, 2 Nov 2026 08:00:00 +0000\n"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration, and nothing left of one that a test before has chosen."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILBOT_CONFIG", raising=False)
    monkeypatch.setitem(options.chosen, "config", None)
    monkeypatch.setitem(options.chosen, "now", None)


def told(tmp_path: Path, *options: str, code: int = 0, **files: bytes) -> dict[str, object]:
    paths = []
    for name, data in files.items():
        path = tmp_path / name.replace("_", ".")
        path.write_bytes(data)
        paths.append(str(path))
    result = CliRunner().invoke(app, ["diagnose", *paths, *options, "--json"])
    assert result.exit_code == code, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def zipped(name: str, data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "where"),
    [
        ("a_log", LOG, "a.log"),
        ("a_txt", LOG.decode().encode("utf-16"), "a.txt"),
        ("a_gz", gzip.compress(LOG, mtime=0), "a.gz"),
        ("a_zip", zipped("logs/old/b.log", LOG), "a.zip/logs/old/b.log"),
        ("winmail_dat", winmail("b.log", LOG), "b.log"),
        ("a_eml", mail(file("b.log", LOG), text=FORM), "b.log"),
        ("a_png", LOG, "a.png"),
    ],
)
def test_every_file_type_gives_the_same_diagnosis(tmp_path: Path, name: str, data: bytes, where: str) -> None:
    found = told(tmp_path, "--reason", "token_change", "--old-token", OLD, "--new-token", NEW, **{name: data})
    assert (found["sentence"], found["files"], found["disagreements"]) == (SENTENCE, [where], [])
    assert [(p["file"], p["line"]) for p in found["proof"]] == [(where, 1), (where, 2)]  # type: ignore[attr-defined]


def test_the_form_and_arrival_are_taken_from_the_mail(tmp_path: Path) -> None:
    found = told(tmp_path, a_eml=TIMES + mail(file("b.log", LOG), text=FORM.replace(OLD.encode(), b"OTHER-TOKEN")))
    assert found["disagreements"] == [
        "The old token in the form, OTHER-TOKEN, is not in the log.",
        "The log ends on 3 November 2026, 7 days before the mail arrived.",
    ]
    assert found["sentence"] == SENTENCE.replace("are left", "were left on 3 November 2026"), (
        "today it is another number"
    )


def test_without_form_or_mail_there_are_no_disagreements(tmp_path: Path) -> None:
    found = told(tmp_path, a_log=LOG)
    assert found["disagreements"] == []
    assert str(found["sentence"]).startswith("The log shows a token change")
    bare = told(tmp_path, b_log=b"[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] status=grace\n")
    assert str(bare["sentence"]).startswith("The log shows that the licence")


def test_several_files_give_one_diagnosis(tmp_path: Path) -> None:
    found = told(tmp_path, b_log=GRACE.encode(), a_log=ACTIVE.encode())
    assert found["sentence"] == SENTENCE.replace("confirms", "shows")


def test_unreadable_files_exit_with_1_and_say_what_to_send(tmp_path: Path) -> None:
    found = told(tmp_path, code=1, a_log=b"%PDF-1.7\n")
    assert found["unreadable"] == ["a.log: it is a document, not a log"]
    assert found["send_instead"]


def test_a_log_without_licence_lines_counts_as_read(tmp_path: Path) -> None:
    found = told(tmp_path, a_log=b"[2026-11-01 08:15:00] [INFO] motion - started\n")
    assert found["sentence"] == "The log says nothing about the licence."


@pytest.mark.parametrize(
    "options", [["nowhere.log"], [], ["a.log", "--reason", "weather"], ["a.log", "--received-at", "x"]]
)
def test_diagnose_with_wrong_options_exits_with_2(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "a.log").write_bytes(LOG)
    assert CliRunner().invoke(app, ["diagnose", *options]).exit_code == 2


def test_diagnose_prints_tables_without_control_characters(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(ACTIVE + GRACE.strip() + " note=\x1b[31mred [bold]x[/bold] name=Mario\n")
    result = CliRunner().invoke(app, ["diagnose", str(tmp_path / "a.log")])
    assert result.exit_code == 0
    assert SENTENCE.replace("confirms", "shows") in result.stdout
    assert "a.log:2" in result.stdout
    assert "[bold]" in result.stdout
    assert "\x1b[31m" not in result.stdout
    assert "Mario" not in result.stdout


def test_arrival_is_the_topmost_received_field() -> None:
    assert str(arrival_of(parse(TIMES + mail()))) == "2026-11-10 08:00:00+00:00"
    assert str(arrival_of(parse(b"Date: Mon, 2 Nov 2026 08:00:00 +0000\n" + mail()))) == "2026-11-02 08:00:00+00:00"
    assert arrival_of(parse(b"Received: nonsense\nDate: yesterday\n" + mail())) is None


CLAIM = FormClaim("token_change", OLD, NEW, "Acme")


def disagreements(*known: Licence, log: bytes = LOG, form: FormClaim = CLAIM) -> tuple[str, ...]:
    ledger = {licence.token: licence for licence in known}
    return examine([("a.log", log)], form, ledger.get, date(2026, 11, 3)).disagreements


def test_a_ledger_that_agrees_gives_no_disagreement() -> None:
    assert disagreements(Licence(OLD, customer_name="ACME")) == ()


def test_tokens_of_another_customer_and_of_another_licence_give_different_disagreements() -> None:
    log = LOG + GRACE.replace(NEW, "THIRD-TOKEN").encode()
    ours, theirs = Licence("THIRD-TOKEN", customer_name="acme"), Licence("THIRD-TOKEN", customer_name="Other")
    assert "The token THIRD-TOKEN in the log belongs to another licence of this customer." in disagreements(
        ours, log=log
    )
    assert "The token THIRD-TOKEN in the log belongs to another customer." in disagreements(theirs, log=log)


def test_ledger_lookups_per_log_are_limited() -> None:
    log = b"".join(GRACE.replace(NEW, f"TOKEN{number:08}").encode() for number in range(900))
    asked: list[str] = []

    def licence_of(token: str) -> Licence | None:
        asked.append(token)
        return None

    examine([("a.log", log)], CLAIM, licence_of, None)
    assert len(asked) == 202
    asked.clear()
    examine([("a.log", log)], CLAIM, licence_of, None, in_ledger=lambda tokens: sorted(tokens)[:3])
    assert asked == [OLD, NEW, "TOKEN00000000", "TOKEN00000001", "TOKEN00000002"]


def test_the_replaced_token_belongs_to_the_same_customer() -> None:
    before = Licence("FIRST-TOKEN1", customer_name="Former name", status="replaced", replaced_by=OLD)
    log = ACTIVE.replace("status", "previousToken=FIRST-TOKEN1 status").encode() + LOG
    assert disagreements(before, Licence(OLD, customer_name="Acme"), log=log) == ()


def test_a_new_token_in_the_ledger_is_reported_unless_it_is_the_customers_demo() -> None:
    active = Licence(NEW, customer_name="Acme")
    assert disagreements(active) == (f"The new token in the form, {NEW}, is already in the ledger (active).",)
    old = Licence(OLD, customer_name="Acme", contacts=("@acme.example",))
    his = Licence(NEW, customer_name="Acme Ltd", status="demo", had_demo=True, contacts=("joe@acme.example",))
    assert disagreements(old, his) == ()
    assert disagreements(old, replace(his, status="expired")) == ()
    assert len(disagreements(old, replace(his, customer_name="Acme", contacts=("eve@evil.example",)))) == 1


def test_the_contract_in_a_status_file_is_compared_with_the_ledger() -> None:
    status = {
        "schema": "license-status/1",
        "token": OLD,
        "status": "active",
        "plan": "voice_digital",
        "expiresAt": "2026-12-31T23:59:59+00:00",
        "staff": {"agents": {"limit": 10, "inUse": 8}},
        "addOns": [],
        "plugins": ["botify"],
        "generatedAt": "2026-11-03T08:00:00+00:00",
    }
    licence = Licence(OLD, customer_name="Acme", plan="voice_digital", agents=10, plugins=("botify",))
    form = FormClaim("other", OLD, None, "Acme")
    data = json.dumps(status).encode()
    agreed = ("The log says that the licence is active.",)
    assert disagreements(licence, log=data, form=form) == agreed
    other = Licence(OLD, customer_name="Acme", plan="voice", agents=5, addons=("x",), expires_on=date(2026, 11, 30))
    assert disagreements(other, log=data, form=form) == (
        *agreed,
        "According to the log it expires on 31 December 2026, according to the ledger on 30 November 2026.",
        "The plan in the status file differs from the ledger.",
        "The status file says 10 agents, but the ledger says 5.",
        "The add-ons in the status file differ from the ledger.",
        "The plugins in the status file differ from the ledger.",
    )
