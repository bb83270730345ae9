"""Who is asked before a request goes on, whose word counts, and what nobody learns from the answers (spec section 5)."""

import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.running import Running, body, running
from tests.test_desk import ANNA, BOB, DEMO, JOE, PLAN, WHO, import_active, licence

EVE = "eve@evil.example"
TOKEN, UNKNOWN = "A1B2C3D4E5F6", "U9U9U9U9U9U9"
FORMS = {
    "modify": f"Request: modify\n{WHO}Action: add\nReason: more agents\nAgents: 15\n",
    "contract": f"Request: contract\n{WHO}Support package: platinum\n",
    "reactivate": f"Request: reactivate\nCustomer name: Acme\nReason: other\nOld token: {TOKEN}\nComments: it does not start\n",
    "shuttle": f"Product: Shuttle\nAction: modify\nLicense token: {TOKEN}\nCustomer name: Acme\nDescription: more seats\n",
}
MODIFY = FORMS["modify"]


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path)


def to(desk: Running, address: str) -> list[EmailMessage]:
    return [mail for mail in desk.sent if str(mail["To"]) == address]


# --- nothing tells a stranger whether a token exists -------------------------------------------------------------------


def masked(mail: EmailMessage, token: str) -> str:
    """The whole mail, byte for byte, but for the secrets and random letters that every mail has of its own."""
    raw = mail.as_bytes().decode("ascii").replace("=\n", "").replace(token, "TOKEN")
    raw = re.sub(r"<\d+@evil\.example>", "<HIS>", raw)
    raw = re.sub(r"(?<![A-Za-z0-9])[A-Z2-7]{26}(?![A-Za-z0-9])", "KEY", raw)
    return re.sub(r"=_[0-9a-f]{32}", "BOUNDARY", re.sub(r"=3D_[0-9a-f]{32}", "BOUNDARY", raw))


def last(desk: Running) -> EmailMessage:
    return to(desk, EVE)[-1]


ACTIONS: dict[str, Callable[[Running, str], object]] = {
    "status by reply": lambda desk, form: desk.write(EVE, "status", reply_to=last(desk)),
    "help by reply": lambda desk, form: desk.write(EVE, "help", reply_to=last(desk)),
    "status by itself": lambda desk, form: desk.write(EVE, "status"),
    "the form again": lambda desk, form: desk.write(EVE, form),
    "a comment": lambda desk, form: desk.write(EVE, "Well?", reply_to=last(desk)),
    "another number": lambda desk, form: desk.write(EVE, "Customer name: Akme", reply_to=last(desk)),
    "a fault": lambda desk, form: desk.write(EVE, "License token: x", reply_to=last(desk)),
    "the key at another address": lambda desk, form: desk.write("eve2@evil.example", "status", reply_to=last(desk)),
    "a refused mail": lambda desk, form: desk.write(EVE, "status", reply_to=last(desk), verified=False),
    "three days": lambda desk, form: desk.later(days=3, hours=1),
    "eleven days": lambda desk, form: desk.later(days=11, hours=1),
    "cancel": lambda desk, form: desk.write(EVE, "cancel", reply_to=last(desk)),
}
ORDERS = [
    ("status by reply", "help by reply", "status by itself", "the form again", "a comment"),
    ("cancel", "status by reply", "status by itself", "a comment", "the form again"),
    ("three days", "status by reply", "eleven days", "status by itself", "status by reply"),
    ("another number", "status by reply", "the form again"),
    ("a fault", "status by reply"),
    ("the key at another address", "a refused mail"),
    ("three days", "cancel", "eleven days"),
]


def heard(folder: Path, kind: str, token: str, order: tuple[str, ...], contact: str | None, proved: bool) -> list[str]:
    """Everything that a stranger gets: after his request, after the contact's word, and for each thing that he does."""
    folder.mkdir()
    desk = running(folder)
    import_active(desk, product="shuttle" if kind == "shuttle" else "motion")
    import_active(desk, "OTHERTOKEN12")
    form = FORMS[kind].replace(TOKEN, token)
    mails = desk.write(EVE, form, verified=proved)
    if contact is not None:
        (challenge,) = [mail for mail in mails if str(mail["To"]) == JOE]
        desk.write(JOE, contact, reply_to=challenge)
    seen = []
    for action in (None, *order):
        if action is not None:
            ACTIONS[action](desk, form)
        seen.append(f"--- {action}")
        seen += [masked(mail, token) for mail in to(desk, EVE)]
    assert desk.quarantine() == []
    return seen


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
@pytest.mark.parametrize("contact", [None, "NO"], ids=["a silent contact", "a contact who says NO"])
def test_nothing_that_a_stranger_does_tells_whether_a_token_exists(
    tmp_path: Path, contact: str | None, order: tuple[str, ...]
) -> None:
    theirs = heard(tmp_path / "theirs", "modify", TOKEN, order, contact, proved=True)
    assert theirs == heard(tmp_path / "unknown", "modify", UNKNOWN, order, None, proved=True)
    assert len(theirs) > len(order) + 1


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("proved", [True, False], ids=["verified", "unverified"])
def test_no_kind_of_request_tells_it(tmp_path: Path, kind: str, proved: bool) -> None:
    order = ("status by reply", "three days", "cancel")
    theirs = heard(tmp_path / "theirs", kind, TOKEN, order, None, proved)
    assert theirs == heard(tmp_path / "unknown", kind, UNKNOWN, order, None, proved)
    denied = heard(tmp_path / "denied", kind, TOKEN, order, "NO", proved)
    assert denied == theirs


def test_a_stranger_reads_nothing_of_the_licence_whatever_he_does(desk: Running) -> None:
    import_active(desk, agents=37)
    desk.write(EVE, MODIFY.replace("15", "45"))
    for action in ACTIONS.values():
        action(desk, MODIFY.replace("15", "45"))
    assert not [mail for mail in to(desk, EVE) if "37" in body(mail)]
