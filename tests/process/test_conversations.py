"""Whole conversations as files: ``tests/conversations/NN-name/`` holds what came in, what went out and how it ended.

- ``ledger.csv``: licences imported before the first mail; ``desk.toml``: when it begins, whether the digest goes out, and
  settings of the desk that differ from ``running.CONFIG``. Either may be absent.
- ``01-joe.eml``, ``02+3d-anna.eml``: the mails, in this order; ``+3d`` or ``+2h`` lets time pass before. An address, subject
  or Message-ID that only our mails know stands as ``{reply-to:KIND NAME}``, ``{subject:KIND NAME}``, ``{message-id:KIND NAME}``:
  of the last mail of that kind to NAME (the part before the @), about one ticket: ``{reply-to:KIND NAME LIC-2}``;
  ``{quote:KIND NAME}`` is its text, quoted.
- ``03+20d.time``: time passes, nobody writes; ``04-operator.decide``: ``LIC-1 APPROVE``, by command.
- ``01.out.txt``: every mail that went out because of step 01, with the headers that matter; ``tickets.json`` and
  ``licences.json``: tickets and ledger at the end, as the commands print them.

``pytest tests/process/test_conversations.py --update`` writes the outcome anew; read its diff before you commit it.
"""

import difflib
import json
import re
import tomllib
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailbot import json_shapes
from mailbot.operations.ledger_csv import read_csv
from mailbot.operations.ledger_import import put_licences
from mailbot.process import digest, mapping
from mailbot.process.decision_lines import Decisions
from mailbot.process.unit_of_work import UnitOfWork
from storage import due, licences, outbox, tickets
from tests.support.paths import TESTS
from tests.support.running import Running, body, running

FOLDER = TESTS / "conversations"
STEP = re.compile(r"(?P<number>\d\d)(?:\+(?P<count>\d+)(?P<unit>[dhm]))?(?:-[\w-]+)?\.(?P<kind>eml|time|decide)")
UNITS = {"d": "days", "h": "hours", "m": "minutes"}
HEADERS = ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "Reply-To", "Auto-Submitted")
PLACEHOLDER = re.compile(r"\{(reply-to|subject|message-id|quote):([\w-]+) ([\w.-]+?)(?: (LIC-\d+))?\}")


class Conversation:
    """One folder, played on a desk of its own."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.folder = folder
        settings = tomllib.loads(_text(folder / "desk.toml"))
        begins = settings.get("begins", datetime(2026, 11, 3, 9, 0, tzinfo=UTC))
        self.desk: Running = running(place, begins, settings.get("replace", {}))
        if settings.get("digest"):
            digest.ensure_digest(self.desk.desk)
        self._import(_text(folder / "ledger.csv"))

    def _import(self, text: str) -> None:
        if text:
            rows, faults = read_csv(text.encode(), self.desk.desk.catalogue)
            assert not faults, faults
            put_licences(self.desk.desk, rows, "import", "ledger.csv")

    def outcome(self) -> dict[str, str]:
        """File name -> text of everything that must come of it."""
        files = {}
        for path in sorted(p for p in self.folder.iterdir() if STEP.fullmatch(p.name)):
            before = len(self.desk.sent)
            self._step(path)
            files[f"{path.name[:2]}.out.txt"] = "\n".join(self._shown(n) for n in range(before, len(self.desk.sent)))
        assert not self.desk.quarantine(), self.desk.quarantine()
        return files | {"tickets.json": _json(self._tickets()), "licences.json": _json(self._licences())}

    def _step(self, path: Path) -> None:
        match = STEP.fullmatch(path.name)
        assert match is not None
        if match["count"]:
            self._pass(timedelta(**{UNITS[match["unit"]]: int(match["count"])}))
        if match["kind"] == "eml":
            self.desk.take(PLACEHOLDER.sub(self._told, path.read_text("utf-8")).encode())
        elif match["kind"] == "decide":
            self._decide(*path.read_text("utf-8").strip().split(" ", 1))

    def _pass(self, by: timedelta) -> None:
        """Time passes; the clock stops at everything that is due, as it does for a desk that runs all the time."""
        end = self.desk.moment[0] + by
        while True:
            with self.desk.desk.store.read() as session:
                at = due.next_at(session)
            if at is None or at > end:
                break
            self.desk.moment[0] = max(at, self.desk.moment[0])
            self.desk.work()
        self.desk.moment[0] = end
        self.desk.work()

    def _decide(self, ref: str, words: str) -> None:
        desk = self.desk.desk
        with (
            desk.store.write() as session,
            UnitOfWork(desk, session, desk.clock(), f"decide:{ref}:{words}") as work,
        ):
            Decisions(work, "operator", None).carry_out(words, (ref,))
        self.desk.work()

    def _told(self, match: re.Match[str]) -> str:
        """What a placeholder stands for."""
        what, kind, name, ref = match.groups()
        sent = zip(self.desk.sent, self._kinds(), strict=True)
        found = [m for m, k in sent if k == kind and _name(m) == name and (not ref or f"[{ref}]" in m["Subject"])]
        assert found, f"no {kind} has gone to {name}; there are {self._kinds()}"
        mail = found[-1]
        if what == "quote":
            return "".join(f"> {line}\n" for line in body(mail).splitlines())
        return str(mail[{"reply-to": "Reply-To", "subject": "Subject", "message-id": "Message-ID"}[what]])

    def _kinds(self) -> list[str]:
        return [kind for kind, _ in self.desk.kinds()]

    def _shown(self, number: int) -> str:
        mail = self.desk.sent[number]
        with self.desk.desk.store.read() as session:
            row = sorted(outbox.listing(session), key=lambda r: r.id)[number]
        path = row.envelope_from or "<>"
        lines = [f"{name}: {mail[name]}" for name in HEADERS if mail[name]]
        return "\n".join(
            [f"===== {row.kind} to {row.recipient}, return path {path}", *lines, "", _lines(body(mail)), "", ""]
        )

    def _tickets(self) -> list[object]:
        desk = self.desk.desk
        with desk.store.read() as session:
            rows = sorted(tickets.listing(session), key=lambda row: row.number)
            found = [t for row in rows if (t := mapping.load_ticket(session, row.ref))]
            return [json_shapes.ticket_shape(t, tickets.events(session, t.number), desk.wording) for t in found]

    def _licences(self) -> list[object]:
        desk = self.desk.desk
        today = desk.clock().astimezone(desk.config.zone).date()
        with desk.store.read() as session:
            found = (mapping.load_licence(session, token, today) for token in sorted(licences.tokens(session)))
            return [json_shapes.licence_shape(licence) for licence in found if licence]


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _lines(text: str) -> str:
    """The text with plain line ends and nothing behind its lines."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _name(mail: EmailMessage) -> str:
    return str(mail["To"]).partition("@")[0]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _written(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text("utf-8") for p in folder.iterdir() if p.name.endswith((".out.txt", ".json"))}


@pytest.mark.parametrize("folder", sorted(p for p in FOLDER.iterdir() if p.is_dir()), ids=lambda folder: folder.name)
def test_conversation(folder: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    came = Conversation(folder, tmp_path).outcome()
    written = _written(folder)
    if request.config.getoption("--update"):
        for name in written.keys() - came.keys():
            (folder / name).unlink()
        for name, text in came.items():
            (folder / name).write_text(text, "utf-8")
        return
    differing = "".join(
        "".join(difflib.unified_diff(a.splitlines(True), b.splitlines(True), f"{folder.name}/{name}", "what came"))
        for name in sorted(written.keys() | came.keys())
        if (a := written.get(name, "")) != (b := came.get(name, ""))
    )
    if differing:
        pytest.fail(differing, pytrace=False)


def test_every_file_of_a_conversation_has_its_meaning() -> None:
    for folder in FOLDER.iterdir():
        numbers = [p.name[:2] for p in sorted(folder.iterdir()) if STEP.fullmatch(p.name)]
        assert numbers == [f"{n:02}" for n in range(1, len(numbers) + 1)], folder.name
        known = {"ledger.csv", "desk.toml", "tickets.json", "licences.json", *(f"{n}.out.txt" for n in numbers)}
        assert {p.name for p in folder.iterdir() if not STEP.fullmatch(p.name)} <= known, folder.name
