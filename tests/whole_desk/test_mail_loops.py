"""Programs that answer each other: however little their mails say of themselves, it ends within the reply budget."""

import re
from collections.abc import Callable, Iterable
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support.running import Running, running
from tests.whole_desk.test_whole_desk import ANNA, DEMO, JOE, PLAN, import_active

#: As `replies_per_sender_per_day` is shipped.
BUDGET = 10
SIGNS = ("X-Mailbot", "Auto-Submitted", "X-Auto-Response-Suppress", "Return-Path", "Precedence")
#: A vacation text that no list of phrases knows.
AWAY = "Hi! I am sunbathing until Monday and read nothing. Paul has my keys.\n"


def wire(raw: bytes, sender: str, *, bare: bool, number: int) -> bytes:
    """The mail as the next server stores it; ``bare``: every sign of a program was lost on the way."""
    text = raw.decode("ascii")
    if bare:
        for name in SIGNS:
            text = re.sub(rf"^{name}:.*\r?\n", "", text, count=1, flags=re.M)
    proof = f"Authentication-Results: mx.vendor.example; dmarc=pass header.from={sender.partition('@')[2]}\n"
    return (proof + re.sub(r"^Message-ID: <", f"Message-ID: <{number}x", text, count=1, flags=re.M)).encode()


def exchange(start: Iterable[EmailMessage], *sides: Callable[[EmailMessage], Iterable[EmailMessage]]) -> int:
    """Each mail goes to the next side, and what that writes goes back, until nothing moves; how many mails that were."""
    moved, turn, mails = 0, 0, list(start)
    while mails and moved < 1000:
        moved += len(mails)
        turn += 1
        mails = [answer for mail in mails for answer in sides[turn % len(sides)](mail)]
    return moved


class Desk:
    """A desk as one side: it takes what is sent to its address, and gives what it sends to the other side."""

    def __init__(self, desk: Running, address: str, other: str, *, bare: bool) -> None:
        self.desk, self.address, self.other, self.bare, self.taken = desk, address, other, bare, 0

    def __call__(self, mail: EmailMessage) -> Iterable[EmailMessage]:
        self.taken += 1
        raw = wire(mail.as_bytes(), str(mail["From"]).rpartition("<")[2].rstrip(">"), bare=self.bare, number=self.taken)
        return [new for new in self.desk.take(raw) if str(new["To"]) == self.other]


#: Two desks: the first answer (a question has two); without signs each has its budget, one notice at the cap, and that.
@pytest.mark.series(3)
@pytest.mark.parametrize(("bare", "most"), [(False, 2), (True, 2 * BUDGET + 4)], ids=["as they are", "all signs lost"])
@pytest.mark.parametrize(
    "text", ["help", "form modify", DEMO, "What does it cost?", "Request: modify\nToken: A1B2C3D4E5F6"]
)
def test_two_desks_that_answer_each_other_stop(tmp_path: Path, text: str, bare: bool, most: int) -> None:
    ours, theirs = "desk@vendor.example", "desk@other.example"
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one = running(tmp_path / "a")
    two = running(tmp_path / "b", replace={ours: theirs})
    first = [mail for mail in one.write(theirs, text) if str(mail["To"]) == theirs]
    moved = exchange(first, Desk(one, ours, theirs, bare=bare), Desk(two, theirs, ours, bare=bare))
    assert 1 <= moved <= most, moved
    print(f"two desks, {text.splitlines()[0]!r}, signs lost: {bare}: {moved} mails")


def responder(address: str, text: str, *, keyed: bool) -> Callable[[EmailMessage], Iterable[EmailMessage]]:
    """A program that answers every mail, without a word in the header that it is one."""
    count = iter(range(10_000))

    def answer(mail: EmailMessage) -> Iterable[EmailMessage]:
        reply = EmailMessage()
        reply["From"] = address
        reply["To"] = str((mail["Reply-To"] if keyed else None) or "desk@vendor.example")
        reply["Subject"] = f"Re: {mail['Subject']}" if keyed else "Away"
        reply["Message-ID"] = f"<away{next(count)}@{address.partition('@')[2]}>"
        if keyed:
            reply["In-Reply-To"] = str(mail["Message-ID"])
        reply.set_content(text)
        return [reply]

    return answer


@pytest.mark.series(3)
@pytest.mark.parametrize("keyed", [True, False], ids=["to Reply-To", "to From, as a new mail"])
@pytest.mark.parametrize(
    "text", [AWAY, "status\n", "help\n", "APPROVE\n", DEMO.replace("A1B2C3D4E5F6", "short")], ids=str.split
)
@pytest.mark.parametrize("who", [JOE, ANNA], ids=["of a customer", "of a member"])
def test_an_autoresponder_that_does_not_say_so_stops(tmp_path: Path, who: str, text: str, keyed: bool) -> None:
    desk = running(tmp_path)
    import_active(desk, "OTHERTOKEN12")
    first = [mail for mail in desk.write(JOE, PLAN) if str(mail["To"]) == who]
    moved = exchange(first, Desk(desk, "", who, bare=False), responder(who, text, keyed=keyed))
    # A customer's: the budget, the notice at the cap, one owed mail. A member's: also the mails that decided nothing,
    # comments on what it has become the sender of, and alerts. All answered once each.
    most = BUDGET + 2 if who == JOE else 3 * BUDGET + 4
    assert 2 * len(first) <= moved <= 2 * most, moved
    print(f"a responder of {who}, {text.splitlines()[0]!r}, keyed: {keyed}: {moved} mails")
    assert desk.quarantine() == []
