"""What a sender writes reaches no header, template, log, terminal or spreadsheet as anything but words; replies act only as they may."""

import csv
import email
import io
import json
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
import structlog

from mailbot.core.mail.message import parse
from mailbot.maillog import configure
from mailbot.operations.ledger_csv import export_csv
from storage import licences
from tests.support.running import Running, body, running
from tests.whole_desk.test_whole_desk import ANNA, BOB, DEMO, JOE, PLAN, WHO, import_active, licence

NASTY = {
    "a header line": "Acme\r\nBcc: victim@x.example",
    "an encoded word with a line end": "=?utf-8?q?Acme=0D=0ABcc:_victim@x.example?=",
    "an encoded word in base64": "=?utf-8?b?QWNtZQ0KQmNjOiB2aWN0aW1AeC5leGFtcGxl?=",
    "a line separator": "Acme\u2028Bcc: victim@x.example\u2029\u0085x",
    "a template": "{{ 7777 * 7 }}{% for x in range(9) %}x{% endfor %}{{ ticket.__class__ }}",
    "a format": "{read} %s %(x)s ${x} {0.__class__}",
    "a terminal": "\x1b]0;owned\x07\x1b[31mAcme\x9b2J",
    "hidden signs": "Ac\u202eme\u200b\u2066\ufeff",
    "HTML": "<script>alert(1)</script><img src=x onerror=alert(1)><a href='javascript:x'>Acme</a>",
    "an address": '"Anna" <anna@vendor.example>, victim@x.example',
    "a formula": '=HYPERLINK("http://x.example")',
}


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path)


def nasty(words: str) -> bytes:
    """A plan with those words wherever a sender has a say."""
    line = words.replace("\r\n", " ")
    head = [
        "Authentication-Results: mx.vendor.example; dmarc=pass header.from=acme.example",
        f"From: {email.header.Header(line, 'utf-8').encode(linesep='')} <{JOE}>"
        if "<" not in line and "=?" not in line
        else f"From: {JOE}",
        "To: desk@vendor.example",
        f"Subject: {line}",
        "Message-ID: <nasty@acme.example>",
        "Content-Type: multipart/mixed; boundary=b",
    ]
    text = PLAN.replace("Customer name: Acme", f"Customer name: {line}") + f"Comments: {words}\n"
    parts = f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--b\r\nContent-Type: x/y\r\n"
    parts += f'Content-Disposition: attachment; filename="../../{line.replace(chr(34), "")}"\r\n\r\nx\r\n--b--\r\n'
    return ("\r\n".join(head) + "\r\n\r\n" + parts).encode("utf-8", "surrogateescape")


@pytest.mark.series(3)
@pytest.mark.parametrize("words", NASTY.values(), ids=NASTY)
def test_a_senders_words_stay_words_in_every_mail(desk: Running, words: str) -> None:
    first = desk.take(nasty(words))
    assert desk.quarantine() == []
    if len(first) == 3:
        desk.write(ANNA, f"ASK {words.splitlines()[0]}", reply_to=first[1])
        desk.write(JOE, words.splitlines()[0] or "x", reply_to=first[0])
    for mail in desk.sent:
        assert str(mail["To"]) in (JOE, ANNA, BOB)
        assert not {"Bcc", "Cc"} & set(mail.keys())
        assert all(len(mail.get_all(name) or []) == 1 for name in ("From", "To", "Subject", "Date", "Message-ID"))
        seen = " ".join(str(value) for _, value in mail.items()) + body(mail)
        assert not any(sign in seen for sign in "\x1b\x07\x9b\u202e\u2066\u2028\u0085")
        html = mail.get_body(("html",))
        assert html is not None
        shown = str(html.get_content()).lower()
        assert "<script>alert" not in shown
        assert "onerror=alert(1)>" not in shown.replace("&lt;img src=x onerror=alert(1)&gt;", "")
        assert "54439" not in seen
        assert "__class__" not in seen or "ticket.__class__" in seen or "{0.__class__}" in seen


@pytest.mark.parametrize("words", NASTY.values(), ids=NASTY)
def test_a_senders_words_forge_no_line_of_the_log_and_steer_no_terminal(
    desk: Running, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("debug", json=True)
    try:
        desk.take(nasty(words))
    finally:
        structlog.reset_defaults()
    written = "".join(capsys.readouterr())
    lines = [json.loads(line) for line in written.splitlines() if line]
    assert lines
    assert all("inbox_id" in line or "message_id" in line for line in lines), written
    assert not any(sign in written for sign in "\x1b\x07\x9b\u202e\u2028")


def test_an_export_for_spreadsheets_holds_no_formula(desk: Running) -> None:
    names = ("=1+1", "+1", "-1", "@x", "\tx", "=cmd|' /C calc'!A0")
    for number, name in enumerate(names):
        import_active(desk, f"TOKEN{number}XXXX")
        from storage import people

        with desk.desk.store.write() as session:
            people.set_name(session, f"TOKEN{number}XXXX", name)
    found = [licence(desk, f"TOKEN{number}XXXX") for number in range(len(names))]
    cells = [cell for row in csv.reader(io.StringIO(export_csv(found, spreadsheet=True))) for cell in row]
    assert not any(cell[:1] in ("=", "+", "-", "@", "\t", "\r") for cell in cells if cell)


def test_each_event_names_the_catalogue_that_held(desk: Running) -> None:
    first = desk.desk.catalogue
    desk.write(JOE, DEMO)
    desk.desk = replace(desk.desk, catalogue=replace(first, version="edited since"))
    desk.write("sue@other.example", DEMO.replace("A1B2C3D4E5F6", "C1B2C3D4E5F6").replace("Acme", "Third"))
    with desk.desk.store.read() as session:
        named = {(row.token, row.catalogue_version) for row in licences.all_events(session)}
    assert named == {("A1B2C3D4E5F6", first.version), ("C1B2C3D4E5F6", "edited since")}


# --- replies act only as they may ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["cancel", "APPROVE", "status", DEMO, "Agents: 99", "CONFIRM", "NO"])
@pytest.mark.parametrize("verified", [True, False])
def test_a_stranger_who_names_a_ticket_is_heard_by_staff_and_changes_nothing(
    desk: Running, text: str, verified: bool
) -> None:
    desk.write(JOE, PLAN)
    before, mails = desk.ticket().items, len(desk.kinds())
    desk.write("eve@evil.example", f"Hello\n{text}", subject="Re: [LIC-1] Your request", verified=verified)
    assert desk.ticket().items == before
    assert JOE not in [to for _, to in desk.kinds()[mails:]]


@pytest.mark.parametrize("text", ["cancel", "status", "Agents: 99"])
def test_a_stranger_with_the_key_changes_nothing_and_the_sender_hears_that_he_must_write_himself(
    desk: Running, text: str
) -> None:
    confirmation = desk.write(JOE, PLAN)[0]
    before = desk.ticket().items
    mails = desk.write("eve@evil.example", text, reply_to=confirmation)
    assert (desk.ticket().items, desk.ticket().state) == (before, "waiting_staff")
    assert [to for _, to in desk.kinds()[-3:]] == [ANNA, BOB, JOE]
    assert "yourself" in body(mails[-1])


def test_cancel_takes_back_what_is_not_applied_and_keeps_what_is(desk: Running) -> None:
    import_active(desk, "OTHERTOKEN12")
    confirmation = desk.write(JOE, PLAN)[0]
    desk.write(JOE, "Cancel.", reply_to=confirmation)
    assert desk.ticket().state == "done"
    assert {i.status for i in desk.ticket().items if i.item in ("support", "billing")} == {"cancelled"}
    assert licence(desk).agents == 10
    desk.write(ANNA, "APPROVE", reply_to=desk.sent[2])
    assert licence(desk).support is None


def test_cancel_without_a_key_takes_nothing_back_and_says_how(desk: Running) -> None:
    import_active(desk, "OTHERTOKEN12")
    desk.write(JOE, PLAN)
    (told,) = desk.write(JOE, "Cancel.")
    assert 'To cancel this request, reply to this mail with the one word "cancel".' in " ".join(body(told).split())
    desk.write("mallory@evil.example", "cancel", reply_to=told)
    assert desk.ticket().open_items
    desk.write(JOE, PLAN.replace("A1B2C3D4E5F6", "B1B2C3D4E5F6"))
    (which,) = desk.write(JOE, "cancel", subject="cancel")
    assert "you have several requests" in " ".join(body(which).split())
    assert which["Reply-To"] is None
    desk.write(JOE, "cancel", reply_to=told)
    assert not desk.ticket().open_items
    assert desk.ticket("LIC-2").open_items


def test_the_status_of_the_one_open_request_may_be_answered(desk: Running) -> None:
    import_active(desk, "OTHERTOKEN12")
    desk.write(JOE, PLAN)
    (told,) = desk.write(JOE, "status")
    assert "Licence OTHERTOKEN12" in body(told)
    desk.write(JOE, "cancel", reply_to=told)
    assert not desk.ticket().open_items


def test_on_a_ticket_that_is_over_only_words_are_answered_or_passed_on(desk: Running) -> None:
    mails = desk.write(JOE, PLAN)
    desk.write(JOE, "cancel", reply_to=mails[0])
    before = len(desk.kinds())
    for text in ("status", "help", "cancel", "Agents: 99", "thanks", DEMO.replace("A1B2C3D4E5F6", "B1B2C3D4E5F6")):
        desk.write(JOE, text, reply_to=mails[0])
    told = [kind for kind, to in desk.kinds()[before:] if to in (JOE, ANNA)]
    assert told == ["status", "help", "comment", "comment", "comment", "outcome", "plugins"]
    assert desk.ticket().state == "cancelled"
    assert desk.ticket("LIC-2").linked == ("LIC-1",)


# --- automatic mail and duplicates --------------------------------------------------------------------------------------

AUTOMATIC = (
    "Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated", "Return-Path: <>", "Precedence: bulk", "X-Autoreply: yes",
    "List-Id: <l.acme.example>", "X-Mail-Autoreply: 1",
)  # fmt: skip


def program(*fields: str, text: str, sender: str = JOE, number: int = 1) -> bytes:
    head = [
        "Authentication-Results: mx.vendor.example; dmarc=pass header.from=acme.example",
        *fields,
        f"From: {sender}",
    ]
    return "\r\n".join([*head, "To: desk@vendor.example", f"Message-ID: <p{number}@x>", "", text]).encode()


@pytest.mark.series(3)
@pytest.mark.parametrize("field", AUTOMATIC)
@pytest.mark.parametrize("text", ["help", "status", "What does it cost?", "form modify"])
def test_automatic_mail_is_never_answered(desk: Running, field: str, text: str) -> None:
    desk.take(program(field, text=text))
    assert desk.kinds() == []
    assert desk.states() == {"handled": 1}


@pytest.mark.parametrize("field", AUTOMATIC)
def test_a_form_in_automatic_mail_is_shown_to_staff_and_nothing_is_done(desk: Running, field: str) -> None:
    told, _ = desk.take(program(field, text=DEMO))
    assert desk.kinds() == [("alert", ANNA), ("alert", BOB)]
    assert "mail 1 was not answered and nothing was changed: activate, A1B2***, Acme" in " ".join(body(told).split())
    assert licence(desk) is None


def test_no_answer_quotes_a_sender_who_may_be_forged(desk: Running) -> None:
    spam = "Buy pills at http://spam.example now"
    for number, text in enumerate(
        (
            f"help\n{spam}",
            f"form modify\n{spam}",
            f"{DEMO}Comments: {spam}",
            DEMO.replace("A1B2C3D4E5F6", spam),
            MODIFY.replace("Acme", spam),
        )
    ):
        desk.take(program(text=text, sender="victim@x.example", number=number).replace(b"acme.example", b"y.example"))
    assert len(desk.sent) >= 4
    assert not any(
        "pills" in mail.as_string() or "spam.example" in body(mail)
        for mail in desk.sent
        if mail["To"] == "victim@x.example"
    )


MODIFY = f"Request: modify\n{WHO}Action: add\nReason: more agents\nAgents: 15\n"


def test_a_forged_bounce_disables_nobody(desk: Running) -> None:
    mails = desk.write(JOE, PLAN)
    report = (
        "From: MAILER-DAEMON@evil.example\r\nReturn-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; victim@x.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {}\r\n\r\nx\r\n--b--\r\n"
    )
    desk.take(report.format("<made-up@vendor.example>").encode())
    assert len(desk.kinds()) == 3
    for _ in range(2):
        desk.take(report.format(mails[0]["Message-ID"]).encode() + b"\r\n" * len(desk.kinds()))
    assert desk.kinds()[3:] == [("alert", ANNA), ("alert", BOB)]
    assert desk.ticket().state == "waiting_staff"
    desk.write(ANNA, "APPROVE", reply_to=mails[1])
    assert {("outcome", JOE), ("receipt", ANNA)} <= set(desk.kinds()[5:])


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", "failed"])
def test_only_a_report_of_failure_marks_a_mail_as_undelivered(desk: Running, action: str) -> None:
    mails = desk.write(JOE, PLAN)
    report = (
        f"From: MAILER-DAEMON@acme.example\r\nIn-Reply-To: {mails[0]['Message-ID']}\r\n"  # Exchange may return no more
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        f"Final-Recipient: rfc822; {JOE}\r\nAction: {action}\r\nStatus: 4.4.1\r\n\r\n--b--\r\n"
    )
    told = desk.take(report.encode())
    assert len(told) == (2 if action == "failed" else 0)
    assert ("undelivered" in desk.history()) == (action == "failed")


def test_the_same_message_id_with_other_words_is_for_staff(desk: Running) -> None:
    desk.take(program(text=DEMO))
    desk.take(program(text=DEMO.replace("Acme", "Other").replace("A1B2", "B1B2")))
    assert desk.states() == {"handled": 1, "quarantined": 1}
    desk.take(program("Received: from elsewhere", text=DEMO))
    assert desk.states() == {"duplicate": 1, "handled": 1, "quarantined": 1}
    assert [kind for kind, _ in desk.kinds()] == ["outcome", "plugins", "alert", "alert"]


FAIL = b"Authentication-Results: mx.vendor.example; dmarc=fail header.from=acme.example\n"


def forged(raw: bytes, verdict: bytes = b"") -> bytes:
    """The same mail as somebody else sent it."""
    return verdict + raw.partition(b"\n")[2]


@pytest.mark.parametrize(
    "disguise",
    [forged, lambda raw: forged(raw, FAIL), lambda raw: forged(raw, b"Auto-Submitted: auto-replied\n")],
    ids=["unverified", "refused", "automatic"],
)
def test_a_forged_copy_that_is_faster_does_not_make_the_true_mail_a_duplicate(
    desk: Running, disguise: Callable[[bytes], bytes]
) -> None:
    true = desk.raw(JOE, DEMO)
    desk.take(disguise(true))
    desk.take(true)
    assert [(item.item, item.status) for item in desk.ticket().items][:2] == [("admin", "applied"), ("plan", "applied")]
    before = desk.kinds()
    assert before.count(("outcome", JOE)) == 1
    desk.take(b"Received: by another way\n" + true)
    desk.take(b"Received: by a third\n" + disguise(true))
    assert desk.kinds() == before


def test_a_forged_copy_of_a_decision_that_is_faster_does_not_make_the_true_one_a_duplicate(desk: Running) -> None:
    approval = desk.write(JOE, PLAN)[1]
    true = desk.raw(ANNA, "APPROVE", reply_to=approval)
    desk.take(forged(true, FAIL.replace(b"acme", b"vendor")))
    assert desk.ticket().state == "waiting_staff"
    desk.take(true)
    assert desk.ticket().state == "done"
    desk.take(b"Received: by another way\n" + true)
    assert desk.history().count("approved") == 1


def test_in_a_thread_with_its_key_a_copy_with_a_better_verdict_says_nothing_new(desk: Running) -> None:
    (mail, *_) = desk.write(JOE, PLAN)
    true = desk.raw(JOE, "We need it by Monday.", reply_to=mail)
    desk.take(forged(true))
    desk.take(true)
    assert desk.history().count("commented") == 1


def test_a_name_of_an_attachment_is_only_a_label(tmp_path: Path) -> None:
    desk = running(tmp_path)
    desk.work()
    before = {path.name for path in tmp_path.rglob("*")}
    mail = EmailMessage()
    mail["From"] = JOE
    mail.set_content(DEMO)
    for name in ("../../../etc/cron.d/x", "C:\\autoexec.bat", "CON", "a" * 5000, "x\0.exe", ".htaccess"):
        mail.add_attachment(b"x", maintype="a", subtype="b", filename=name.replace("\0", ""))
    raw = mail.as_bytes().replace(b'filename="CON"', b"filename*=utf-8''../a%0ABcc%1b%5b31m")
    labels = [one.name for one in parse(raw).attachments]
    assert labels == ["x", "autoexec.bat", "a Bcc[31m", "a" * 150, "x.exe", ".htaccess"]
    desk.take(raw)
    assert {path.name for path in tmp_path.rglob("*")} == before
    assert desk.states() == {"handled": 1}
