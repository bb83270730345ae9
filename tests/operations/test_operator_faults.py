"""The operator at night: what is broken is said in one place, with what to do, and the exit code is that of the contract."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text
from sqlmodel import Session, select
from typer.testing import CliRunner

import mailbot
from mailbot.cli.app import app
from mailbot.environment import Desk
from mailbot.service import runner
from mailbot.service.runner import keep_mail, work_off
from storage.price_lists import PriceList
from tests.support.running import CONFIG, Running, running
from tests.support.warm import Warm


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    """A command sets the log to a standard error that is closed with it."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    found = running(tmp_path)
    found.write(
        "joe@acme.example",
        "Request: activate\nLicense token: A1B2C3D4E5F6\nCustomer name: Acme\n"
        "I accept the License Agreement: yes\n30 days free demo: yes\n",
    )
    return found


def said(folder: Path, *words: str, stdin: str | bytes | None = None) -> tuple[int, str]:
    """The exit code, and all that was printed; whatever is no message but a traceback fails the test."""
    done = CliRunner().invoke(app, [*words, "-c", str(folder / "mailbot.toml")], input=stdin)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.mark.parametrize(
    "words",
    [
        "run --once", "run", "inject", "decide LIC-1 APPROVE", "licences set A1B2C3D4E5F6 agents=9 --why x",
        "licences set A1B2C3D4E5F6 reverses=1 --why x", "licences import {file}", "outbox retry 1", "outbox resend 1",
        "outbox drop 1", "quarantine retry 1", "quarantine drop 1", "erase eve@else.example",
    ],
)  # fmt: skip
def test_commands_refuse_a_now_before_the_last_event(desk: Running, tmp_path: Path, words: str) -> None:
    desk.write("eve@else.example", "Request: information\nQuestion: what is it?\n")
    (tmp_path / "l.csv").write_text("token\nA1B2C3D4E5F6\n")
    earlier = (desk.moment[0] - timedelta(seconds=1)).isoformat()
    got, output = said(tmp_path, *words.format(file=tmp_path / "l.csv").split(), "--now", earlier, stdin="")
    assert (got, "is before the last event of" in output) == (2, True), output


def test_reading_commands_with_now_store_no_prices(desk: Running, tmp_path: Path) -> None:
    with desk.desk.store.read() as session:
        before = session.exec(select(PriceList)).all()
    shipped = (Path(mailbot.__file__).parent / "xcally.toml").read_text("utf-8").replace("# currency", "currency", 1)
    (tmp_path / "c.toml").write_text(f'{shipped}\n[prices]\nagents = "10"\n')
    config = tmp_path / "mailbot.toml"
    config.write_text(config.read_text().replace("[mailbot]", f'[mailbot]\ncatalogue = "{tmp_path / "c.toml"}"'))
    got, output = said(tmp_path, "invoices", "--month", "2026-11", "--now", "2031-01-01")
    assert got == 0, output
    with desk.desk.store.read() as session:
        assert session.exec(select(PriceList)).all() == before


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ("inject --received-at yesterday", 2, "--received-at: read 'yesterday', must be a time like"),
        ("run --once --now yesterday", 2, "--now: read 'yesterday', must be a time like"),
        ("run --once --now 2020-01-01", 2, "is before the last event of the ledger"),
        ("tickets --state open", 2, "--state: read 'open', must be one of waiting_customer, "),
        ("inbox --state new", 2, "--state: read 'new', must be one of kept, "),
        ("outbox --state new", 2, "--state: read 'new', must be one of queued, "),
        ("show LIC-9", 1, "there is no ticket LIC-9"),
        ("decide LIC-9 APPROVE", 1, "there is no ticket LIC-9"),
        ("licences show NOBODYS1", 1, "there is no licence NOBODYS1"),
        ("licences set A1B2C3D4E5F6 agents=ten --why test", 2, "agents: read 'ten', must be a whole number"),
        ("licences set A1B2C3D4E5F6 agents=8 agents=9 --why test", 2, "agents: given twice"),
        ("licences set A1B2C3D4E5F6 token=A1B2C3D4E5F7 --why test", 2, "token: cannot be changed"),
        ("outbox retry 98 99", 1, "mail 98 does not exist, or cannot be queued\nmail 99 does not exist, or cannot be "),
        ("quarantine retry 1", 1, "mail 1 does not exist, or cannot be "),
        ("quarantine show 1", 1, "mail 1 is not in quarantine"),
    ],
)
def test_wrong_calls_say_what_is_wrong(desk: Running, tmp_path: Path, words: str, code: int, text: str) -> None:
    got, output = said(tmp_path, *words.split(), stdin="")
    assert (got, text in output) == (code, True), output
    assert desk.states() == {"handled": 1}


@pytest.mark.parametrize("words", ["inbox", "outbox", "tickets", "show LIC-1", "quarantine list", "licences list"])
def test_every_command_accepts_now(desk: Running, tmp_path: Path, words: str) -> None:
    assert said(tmp_path, *words.split(), "--now", "2026-12-24T09:00:00+01:00")[0] == 0


def test_the_traceback_of_a_failed_mail_is_only_in_json(
    desk: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_desk: Desk, session: Session, *_: object) -> None:
        session.connection().execute(text("SELECT :word FROM nowhere"), {"word": "what joe wrote"})

    monkeypatch.setattr(runner, "handle", failing)
    keep_mail(desk.desk, desk.raw("joe@acme.example", "hello"), desk.moment[0], "inject")
    work_off(desk.desk, again=True)
    for words in ("quarantine list", "inbox --state quarantined"):
        _, output = said(tmp_path, *words.split())
        assert output.rstrip().endswith(
            "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such table: nowhere"
        )
        assert (output.count("\n"), output.count("joe@acme.example")) == (3, 1)
    _, output = said(tmp_path, "quarantine", "list", "--json")
    assert ("Traceback" in output, "what joe wrote" in output) == (True, False)


def test_importing_a_binary_file_is_a_fault(desk: Running, tmp_path: Path) -> None:
    (tmp_path / "licences.csv").write_bytes(b"token\n\xff\xfe\n")
    code, output = said(tmp_path, "licences", "import", str(tmp_path / "licences.csv"))
    assert (code, "UTF-8" in output, "Traceback" in output) == (1, True, False), output


def configured(folder: Path, extra: str) -> None:
    config = CONFIG.format(folder=folder / "var").replace("[imap]", f"{extra}\n[imap]")
    (folder / "mailbot.toml").write_text(config)


def test_a_faulty_template_overlay_stops_the_desk_from_starting(tmp_path: Path) -> None:
    configured(tmp_path, f'templates = "{tmp_path / "own"}"')
    (tmp_path / "own" / "en").mkdir(parents=True)
    (tmp_path / "own" / "en" / "outcome.txt").write_text("Subject: {{ nix }}\n")
    (tmp_path / "own" / "en" / "help.txt").write_text("Subject: {{ x\n")
    for words in (("run", "--once"), ("tickets",)):
        code, output = said(tmp_path, *words)
        assert (code, output.count("\n")) == (2, 3), output
        assert output.startswith("templates: 2 faults\n  help.txt: ")
    code, output = said(tmp_path, "check")
    assert (code, "FAULT  templates: help.txt: " in output) == (1, True), output


def test_a_binary_catalogue_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe")
    configured(tmp_path, f'catalogue = "{tmp_path / "own.toml"}"')
    code, output = said(tmp_path, "tickets")
    assert (code, "own.toml: 1 fault\n  cannot be read as UTF-8 text" in output) == (2, True)


def test_check_names_the_configuration_keys_of_servers_that_are_down(tmp_path: Path) -> None:
    configured(tmp_path, "")
    text = (tmp_path / "mailbot.toml").read_text().replace('security = "plain"', 'security = "plain"\nport = 1')
    (tmp_path / "mailbot.toml").write_text(text)
    code, output = said(tmp_path, "check")
    assert code == 1
    assert "FAULT  imap: cannot connect to 127.0.0.1:1: Connection refused; see host, port" in output
    assert "FAULT  smtp: connection to 127.0.0.1:1 failed: Connection refused; see host, port" in output
    (tmp_path / "var" / "mailbot.db").write_bytes(b"something else " * 100)
    _, output = said(tmp_path, "check")
    assert [line.split(":")[0] for line in output.splitlines() if "FAULT" in line] == [
        "FAULT  database",
        "FAULT  imap",
        "FAULT  smtp",
    ]
    (tmp_path / "var" / "mailbot.db").unlink()
    code, output = said(tmp_path, "run", "--once")
    assert (code, "IMAP: cannot connect to 127.0.0.1:1: Connection refused; see host, port" in output) == (1, True)


def test_inject_reports_a_mail_that_failed_and_keeps_it(
    desk: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise LookupError("a bug")

    monkeypatch.setattr("mailbot.service.runner.handle", fails)
    code, output = said(tmp_path, "inject", stdin="Subject: x\n\ny\n")
    assert (code, '"state": "kept"' in output, "a bug" in output) == (1, True, True)


def test_an_unusable_database_ends_with_one_line(tmp_path: Path, warm: Warm) -> None:
    configured(tmp_path, "")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "mailbot.db").write_bytes(b"something else " * 100)
    done = warm.run("mailbot", "run", "-c", tmp_path / "mailbot.toml")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "file is not a database: name another file" in done.stderr
