"""`explain`: what a mail would do, and that it does nothing."""

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mailbot.operations.explain import explain_mail
from storage import inbox, outbox
from storage.engine import Store
from tests.service.test_runner import NOON
from tests.support.running import Running, running
from tests.support.warm import Warm
from tests.whole_desk.test_whole_desk import DEMO, JOE, PLAN

MAIL = (
    "Authentication-Results: mx.vendor.example; dmarc=pass header.from=acme.example\n"
    f"From: {JOE}\nTo: desk@vendor.example\nSubject: hello\nMessage-ID: <1@acme.example>\n\n"
)


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path, NOON)


def dump(desk: Running) -> str:
    """Everything in the database."""
    with sqlite3.connect(str(desk.desk.store.engine.url.database)) as connection:
        return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


def test_explain_reports_everything_and_changes_nothing(desk: Running) -> None:
    before = dump(desk)
    told = explain_mail(desk.desk, (MAIL + PLAN).encode())
    assert (told["intake"], told["state"], told["sender"]) == ("form", "handled", JOE)
    assert told["sender_verdict"] == "verified"
    assert told["sender_why"].startswith("Authentication-Results: mx.vendor.example; dmarc=pass")
    (ticket,) = told["tickets"]
    assert (ticket["ref"], ticket["state"]) == ("LIC-1", "waiting_staff")
    assert "agents" in [item["item"] for item in ticket["items"]]
    assert ("confirmation", JOE) in [(mail["kind"], mail["recipient"]) for mail in told["mails"]]
    assert all("LIC-1" in mail["subject"] for mail in told["mails"])
    assert dump(desk) == before
    assert desk.kinds() == []


def test_explain_reports_problems_and_why_a_sender_is_unverified(desk: Running) -> None:
    raw = f"From: {JOE}\nMessage-ID: <2@acme.example>\n\n{DEMO.replace('A1B2C3D4E5F6', 'short')}"
    told = explain_mail(desk.desk, raw.encode())
    assert told["sender_verdict"] == "unverified"
    assert told["sender_why"] == "it has no Authentication-Results field from mx.vendor.example"
    assert [problem["code"] for problem in told["tickets"][0]["problems"]] == ["token_malformed"]


def test_explain_quarantines_a_mail_without_a_single_sender(desk: Running) -> None:
    told = explain_mail(desk.desk, b"Subject: nobody\n\nwrote this\n")
    assert (told["state"], told["sender"], told["sender_verdict"], told["mails"]) == ("quarantined", None, None, [])
    assert told["reason"]


def test_explain_and_writers_do_not_block_each_other(desk: Running) -> None:
    with desk.desk.store.write():
        assert explain_mail(desk.desk, (MAIL + DEMO).encode())["tickets"][0]["state"] == "done"


def test_explain_prints_text_and_json(desk: Running, tmp_path: Path, warm: Warm) -> None:
    file = tmp_path / "mail.eml"
    file.write_text(MAIL + DEMO)
    words = ("mailbot", "explain", file, "--now", NOON.isoformat(), "-c", tmp_path / "mailbot.toml")
    told = json.loads(warm.run(*words, "--json").stdout)
    assert [mail["kind"] for mail in told["mails"]] == ["outcome", "plugins"]
    shown = warm.run(*words)
    assert shown.returncode == 0
    for word in ("form", "verified", JOE, "LIC-1", "agents", "outcome", "plugins"):
        assert word in shown.stdout, shown.stdout
    assert desk.kinds() == []


def test_a_rehearsal_is_rolled_back(store: Store) -> None:
    with store.write() as session:
        inbox.keep(session, b"1", "a", NOON, NOON, "inject")
    with store.rehearsal() as session:
        inbox.keep(session, b"2", "b", NOON, NOON, "inject")
        assert inbox.counts(session) == {"kept": 2}
        assert outbox.counts(session) == {}
    with store.read() as session:
        assert inbox.counts(session) == {"kept": 1}


def test_the_log_and_the_inbox_name_the_tickets(desk: Running) -> None:
    with capture_logs() as lines:
        desk.write(JOE, PLAN + "\n" + DEMO.replace("A1B2C3D4E5F6", "B1B2C3D4E5F6"))
    named = {line["event"]: line["ref"] for line in lines if line["event"] in ("handled", "understood")}
    assert named == {"handled": "LIC-1, LIC-2", "understood": "LIC-1, LIC-2"}
    with desk.desk.store.read() as session:
        assert inbox.listing(session)[0].ref == "LIC-1, LIC-2"
