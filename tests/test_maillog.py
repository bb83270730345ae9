"""The log: a line for each thing that happens to a mail, that no stranger can forge and that holds no secret."""

import inspect
import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog

from mailbot.core.base.characters import INVISIBLE, STEERING
from mailbot.maillog import MASK, MailLog, configure, mask_token

KEY = "ABCDEFGHIJKLMNOPQRSTUVWX27"
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)

#: The steps of a mail on its way in and out, at each of which a test can stop the program.
STEPS = [
    "fetched",
    "oversized",
    "kept",
    "known",
    "understood",
    "composed",
    "committed",
    "handled",
    "moved",
    "attempt_failed",
    "quarantined",
    "claimed",
    "sent",
    "deferred",
    "refused",
    "unknown",
    "marked",
    "due",
    "alert",
    "noticed",
    "idle",
    "connected",
    "disconnected",
    "lost",
    "started",
    "stopped",
]

#: What a hostile mail may bring into a line.
HOSTILE = [
    "two\nlines",
    "\r\n2026-11-03T12:00:00Z [info] sent",
    "\x1b[2J\x1b[31mred",
    "\x9b31m",
    "\u202egnp.exe",
    "\u2028 and \u2029",
    "\ud800 half a pair",
    "un\u200bseen\u034f \u3164\ufe0f\U000e0041",
    "\0",
    '"} , {"event": "sent"',
    "x-" * 50_000,
]


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


class Said:
    """What went to stderr."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def lines(self) -> list[str]:
        captured = self._capsys.readouterr()
        assert captured.out == "", "stdout belongs to the commands"
        return captured.err.splitlines()

    def documents(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.lines()]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


def everything(log: MailLog, text: str = "x") -> list[str]:
    """Calls every method, each text being ``text``; the names of the methods."""
    values: dict[object, object] = {int: 7, float: 1.5, datetime: NOON, str: text, "Sequence[int]": [1, 2]}
    names = []
    for name, method in inspect.getmembers(log, inspect.ismethod):
        if name.startswith("_"):
            continue
        hints = inspect.signature(method, eval_str=True).parameters.values()
        method(**{p.name: values.get(p.annotation, text if "str" in str(p.annotation) else [1, 2]) for p in hints})
        names.append(name)
    return names


def test_every_method_writes_one_line_and_says_what_it_means(said: Said) -> None:
    configure("debug", json=True)
    names = everything(MailLog())
    documents = said.documents()
    assert len(documents) == len(names)
    assert set(names) >= set(STEPS)
    assert len({document["event"] for document in documents}) == len(names)
    for name in names:
        assert (getattr(MailLog, name).__doc__ or "").strip(), name


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_log_line_is_one_line_of_printable_characters(said: Said, as_json: bool, text: str) -> None:
    configure("debug", json=as_json)
    names = everything(MailLog(), text)
    lines = said.lines()
    assert len(lines) == len(names)
    for line in lines:
        assert line.isprintable()
        assert not (STEERING | INVISIBLE) & set(line)
        assert len(line) < 30_000


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_in_a_log_line_forges_no_other_value(said: Said, text: str) -> None:
    configure(json=True)
    MailLog().alert(text=text)
    (document,) = said.documents()
    assert set(document) == {"event", "level", "timestamp", "text"}
    assert document["event"] == "alert"


def test_values_with_spaces_are_quoted_in_the_log_for_people(said: Said) -> None:
    configure()
    MailLog().quarantined(inbox_id=7, reason="broken event=sent outbox_id=9")
    (line,) = said.lines()
    assert "quarantined" in line
    assert "reason='broken event=sent outbox_id=9'" in line
    assert "inbox_id=7" in line


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        KEY,
        KEY.lower(),
        f"desk+lic-12.{KEY}@example.com",
        f"<lic-12.{KEY.lower()}.7@example.com>",
        f"[LIC-12.{KEY}]",
        f"9{KEY}1",
        f"{KEY}{KEY}",
        f"Traceback:\n  key = '{KEY}'\nValueError",
    ],
)
def test_keys_are_never_written(said: Said, as_json: bool, text: str) -> None:
    configure("debug", json=as_json)
    everything(MailLog(), text)
    written = "\n".join(said.lines())
    assert KEY.lower() not in written.lower()
    assert MASK in written


def test_a_key_is_not_written_in_whatever_it_hides(said: Said) -> None:
    configure(json=True)
    structlog.get_logger().info("elsewhere", inside={"a": [KEY, (KEY, {KEY})]}, raw=KEY.encode(), error=ValueError(KEY))
    assert KEY not in "".join(said.lines())


def test_addresses_and_references_are_written(said: Said) -> None:
    configure(json=True)
    MailLog().kept(inbox_id=1, received_at=NOON)
    MailLog().understood(inbox_id=1, sender="anna.bianchi@example.org", intake="form", ref=None)
    MailLog().handled(inbox_id=1, ref="LIC-12", state="waiting_staff")
    kept, understood, handled = said.documents()
    assert understood["sender"] == "anna.bianchi@example.org"
    assert kept["received_at"] == "2026-11-03T12:00:00+00:00"
    assert kept["inbox_id"] == 1
    assert (handled["ref"], handled["state"]) == ("LIC-12", "waiting_staff")


def test_text_in_any_language_is_written_as_it_is(said: Said) -> None:
    configure(json=True)
    MailLog().alert(text="Größe 漢字 è")
    assert "Größe 漢字 è" in said.lines()[0]


def test_the_end_of_a_long_traceback_is_logged(said: Said) -> None:
    configure(json=True)
    MailLog().attempt_failed(inbox_id=1, attempt=2, error="line\n" * 10_000 + "ValueError: this is why")
    (document,) = said.documents()
    assert str(document["error"]).endswith("ValueError: this is why")


def test_lines_below_the_level_are_left_out(said: Said) -> None:
    configure("warning", json=True)
    everything(MailLog())
    assert {document["level"] for document in said.documents()} == {"warning", "error"}


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="'loud', must be one of debug, info"):
        configure("loud")


def test_a_log_that_cannot_be_written_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("no space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    configure()
    MailLog().started()


def test_a_log_method_can_be_overridden_to_stop_the_desk_between_two_steps() -> None:
    class Killed(BaseException):
        pass

    class Stopping(MailLog):
        def committed(self, inbox_id: int | None) -> None:
            raise Killed

    with pytest.raises(Killed):
        Stopping().committed(inbox_id=1)


@pytest.mark.parametrize(
    ("token", "shown"),
    [("A1B2C3D4E5F6", "A1B2***"), ("12345678", "1234***"), ("1234567", "***"), ("", "***"), (None, "***")],
)
def test_a_licence_token_shows_its_beginning_only(token: str | None, shown: str) -> None:
    assert mask_token(token) == shown
