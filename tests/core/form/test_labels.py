"""What is a label and what is not: near ones, prose, signatures, lists, and the lines of other people's mail programs."""

import pytest

from mailbot.core.form.problem import Code
from mailbot.core.form.reader import read_fields, read_forms
from mailbot.core.form.validation import validate
from tests.core.form.test_values import PLAN, WHO, checked
from tests.support.desk import catalogue

#: Lines of ordinary business mail, in and above signatures. None of them is a field, nor nearly one.
ORDINARY = """Regards: Bob
Note: please hurry
Phone: +39 02 1234567
Tel: 02 1234567
Tel.: +49 30 123456
Telephone: +39 06 123 4567
Telephone: 0039-06-1234567
Mobile: +39 333 1234567
Mob: 333 1234567
Fax: +39 02 7654321
Cell: 333 1234567
Mail: bob@acme.example
Web: www.acme.example
Website: https://acme.example
Address: Via Roma 1, Milano
VAT: IT01234567890
P.S.: thanks
PS: see you
FYI: we are in a hurry
Meeting: tomorrow at 10:30
When: Monday, 10:00
Subject: our license
Re: our call
Dear Sir: hello
Question mark: none
Ref: 2026/17
Our reference: 2026/17
Order: 4711
Invoice: 12
Attached: the log
See also: https://docs.example/plans
Agenda: 3
Server: pbx1
Office: 3
Extension: 12
Room: 5
Team: Support Acme
Manager: Ann
Deadline: 2026-12-01
Time: 10:00
Important: yes
Urgent: yes
Priority: high
License Agreement: https://docs.xcally.com/license-agreement
Skype: bob.acme
LinkedIn: bob
Cc: ann@acme.example
Where the token is found: Settings
Users and agents: see below
Support ticket: 12""".splitlines()


@pytest.mark.parametrize("line", ORDINARY)
@pytest.mark.parametrize(
    "form", [PLAN, f"Request: modify\n{WHO}Action: add\nReason: we grow\nAdd-ons: Quality Analysis\n"]
)
def test_ordinary_lines_are_neither_fields_nor_near_labels(form: str, line: str) -> None:
    plain, problems = checked(f"{form}\n{line}\n")
    assert problems == []
    assert plain.comments == line
    expected, _ = checked(form)
    assert {**vars(plain), "comments": None} == vars(expected)


def test_a_mail_of_ordinary_lines_is_no_form() -> None:
    assert read_forms("\n".join(ORDINARY) + "\nCompany: Acme\nEmail: bob@acme.example\n", "hello") == ()


@pytest.mark.parametrize(
    ("line", "field"),
    [("Usrs: 3", "users"), ("Telefones: 2", "telephones"), ("Mobile agent's: 2", "mobile_agents"), ("Adons: Quality Analysis", "addons"),
     ("Plugns: Botify", "plugins"), ("White lable: yes", "whitelabel"), ("Custmer email: ann@acme.example", "customer_email")],
)  # fmt: skip
def test_a_near_label_of_a_field_that_may_be_left_out_is_told(line: str, field: str) -> None:
    assert checked(f"{PLAN}{line}\n")[1] == [(field, Code.NEAR_LABEL)]


@pytest.mark.parametrize(
    ("line", "field"),
    [("Additional agents: 2", "agents"), ("Agent seats: 12", "agents"), ("New mobile agent seats: 3", "mobile_agents"),
     ("Queue manager: yes", "plugins"), ("AI Assistants\tyes", "addons"), ("[x] Botify", "plugins"), ("Schedulease: ☑", "plugins")],
)  # fmt: skip
def test_a_line_that_counts_seats_or_says_yes_to_a_choice_by_its_own_name_is_told(line: str, field: str) -> None:
    form = f"Request: modify\n{WHO}Action: add\nReason: we grow\nUsers: 3\n{line}\n"
    assert checked(form)[1] == [(field, Code.NEAR_LABEL)]
    value = {"agents": "12", "mobile_agents": "3"}.get(field, "none")
    assert checked(f"{form}{field}: {value}\n")[1] == []


@pytest.mark.parametrize("line", ["Existing users: 3", "Botify: no", "[ ] Botify", "Botify: yes, we have it"])
def test_a_line_that_asks_for_nothing_is_prose(line: str) -> None:
    form = f"Request: modify\n{WHO}Action: add\nReason: we grow\nTelephones: 3\n{line}\n"
    assert checked(form)[1] == []


@pytest.mark.parametrize(
    "label", ["License-Token", "Total agents", "No. of users", "We accept the License Agreement", "Agents ......"]
)
def test_labels_that_every_human_would_know(label: str) -> None:
    (value,) = read_fields(f"{label}: A1B2C3D4E5F6").values.values()
    assert value == "A1B2C3D4E5F6"


def test_a_near_label_does_not_count_where_the_field_is_there_or_below_the_signature() -> None:
    assert checked(f"{PLAN}Users: 3\nUsrs: 4\n")[1] == []
    assert checked(f"{PLAN}-- \nUsrs: 4\n")[1] == []
    assert checked(f"{PLAN}\nMit freundlichen Grüßen\nUsrs: 4\n")[1] == []


def test_one_nearly_labelled_of_several_is_told_instead_of_all() -> None:
    assert checked(f"Request: contract\n{WHO}Suport plan: Platinum\n")[1] == [("support", Code.NEAR_LABEL)]


@pytest.mark.parametrize(
    "end",
    ["-- \nJoe", "Best regards\nJoe", "Kind regards,\nJoe", "Cordiali saluti\nJoe", "Mit freundlichen Grüßen,\nJoe", "Cordialement,\nJoe", "Saludos,\nJoe"],
)  # fmt: skip
def test_the_signature_ends_what_runs_on(end: str) -> None:
    for label, value in (("Comments", "please\n\nsoon"), ("Customer email", "ann@acme.example")):
        read = read_fields(f"{label}: {value}\n{end}\nCompany: Acme\nTelephone: 3\n")
        assert list(read.values.values()) == [value]
        assert read.prose == ""


def test_a_form_below_a_greeting_is_read() -> None:
    assert checked(f"Hello,\nsee below.\nBest regards\nJoe\n\n{PLAN}")[1] == []


def test_prose_reaches_staff_without_loss() -> None:
    request, _ = checked(
        f"Hello,\n\nplease do this soon.\n{PLAN}\nOne more thing: call me.\n\nComments: and again\n\nlater\n-- \nJoe"
    )
    assert request.comments == "and again\n\nlater\nHello,\n\nplease do this soon.\n\nOne more thing: call me."


def test_fields_that_the_form_does_not_have_reach_staff() -> None:
    request, problems = checked(f"Request: contract\n{WHO}Plan: Voice\nAgents: 12\nOld token: B1B2C3D4E5F6\n")
    assert (request.comments, problems) == ("Agents: 12\nOld token: B1B2C3D4E5F6", [])


def test_the_question_may_be_simply_the_text() -> None:
    (reading,) = read_forms("Hello,\nwhat does it cost?\n-- \nJoe", "Request general information")
    request, problems = validate(reading, catalogue(), attachments=False, default_name="Joe")
    assert (request.request, request.question, request.customer_name, problems) == (
        "information",
        "Hello,\nwhat does it cost?",
        "Joe",
        (),
    )


def test_a_pasted_log_is_nobodys_words() -> None:
    log = "[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] token=A1B2C3D4E5F6 status=grace"
    request, problems = checked(
        f"Request: reactivate/expired\nCustomer name: Acme\nOld token: A1B2C3D4E5F6\n\n{log}\n\nthat is all\n"
    )
    assert (request.comments, problems) == ("that is all", [])


@pytest.mark.parametrize(
    "text",
    [
        "License token:\nA1B2C3D4E5F6", "License token:\n\nA1B2C3D4E5F6", "> License token: A1B2C3D4E5F6", "License token\tA1B2C3D4E5F6",
        "License token:\tA1B2C3D4E5F6", "• License\u00a0token : A1B2C3D4E5F6", "LICENCE TOKEN: A1B2C3D4E5F6", "| **License token** | A1B2C3D4E5F6 |",
        "License\u200b token:\u200bA1B2C3D4E5F6", "license_token: A1B2C3D4E5F6", "License token (see Settings): A1B2C3D4E5F6",
        "License token (see Settings\n> menu): A1B2C3D4E5F6", "2) License token: A1B2C3D4E5F6", "License token : A1B2C3D4E5F6",
    ],
)  # fmt: skip
def test_what_may_stand_around_a_label(text: str) -> None:
    assert dict(read_fields(text).values) == {"token": "A1B2C3D4E5F6"}


def test_a_box_before_the_label_itself() -> None:
    assert dict(read_fields("[x] I accept the License Agreement\n☐ Whitelabel\n").values) == {"accept": "yes"}


def test_a_question_with_its_answer_behind_it() -> None:
    assert dict(read_fields("3. Are you requesting a 30-day free demo? NO").values) == {"demo": "NO"}
    assert read_fields("Could you help? NO").values == {}


def test_a_wrapped_value_is_whole_and_the_next_sentence_is_not_in_it() -> None:
    name = "The Society for the Promotion of Very Long Customer Names and Their"
    read = read_fields(f"Customer name: {name}\nReaders Ltd.\nCustomer email: a@b.example\nPlease hurry.\n")
    assert dict(read.values) == {"customer_name": f"{name} Readers Ltd.", "customer_email": "a@b.example"}
    assert read.prose == "Please hurry."


def test_a_long_paragraph_of_comments_is_kept_whole() -> None:
    assert read_fields("Comments: " + "word " * 3000).values["comments"] == ("word " * 3000).strip()


def test_the_same_value_twice_is_one_and_two_are_told() -> None:
    assert checked(f"{PLAN}Agents: 10\nplan: VOICE\n")[1] == []
    assert checked(f"{PLAN}Agents: 11\n")[1] == [("agents", Code.GIVEN_TWICE)]


def test_an_empty_line_of_a_form_takes_no_prose_from_below() -> None:
    assert checked(f"{PLAN}Users:\nMobile agents:\n\nThanks for your help!\n")[1] == []


@pytest.mark.parametrize(
    "closing",
    [
        "Viele Grüße aus Köln", "Saluti da Torino", "In attesa di un riscontro porgo cordiali saluti.", "Thank you and best regards,",
        "Je vous prie de recevoir mes salutations distinguées.",
    ],
)  # fmt: skip
def test_a_closing_may_say_more(closing: str) -> None:
    assert read_fields(f"Comments: soon\n\n{closing}\nJoe\nSupport: Silver").values == {"comments": "soon"}


def test_words_about_regards_are_no_closing() -> None:
    assert read_fields("Comments: give Bob my best regards\nand call me").values["comments"].endswith("call me")


def test_an_extension_in_a_signature_is_no_count_of_telephones() -> None:
    request, problems = checked(f"Request: modify/add\n{WHO}Reason: cost\nAgents: 12\n\nJoe\nTelephone: 4021")
    assert (request.telephones, problems) == (None, [("telephones", Code.NEAR_LABEL)])


OLDER = f"Request: modify/remove\n{WHO}Reason: cost\nAgents: 6"


@pytest.mark.parametrize(
    "quoted",
    [
        "On Mon, 2 Nov 2026 at 10:00, Bob <bob@acme.example> wrote:\n> " + OLDER.replace("\n", "\n> "),
        f"________________________________\nFrom: Bob <bob@acme.example>\nSent: Monday, 2 November 2026\n\n{OLDER}",
    ],
)
def test_a_form_quoted_below_ones_own_is_not_asked_again(quoted: str) -> None:
    (reading,) = read_forms(f"Request: contract\n{WHO}Plan: Voice\n\n{quoted}", "Re: license")
    assert reading.values["request"] == "contract"
    assert len(read_forms(f"Request: contract\n{WHO}Plan: Voice\n\n{quoted}", "Fwd: license")) == 2


def test_a_ruled_line_between_two_requests_is_no_quote() -> None:
    assert len(read_forms(f"Request: contract\n{WHO}Plan: Voice\n\n{'_' * 30}\n\n{OLDER}", "licenses")) == 2


def test_of_a_forwarded_conversation_the_newest_form_counts() -> None:
    newest = f"Request: contract\n{WHO}Plan: Voice"
    said = f"From: Bob <bob@acme.example>\nSent: Monday, 2 November 2026\nTo: Joe\nSubject: license\n\n{newest}"
    text = f"FYI\n\n{said}\n\n{said.replace(newest, OLDER)}"
    assert [reading.values["request"] for reading in read_forms(text, "FW: license")] == ["contract"]
    marked = "Begin forwarded message:\n\n> " + said.replace("\n", "\n> ") + "\n>\n>> " + OLDER.replace("\n", "\n>> ")
    assert [reading.values["request"] for reading in read_forms(marked, "Fwd: license")] == ["contract"]
