"""What is a label and what is not: decorated and misspelt ones, ordinary business mail, prose."""

import pytest

from mailbot.core.form.problem import Code
from mailbot.core.form.reader import read_fields, read_forms
from tests.core.form.test_values import PLAN, WHO, checked

#: Lines of ordinary business mail, in and above signatures. None is a field or nearly one.
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
def test_ordinary_business_line_is_neither_field_nor_near_label(form: str, line: str) -> None:
    plain, problems = checked(f"{form}\n{line}\n")
    assert problems == []
    assert plain.comments == line
    expected, _ = checked(form)
    assert {**vars(plain), "comments": None} == vars(expected)


def test_mail_of_ordinary_business_lines_is_no_form() -> None:
    assert read_forms("\n".join(ORDINARY) + "\nCompany: Acme\nEmail: bob@acme.example\n", "hello") == ()


@pytest.mark.parametrize(
    ("line", "field"),
    [("Usrs: 3", "users"), ("Telefones: 2", "telephones"), ("Mobile agent's: 2", "mobile_agents"), ("Adons: Quality Analysis", "addons"),
     ("Plugns: Botify", "plugins"), ("White lable: yes", "whitelabel"), ("Custmer email: ann@acme.example", "customer_email")],
)  # fmt: skip
def test_misspelt_label_of_an_optional_field_is_asked_about(line: str, field: str) -> None:
    assert checked(f"{PLAN}{line}\n")[1] == [(field, Code.NEAR_LABEL)]


@pytest.mark.parametrize(
    ("line", "field"),
    [("Additional agents: 2", "agents"), ("Agent seats: 12", "agents"), ("New mobile agent seats: 3", "mobile_agents"),
     ("Queue manager: yes", "plugins"), ("AI Assistants\tyes", "addons"), ("[x] Botify", "plugins"), ("Schedulease: ☑", "plugins")],
)  # fmt: skip
def test_seat_count_or_choice_under_no_label_is_asked_about(line: str, field: str) -> None:
    form = f"Request: modify\n{WHO}Action: add\nReason: we grow\nUsers: 3\n{line}\n"
    assert checked(form)[1] == [(field, Code.NEAR_LABEL)]
    value = {"agents": "12", "mobile_agents": "3"}.get(field, "none")
    assert checked(f"{form}{field}: {value}\n")[1] == []


@pytest.mark.parametrize("line", ["Existing users: 3", "Botify: no", "[ ] Botify", "Botify: yes, we have it"])
def test_line_that_requests_nothing_is_prose(line: str) -> None:
    form = f"Request: modify\n{WHO}Action: add\nReason: we grow\nTelephones: 3\n{line}\n"
    assert checked(form)[1] == []


@pytest.mark.parametrize(
    "label", ["License-Token", "Total agents", "No. of users", "We accept the License Agreement", "Agents ......"]
)
def test_variants_of_a_label_are_understood(label: str) -> None:
    (value,) = read_fields(f"{label}: A1B2C3D4E5F6").values.values()
    assert value == "A1B2C3D4E5F6"


def test_misspelt_label_is_ignored_if_the_field_is_given_or_below_a_signature() -> None:
    assert checked(f"{PLAN}Users: 3\nUsrs: 4\n")[1] == []
    assert checked(f"{PLAN}-- \nUsrs: 4\n")[1] == []
    assert checked(f"{PLAN}\nMit freundlichen Grüßen\nUsrs: 4\n")[1] == []


def test_misspelt_label_of_one_of_several_fields_is_the_only_problem() -> None:
    assert checked(f"Request: contract\n{WHO}Suport plan: Platinum\n")[1] == [("support", Code.NEAR_LABEL)]


def test_all_prose_is_kept_in_the_comments() -> None:
    request, _ = checked(
        f"Hello,\n\nplease do this soon.\n{PLAN}\nOne more thing: call me.\n\nComments: and again\n\nlater\n-- \nJoe"
    )
    assert request.comments == "and again\n\nlater\nHello,\n\nplease do this soon.\n\nOne more thing: call me."


def test_fields_foreign_to_the_form_are_kept_in_the_comments() -> None:
    request, problems = checked(f"Request: contract\n{WHO}Plan: Voice\nAgents: 12\nOld token: B1B2C3D4E5F6\n")
    assert (request.comments, problems) == ("Agents: 12\nOld token: B1B2C3D4E5F6", [])


def test_pasted_log_is_not_kept_as_a_comment() -> None:
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
def test_decoration_around_a_label_is_ignored(text: str) -> None:
    assert dict(read_fields(text).values) == {"token": "A1B2C3D4E5F6"}


def test_ticked_box_before_a_label_means_yes() -> None:
    assert dict(read_fields("[x] I accept the License Agreement\n☐ Whitelabel\n").values) == {"accept": "yes"}


def test_answer_after_a_question_label_is_its_value() -> None:
    assert dict(read_fields("3. Are you requesting a 30-day free demo? NO").values) == {"demo": "NO"}
    assert read_fields("Could you help? NO").values == {}


def test_wrapped_value_is_joined_without_the_next_sentence() -> None:
    name = "The Society for the Promotion of Very Long Customer Names and Their"
    read = read_fields(f"Customer name: {name}\nReaders Ltd.\nCustomer email: a@b.example\nPlease hurry.\n")
    assert dict(read.values) == {"customer_name": f"{name} Readers Ltd.", "customer_email": "a@b.example"}
    assert read.prose == "Please hurry."


def test_long_comment_is_kept_whole() -> None:
    assert read_fields("Comments: " + "word " * 3000).values["comments"] == ("word " * 3000).strip()


def test_equal_values_count_once_and_different_ones_are_asked_about() -> None:
    assert checked(f"{PLAN}Agents: 10\nplan: VOICE\n")[1] == []
    assert checked(f"{PLAN}Agents: 11\n")[1] == [("agents", Code.GIVEN_TWICE)]


def test_empty_field_takes_no_prose_from_below() -> None:
    assert checked(f"{PLAN}Users:\nMobile agents:\n\nThanks for your help!\n")[1] == []
