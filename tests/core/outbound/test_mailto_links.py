"""Prepared mails: what Gmail, Outlook and iOS make of the body of a ``mailto:`` link comes back readable."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.form.blank_form import LINK_MAX, correction_lines, render_blank, shortened_forms
from mailbot.core.form.fields import FIELDS, FORMS, TITLES, Form
from mailbot.core.form.problem import Code, Problem
from mailbot.core.form.reader import read_fields, read_forms
from mailbot.core.form.validation import validate
from mailbot.core.form.which_form import chooser_values, request_of
from mailbot.core.inbound.intake import FormCommand, Forms, Thread, understand
from mailbot.core.inbound.reply_keys import FoundKey
from mailbot.core.mail.message import parse
from mailbot.core.outbound.reply_links import new_mail_link
from tests.core.form.test_blank_form import VALUES
from tests.core.form.test_labels import ORDINARY
from tests.support import clients
from tests.support.clients import DESK, Draft
from tests.support.desk import catalogue
from tests.support.running import running

GENERAL = [Form(key, None, title, ()) for key, title in TITLES.items()]
FORMS_AND_GENERAL = [*FORMS.values(), *GENERAL]


def opened(link: str) -> tuple[str, str]:
    """(subject, body) as RFC 6068 says that a program opens them."""
    parts = urlsplit(link)
    assert parts.scheme == "mailto"
    asked = parse_qs(parts.query, keep_blank_values=True)
    assert "+" not in parts.query  # it would be a space for some and a plus for others
    return asked["subject"][0], asked.get("body", [""])[0]


# What programs do to the body before the person types: each takes the lines and gives those that the editor shows.


def in_gmail(body: str) -> bytes:
    """Gmail's editor keeps each line in a div and trims the space at its end; its plain part wraps at 78."""
    lines = [line.rstrip(" ") for line in body.split("\r\n")]
    return clients.gmail_web(
        Draft(
            "joe@acme.example", "", "\n".join(wrapped(line, 78) for line in lines), html=clients.divs("\n".join(lines))
        )
    )


def in_outlook(body: str) -> bytes:
    """Outlook makes a Word paragraph of each line; its plain part has a blank line behind each."""
    return clients.outlook_desktop(Draft("joe@acme.example", "", body.replace("\r\n", "\n")))


def in_outlook_html(body: str) -> bytes:
    return clients.outlook_html(Draft("joe@acme.example", "", body.replace("\r\n", "\n")))


def in_ios(body: str) -> bytes:
    """iOS Mail sends HTML alone, with a non-breaking space where a line ends with a space, and its signature below."""
    return clients.iphone_html(Draft("joe@acme.example", "", body.replace(" \r\n", "\u00a0\n").replace("\r\n", "\n")))


PROGRAMS = [in_gmail, in_outlook, in_outlook_html, in_ios]


def wrapped(line: str, width: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)) if line else ""


def fill(body: str, values: dict[str, str]) -> str:
    """The body with a value behind every line that ends with its colon."""
    made = []
    for line in body.split("\r\n"):
        label = line.partition("(")[0].partition(":")[0].strip()
        key = next((f.key for f in FIELDS.values() if f.label == label), "")
        made.append(line.rstrip() + " " + values[key] if key and line.rstrip().endswith(":") else line)
    return "\r\n".join(made)


def link_of(form: Form) -> str:
    return new_mail_link(DESK, render_blank(form.request, catalogue(), form.action), TITLES[form.request])


@pytest.mark.parametrize("form", FORMS_AND_GENERAL, ids=lambda form: f"{form.request}-{form.action}")
def test_a_link_with_a_blank_form_is_short_enough_and_opens_as_that_form(form: Form) -> None:
    link = link_of(form)
    assert len(link) <= LINK_MAX
    assert not re.search(r"(?<!%0D)%0A|%0D(?!%0A)", link)
    subject, body = opened(link)
    assert (request_of(subject) or ("",))[0] == form.request
    whole = [
        line.partition("(")[0].partition(":")[0].strip()
        for line in render_blank(form.request, catalogue(), form.action).split("\n")
    ]
    assert [line.partition("(")[0].partition(":")[0].strip() for line in body.split("\r\n")] == whole


@pytest.mark.parametrize("form", FORMS_AND_GENERAL, ids=lambda form: f"{form.request}-{form.action}")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_form_from_a_link_comes_back_readable(form: Form, program: object) -> None:
    _, body = opened(link_of(form))
    values = {**VALUES, "comments": "one of them", "question": "what now", "description": "this and that"}
    message = parse(program(fill(body, values)))  # type: ignore[operator]
    (reading,) = read_forms(message.text, "")
    said = {**values, **chooser_values(form.request, form.action), "product": "Shuttle"}
    said["request"] = f"{form.request}/{form.action}" if form.action else form.request
    assert dict(reading.values) == {key: said[key] for key in reading.values}
    assert len(reading.values) == len(body.split("\r\n"))


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: f"{form.request}-{form.action}")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_an_untouched_form_from_a_link_only_lacks_values(form: Form, program: object) -> None:
    _, body = opened(link_of(form))
    readings = read_forms(parse(program(body)).text, "")  # type: ignore[operator]
    request, problems = validate(readings[0], catalogue(), attachments=False)
    assert (request.request, request.action) == (form.request, form.action)
    assert {problem.code for problem in problems} <= {Code.MISSING, Code.ATTACHMENT_MISSING}


FAULTY = st.lists(
    st.sampled_from([key for key in FIELDS if key not in ("log", "request", "product")]), min_size=1, unique=True
)


@settings(max_examples=60, deadline=None)
@given(FAULTY, st.sampled_from(PROGRAMS))
def test_a_ready_reply_comes_back_with_each_line(keys: list[str], program: object) -> None:
    body = correction_lines(Problem(field=key, code=Code.MISSING) for key in keys)
    _, shown = opened(new_mail_link(DESK, body, "x"))
    values = {**VALUES, "comments": "one of them", "question": "what now", "description": "this and that"}
    message = parse(program(fill(shown, values)))  # type: ignore[operator]
    assert dict(read_fields(message.text).values) == {key: values[key] for key in keys}


def test_a_form_that_is_too_long_becomes_a_shorter_one() -> None:
    long = "\n".join(f"Label {number} ({'choice / ' * 20}x): " for number in range(20))
    link = new_mail_link(DESK, long, "form")
    assert len(link) <= LINK_MAX
    assert opened(link)[1].split("\r\n") == [f"Label {number}: " for number in range(20)]
    longer = "\n".join(f"Label {number}: {'y' * 90}" for number in range(40))
    link = new_mail_link(DESK, longer, "form")
    kept = opened(link)[1].split("\r\n")
    assert len(link) <= LINK_MAX
    assert kept == longer.split("\n")[: len(kept)]
    assert len(kept) > 10
    assert "body" not in new_mail_link(DESK, "z" * 3000, "form")
    assert next(iter(shortened_forms(long))) == long


def test_the_subject_of_the_form_mail_does_not_ask_for_the_form_again(tmp_path) -> None:  # type: ignore[no-untyped-def]
    running_desk = running(tmp_path)
    (mail,) = running_desk.write("joe@acme.example", "form activate demo", verified=False)
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    (link,) = [found for found in re.findall(r'href="(mailto:[^"]*body=[^"]*)"', html) if "Request" in unquote(found)]
    subject, body = opened(link.replace("&amp;", "&"))
    running_desk.write("joe@acme.example", fill(body, VALUES), subject=subject)
    assert (running_desk.ticket().request, running_desk.ticket().action) == ("activate", "demo")


@pytest.mark.parametrize("subject", ["form activate", "help", "Form"])
def test_a_filled_form_under_a_command_is_a_form(subject: str) -> None:
    form = "Request: activate\nLicense token: A1B2C3D4E5F6\nCustomer name: Acme\n"
    mail = clients.apple_mac(Draft("joe@acme.example", subject, form))
    assert isinstance(understand(parse(mail), Thread(FoundKey()), DESK), Forms)
    mail = clients.apple_mac(Draft("joe@acme.example", "form activate", "Request: activate\nLicense token:\n"))
    assert understand(parse(mail), Thread(FoundKey()), DESK) == FormCommand("activate", None)


def test_ordinary_lines_around_a_prepared_form_are_words_for_staff() -> None:
    _, body = opened(link_of(FORMS["contract", None]))
    text = (
        fill(body, VALUES).replace("\r\n", "\n").replace("Comments: one\n\ntwo", "") + "\n" + "\n".join(ORDINARY[1:4])
    )
    (reading,) = read_forms(text, "")
    assert all(line in reading.prose + reading.values.get("comments", "") for line in ORDINARY[1:4])
