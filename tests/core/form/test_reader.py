"""How many forms a mail has, and where each begins: several requests, quoted and forwarded mails, mails without a form."""

import pytest

from mailbot.core.form.reader import read_forms
from mailbot.core.form.validation import validate
from tests.core.form.test_values import PLAN, WHO, checked
from tests.support.desk import catalogue


def test_lines_before_the_first_request_belong_to_all_requests() -> None:
    first, second = read_forms(f"{WHO}Request: modify\nAction: add\nUsers: 3\nRequest: contract\nPlan: digital\n", "")
    assert first.values["token"] == second.values["token"] == "A1B2C3D4E5F6"
    assert "plan" not in first.values


def test_mail_of_plain_words_is_no_form() -> None:
    assert read_forms("Hello,\nwhat does a licence cost?\nRegards: Bob\n", "A question") == ()


def test_form_below_a_closing_and_a_name_is_read() -> None:
    assert checked(f"Hello,\nsee below.\nBest regards\nJoe\n\n{PLAN}")[1] == []


def test_text_of_an_information_mail_is_the_question() -> None:
    (reading,) = read_forms("Hello,\nwhat does it cost?\n-- \nJoe", "Request general information")
    request, problems = validate(reading, catalogue(), attachments=False, default_name="Joe")
    assert (request.request, request.question, request.customer_name, problems) == (
        "information",
        "Hello,\nwhat does it cost?",
        "Joe",
        (),
    )


OLDER = f"Request: modify/remove\n{WHO}Reason: cost\nAgents: 6"


@pytest.mark.parametrize(
    "quoted",
    [
        "On Mon, 2 Nov 2026 at 10:00, Bob <bob@acme.example> wrote:\n> " + OLDER.replace("\n", "\n> "),
        f"________________________________\nFrom: Bob <bob@acme.example>\nSent: Monday, 2 November 2026\n\n{OLDER}",
    ],
)
def test_older_form_quoted_below_is_no_second_request(quoted: str) -> None:
    (reading,) = read_forms(f"Request: contract\n{WHO}Plan: Voice\n\n{quoted}", "Re: license")
    assert reading.values["request"] == "contract"
    assert len(read_forms(f"Request: contract\n{WHO}Plan: Voice\n\n{quoted}", "Fwd: license")) == 2


def test_drawn_line_between_two_requests_is_no_quote() -> None:
    assert len(read_forms(f"Request: contract\n{WHO}Plan: Voice\n\n{'_' * 30}\n\n{OLDER}", "licenses")) == 2


def test_newest_form_of_a_forwarded_conversation_counts() -> None:
    newest = f"Request: contract\n{WHO}Plan: Voice"
    said = f"From: Bob <bob@acme.example>\nSent: Monday, 2 November 2026\nTo: Joe\nSubject: license\n\n{newest}"
    text = f"FYI\n\n{said}\n\n{said.replace(newest, OLDER)}"
    assert [reading.values["request"] for reading in read_forms(text, "FW: license")] == ["contract"]
    marked = "Begin forwarded message:\n\n> " + said.replace("\n", "\n> ") + "\n>\n>> " + OLDER.replace("\n", "\n>> ")
    assert [reading.values["request"] for reading in read_forms(marked, "Fwd: license")] == ["contract"]


def test_forwarded_form_below_a_signature_is_read() -> None:
    text = f"Please.\n\nSent from my iPhone\n\nBegin forwarded message:\n\nFrom: Ann <ann@client.example>\n\n{PLAN.partition('Request: activate')[2]}"
    (reading,) = read_forms(text, "Activate a new license")
    assert reading.values["plan"] == "Voice"
