"""The worked examples of docs/billing.md, each played on a whole desk: what the document says is what happens.

An example is a block of lines. ``2026-11-20 23:59:59 remove agents=8`` happens at that time in Rome; a mail is handled
when it arrives, or at the next ``read``. ``=>`` lines say what has come of it, see ``Example``.
"""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailbot.core.desk.ticket import Item
from mailbot.operations.audit import audit_books
from mailbot.operations.ledger_import import put_licences, reverse
from mailbot.process import invoicing, mapping
from mailbot.process.decision_lines import Decisions
from mailbot.process.unit_of_work import UnitOfWork
from mailbot.service.runner import keep_mail
from storage import due, licences, tickets
from tests.support.paths import DOCS
from tests.support.running import Running, running

ROME = ZoneInfo("Europe/Rome")
DOC = DOCS / "billing.md"
TOKEN, NEW = "A1B2C3D4E5F6", "F6E5D4C3B2A1"
JOE = "joe@acme.example"
WHO = f"License token: {TOKEN}\nCustomer name: Acme\nI accept the License Agreement: yes\n"
LABELS = {
    "agents": "Agents", "users": "Users", "telephones": "Telephones", "mobile_agents": "Mobile agents",
    "addons": "Add-ons", "plugins": "Plugins", "plan": "Plan", "support": "Support package",
    "billing": "Billing frequency", "whitelabel": "Whitelabel",
}  # fmt: skip
BLOCK = re.compile(r"^#### (?P<title>.+?)\n(?P<text>.*?)^```\n(?P<block>.*?)^```", re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str]]:
    return [(found["title"], found["block"]) for found in BLOCK.finditer(DOC.read_text("utf-8"))]


def fields(words: list[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words)


class Example:
    """One block, line by line."""

    def __init__(self, folder: Path) -> None:
        self.desk: Running = running(folder, datetime(2020, 1, 1, tzinfo=UTC))
        self.mails = 0

    def play(self, block: str) -> None:
        for line in block.strip().splitlines():
            if line.startswith("=>"):
                self.expect(line.removeprefix("=>").strip())
            elif line.startswith("prices"):
                self.prices(fields(line.split()[1:]))
            else:
                self.happen(line)
        self.audit()

    def audit(self) -> None:
        """Whatever was played, a year of invoices later all of it agrees."""
        with self.desk.desk.store.read() as session:
            report = audit_books(session, self.desk.moment[0] + timedelta(days=400), ROME)
        assert report.disagreement is None

    def prices(self, amounts: dict[str, str]) -> None:
        prices = {item: Decimal(amount) for item, amount in amounts.items()}
        catalogue = replace(self.desk.desk.catalogue, prices=prices, currency="EUR")
        self.desk.desk = replace(self.desk.desk, catalogue=catalogue)
        invoicing.remember_prices(self.desk.desk.store, catalogue, self.desk.moment[0])

    def happen(self, line: str) -> None:
        day, clock, word, *rest = line.split()
        moment = datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), ROME).astimezone(UTC)
        if word == "read":  # the desk was down until now
            self.desk.moment[0] = moment
            self.desk.work()
            return
        waits = rest[-1:] == ["unread"]
        rest = rest[:-1] if waits else rest
        if not waits:
            self.go_to(moment - timedelta(seconds=1))  # at a tie the mail comes before the due thing
            self.desk.moment[0] = moment
        getattr(self, f"do_{word}")(moment, rest)
        if not waits:
            self.go_to(moment)

    def go_to(self, moment: datetime) -> None:
        """The clock goes on to that moment; on the way each due thing is done at its own time."""
        while True:
            with self.desk.desk.store.read() as session:
                at = due.next_at(session)
            if at is None or at > moment:
                break
            self.desk.later(seconds=max(0.0, (at - self.desk.moment[0]).total_seconds()))
        self.desk.moment[0] = moment
        self.desk.work()

    # What happens -----------------------------------------------------------------------------------------

    def do_import(self, moment: datetime, rest: list[str]) -> None:
        row = {"token": TOKEN, "product": "motion", "status": "active", "plan": "voice_digital", "contacts": JOE}
        put_licences(self.desk.desk, [row | fields(rest)], "import", "a file")

    def do_set(self, moment: datetime, rest: list[str]) -> None:
        put_licences(self.desk.desk, [{"token": TOKEN} | fields(rest)], "set", "by hand")

    def do_reverse(self, moment: datetime, rest: list[str]) -> None:
        assert reverse(self.desk.desk, TOKEN, int(rest[0]), "by mistake") is None

    def do_known(self, moment: datetime, rest: list[str]) -> None:
        """Joe is known to the desk by another licence, that is billed elsewhere."""
        put_licences(
            self.desk.desk, [{"token": "ELSEWHERE123", "status": "active", "contacts": JOE}], "import", "a file"
        )

    def do_add(self, moment: datetime, rest: list[str]) -> None:
        self.form(moment, "Request: modify\nAction: add\nReason: more agents\n", rest)

    def do_remove(self, moment: datetime, rest: list[str]) -> None:
        self.form(moment, "Request: modify\nAction: remove\nReason: cost\n", rest)

    def do_deactivate(self, moment: datetime, rest: list[str]) -> None:
        self.form(moment, "Request: modify\nAction: deactivate\nReason: cost\n", rest)

    def do_contract(self, moment: datetime, rest: list[str]) -> None:
        self.form(moment, "Request: contract\n", rest)

    def do_plan(self, moment: datetime, rest: list[str]) -> None:
        self.form(moment, "Request: activate\ndemo: no\n", rest)

    def do_demo(self, moment: datetime, rest: list[str]) -> None:
        self.form(moment, "Request: activate\n30 days free demo: yes\n", rest)

    def do_restore(self, moment: datetime, rest: list[str]) -> None:
        self.mail(
            moment, f"Request: reactivate\nCustomer name: Acme\nReason: other\nOld token: {TOKEN}\nComments: please\n"
        )

    def do_move(self, moment: datetime, rest: list[str]) -> None:
        log = f"[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] token={NEW} previousToken={TOKEN} status=grace reason=token_change daysLeft=10\n"
        text = f"Request: reactivate\nCustomer name: Acme\nReason: token change\nOld token: {TOKEN}\nNew token: {NEW}\n"
        self.mail(moment, text, log)

    def do_cancel(self, moment: datetime, rest: list[str]) -> None:
        last = [mail for mail in self.desk.sent if str(mail["To"]) == JOE and rest[0] in str(mail["Subject"])][-1]
        self.desk.write(JOE, "cancel", reply_to=last)

    def do_decide(self, moment: datetime, rest: list[str]) -> None:
        ref, *words = rest
        desk = self.desk.desk
        label = f"decide:{moment}:{rest}"
        with desk.store.write() as session, UnitOfWork(desk, session, desk.clock(), label) as work:
            self.results = Decisions(work, "operator", None).carry_out(" ".join(words), (ref,))

    def form(self, moment: datetime, head: str, rest: list[str]) -> None:
        dated = next((word.removeprefix("dated:") for word in rest if word.startswith("dated:")), None)
        values = fields([word for word in rest if not word.startswith("dated:")])
        lines = "".join(f"{LABELS[key]}: {value.replace(';', ', ')}\n" for key, value in values.items())
        self.mail(moment, head + WHO + lines, dated=dated)

    def mail(self, moment: datetime, text: str, log: str | None = None, dated: str | None = None) -> None:
        self.mails += 1
        mail = EmailMessage()
        mail["Authentication-Results"] = "mx.vendor.example; dmarc=pass header.from=acme.example"
        mail["From"], mail["To"] = JOE, "desk@vendor.example"
        mail["Message-ID"] = f"<doc{self.mails}@acme.example>"
        if dated:
            mail["Date"] = datetime.combine(date.fromisoformat(dated), time(9), ROME)
        mail.set_content(text)
        if log:
            mail.add_attachment(log.encode(), maintype="text", subtype="plain", filename="license.log")
        keep_mail(self.desk.desk, mail.as_bytes(), moment, "inject")

    # What came of it --------------------------------------------------------------------------------------

    def expect(self, line: str) -> None:
        subject, _, rest = line.partition(" ")
        if subject == "invoice":
            month, _, lines = rest.partition(": ")
            self.expect_invoice(date.fromisoformat(f"{month}-01"), lines)
        elif subject == "on":
            self.expect_state(rest.split())
        elif subject == "not":
            assert [result.why for result in self.results] == [rest.removeprefix("decided: ")]
        else:
            self.expect_ticket(subject, rest)

    def expect_invoice(self, month: date, lines: str) -> None:
        """``8 agents + 1 plan 2026-12-01..2026-12-31 31/31 (rule) = 10.00``, several after commas: all its lines."""
        with self.desk.desk.store.read() as session:
            found = invoicing.lines_of(session, month, ROME)
        shown = [(f"{x.quantity} {x.item}", f"{x.period_from}..{x.period_to}", x.fraction) for x in found]
        said = [one for group in ([] if lines == "nothing" else lines.split(", ")) for one in _lines(group)]
        assert sorted(key for key, _, _ in said) == sorted(shown)
        for key, rule, amount in said:
            same = [x for x, one in zip(found, shown, strict=True) if one == key]
            assert rule is None or rule in [x.rule for x in same], (key, same)
            assert amount is None or amount in [str(x.amount) for x in same], (key, same)

    def expect_state(self, words: list[str]) -> None:
        """``2026-12-01 agents=8 status=active``: the licence on that date."""
        day, *terms = words
        token = NEW if "moved" in terms else TOKEN
        with self.desk.desk.store.read() as session:
            licence = mapping.load_licence(session, token, date.fromisoformat(day))
        for key, value in fields([t for t in terms if t != "moved"]).items():
            found = getattr(licence, key) if licence else None
            shown = ";".join(found) if isinstance(found, tuple) else str(found).lower() if found in (None, True, False) else str(found)  # fmt: skip
            assert shown == value, (key, found)

    def expect_ticket(self, ref: str, rest: str) -> None:
        """``LIC-1 agents increase 2026-11-20 11/30``: rule, day and fraction of an item; or its problem, or its state."""
        ticket = self.desk.ticket(ref)
        assert not self.desk.quarantine()
        words = rest.split()
        if words[0] == "problem":
            assert [f"{p.field} {p.code}" for p in ticket.problems] == [" ".join(words[1:])], ticket.problems
        elif words[0] == "state":
            assert ticket.state == words[1]
        else:
            item = ticket.item(words[0])
            assert item is not None, (ticket.items, ticket.problems)
            assert _item(item) == " ".join(words[1:]), ticket.problems


def _lines(group: str) -> list[tuple[tuple[str, str, str], str | None, str | None]]:
    """What the document says of lines that share days: each with its rule and amount where it names them."""
    pattern = r"(?P<what>.+) (?P<span>\S+\.\.\S+) (?P<part>\S+)(?: \((?P<rule>\w+)\))?(?: = (?P<sum>\S+))?"
    parts = re.fullmatch(pattern, group)
    assert parts, group
    return [((what, parts["span"], parts["part"]), parts["rule"], parts["sum"]) for what in parts["what"].split(" + ")]


def _item(item: Item) -> str:
    day = item.effective or item.expected
    billing = item.billing
    shown = [item.rule, str(day)]
    if billing is not None:
        shown.append(billing.fraction or billing.kind)
        if billing.amount is not None:
            shown.append(billing.amount)
    return " ".join(shown)


@pytest.mark.series(3)
@pytest.mark.parametrize(("title", "block"), examples(), ids=lambda value: value if "\n" not in value else "")
def test_example(tmp_path: Path, title: str, block: str) -> None:
    Example(tmp_path).play(block)


def test_there_are_at_least_forty_examples_each_with_its_own_name() -> None:
    titles = [title for title, _ in examples()]
    assert len(titles) == len(set(titles)) >= 40
    assert DOC.read_text("utf-8").count("\n#### ") == len(titles), (
        "an example without a block, or a block without a name"
    )
    assert all("=>" in block for _, block in examples())


def test_the_whole_ledger_stays_as_written(tmp_path: Path) -> None:
    """A guard of this file's own machinery: a mail that arrives counts at its arrival, not when it is read."""
    example = Example(tmp_path)
    example.play("2026-11-03 10:00 import agents=10 billing=monthly\n2026-11-20 23:59:59 remove agents=8 unread\n")
    with example.desk.desk.store.read() as session:
        assert [row.kind for row in licences.all_events(session)] == ["import"]
        assert tickets.listing(session, None) == []
