"""Who is asked before a request goes on, whose word counts, and what nobody learns from the answers (spec section 5)."""

import asyncio
import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailbot.process.outgoing import HUSH
from mailbot.service.delivery import DeliveryLoop
from storage import outbox
from tests.support.running import Running, body, running
from tests.whole_desk.test_whole_desk import ANNA, BOB, DEMO, JOE, PLAN, WHO, import_active, licence

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


@pytest.mark.series(3)
@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
@pytest.mark.parametrize("contact", [None, "NO"], ids=["a silent contact", "a contact who says NO"])
def test_nothing_that_a_stranger_does_tells_whether_a_token_exists(
    tmp_path: Path, contact: str | None, order: tuple[str, ...]
) -> None:
    theirs = heard(tmp_path / "theirs", "modify", TOKEN, order, contact, proved=True)
    assert theirs == heard(tmp_path / "unknown", "modify", UNKNOWN, order, None, proved=True)
    assert len(theirs) > len(order) + 1


@pytest.mark.series(3)
@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("proved", [True, False], ids=["verified", "unverified"])
def test_no_kind_of_request_tells_a_stranger_whether_a_token_exists(tmp_path: Path, kind: str, proved: bool) -> None:
    order = ("status by reply", "three days", "cancel")
    theirs = heard(tmp_path / "theirs", kind, TOKEN, order, None, proved)
    assert theirs == heard(tmp_path / "unknown", kind, UNKNOWN, order, None, proved)
    denied = heard(tmp_path / "denied", kind, TOKEN, order, "NO", proved)
    assert denied == theirs


def test_a_stranger_reads_nothing_about_the_licence(desk: Running) -> None:
    import_active(desk, agents=37)
    desk.write(EVE, MODIFY.replace("15", "45"))
    for action in ACTIONS.values():
        action(desk, MODIFY.replace("15", "45"))
    assert not [mail for mail in to(desk, EVE) if "37" in body(mail)]


def test_a_stranger_reads_nothing_about_the_licence_after_a_contact_agreed(desk: Running) -> None:
    import_active(desk, agents=37)
    challenge = desk.write(EVE, MODIFY.replace("15", "45"))[0]
    desk.write(JOE, "CONFIRM", reply_to=challenge)
    outcome = body(to(desk, EVE)[-1])
    assert "45" in outcome
    assert not {"37", "November", "billed"} & set(re.findall(r"\w+", outcome))


def test_problems_with_the_ledger_are_told_to_the_contact_who_agreed(desk: Running) -> None:
    import_active(desk, agents=37)
    challenge = desk.write(EVE, MODIFY)[0]
    (mail,) = desk.write(JOE, "CONFIRM", reply_to=challenge)
    assert (str(mail["To"]), "37" in body(mail)) == (JOE, True)
    (status,) = desk.write(EVE, "status", reply_to=to(desk, EVE)[0])
    assert "37" not in body(status)
    assert "confirmation" in body(status)
    desk.write(JOE, "Agents: 40", reply_to=mail)
    assert licence(desk).agents == 40


# --- who is asked, and whose word counts ------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [DEMO, PLAN, "Request: information\nQuestion: What does it cost?\n"])
def test_an_unverified_activation_or_question_is_confirmed_by_its_sender(desk: Running, form: str) -> None:
    (challenge,) = desk.write(JOE, form, verified=False)
    assert (str(challenge["To"]), desk.kinds()) == (JOE, [("confirm-you", JOE)])
    assert desk.ticket().state == "waiting_confirmation"
    assert licence(desk) is None
    desk.write(JOE, "confirm.", verified=False, reply_to=challenge)
    assert desk.ticket().state == ("done" if form == DEMO else "waiting_staff")


def test_each_plain_contact_is_asked_and_the_senders_own_address_where_a_pattern_matches(desk: Running) -> None:
    import_active(desk)
    contacts(desk, "sue@acme.example", "@acme.example")
    desk.write("new@acme.example", MODIFY, verified=False)
    assert sorted(desk.kinds()) == [
        ("confirm-you", JOE), ("confirm-you", "new@acme.example"), ("confirm-you", "sue@acme.example"),
    ]  # fmt: skip
    desk.write(EVE, MODIFY.replace("15", "16"))
    assert sorted(desk.kinds()[3:]) == [("confirm-you", JOE), ("confirm-you", "sue@acme.example"), ("neutral", EVE)]


def test_where_nobody_can_be_asked_staff_decide(desk: Running) -> None:
    import_active(desk)
    contacts(desk, "@acme.example", only=True)
    desk.write(EVE, MODIFY)
    assert desk.kinds() == [("neutral", EVE), ("approval", ANNA), ("approval", BOB)]
    assert licence(desk).agents == 10


def contacts(desk: Running, *addresses: str, only: bool = False) -> None:
    from storage import people

    with desk.desk.store.write() as session:
        if only:
            for contact in people.contacts(session, TOKEN):
                session.delete(contact)
        for address in addresses:
            people.add_contact(session, TOKEN, address, desk.moment[0], True)


def challenged(desk: Running) -> tuple[EmailMessage, EmailMessage]:
    """The mails that ask joe and sue about a request of eve's."""
    import_active(desk)
    contacts(desk, "sue@acme.example")
    mails = {str(mail["To"]): mail for mail in desk.write(EVE, MODIFY)}
    return mails[JOE], mails["sue@acme.example"]


REFUSED = "mx.vendor.example; dmarc=fail (p=reject) header.from=acme.example"


@pytest.mark.parametrize("word", ["CONFIRM", "NO"])
@pytest.mark.parametrize(
    ("sender", "how"),
    [
        (EVE, {}),
        ("sue@acme.example", {}),  # asked herself, but with joe's key
        ("joe@sub.acme.example", {}),
        (ANNA, {}),
        ("desk@vendor.example", {}),
        (JOE, {"stamp": REFUSED}),
        (JOE, {"more": "Auto-Submitted: auto-replied"}),
        (JOE, {"more": "Return-Path: <>"}),
        (JOE, {"more": "List-Id: <all.acme.example>"}),
        (JOE, {"subject": "Automatic reply: Please confirm"}),
    ],
)
def test_a_confirmation_by_anyone_else_is_ignored_and_the_key_stays_alive(
    desk: Running, word: str, sender: str, how: dict[str, str]
) -> None:
    joes, _ = challenged(desk)
    desk.take(raw(joes, sender, word, **how))
    assert (desk.ticket().state, licence(desk).agents) == ("waiting_confirmation", 10)
    desk.write(JOE, "CONFIRM", reply_to=joes)
    assert licence(desk).agents == 15


def raw(to: EmailMessage, sender: str, text: str, *, stamp: str = "", more: str = "", subject: str = "") -> bytes:
    """A reply as it came over the wire."""
    lines = [
        f"Authentication-Results: {stamp or 'mx.vendor.example; dmarc=pass header.from=' + sender.partition('@')[2]}",
        *([more] if more else []),
        f"From: {sender}",
        f"To: {to['Reply-To']}",
        f"Subject: {subject or 'Re: ' + str(to['Subject'])}",
        f"In-Reply-To: {to['Message-ID']}",
        "Message-ID: <raw@somewhere.example>",
    ]
    return ("\r\n".join(lines) + f"\r\n\r\n{text}\r\n").encode()


@pytest.mark.parametrize("verified", [True, False])
def test_a_confirmation_by_the_address_that_was_asked_counts_verified_or_not(desk: Running, verified: bool) -> None:
    _, sues = challenged(desk)
    desk.write("Sue@ACME.example", "\n\nConfirm!\n\nSue", verified=verified, reply_to=sues)
    assert (desk.ticket().confirmed_by, licence(desk).agents) == ("Sue@ACME.example", 15)
    assert desk.kinds()[-1] == ("outcome", EVE)


@pytest.mark.parametrize(("first", "then"), [("CONFIRM", "NO"), ("NO", "CONFIRM")])
def test_the_first_valid_answer_to_a_challenge_wins(desk: Running, first: str, then: str) -> None:
    joes, sues = challenged(desk)
    desk.write(JOE, first, reply_to=joes)
    desk.write("sue@acme.example", then, reply_to=sues)
    desk.write(JOE, then, reply_to=joes)
    assert licence(desk).agents == (15 if first == "CONFIRM" else 10)
    assert desk.ticket().state == ("done" if first == "CONFIRM" else "cancelled")
    assert sorted(desk.kinds()).count(("comment", ANNA)) == (2 if first == "CONFIRM" else 3)  # and of the NO


@pytest.mark.parametrize(
    "text", ["Yes, go on", "CONFIRM it", "What is this?\nCONFIRM", "> CONFIRM", "", "Not me", "cancel"]
)
def test_a_reply_to_a_challenge_that_is_neither_confirm_nor_no_is_a_comment(desk: Running, text: str) -> None:
    joes, _ = challenged(desk)
    before = len(desk.kinds())
    desk.write(JOE, text, reply_to=joes)
    assert desk.kinds()[before:] == [("comment", ANNA), ("comment", BOB)]
    told = " ".join(body(desk.sent[-1]).split())
    assert "asked for CONFIRM or NO" in told
    assert f"Your words go to {EVE}, who made the request, not to {JOE}." in told
    assert desk.ticket().state == "waiting_confirmation"
    desk.write(JOE, "NO", reply_to=joes)
    assert desk.ticket().state == "cancelled"


def test_the_key_of_a_challenge_expires(desk: Running) -> None:
    (challenge,) = desk.write(JOE, DEMO, verified=False)
    from storage import due, keys

    with desk.desk.store.write() as session:  # neither reminded nor closed before
        (row,) = keys.live_of_ticket(session, "LIC-1")
        for kind in ("customer_reminder", "close"):
            due.drop(session, kind=kind, ref="LIC-1", at=desk.moment[0])
    assert row.expires_at is not None
    desk.moment[0] = row.expires_at
    desk.later(seconds=1)
    desk.write(JOE, "CONFIRM", verified=False, reply_to=challenge)
    assert (desk.ticket().state, licence(desk)) == ("waiting_confirmation", None)


def test_a_changed_request_is_asked_about_anew(desk: Running) -> None:
    joes, _ = challenged(desk)
    again = desk.write(EVE, "Agents: 95", reply_to=to(desk, EVE)[0])
    desk.write(JOE, "CONFIRM", reply_to=joes)
    assert licence(desk).agents == 10
    (fresh,) = [mail for mail in again if str(mail["To"]) == JOE]
    desk.write(JOE, "CONFIRM", reply_to=fresh)
    assert licence(desk).agents == 95


# --- partners, other addresses, refused and marked mail ----------------------------------------------------------------


def test_a_verified_partner_is_taken_and_the_contacts_hear_the_outcome(desk: Running) -> None:
    import_active(desk)
    desk.write("pia@partner.example", MODIFY)
    assert desk.kinds() == [("outcome", "pia@partner.example"), ("outcome", JOE)]
    desk.write("pia@partner.example", MODIFY.replace(TOKEN, UNKNOWN))
    assert desk.kinds()[2:] == [("incomplete", "pia@partner.example")]
    assert [problem.code for problem in desk.ticket("LIC-2").problems] == ["token_unknown"]


@pytest.mark.parametrize(
    "sender", ["pia@partner.example", "pia@sub.partner.example", "pia@partner.example.evil.example"]
)
def test_an_address_similar_to_a_partner_is_a_stranger(desk: Running, sender: str) -> None:
    import_active(desk)
    desk.write(sender, MODIFY, verified=sender != "pia@partner.example")
    assert desk.kinds() == [("confirm-you", JOE), ("neutral", sender)]


def test_another_customer_address_hears_nothing_before_it_has_confirmed(desk: Running) -> None:
    other = "boss@other.example"
    desk.write(JOE, f"{DEMO}Customer email: {other}\n")
    assert [kind for kind, who in desk.kinds() if who == other] == ["confirm-you"]
    assert licence(desk).contacts == (JOE,)
    (challenge,) = to(desk, other)
    assert TOKEN not in challenge.as_string()
    desk.write(EVE, "CONFIRM", reply_to=challenge)
    assert licence(desk).contacts == (JOE,)
    desk.write(other, "CONFIRM", verified=False, reply_to=challenge)
    assert set(licence(desk).contacts) == {JOE, other}


@pytest.mark.parametrize("field", ["Reply-To", "Cc", "Sender", "Return-Path", "X-Original-From", "Errors-To"])
def test_no_other_field_widens_the_audience(desk: Running, field: str) -> None:
    import_active(desk)
    for number, form in enumerate((MODIFY, "status", "help", "form modify", MODIFY.replace(TOKEN, UNKNOWN))):
        head = f"Authentication-Results: mx.vendor.example; dmarc=pass header.from=acme.example\r\nFrom: {JOE}\r\n"
        head += f"{field}: <{EVE}>\r\nTo: desk@vendor.example\r\nMessage-ID: <{number}@a>\r\n\r\n"
        desk.take((head + form).encode())
    assert {who for _, who in desk.kinds()} == {JOE}
    assert len(desk.kinds()) == 5
    assert not any(EVE in mail.as_string() for mail in desk.sent)


@pytest.mark.parametrize("text", [DEMO, MODIFY, "help", "form modify", "status", "What does it cost?"])
def test_a_refused_sender_gets_no_answer_and_stands_in_the_digest(desk: Running, text: str) -> None:
    from mailbot.process import digest

    digest.ensure_digest(desk.desk)
    import_active(desk)
    desk.take(f"Authentication-Results: {REFUSED}\r\nFrom: {JOE}\r\nTo: desk@vendor.example\r\n\r\n{text}".encode())
    assert desk.kinds() == []
    assert f"from {JOE}: no answer, because the sender failed" in " ".join(body(desk.later(hours=23)[0]).split())
    assert desk.kinds() == [("digest", ANNA), ("digest", BOB)]


@pytest.mark.parametrize("text", [DEMO, "help", "form modify"])
def test_mail_that_the_border_marks_is_set_aside_and_stands_in_the_digest(tmp_path: Path, text: str) -> None:
    from mailbot.process import digest

    desk = running(
        tmp_path,
        replace={
            'host = "127.0.0.1"\nsecurity = "plain"\nusername': 'host = "127.0.0.1"\nspam_header = "X-Spam-Flag: YES"\nsecurity = "plain"\nusername'
        },
    )
    digest.ensure_digest(desk.desk)
    stamp = "Authentication-Results: mx.vendor.example; dmarc=pass header.from=acme.example"
    desk.take(f"{stamp}\r\nX-Spam-Flag: yes\r\nFrom: {JOE}\r\nTo: desk@vendor.example\r\n\r\n{text}".encode())
    assert desk.kinds() == []
    assert f"from {JOE}: marked as spam, not answered" in " ".join(body(desk.later(hours=23)[0]).split())


def test_the_time_of_the_neutral_mail_does_not_tell_whether_a_token_exists(desk: Running) -> None:
    import_active(desk)
    for number, token in enumerate(("A1B2C3D4E5F6", "UNKNOWNTOKEN")):
        desk.write(f"eve{number}@evil.example", MODIFY.replace("A1B2C3D4E5F6", token), verified=False)
    with desk.desk.store.read() as session:
        rows = {row.kind: row.not_before for row in outbox.listing(session)}
        neutral = {row.not_before for row in outbox.listing(session) if row.kind == "neutral"}
    assert neutral == {desk.moment[0] + HUSH}  # handling has ended long before
    assert rows["confirm-you"] == desk.moment[0]


def test_run_once_sends_the_neutral_mail_without_its_delay(desk: Running) -> None:
    desk.write("eve@evil.example", MODIFY.replace("A1B2C3D4E5F6", "UNKNOWNTOKEN"), verified=False)
    asyncio.run(DeliveryLoop(desk.desk, asyncio.to_thread).run(once=True))
    with desk.desk.store.read() as session:
        assert [(row.kind, row.attempts) for row in outbox.listing(session)] == [("neutral", 1)]
