"""Blank and filled-in forms: what is filled in comes back exactly, and an untouched form only lacks values."""

import pytest

from mailbot.core.form.blank_form import blank, filled_form, prepared
from mailbot.core.form.fields import FIELDS, FORMS, TITLES, Form
from mailbot.core.form.problem import Code
from mailbot.core.form.reader import read_fields, read_forms
from mailbot.core.form.request_kinds import Action, RequestKind
from mailbot.core.form.validation import validate
from mailbot.core.form.which_form import stated
from tests.core.form.test_fields import FORM
from tests.support.desk import catalogue
from tests.support.running import body, running

VALUES = {
    "token": "A1B2C3D4E5F6", "old_token": "A1B2C3D4E5F6", "new_token": "N1B2C3D4E5F6", "motion_token": "M1B2C3D4E5F6", "customer_name": "Acme (Italia): Srl",
    "customer_email": "ann@acme.example", "accept": "yes", "plan": "Voice Digital", "agents": "12", "users": "3", "telephones": "4", "mobile_agents": "5",
    "billing": "Annual", "support": "Platinum", "whitelabel": "no", "addons": "Quality Analysis, AI Assistants", "plugins": "Botify", "reason": "we grow",
    "log": "attached", "comments": "one\n\ntwo", "question": "what?\nwhen?", "description": "this\nand that", "action": "add", "demo": "no",
}  # fmt: skip
GENERAL = [Form(key, None, title, ()) for key, title in TITLES.items()]


def fill(text: str, values: dict[str, str]) -> str:
    """The form with every line filled in that ends with its colon."""
    lines = []
    for line in text.splitlines():
        label = line.partition("(")[0].partition(":")[0].strip()
        key = next(f.key for f in FIELDS.values() if f.label == label)
        lines.append(f"{line}{values[key]}" if line.endswith(": ") else line)
    return "\n".join(lines)


@pytest.mark.parametrize("form", [*FORMS.values(), *GENERAL], ids=lambda form: f"{form.request}-{form.action}")
@pytest.mark.parametrize("mark", ["", "> ", "    "])
def test_a_form_filled_in_and_sent_back_whole_is_read_exactly(form: Form, mark: str) -> None:
    text = blank(form.request, catalogue(), form.action)
    sent = "\n".join(mark + line for line in fill(text, VALUES).splitlines())
    (reading,) = read_forms(sent, "")
    said = {**VALUES, **stated(form.request, form.action), "product": "Shuttle"}
    said["request"] = f"{form.request}/{form.action}" if form.action else form.request
    given = dict(reading.values)
    assert given == {key: said[key] for key in given}
    assert len(given) == len([line for line in text.splitlines() if line])
    assert reading.prose == ""


@pytest.mark.parametrize("kind", FORMS, ids=str)
def test_an_untouched_form_only_lacks_values(kind: tuple[str, str | None]) -> None:
    text = blank(kind[0], catalogue(), kind[1])
    (reading,) = read_forms(text, "")
    request, problems = validate(reading, catalogue(), attachments=False)
    assert {p.code for p in problems} <= {Code.MISSING, Code.ATTACHMENT_MISSING}
    assert (request.request, request.action) == kind
    missing = {p.field for p in problems} - {"items"}
    assert missing == set(FORMS[kind].required) - {"action", "demo"} - (
        {"reason"} if kind[0] == "reactivate" else set()
    )


@pytest.mark.parametrize("key", TITLES)
def test_an_untouched_general_form_only_lacks_values(key: str) -> None:
    (reading,) = read_forms(blank(key, catalogue()), "")
    _, problems = validate(reading, catalogue(), attachments=True)
    assert {p.code for p in problems} == {Code.MISSING}
    assert [p.field for p in problems]


def test_the_form_of_one_action_says_it_already_and_asks_for_nothing_else() -> None:
    assert blank(RequestKind.MODIFY, catalogue(), Action.DEACTIVATE).splitlines() == [
        "Request: modify/deactivate", "License token: ", "Customer name: ", "I accept the License Agreement (yes / no): ", "Action: deactivate",
        "Reason (Project ended / Server replaced / Other product / Cost / or your own words): ", "Customer email: ", "Comments: ",
    ]  # fmt: skip
    assert "30 days free demo: yes" in blank(RequestKind.ACTIVATE, catalogue(), Action.DEMO).splitlines()
    assert "Plan" not in blank(RequestKind.ACTIVATE, catalogue(), Action.DEMO)
    assert "Action (Add / Remove / Deactivate): " in blank(RequestKind.MODIFY, catalogue()).splitlines()
    for action in (Action.EXPIRED, Action.TOKEN_CHANGE, Action.OTHER):
        assert "attach it to your mail" in blank(RequestKind.REACTIVATE, catalogue(), action)


@pytest.mark.parametrize("width", [40, 60, 72])
def test_a_form_whose_long_lines_were_broken_by_a_mail_program(width: int) -> None:
    import textwrap

    text = fill(blank(RequestKind.ACTIVATE, catalogue(), Action.PLAN), VALUES)
    broken = "\n".join("\n".join(textwrap.wrap(line, width)) for line in text.splitlines() if line)
    request, problems = validate(read_forms(broken, "")[0], catalogue(), attachments=False)
    assert (problems, request.addons, request.plugins) == ((), ("quality_analysis", "ai_assistants"), ("botify",))


@pytest.mark.parametrize("kind", FORMS, ids=str)
def test_a_filled_form_reads_back_as_it_was(kind: tuple[str, str | None]) -> None:
    (reading,) = read_forms(FORM[kind], "")
    request, problems = validate(reading, catalogue(), attachments=True)
    (again,) = read_forms(filled_form(request, reading.values, problems), "")
    assert validate(again, catalogue(), attachments=True) == (request, ())


def test_faulty_lines_stand_empty_in_the_filled_form_and_in_the_ready_reply() -> None:
    text = (
        FORM["contract", None]
        .replace("Platinum", "Gold")
        .replace("Acme", "")
        .replace("Request: contract", "Request: contract\nUsers: 3")
    )
    (reading,) = read_forms(text, "")
    request, problems = validate(reading, catalogue(), attachments=True)
    form = filled_form(request, reading.values, problems)
    assert form.splitlines() == [
        "Request: contract",
        "License token: A1B2C3D4E5F6",
        "Customer name:",
        "I accept the License Agreement: yes",
        "Support package:",
    ]
    assert prepared(problems) == "Support package: \nCustomer name: \n"
    assert dict(read_fields(prepared(problems)).values) == {}


def test_forms_with_an_action_are_sent_by_mail(tmp_path) -> None:  # type: ignore[no-untyped-def]
    desk = running(tmp_path)
    (mail,) = desk.write("joe@acme.example", "form modify add", verified=False)
    assert "Request: modify/add" in body(mail)
    assert "Action: add" in body(mail)
    sent_back = "\n".join(body(mail).splitlines())
    (reading,) = read_forms(sent_back, "")
    assert {p.code for p in validate(reading, catalogue(), attachments=False)[1]} == {Code.MISSING}
