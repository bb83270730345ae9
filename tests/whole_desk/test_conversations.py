"""Whole conversations as files: ``tests/conversations/NN-name/`` holds what came in and, in ``expected.txt``, what came of it.

- ``ledger.csv``: licences imported before the first mail; ``desk.toml``: when it begins, whether the digest goes out, and
  settings of the desk that differ from ``running.CONFIG``. Either may be absent.
- ``01-joe.eml``, ``02+3d-anna.eml``: the mails, in this order; ``+3d`` or ``+2h`` lets time pass before. An address, subject
  or Message-ID that only our mails know stands as ``{reply-to:KIND NAME}``, ``{subject:KIND NAME}``, ``{message-id:KIND NAME}``:
  of the last mail of that kind to NAME (the part before the @), about one ticket: ``{reply-to:KIND NAME LIC-2}``;
  ``{quote:KIND NAME}`` is its text, quoted. A mail that begins with ``Answers: KIND NAME`` has all three. To, Subject,
  Message-ID, MIME-Version and Content-Type are added where they are absent; never Authentication-Results: without it a
  mail is not verified.
- ``03+20d.time``: time passes, nobody writes; ``04-operator.decide``: ``LIC-1 APPROVE``, by command.
- ``expected.txt``: for each step the mails that went out by their facts (``composed``), then what changed of tickets, their
  history and the ledger (``screenplay``). What the mails say in words is held by ``tests/mails_out``.

``pytest tests/whole_desk/test_conversations.py --update`` writes the outcome anew; read its diff before you commit it.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailbot.core.desk.ticket import Ticket
from mailbot.core.ledger.licence import Licence
from mailbot.operations.ledger_csv import read_csv
from mailbot.operations.ledger_import import put_licences
from mailbot.process import digest, mapping
from mailbot.process.decision_lines import Decisions
from mailbot.process.unit_of_work import UnitOfWork
from storage import due, inbox, keys, licences, outbox, tickets
from storage.tickets import TicketEventRow
from tests.support import composed, screenplay
from tests.support.paths import ROOT, TESTS
from tests.support.running import Running, body, running

FOLDER = TESTS / "conversations"
EXPECTED = "expected.txt"
STEP = re.compile(r"(?P<number>\d\d)(?:\+(?P<count>\d+)(?P<unit>[dhm]))?(?:-[\w-]+)?\.(?P<kind>eml|time|decide)")
ANSWERS = "Answers: "
UNITS = {"d": "days", "h": "hours", "m": "minutes"}
PLACEHOLDER = re.compile(r"\{(reply-to|subject|message-id|quote):([\w-]+) ([\w.-]+?)(?: (LIC-\d+))?\}")


class Conversation:
    """One folder, played on a desk of its own."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.folder = folder
        settings = tomllib.loads(_text(folder / "desk.toml"))
        begins = settings.get("begins", datetime(2026, 11, 3, 9, 0, tzinfo=UTC))
        self.desk: Running = running(place, begins, settings.get("replace", {}))
        self.wording = composed.Recording(self.desk.desk.wording)
        self.desk.desk = replace(self.desk.desk, wording=self.wording)
        if settings.get("digest"):
            digest.ensure_digest(self.desk.desk)
        self._import(_text(folder / "ledger.csv"))
        self.names: dict[str, str] = {}  # Message-ID -> how the play calls that mail
        self.tickets: dict[str, Ticket] = {}
        self.written: dict[str, int] = {}  # how much of each ticket's history is written
        self.licences = self._licences()

    def _import(self, text: str) -> None:
        if text:
            rows, faults = read_csv(text.encode(), self.desk.desk.catalogue)
            assert not faults, faults
            put_licences(self.desk.desk, rows, "import", "ledger.csv")

    def play(self) -> str:
        """The whole conversation as the golden file has it."""
        lines: list[str] = []
        for path in sorted(p for p in self.folder.iterdir() if STEP.fullmatch(p.name)):
            before = len(self.desk.sent)
            own = self._step(path)
            lines += ["", f"== {path.name}  {screenplay.word(self.desk.moment[0])}"]
            lines += [*self._mails(path.name[:2], before), *self._changes(own)]
        assert not self.desk.quarantine(), self.desk.quarantine()
        return "\n".join(lines).strip() + "\n"

    def _step(self, path: Path) -> str | None:
        """Plays it; returns the Message-ID of the mail that came in."""
        match = STEP.fullmatch(path.name)
        assert match is not None
        if match["count"]:
            self._pass(timedelta(**{UNITS[match["unit"]]: int(match["count"])}))
        if match["kind"] == "eml":
            self.desk.take(PLACEHOLDER.sub(self._filled, whole(path)).encode())
            with self.desk.desk.store.read() as session:
                own = inbox.listing(session, limit=1)[0].message_id or ""
            self.names.setdefault(own, path.name[:2])
            return own
        if match["kind"] == "decide":
            self._decide(*path.read_text("utf-8").strip().split(" ", 1))
        return None

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
        label = f"decide:{ref}:{words}"
        with desk.store.write() as session, UnitOfWork(desk, session, desk.clock(), label) as work:
            Decisions(work, "operator", None).carry_out(words, (ref,))
        self.desk.work()

    def _filled(self, match: re.Match[str]) -> str:
        """What a placeholder stands for."""
        what, kind, name, ref = match.groups()
        sent = zip(self.desk.sent, self.desk.kinds(), strict=True)
        found = [m for m, (k, _) in sent if k == kind and _name(m) == name and (not ref or f"[{ref}]" in m["Subject"])]
        assert found, f"no {kind} has gone to {name}; there are {self.desk.kinds()}"
        mail = found[-1]
        if what == "quote":
            return "".join(f"> {line}\n" for line in body(mail).splitlines())
        return str(mail[{"reply-to": "Reply-To", "subject": "Subject", "message-id": "Message-ID"}[what]])

    def _mails(self, step: str, before: int) -> Iterator[str]:
        """A line for each mail of the step; where the same one goes to several, for all of them."""
        self.now = self._tickets()
        lines: dict[str, list[str]] = {}
        for number in range(before, len(self.desk.sent)):
            kind, to, rest = self._mail(step, number)
            lines.setdefault(f"{kind}\0{rest}", []).append(to)
        for line, to in lines.items():
            kind, _, rest = line.partition("\0")
            yield f"{kind} to {', '.join(to)}" + (f": {rest}" if rest else "")

    def _mail(self, step: str, number: int) -> tuple[str, str, str]:
        mail, made = self.desk.sent[number], self.wording.made[number]
        with self.desk.desk.store.read() as session:
            row = sorted(outbox.listing(session), key=lambda r: r.id)[number]
            key = keys.find(session, composed.purpose_of(mail["Reply-To"]) or "")
        assert (made.kind, mail["From"].addresses[0].addr_spec) == (row.kind, "desk@vendor.example")
        assert (key is not None) == (mail["Reply-To"] is not None)
        assert body(mail).split() == made.text.split()
        assert composed.unsaid_words(made) == [], made.text
        assert mail["Date"].datetime == row.composed_at
        answers = str(mail["In-Reply-To"] or "")
        assert str(mail["Auto-Submitted"]) == ("auto-replied" if answers else "auto-generated")
        self.names[row.message_id] = f"{step} {row.kind}"
        when = f"{screenplay.word(row.composed_at)} " if row.composed_at != self.desk.moment[0] else ""
        said = composed.Mail(
            made,
            row.ref,
            row.recipient,
            not row.envelope_from,
            key.purpose if key else None,
            self.names.get(answers, answers),
        )
        about = f"{row.ref} " if row.ref else ""
        assert (f"[{row.ref}]" in mail["Subject"]) == bool(row.ref)
        return f"{when}{about}{row.kind}", row.recipient, said.line(self.now.get(row.ref or ""))

    def _changes(self, own: str | None) -> Iterator[str]:
        step = screenplay.Step(self.desk.moment[0], own, self.names)
        for ref, now in self.now.items():
            yield from screenplay.ticket(now, self.tickets.get(ref), step.at)
            events = self._events(now.number)
            yield from (f"{ref} was {line}" for line in screenplay.history(events[self.written.get(ref, 0) :], step))
            self.written[ref] = len(events)
        self.tickets = self.now
        ledger = self._licences()
        for token, now_ in ledger.items():
            yield from screenplay.licence(now_, self.licences.get(token), self._today(), step)
        self.licences = ledger

    def _tickets(self) -> dict[str, Ticket]:
        with self.desk.desk.store.read() as session:
            rows = sorted(tickets.listing(session), key=lambda row: row.number)
            return {row.ref: found for row in rows if (found := mapping.load_ticket(session, row.ref))}

    def _events(self, number: int) -> list[TicketEventRow]:
        with self.desk.desk.store.read() as session:
            return tickets.events(session, number)

    def _licences(self) -> dict[str, Licence]:
        with self.desk.desk.store.read() as session:
            found = {
                token: mapping.load_licence(session, token, self._today()) for token in sorted(licences.tokens(session))
            }
        return {token: licence for token, licence in found.items() if licence}

    def _today(self) -> date:
        desk = self.desk.desk
        return desk.clock().astimezone(desk.config.zone).date()


def whole(path: Path) -> str:
    """A mail with the header fields that its file leaves out."""
    head, _, text = path.read_text("utf-8").partition("\n\n")
    lines = head.splitlines()
    sender = re.search(r"([\w.+-]+@[\w.-]+)>?$", next(line for line in lines if line.startswith("From:")))
    assert sender, path
    fields = {
        "To": "desk@vendor.example",
        "Subject": "",
        "Message-ID": f"<{int(path.name[:2])}.{sender[1]}>",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
    }
    if lines[0].startswith(ANSWERS):
        mail = lines.pop(0).removeprefix(ANSWERS)
        of = {"To": "{reply-to:%s}", "Subject": "Re: {subject:%s}", "In-Reply-To": "{message-id:%s}"}
        fields |= {name: value % mail for name, value in of.items()}
    given = {line.partition(":")[0] for line in lines}
    lines += [f"{name}: {value}" for name, value in fields.items() if name not in given]
    return "\n".join([*lines, "", text])


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _name(mail: EmailMessage) -> str:
    return str(mail["To"]).partition("@")[0]


@pytest.mark.parametrize("folder", sorted(p for p in FOLDER.iterdir() if p.is_dir()), ids=lambda folder: folder.name)
def test_conversation(folder: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    came = Conversation(folder, tmp_path).play()
    written = _text(folder / EXPECTED)
    if request.config.getoption("--update"):
        (folder / EXPECTED).write_text(came, "utf-8")
        return
    if written != came:
        lines = written.splitlines(True), came.splitlines(True)
        pytest.fail("".join(difflib.unified_diff(*lines, f"{folder.name}/{EXPECTED}", "what came")), pytrace=False)


def test_every_file_of_a_conversation_has_its_meaning() -> None:
    for folder in FOLDER.iterdir():
        numbers = [p.name[:2] for p in sorted(folder.iterdir()) if STEP.fullmatch(p.name)]
        assert numbers == [f"{n:02}" for n in range(1, len(numbers) + 1)], folder.name
        others = {p.name for p in folder.iterdir() if not STEP.fullmatch(p.name)}
        assert others <= {"ledger.csv", "desk.toml", EXPECTED}, folder.name


def test_the_conversation_in_the_readme_is_one_that_took_place(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    told = readme.partition("One conversation")[2].partition("**State of this version.**")[0]
    conversation = Conversation(FOLDER / "07-plan-split", tmp_path)
    conversation.play()
    written = [path.read_text() for path in conversation.folder.glob("*.eml")]
    took_place = "\n".join([*written, *(body(mail) for mail in conversation.desk.sent)])
    lines = [line.strip() for line in told.splitlines() if line.startswith("    ")]
    assert len(lines) > 20
    assert [line for line in lines if line not in map(str.strip, took_place.splitlines())] == []
    subjects = {str(mail["Subject"]) for mail in conversation.desk.sent}
    assert {subject for subject in told.split("`")[1::2] if subject.startswith("[")} <= subjects
    assert "[LIC-1] Please decide" in told
