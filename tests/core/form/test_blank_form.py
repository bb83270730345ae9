"""Blank and filled-in forms: what is filled in is read back exactly, and an untouched form only lacks values."""

import pytest

from mailbot.core.form.blank_form import correction_lines, render_blank, render_filled
from mailbot.core.form.fields import FIELDS, FORMS, TITLES, Form
from mailbot.core.form.problem import Code
from mailbot.core.form.reader import read_fields, read_forms
from mailbot.core.form.request import Action, RequestKind
from mailbot.core.form.validation import validate
from mailbot.core.form.which_form import chooser_values
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
def test_filled_in_form_is_read_back_exactly(form: Form, mark: str) -> None:
    text = render_blank(form.request, catalogue(), form.action)
    sent = "\n".join(mark + line for line in fill(text, VALUES).splitlines())
    (reading,) = read_forms(sent, "")
    said = {**VALUES, **chooser_values(form.request, form.action), "product": "Shuttle"}
    said["request"] = f"{form.request}/{form.action}" if form.action else form.request
    given = dict(reading.values)
    assert given == {key: said[key] for key in given}
    assert len(given) == len([line for line in text.splitlines() if line])
    assert reading.prose == ""


@pytest.mark.parametrize("kind", FORMS, ids=str)
def test_untouched_blank_form_has_only_missing_values(kind: tuple[str, str | None]) -> None:
    text = render_blank(kind[0], catalogue(), kind[1])
    (reading,) = read_forms(text, "")
    request, problems = validate(reading, catalogue(), attachments=False)
    assert {p.code for p in problems} <= {Code.MISSING, Code.ATTACHMENT_MISSING}
    assert (request.request, request.action) == kind
    missing = {p.field for p in problems} - {"items"}
    assert missing == set(FORMS[kind].required) - {"action", "demo"} - (
        {"reason"} if kind[0] == "reactivate" else set()
    )


@pytest.mark.parametrize("key", TITLES)
def test_untouched_form_without_action_has_only_missing_values(key: str) -> None:
    (reading,) = read_forms(render_blank(key, catalogue()), "")
    _, problems = validate(reading, catalogue(), attachments=True)
    assert {p.code for p in problems} == {Code.MISSING}
    assert [p.field for p in problems]


def test_blank_form_of_one_action_states_it_and_asks_only_for_its_fields() -> None:
    assert render_blank(RequestKind.MODIFY, catalogue(), Action.DEACTIVATE).splitlines() == [
        "Request: modify/deactivate", "License token: ", "Customer name: ", "I accept the License Agreement (yes / no): ", "Action: deactivate",
        "Reason (Project ended / Server replaced / Other product / Cost / or your own words): ", "Customer email: ", "Comments: ",
    ]  # fmt: skip
    assert "30 days free demo: yes" in render_blank(RequestKind.ACTIVATE, catalogue(), Action.DEMO).splitlines()
    assert "Plan" not in render_blank(RequestKind.ACTIVATE, catalogue(), Action.DEMO)
    assert "Action (Add / Remove / Deactivate): " in render_blank(RequestKind.MODIFY, catalogue()).splitlines()
    for action in (Action.EXPIRED, Action.TOKEN_CHANGE, Action.OTHER):
        assert "attach it to your mail" in render_blank(RequestKind.REACTIVATE, catalogue(), action)


@pytest.mark.parametrize("width", [40, 60, 72])
def test_form_with_long_lines_wrapped_by_a_mail_program_is_read(width: int) -> None:
    import textwrap

    text = fill(render_blank(RequestKind.ACTIVATE, catalogue(), Action.PLAN), VALUES)
    broken = "\n".join("\n".join(textwrap.wrap(line, width)) for line in text.splitlines() if line)
    request, problems = validate(read_forms(broken, "")[0], catalogue(), attachments=False)
    assert (problems, request.addons, request.plugins) == ((), ("quality_analysis", "ai_assistants"), ("botify",))


@pytest.mark.parametrize("kind", FORMS, ids=str)
def test_rendered_filled_form_gives_the_same_request(kind: tuple[str, str | None]) -> None:
    (reading,) = read_forms(FORM[kind], "")
    request, problems = validate(reading, catalogue(), attachments=True)
    (again,) = read_forms(render_filled(request, reading.values, problems), "")
    assert validate(again, catalogue(), attachments=True) == (request, ())


def test_wrong_lines_are_empty_in_the_filled_form_and_the_prepared_reply() -> None:
    text = (
        FORM["contract", None]
        .replace("Platinum", "Gold")
        .replace("Acme", "")
        .replace("Request: contract", "Request: contract\nUsers: 3")
    )
    (reading,) = read_forms(text, "")
    request, problems = validate(reading, catalogue(), attachments=True)
    form = render_filled(request, reading.values, problems)
    assert form.splitlines() == [
        "Request: contract",
        "License token: A1B2C3D4E5F6",
        "Customer name:",
        "I accept the License Agreement: yes",
        "Support package:",
    ]
    assert correction_lines(problems) == "Support package: \nCustomer name: \n"
    assert dict(read_fields(correction_lines(problems)).values) == {}


def test_form_command_with_an_action_sends_that_blank_form(tmp_path) -> None:  # type: ignore[no-untyped-def]
    desk = running(tmp_path)
    (mail,) = desk.write("joe@acme.example", "form modify add", verified=False)
    assert "Request: modify/add" in body(mail)
    assert "Action: add" in body(mail)
    sent_back = "\n".join(body(mail).splitlines())
    (reading,) = read_forms(sent_back, "")
    assert {p.code for p in validate(reading, catalogue(), attachments=False)[1]} == {Code.MISSING}
