"""docs/json.md against the commands: each example is what the command prints, each command that knows ``--json`` has one."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer
from typer.testing import CliRunner

from mailbot.cli.app import app
from mailbot.core.form.problem import Code
from mailbot.json_shapes import LICENCE
from mailbot.operations.ledger_csv import read_csv
from mailbot.operations.ledger_import import put_licences
from tests.support.paths import DOCS
from tests.support.running import Running, running

DOCUMENT = DOCS / "json.md"
EXAMPLE = re.compile(r"### `mailbot ([a-z ]+)`\n.*?```json\n(.*?)```", re.DOTALL)
LEDGER = (
    ",".join(LICENCE)
    + """
A1B2C3D4E5F6,motion,active,Acme,voice_digital,10,2,4,1,quality_analysis,botify,silver,monthly,false,joe@acme.example,,,
C1B2C3D4E5F6,motion,active,Acme Two,voice,10,0,0,0,,,silver,annual,false,joe@acme.example,,,2027-03-01
"""
)
WHO = "License token: A1B2C3D4E5F6\nCustomer name: Acme\nI accept the License Agreement: yes\n"
REMOVE = f"Request: modify\n{WHO}Action: remove\nReason: cost\nAgents: 8\n"
ADD = f"Request: modify\n{WHO}Action: add\nReason: more agents\nAgents: 7\n"
MOVE = "Request: reactivate\nCustomer name: Acme Two\nReason: token change\nOld token: C1B2C3D4E5F6\nNew token: D1B2C3D4E5F6\n"
LOG = b"[2026-11-20 08:15:00] [WARN] license - [LICENSE:CHECK] token=D1B2C3D4E5F6 previousToken=C1B2C3D4E5F6 status=grace reason=token_change daysLeft=10\n"
RAW = "Authentication-Results: mx.vendor.example; dmarc=pass header.from=acme.example\nFrom: joe@acme.example\nMessage-ID: <{}@acme.example>\n\n{}"
#: Written documents say where this machine found what; their shape counts, not their words.
LOOSE = "check"


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    """A desk on which everything is shown: a problem, a scheduled change, a diagnosis, a mail in quarantine."""
    made = running(tmp_path)
    put_licences(made.desk, read_csv(LEDGER.encode(), made.desk.catalogue)[0], "import", "ledger.csv")
    made.moment[0] += timedelta(days=18)
    made.write("joe@acme.example", REMOVE)
    made.write("joe@acme.example", MOVE, files=(("license.log", LOG),))
    made.write("joe@acme.example", ADD)
    made.take(b"Subject: nobody\r\n\r\nwrote this\r\n")
    return made


def documents(desk: Running, folder: Path) -> Iterator[tuple[str, Any]]:
    """Each command with what it prints; of a list the first."""
    (folder / "mail.eml").write_text(RAW.format("explain", ADD.replace("7", "5")))
    for words in (
        "show LIC-2", "tickets --state waiting_customer", "licences show A1B2C3D4E5F6 --now 2026-11-21", "licences list --now 2026-11-21",
        "invoices --month 2026-11 --now 2027-01-04", "due --now 2026-11-21", "audit --now 2027-01-04",
        "inbox --state handled", "quarantine list", "outbox", f"explain {folder / 'mail.eml'} --now 2026-11-21T09:00:00+00:00", "check",
    ):  # fmt: skip
        yield _name(words), _first(_printed(folder, [*words.split(), "--json"]))
    (folder / "ledger.csv").write_text(LEDGER.replace("C1B2C3D4E5F6", "E1B2C3D4E5F6"))
    importing = ["licences", "import", str(folder / "ledger.csv"), "--now", "2027-01-04T09:00:00+00:00", "--json"]
    yield "licences import", _printed(folder, [*importing, "--dry-run"])[:1]
    (folder / "license.log").write_bytes(LOG)
    words = [
        "diagnose",
        str(folder / "license.log"),
        "--old-token",
        "C1B2C3D4E5F6",
        "--reason",
        "token_change",
        "--json",
    ]
    yield "diagnose", _printed(folder, [*words, "--now", "2026-11-21"])
    inject = ["inject", "--received-at", "2026-11-21T09:00:00+00:00", "--now", "2026-11-21T09:00:00+00:00"]
    yield "inject", _printed(folder, inject, RAW.format("inject", REMOVE.replace("8", "7")))
    lines = "NOTE asked twice\nAPPROVE until 2020-01-01"
    yield "decide", _printed(folder, ["decide", "LIC-2", lines, "--now", "2026-11-21T09:00:00+00:00", "--json"])
    desk.write("sue@acme.example", "help")
    yield "erase", _printed(folder, ["erase", "sue@acme.example", "--json"])


def _name(words: str) -> str:
    return " ".join(word for word in words.partition(" --")[0].split() if word.islower() and "/" not in word)


def _printed(folder: Path, words: list[str], stdin: str | None = None) -> Any:
    done = CliRunner().invoke(app, [*words, "-c", str(folder / "mailbot.toml")], input=stdin)
    structlog.reset_defaults()  # the command's log goes to a stream that ends with it
    return json.loads(done.stdout)


def _first(document: Any) -> Any:
    return document[:1] if isinstance(document, list) else document


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(inner) for key, inner in value.items()}
    return [_shape(inner) for inner in value[:1]] if isinstance(value, list) else type(value).__name__


def test_every_example_is_what_the_command_prints(
    desk: Running, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    came = dict(documents(desk, tmp_path))
    text = DOCUMENT.read_text("utf-8")
    if request.config.getoption("--update"):
        DOCUMENT.write_text(EXAMPLE.sub(lambda match: _renewed(match, came), text), "utf-8")
        return
    written = {name: json.loads(example) for name, example in EXAMPLE.findall(text)}
    assert written.keys() == came.keys()
    for name, document in came.items():
        if name == LOOSE:
            assert _shape(written[name]) == _shape(document), name
        else:
            assert json.dumps(written[name]) == json.dumps(document), name  # the order of the keys counts too


def _renewed(match: re.Match[str], came: dict[str, Any]) -> str:
    example = json.dumps(came[match[1]], ensure_ascii=False, indent=2)
    if match[1] == LOOSE and match[2].strip():
        return match[0]
    return match[0][: match.start(2) - match.start()] + example + "\n```"


def _with_json(group: Any, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        words = f"{before}{name}"
        if any(parameter.name == "json" for parameter in command.params):
            yield words
        if hasattr(command, "commands"):
            yield from _with_json(command, f"{words} ")


def test_every_command_with_json_is_documented() -> None:
    documented = {name for name, _ in EXAMPLE.findall(DOCUMENT.read_text("utf-8"))}
    assert documented | {"demo"} == {*_with_json(typer.main.get_command(app)), "inject"}  # its shape: test_demo


def test_every_kind_of_event_is_documented() -> None:
    tickets = DOCUMENT.read_text("utf-8").partition("## Licences")[0]
    written = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", tickets, re.MULTILINE))))
    source = "".join(path.read_text() for path in (DOCUMENT.parents[1] / "mailbot").rglob("*.py"))
    made = set(re.findall(r'(?:\bHistoryNote\(|_record\(work, mail, ref,)\s*"(\w+)"', source))
    made |= set(re.findall(r'HistoryLine\([^,"]+, "(\w+)"', source))
    assert written == made | {"applied", "scheduled"}  # those two are named by the status that they tell of


def test_problem_codes_are_those_of_the_specification() -> None:
    contract = "missing unknown_value not_a_number out_of_range not_above_current not_below_current given_twice near_label not_accepted token_malformed token_unknown token_active token_not_active demo_used already_has does_not_have requires required_by no_change attachment_missing attachment_unreadable"
    assert [code.value for code in Code] == contract.split()
