"""Mail that no person wrote: delivery reports and automatic mail."""

import pytest

from mailbot.core.mail.bounce import DeliveryReport, automatic_reason, delivery_report, is_own_mail
from mailbot.core.mail.message import Message, parse
from tests.support.paths import TESTS

DESK = "licences@desk.example"
MAILS = TESTS / "mails"


def mail(text: str = "hello", **fields: str) -> Message:
    known = {"From": "Ann <ann@acme.example>", "To": DESK, "Subject": "Licence", "Message-ID": "<1@acme.example>"}
    known |= {name.replace("_", "-"): value for name, value in fields.items()}
    return parse("".join(f"{name}: {value}\n" for name, value in known.items()).encode() + f"\n{text}\n".encode())


def mail_with_report(*parts: str, sender: str = "MAILER-DAEMON@mx.example", kind: str = "delivery-status") -> Message:
    body = "".join(f"--b\n{part}\n" for part in parts) + "--b--"
    return mail(body, From=sender, Return_Path="<>", Content_Type=f"multipart/report; report-type={kind}; boundary=b")


STATUS = "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
FAILED = (
    "Final-Recipient: rfc822; Gone@acme.example\nAction: Failed\nStatus: 5.1.1 (no such)\n"
    "Diagnostic-Code: smtp; 550\n no\n"
)
DELAYED = "Final-Recipient: rfc822;slow@acme.example\nAction: delayed\nStatus: 4.4.1\n"
RETURNED = "Content-Type: message/rfc822\n\nSubject: x\nMessage-ID: <lic-1@desk.example>\n\nhello"
RETURNED_HEADERS = "Content-Type: text/rfc822-headers\n\nSubject: x\nMessage-ID: <lic-1@desk.example>\n"


def test_a_delivery_report_is_read_from_its_fields():
    expected = DeliveryReport("failed", "5.1.1", "Gone@acme.example", ("<lic-1@desk.example>",), "smtp; 550 no")
    assert delivery_report(mail_with_report("\nSorry.", STATUS + FAILED, RETURNED)) == expected
    assert delivery_report(mail_with_report("\nSorry.", STATUS + FAILED, RETURNED_HEADERS)) == expected


def test_with_several_recipients_the_failed_one_is_reported():
    told = delivery_report(mail_with_report(STATUS + DELAYED + "\n" + FAILED, RETURNED))
    assert told is not None
    assert (told.action, told.recipient) == ("failed", "Gone@acme.example")


def test_a_delayed_mail_has_not_failed():
    told = delivery_report(mail_with_report(STATUS + DELAYED, RETURNED))
    assert told is not None
    assert (told.action, told.status) == ("delayed", "4.4.1")


def test_a_report_without_the_returned_mail_has_no_original_ids():
    told = delivery_report(mail_with_report(STATUS + FAILED))
    assert told is not None
    assert told.original_ids == ()


def test_a_report_with_unreadable_fields_is_still_a_report():
    told = delivery_report(mail_with_report("Content-Type: message/delivery-status\n\n\0\xff garbage", RETURNED))
    assert told == DeliveryReport("failed", "", "", ("<lic-1@desk.example>",), "")


def test_old_servers_return_the_mail_as_text():
    told = delivery_report(parse((MAILS / "20-bounce-qmail.eml").read_bytes()))
    assert told is not None
    assert told.original_ids == ("<lic-13.7@desk.example>",)


@pytest.mark.parametrize("sender", ["MAILER-DAEMON", "Mail Delivery System <Mailer-Daemon>", "postmaster@mx.example"])
def test_a_daemon_may_have_a_malformed_address(sender):
    text = "------ This is a copy of your message\n\nMessage-Id: <lic-2@desk.example>"
    told = delivery_report(mail(text, From=sender, Return_Path="<>", Subject="failure"))
    assert told is not None
    assert told.original_ids == ("<lic-2@desk.example>",)
    told = delivery_report(mail(text, From=sender, X_Failed_Recipients="gone@acme.example", Subject="failure"))
    assert told is not None
    assert told.recipient == "gone@acme.example"


def test_mails_that_are_not_delivery_reports():
    quoted = "Message-Id: <lic-2@desk.example>"
    assert delivery_report(mail(quoted)) is None
    assert delivery_report(mail(quoted, Return_Path="<>")) is None  # from a person's address
    assert delivery_report(mail(quoted, From="postmaster@acme.example")) is None  # a person may write from there
    assert delivery_report(mail("sorry", From="MAILER-DAEMON@mx.example", Return_Path="<>")) is None
    assert delivery_report(mail(Content_Type="multipart/report; report-type=delivery-status; boundary=b")) is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Auto-Submitted": "auto-replied"}, "Auto-Submitted: auto-replied"),
        ({"auto-submitted": "Auto-Generated; owner-email=x"}, "Auto-Submitted: auto-generated"),
        ({"Auto-Submitted": "auto-notified (x)"}, "Auto-Submitted: auto-notified"),
        ({"Return-Path": "<>"}, "null return path"),
        ({"Return-Path": "< >"}, "null return path"),
        ({"Precedence": "Bulk"}, "Precedence: bulk"),
        ({"Precedence": "junk"}, "Precedence: junk"),
        ({"Precedence": "list"}, "Precedence: list"),
        ({"X-Autoreply": "yes"}, "X-Autoreply field"),
        ({"X-Autorespond": ""}, "X-Autorespond field"),
        ({"List-Id": "<team.lists.example>"}, "List-Id field"),
        ({"List-Unsubscribe": "<mailto:off@lists.example>"}, "List-Unsubscribe field"),
        ({"From": "MAILER-DAEMON@x.example"}, "the sender mailer-daemon is not a person"),
        ({"From": "Mailer-Daemon"}, "the sender mailer-daemon is not a person"),
        ({"From": "postmaster@x.example"}, "the sender postmaster is not a person"),
        ({"From": "No-Reply <no-reply@x.example>"}, "the sender no-reply is not a person"),
        ({"From": "noreply-billing@x.example"}, "the sender noreply-billing is not a person"),
        ({"From": "do_not_reply+1@x.example"}, "the sender do_not_reply+1 is not a person"),
        ({"From": "LICENCES@desk.example"}, "it comes from the desk's own address"),
        ({"From": "licences+lic-1.key@desk.example"}, "it comes from the desk's own address"),
        ({"X-Mail-Autoreply": "1"}, "X-Mail-Autoreply field"),
        ({"X-MS-Exchange-Inbox-Rules-Loop": "ann@acme.example"}, "X-Ms-Exchange-Inbox-Rules-Loop field"),
        ({"X-Mailbot": "1"}, "it is a mail of our own"),
        ({"Auto-Submitted": "(x) auto-replied"}, "Auto-Submitted: auto-replied"),
        ({"Auto-Submitted": "no\nAuto-Submitted: auto-replied"}, "Auto-Submitted: auto-replied"),
        ({"List-Help": "<mailto:help@lists.example>"}, "List-Help field"),
        ({"List-Archive": "<http://lists.example>"}, "List-Archive field"),
        ({"List-Id": "<licences.desk.example.evil.example>"}, "List-Id field"),
        ({"List-Id": "<licences.desk.example>", "Precedence": "bulk"}, "Precedence: bulk"),
    ],
)
def test_automatic_mail_is_recognised_with_its_reason(fields, reason):
    assert automatic_reason(mail(**fields), DESK) == reason


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Auto-Submitted": "no"},
        {"Auto-Submitted": "No (a person)"},
        {"X-Auto-Response-Suppress": "All"},
        {"Return-Path": "<ann@acme.example>"},
        {"Precedence": "first-class"},
        {"X-Autoreply": "no"},
        {"From": "replyto@acme.example"},
        {"From": "licences@desk.example.org"},
        {
            "List-Id": "Licences <licences.desk.example>",
            "Precedence": "list",
            "List-Post": "<mailto:licences@desk.example>",
        },
        {"Subject": "Re: Out of office"},
        {"Subject": "Out of office routing for our agents"},
        {"Subject": "Abwesend ist keiner"},
    ],
)
def test_mail_that_a_person_may_have_written_is_not_automatic(fields):
    assert automatic_reason(mail(**fields), DESK) is None


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: [LIC-12] Approval",
        "Out of Office: Re: x",
        "Out of office",
        "Out of Office AutoReply: x",
        "Out of Office Re: x",
        "OOO: Re: x",
        "Assenza: Re: x",
        "Autoreply: x",
        "=?utf-8?q?R=C3=A9ponse_automatique_=3A_x?=",
        "Risposta automatica: x",
        "Automatische Antwort: x",
        "Abwesenheitsnotiz: x",
        "=?utf-8?q?Respuesta_autom=C3=A1tica=3A_x?=",
    ],
)
def test_an_absence_notice_is_recognised_by_its_subject(subject):
    assert automatic_reason(mail(Subject=subject), DESK) == "the subject of an absence notice"


@pytest.mark.parametrize(
    "text",
    [
        "Hello,\n\nI am currently out of the office until Monday.",
        "I’m out of the office.",
        "Questa è una risposta automatica.",
        "Guten Tag,\nich bin bis 20. November nicht im Büro.",
        "Ich bin derzeit außer Haus.",
        "Bonjour,\nje suis actuellement absent.",
        "Estoy fuera de la oficina hasta el lunes.",
        "I will be out of the office from 3 to 9 November.",
        "Thank you for your email. I am currently out of the country.",
        "Hello,\n\nI am currently on annual leave.",
        "Buongiorno,\nsono in ferie fino al 20 novembre.",
        "Sarò assente fino a lunedì.",
        "Ich bin bis 20. November im Urlaub.",
        "Sehr geehrte Damen und Herren,\nich bin derzeit nicht erreichbar.",
        "Bonjour,\n\nje suis en congé jusqu'au 20 novembre.",
        "Estoy de vacaciones hasta el día 20.",
        "I am away from the office until 5 May.",
        "Thanks for your email! I'm currently away.",
        "Sono fuori sede fino al 3 dicembre.",
        "Grazie per la tua email. Sono fuori ufficio fino a lunedì.",
        "Salve, sono in ferie.",
        "Vielen Dank für Ihre Nachricht. Ich bin bis zum 3.12. nicht im Büro.",
        "Ich befinde mich im Urlaub.",
        "Merci pour votre message. Je suis absent jusqu'au 3.",
        "Je serai en congé.",
        "Gracias por su mensaje. Estoy fuera de la oficina.",
        "No me encuentro en la oficina.",
        "Estaré de vacaciones.",
        "Hello,\nthank you for your message. I'm on parental leave until March.",
        "This mailbox is no longer monitored.",
        "Thank you for contacting Acme. Your message has been received.",
        "Hallo,\nvom 3. bis 9. November bin ich nicht erreichbar.",
        "Ich bin in Elternzeit.",
        "Diese Nachricht wurde automatisch erstellt.",
        "Buongiorno, attualmente non sono in ufficio.",
        "Messaggio automatico: la sua mail è stata ricevuta.",
        "Bonjour,\nActuellement en congés, je serai de retour le 9 novembre.",
        "Ceci est un message automatique.",
        "Me encuentro de vacaciones hasta el 9.",
        "Este es un mensaje automático.",
    ],
)
def test_an_absence_notice_is_recognised_by_its_first_words(text):
    assert (
        automatic_reason(mail(text, Subject="Re: x", Content_Type="text/plain; charset=utf-8"), DESK)
        == "the words of an absence notice"
    )


@pytest.mark.parametrize(
    "text",
    [
        "Ich bin bis zum Projektende auf 10 Agents angewiesen.",
        "APPROVE\n\n> I am out of the office",
        "Question: what does the bot say when I am out of the office?",
        "1\n2\n3\n4\nI am out of the office.",
        "Thank you for your email. I am happy with Silver.",
        "Hello, thanks for the mail, I am on holiday money, so please cancel.",
        "Grazie per la risposta. Sono d'accordo, procedete pure.",
        "Vom Plan her bin ich zufrieden, aber Sie waren nicht erreichbar.",
        "I will be out on Thursday, but please go on with 10 agents.",
        "We have received your licence, thank you.",
    ],
)
def test_similar_words_elsewhere_are_not_an_absence_notice(text):
    assert automatic_reason(mail(text, Content_Type="text/plain; charset=utf-8"), DESK) is None


def test_reports_of_all_kinds_are_automatic():
    assert automatic_reason(mail_with_report(STATUS + FAILED, RETURNED), DESK) == "delivery report"
    assert automatic_reason(
        mail_with_report("\nread", kind="disposition-notification", sender="a@b.example"), DESK
    ) == ("report of a mail program")


def test_our_own_mails_are_recognised_by_their_header_field():
    assert is_own_mail(mail(X_Mailbot="1"))
    assert not is_own_mail(mail())
