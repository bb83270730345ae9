"""Every kind of mail as a whole desk sends it, for the tests of what mails say: a few conversations."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from mailbot.core.desk.effects import Audience, Facts, Send
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.inbound.purpose import Purpose
from mailbot.process import digest
from mailbot.process.unit_of_work import UnitOfWork
from storage import outbox
from tests.support.composed import Made, Recording
from tests.support.running import Running, running
from tests.whole_desk.test_whole_desk import ANNA, JOE, LOG, PLAN, WHO, import_active

EVE, PAT = "eve@evil.example", "pat@partner.example"
TOKEN, NEW = "A1B2C3D4E5F6", "B1B2C3D4E5F6"
DEMO = f"Request: activate\n{WHO}30 days free demo: yes\n"
ADD = f"Request: modify\n{WHO}Action: add\nReason: more agents\nAgents: 15\nAdd-ons: AI Assistants, Real-time Translator\n"
REMOVE = f"Request: modify\n{WHO}Action: remove\nReason: cost\nAgents: 8\nPlugins: Botify\n"
DEACTIVATE = f"Request: modify\n{WHO}Action: deactivate\nReason: cost\n"
CONTRACT = f"Request: contract\n{WHO}Support package: platinum\nBilling frequency: annual\nComments: As soon as you can.\nAgents: not the ones below\n"
MOVE = f"Request: reactivate\nCustomer name: Acme\nReason: token change\nOld token: {TOKEN}\nNew token: {NEW}\nComments: The server is new.\n"
EXPIRED = f"Request: reactivate\nCustomer name: Acme\nReason: expired\nOld token: {TOKEN}\n"
SHUTTLE = f"Product: Shuttle\nAction: transfer\nLicense token: {TOKEN}\nCustomer name: Acme\nDescription: new server\nMotion token: M1B2C3D4E5F6\n"
BAD = (
    PLAN.replace("10", "ten").replace("Voice Digital", "Voize").replace("monthly", "weekly")
    + "Comments: At once, please.\n"
)
#: Kinds of which a customer gets some or all mails.
CUSTOMER = (
    *(
        "outcome",
        "plugins",
        "confirmation",
        "done",
        "incomplete",
        "confirm-you",
        "neutral",
        "question",
        "answer",
        "status",
    ),
    *("help", "form", "cancelled", "demo-ending", "reminder", "closed", "cap"),
)
STAFF = ("comment", "already-decided", "not-understood", "reminder", "digest", "alert", "approval", "receipt")


@dataclass(frozen=True)
class Letter:
    """One mail with what the outbox knows of it; ``about`` names the conversation."""

    about: str
    kind: str
    to: str
    path: str
    mail: EmailMessage
    made: Made | None = None  # as it was composed

    def part(self, kind: str) -> str:
        part = self.mail.get_body((kind,))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")

    @property
    def text(self) -> str:
        return self.part("plain")

    @property
    def html(self) -> str:
        return self.part("html")


def post(desk: Running, send: Send, ref: str | None = None) -> list[EmailMessage]:
    """A mail that no short conversation brings about."""
    with desk.desk.store.write() as session, UnitOfWork(desk.desk, session, desk.moment[0], f"test {send}") as work:
        work.send(send, work.ticket(ref) if ref else None)
    return desk.work()


def staffed(desk: Running, mails: list[EmailMessage]) -> EmailMessage:
    """Anna's among the mails."""
    mine = [mail for mail in mails if str(mail["To"]) == ANNA]
    assert mine, ([str(mail["To"]) for mail in mails], desk.kinds(), desk.quarantine())
    return mine[0]


def _demo(desk: Running) -> None:
    desk.write(JOE, DEMO)
    for _ in range(31):
        desk.later(days=1)


def _plan(desk: Running) -> None:
    import_active(desk, "OTHERTOKEN12")
    approval = staffed(desk, desk.write(JOE, PLAN + "Whitelabel: yes\nComments: See you.\n"))
    desk.later(hours=25)
    desk.write(ANNA, "REJECT whitelabel: not for this plan\nAPPROVE support", reply_to=approval)
    desk.write(ANNA, "REJECT billing: only yearly, sorry", reply_to=approval)


def _whole(desk: Running) -> None:
    mails = desk.write(JOE, PLAN)
    digest.ensure_digest(desk.desk)
    desk.write(EVE, "buy my watches", verified=False)
    desk.later(hours=22)
    desk.write(ANNA, "Yes, please", reply_to=staffed(desk, mails))
    desk.write(ANNA, "APPROVE", verified=False, reply_to=staffed(desk, mails))
    desk.write(ANNA, "REJECT The company is not known to us.\nAgents: none", reply_to=staffed(desk, mails))
    desk.write(ANNA, "APPROVE", reply_to=staffed(desk, mails))


def _modify(desk: Running) -> None:
    import_active(desk)
    desk.write(JOE, ADD)
    desk.later(days=18)
    desk.write(JOE, REMOVE)
    (mail,) = desk.write(JOE, DEACTIVATE)
    desk.write(JOE, "status", subject="status")
    desk.write(JOE, "cancel", reply_to=mail)
    desk.later(days=10)


def _contract(desk: Running) -> None:
    import_active(desk)
    mails = desk.write(JOE, CONTRACT)
    asked = desk.write(ANNA, "ASK Which day?\nAgents: 500\nToken: ABCDEFGHIJ", reply_to=staffed(desk, mails))
    desk.write(JOE, "Any day is fine, really.\n", reply_to=next(m for m in asked if str(m["To"]) == JOE))
    changed = desk.write(JOE, "Plan: Voice", reply_to=mails[0])
    desk.write(ANNA, "APPROVE billing\nREJECT plan: stays", reply_to=staffed(desk, changed))


def _reactivate(desk: Running) -> None:
    import_active(desk)
    mails = desk.write(JOE, MOVE, files=(("license.log", LOG),))
    desk.write(ANNA, "APPROVE until 2027-03-31", reply_to=staffed(desk, mails))
    import_active(desk, "EXPIREDTOKEN", expires_on="2026-10-01")
    mails = desk.write(JOE, EXPIRED.replace(TOKEN, "EXPIREDTOKEN"), files=(("license.log", LOG),))
    desk.write(ANNA, "APPROVE", reply_to=staffed(desk, mails))


def _shuttle(desk: Running) -> None:
    import_active(desk, product="shuttle")
    mails = desk.write(JOE, SHUTTLE)
    desk.write(ANNA, "APPROVE", reply_to=staffed(desk, mails))


def _question(desk: Running) -> None:
    mails = desk.write(JOE, "What does a licence cost?\nAgents: 5 of them\n", subject="Prices")
    desk.write(ANNA, "ANSWER 10 Euro each.\nAgents: 12\nBest, Anna", reply_to=staffed(desk, mails))
    desk.write(JOE, "What else?", subject="Request general information", verified=False)
    desk.write(JOE, "Question: What else?\n", subject="Request general information", verified=False)


def _stranger(desk: Running) -> None:
    import_active(desk)
    asked = desk.write(EVE, ADD)
    desk.write(JOE, "CONFIRM", reply_to=asked[0])
    desk.later(days=18)
    asked = desk.write(EVE, REMOVE)
    desk.write(JOE, "CONFIRM", reply_to=asked[0])
    asked = desk.write(EVE, DEACTIVATE)
    desk.write(JOE, "CONFIRM", reply_to=asked[0])
    desk.write(EVE, "status", subject="status")
    post(desk, Send(MailKind.CANCELLED, EVE, Facts(why="by_customer")), "LIC-3")
    desk.write(EVE, "status", reply_to=asked[1])
    asked = desk.write(EVE, ADD.replace("15", "3"))
    desk.write(JOE, "CONFIRM", reply_to=asked[0])
    asked = desk.write(EVE, CONTRACT)
    mails = desk.write(JOE, "CONFIRM", reply_to=asked[0])
    desk.write(ANNA, "APPROVE billing\nREJECT support: not now", reply_to=staffed(desk, mails))
    desk.later(days=10)


def _unsure(desk: Running) -> None:
    desk.write(JOE, DEMO, verified=False)
    desk.later(days=4)
    desk.write("kim@new.example", BAD, verified=False)
    import_active(desk, "OTHERTOKEN12")
    desk.write(JOE, ADD.replace(TOKEN, "OTHERTOKEN12"), verified=False)


def _incomplete(desk: Running) -> None:
    (mail,) = desk.write(JOE, BAD)
    desk.write(EVE, "Agents: 10", reply_to=mail)
    desk.write(JOE, EXPIRED)
    desk.later(days=4)
    desk.later(days=11)


def _words(desk: Running) -> None:
    desk.write(JOE, "help", verified=False)
    for key in ("activate", "modify", "contract", "reactivate", "information", "shuttle"):
        desk.write(f"{key}@acme.example", "hi", subject=f"form {key}", verified=False)


def _partner(desk: Running) -> None:
    import_active(desk)
    desk.write(PAT, ADD)
    desk.write(PAT, DEMO.replace(TOKEN, "DEMOTOKEN123") + "Customer email: lou@other.example\n")


def _rest(desk: Running) -> None:
    import_active(desk, billing=None)
    post(desk, Send(MailKind.CAP, JOE))
    post(desk, Send(MailKind.ALERT, Audience.STAFF, Facts(text="disk nearly full\nAgents: 5")))
    with desk.desk.store.read() as session:
        licence = UnitOfWork(desk.desk, session, desk.moment[0], "look").licence(TOKEN)
    assert licence is not None
    facts = Facts(
        lines=("mail 7 from an unknown sender: no request that we could recognise, not answered",), licences=(licence,)
    )
    post(desk, Send(MailKind.DIGEST, Audience.STAFF, facts, Purpose.DIGEST))


CONVERSATIONS = (
    *(_demo, _plan, _whole, _modify, _contract, _reactivate, _shuttle, _question, _stranger, _unsure, _incomplete),
    *(_words, _partner, _rest),
)


@cache
def letters() -> tuple[Letter, ...]:
    """All mails of all conversations, each on a desk of its own; made once."""
    with tempfile.TemporaryDirectory(prefix="letters-") as folder:
        return tuple(letter for talk in CONVERSATIONS for letter in _letters(talk, Path(folder)))


def _letters(talk: Callable[[Running], None], folder: Path) -> Iterator[Letter]:
    about = talk.__name__.strip("_")
    (folder / about).mkdir()
    desk = running(folder / about)
    wording = Recording(desk.desk.wording)
    desk.desk = replace(desk.desk, wording=wording)
    talk(desk)
    assert not desk.quarantine(), (about, desk.quarantine())
    with desk.desk.store.read() as session:
        rows = {row.message_id: row for row in outbox.listing(session)}
    for mail, made in zip(desk.sent, wording.made, strict=True):
        row = rows[str(mail["Message-ID"])]
        yield Letter(about, row.kind, row.recipient, row.envelope_from, mail, made)
    desk.desk.store.close()
