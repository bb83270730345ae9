"""Replies to our own mails: what is quoted of them is not taken for the customer's words, except a form line that he edited."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from mailbot.core.form.corrections import read_edited_quote
from tests.support.running import Running, body, running
from tests.whole_desk.test_whole_desk import JOE, PLAN

BAD = PLAN.replace("Voice Digital", "Voize").replace("Agents: 10", "Agents: 10\nUsers: 3")


@pytest.fixture
def desk(tmp_path: Path) -> Running:
    return running(tmp_path)


def quoted(mail: EmailMessage, mark: str = "> ") -> str:
    return "\n".join(f"{mark}{line}".rstrip() for line in body(mail).splitlines())


def gmail(mail: EmailMessage) -> str:
    return f"On Tue, 3 Nov 2026 at 09:00, Licence Desk <desk@vendor.example> wrote:\n\n{quoted(mail)}\n"


def outlook(mail: EmailMessage) -> str:
    return (
        "________________________________\nFrom: Licence Desk <desk@vendor.example>\nSent: Tuesday, November 3, 2026 9:00 AM\n"
        f"To: joe@acme.example\nSubject: {mail['Subject']}\n\n{quoted(mail, '')}\n"
    )


@pytest.mark.parametrize("quote", [gmail, outlook, body, quoted], ids=["gmail", "outlook", "bare", "marks"])
def test_one_corrected_line_above_our_quoted_mail_changes_that_line_alone(desk: Running, quote: object) -> None:
    (mail,) = desk.write(JOE, BAD)
    before = desk.ticket().fields
    desk.write(JOE, f"Plan: Voice\n\n{quote(mail)}", reply_to=mail)  # type: ignore[operator]
    assert desk.ticket().fields == {**before, "plan": "Voice"}
    assert (desk.ticket().problems, desk.ticket().state) == ((), "waiting_staff")


@pytest.mark.parametrize("quote", [gmail, outlook], ids=["gmail", "outlook"])
def test_a_line_edited_in_the_quoted_form_counts_and_an_own_line_beats_it(desk: Running, quote: object) -> None:
    (mail,) = desk.write(JOE, BAD)
    before = desk.ticket().fields
    edited = quote(mail).replace("Plan:\n", "Plan: Digital\n").replace("Users: 3", "Users: 4")  # type: ignore[operator]
    desk.write(JOE, f"see below\n\n{edited}", reply_to=mail)
    assert desk.ticket().fields == {**before, "plan": "Digital", "users": "4", "prose": "see below"}
    desk.write(JOE, f"Users: 5\n\n{edited}", reply_to=mail)
    assert desk.ticket().fields["users"] == "5"


def test_a_quoted_line_that_was_emptied_erases_nothing(desk: Running) -> None:
    (mail,) = desk.write(JOE, BAD)
    desk.write(JOE, "Plan: Voice\n\n" + gmail(mail).replace("Users: 3", "Users:"), reply_to=mail)
    assert desk.ticket().fields["users"] == "3"


def test_an_older_mail_of_ours_does_not_bring_back_what_was_corrected_since(desk: Running) -> None:
    (first,) = desk.write(JOE, BAD.replace("Silver", "Gold"))
    desk.write(JOE, "Users: 7\n", reply_to=first)
    desk.write(JOE, "Plan: Voice\nSupport: Silver\n\n" + gmail(first), reply_to=first)
    assert (desk.ticket().fields["users"], desk.ticket().problems) == ("7", ())


def test_a_reply_in_html_alone_with_our_html_below_a_header_block(desk: Running) -> None:
    (mail,) = desk.write(JOE, BAD)
    before = desk.ticket().fields
    ours = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    reply = EmailMessage()
    reply["Authentication-Results"] = "mx.vendor.example; dmarc=pass header.from=acme.example"
    reply["From"], reply["To"], reply["Subject"] = JOE, str(mail["Reply-To"]), f"Re: {mail['Subject']}"
    reply["Message-ID"], reply["In-Reply-To"] = "<html@acme.example>", mail["Message-ID"]
    top = "<p class=MsoNormal>Plan: Voice</p><p>Regards, Joe</p>"
    header = "<p><b>From:</b> Licence Desk<br><b>Sent:</b> Tuesday<br><b>To:</b> joe<br><b>Subject:</b> correction</p>"
    reply.set_content(f"<html><body>{top}<div>{header}</div>{ours}</body></html>", subtype="html")
    desk.take(reply.as_bytes())
    assert desk.ticket().fields == {**before, "plan": "Voice", "prose": "Regards, Joe"}
    assert desk.ticket().problems == ()


def test_prose_around_the_correction_reaches_staff(desk: Running) -> None:
    (mail,) = desk.write(JOE, "We are in a hurry.\n" + BAD)
    desk.write(JOE, "Sorry for that!\nPlan: Voice\n-- \nJoe\nTel: 12\n", reply_to=mail)
    assert desk.ticket().comments == "We are in a hurry.\nSorry for that!"


def test_a_near_label_in_a_reply_is_told(desk: Running) -> None:
    (mail,) = desk.write(JOE, PLAN.replace("Customer name: Acme\n", ""))
    desk.write(JOE, "Custmer name: Acme\n", reply_to=mail)
    assert [(p.field, p.code) for p in desk.ticket().problems] == [("customer_name", "near_label")]
    assert desk.history().count("changed") == 1


def test_a_value_given_twice_stays_a_problem_until_it_is_given_once(desk: Running) -> None:
    (mail,) = desk.write(JOE, PLAN.replace("Voice Digital", "Voize") + "Users: 3\nUsers: 4\n")
    (mail,) = desk.write(JOE, "Plan: Voice\n", reply_to=mail)
    assert [(p.field, p.code, p.read) for p in desk.ticket().problems] == [("users", "given_twice", "3 / 4")]
    desk.write(JOE, "Users: 4\n", reply_to=mail)
    users = next(item for item in desk.ticket().items if item.item == "users")
    assert (desk.ticket().problems, users.to) == ((), 4)


SENT = """Where it stands: here

- Request: I read "x", which I do not know.

    Request: modify/add
    License token: A1B2C3D4E5F6
    Customer name: Acme
    Agents:
    Comments: one
    two

Where the token is found: Settings
License Agreement: https://x.example/
Plan: not a line of the form
"""


@pytest.mark.parametrize(
    ("old", "new", "read"),
    [
        ("", "", {}),
        ("Agents:", "Agents: 12", {"agents": "12"}),
        ("Agents:", "\n    Agents: 12\n", {"agents": "12"}),
        ("Agents:", "Agents: 12\n    Users: 2", {"agents": "12", "users": "2"}),
        ("Agents:", "Agents:\n    Agents: 12", {"agents": "12"}),
        ("Agents:", "Agents:\n    12", {"agents": "12"}),
        ("    two", "    two\n    three", {"comments": "one\ntwo\nthree"}),
        ("Customer name: Acme", "Customer name:\n    Acme", {}),
        ("Customer name: Acme", "Customer name:", {}),
        ("Plan: not a line of the form", "Plan: Voice", {}),
        ("I read", "I wrote", {}),
    ],
)
def test_what_counts_as_edited(old: str, new: str, read: dict[str, str]) -> None:
    assert dict(read_edited_quote(SENT.replace(old, new) if old else SENT, SENT).values) == read


def test_without_a_form_of_ours_nothing_quoted_counts() -> None:
    assert dict(read_edited_quote(SENT.replace("Acme", "Other"), "Your request is done.\n").values) == {}


def test_a_form_on_top_of_our_quoted_blank_one_is_one_request(desk: Running) -> None:
    (blank,) = desk.write(JOE, "form activate")
    desk.write(JOE, f"{PLAN}\n\n{gmail(blank)}", subject=f"Re: {blank['Subject']}")
    assert desk.ticket().problems == ()
    assert [kind for kind, _ in desk.kinds()] == ["form", "confirmation", "approval", "approval"]


# --- A blank form, which went out without a key --------------------------------------------------------------------

FILLED = {"License token:": "A1B2C3D4E5F6", "Customer name:": "Acme", "(yes / no):": "yes"}


def bare(mail: EmailMessage) -> str:
    return quoted(mail, "")


def blank_form(desk: Running) -> EmailMessage:
    (mail,) = desk.write(JOE, "form activate")
    return mail


def filled(text: str) -> str:
    for label, value in FILLED.items():
        text = text.replace(f"{label}\n", f"{label} {value}\n", 2)
    return text


@pytest.mark.parametrize("quote", [gmail, outlook, bare, quoted], ids=["gmail", "outlook", "bare", "marks"])
@pytest.mark.parametrize("above", ["", "Request: activate\n\n", "Here it is.\n\n"], ids=["", "request", "words"])
def test_a_blank_form_filled_in_where_it_is_quoted_is_one_request_with_none_of_our_sentences(
    desk: Running, quote: object, above: str
) -> None:
    mail = blank_form(desk)
    desk.write(JOE, above + filled(quote(mail)), reply_to=mail)  # type: ignore[operator]
    assert [kind for kind, _ in desk.kinds()] == ["form", "outcome", "plugins"]
    assert desk.ticket().comments == ("Here it is." if above.startswith("Here") else None)


@pytest.mark.parametrize("quote", [gmail, outlook, bare, quoted], ids=["gmail", "outlook", "bare", "marks"])
def test_a_question_above_a_blank_form_is_the_question_alone(desk: Running, quote: object) -> None:
    mail = blank_form(desk)
    desk.write(JOE, f"What does it cost?\n\n{quote(mail)}", reply_to=mail)  # type: ignore[operator]
    assert (desk.ticket().request, desk.ticket().fields["question"]) == ("information", "What does it cost?")


def test_values_written_between_the_quoted_lines_are_those_of_the_form(desk: Running) -> None:
    mail = blank_form(desk)
    lines = [
        f"{line}\n{value}" if line[2:] in FILLED and (value := FILLED[line[2:]]) else line
        for line in gmail(mail).splitlines()
    ]
    text = "\n".join(lines).replace("(yes / no):", "(yes / no): yes", 2)
    desk.write(JOE, text, reply_to=mail)
    assert (desk.ticket().token, desk.ticket().customer_name, desk.ticket().comments) == ("A1B2C3D4E5F6", "Acme", None)


def test_a_second_copy_of_a_filled_in_form_that_took_another_way_is_a_duplicate(desk: Running) -> None:
    raw = desk.raw(JOE, filled(gmail(mail := blank_form(desk))), reply_to=mail)
    desk.take(raw)
    assert desk.take(b"Received: from elsewhere.example\n" + raw) == []
    assert desk.states() == {"handled": 2, "duplicate": 1}
