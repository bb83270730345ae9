"""What strangers wrote steers no terminal and is no markup, whatever command shows it."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from mailbot.cli import queue_commands
from mailbot.cli.output import print_json, print_table
from tests.support.commands import mailbot
from tests.support.running import running
from tests.whole_desk.test_hostile_input import nasty
from tests.whole_desk.test_whole_desk import JOE, PLAN, import_active

#: Rich reads ``\\[`` as a backslash and a tag; ``[/x]`` closes what nobody opened; U+009B is the terminal's ESC [.
WORDS = (
    "\\[/x]",
    "[bold]x[/bold]",
    "\\[link=http://evil.example]x",
    ":warning: x",
    "a\\",
    "\x1b]0;owned\x07",
    "\x9b31mx",
    "x\u202ey",
    "\x7f",
)
COMMANDS = (
    ("tickets",), ("show", "LIC-1"), ("inbox",), ("outbox",), ("quarantine", "list"), ("quarantine", "show", "2"), ("licences", "list"),
    ("licences", "show", "A1B2C3D4E5F6"), ("licences", "export", "--spreadsheet"), ("due",), ("invoices", "--month", "2026-11"), ("audit",),
    ("check", "--probe-mail", "{mail}"), ("explain", "{mail}"), ("diagnose", "{mail}"), ("tickets", "--json"), ("show", "LIC-1", "--json"),
    ("inbox", "--json"), ("explain", "{mail}", "--json"),
)  # fmt: skip
STEERING = "\x1b\x07\x9b\x7f\u202e\u2028\u200b\u2060\u034f\u3164\ud800\U000e0041"


@pytest.mark.series(3)
@pytest.mark.parametrize("words", WORDS, ids=map(ascii, WORDS))
def test_commands_print_no_control_characters_from_mails(
    tmp_path: Path, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = running(tmp_path)
    import_active(desk)
    desk.write(
        JOE, PLAN.replace("Acme", f"Acme {words}").replace("A1B2C3D4E5F6", "B1B2C3D4E5F6") + f"Comments: {words}\n"
    )
    desk.take(f"From: {words} <a@b.example>, x@y.example\r\nSubject: {words}\r\n\r\n{words}".encode())
    mail = tmp_path / "mail.eml"
    mail.write_bytes(nasty(words))
    monkeypatch.setattr(queue_commands, "_stdout_is_terminal", lambda: True)
    for command in COMMANDS:
        said = mailbot(tmp_path, *(part.format(mail=mail) for part in command))
        assert said.exit_code in (0, 1), (command, said.output)
        assert not said.exception or isinstance(said.exception, SystemExit), (command, said.exception)
        assert not any(sign in said.output for sign in STEERING), (command, said.output)
        if "--json" in command:
            json.loads(said.output)
    shown = mailbot(tmp_path, "show", "LIC-1").output
    assert "⚠" not in shown
    assert words not in ("\\[/x]", "[bold]x[/bold]") or words in shown


def test_quarantine_show_writes_the_raw_bytes_to_a_file(tmp_path: Path) -> None:
    desk = running(tmp_path)
    raw = b"From: a@b.example, c@d.example\r\n\r\n\x1b]0;owned\x07\xff"
    desk.take(raw)
    assert mailbot(tmp_path, "quarantine", "show", "1").stdout_bytes == raw


def test_tables_and_json_print_no_steering_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """Most is clean before it is stored; this is the last guard."""
    for terminal in (True, False):
        shown = io.StringIO()
        print_table("t", ("a",), [(f"x{STEERING}y",)], Console(file=shown, force_terminal=terminal, color_system=None))
        assert not any(sign in shown.getvalue() for sign in STEERING)
    print_json({"a": f"x{STEERING}y"})
    written = capsys.readouterr().out
    assert not any(sign in written for sign in STEERING)
    assert json.loads(written) == {"a": f"x{STEERING}y"}
