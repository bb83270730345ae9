"""Each form of the table, as a customer would write it, and all its problems at once."""

import pytest

from mailbot.core.form.blank_form import render_blank, render_filled
from mailbot.core.form.fields import FORMS, TITLES
from mailbot.core.form.problem import Code
from mailbot.core.form.reader import read_fields, read_forms
from mailbot.core.form.request import RequestKind
from mailbot.core.form.validation import validate
from tests.support.desk import catalogue

WHO = "License token: A1B2C3D4E5F6\nCustomer name: Acme\nI accept the License Agreement: yes\n"
FORM = {
    ("activate", "demo"): f"Request: activate\n{WHO}30 days free demo: yes\n",
    ("activate", "plan"): f"Request: activate\n{WHO}demo: no\nPlan: Voice\nAgents: 10\nBilling frequency: annual\nSupport package: Silver\n",
    ("modify", "add"): f"Request: modify\n{WHO}Action: Upgrade\nReason: seasonal peak\nAgents: 12 agents\n",
    ("modify", "remove"): f"Request: modify\n{WHO}Action Request: remove\nReason: cost\nPlugins: Botify; Data retention\n",
    ("modify", "deactivate"): f"Request: modify\n{WHO}Action: deactivate\nReason: we close\n",
    ("contract", None): f"Request: contract\n{WHO}Support plan: Platinum\n",
    ("reactivate", "expired"): "Request: reactivate\nCustomer name: Acme\nGrace period reason: expired\nOld token: A1B2C3D4E5F6\n",
    ("reactivate", "token_change"): "Request: reactivate\nCustomer name: Acme\nReason: token change\nOld token: A1B2C3D4E5F6\nNew token: B1B2C3D4E5F6\n",
    ("reactivate", "other"): "Request: reactivate\nCustomer name: Acme\nReason: the server burnt\nOld token: A1B2C3D4E5F6\nComments: please\n",
    ("information", None): "Request: information\nQuestion: What does it cost?\nAnd when?\n",
    ("shuttle", "modify"): "Product: Shuttle\nAction: modify\nLicense token: A1B2C3D4E5F6\nCustomer name: Acme\nDescription: two more\n",
    ("shuttle", "transfer"): "Product: Shuttle\nAction: transfer\nLicense token: A1B2C3D4E5F6\nCustomer name: Acme\nDescription: move\nMotion token: B1B2C3D4E5F6\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", FORMS, ids=str)
def test_correct_form_has_no_problem(kind: tuple[str, str | None]) -> None:
    (reading,) = read_forms(FORM[kind], "")
    request, problems = validate(reading, catalogue(), attachments=True)
    assert problems == ()
    assert (request.request, request.action) == kind


def test_values_of_a_correct_form_are_read() -> None:
    (reading,) = read_forms(FORM["modify", "remove"], "")
    request, _ = validate(reading, catalogue(), attachments=False)
    assert (request.plugins, request.reason, request.accept) == (("data_retention", "botify"), "cost", True)
    (reading,) = read_forms(FORM["modify", "add"], "")
    assert validate(reading, catalogue(), attachments=False)[0].agents == 12


def test_all_problems_of_a_form_are_reported_at_once() -> None:
    text = (
        "Request: activate\nLicense token: short\nCustomer name: Acme\nI accept the License Agreement: no\n"
        "30 days free demo: no\nPlan: Voize\nAgents: three\nUsers: 999999999\nBilling frequency: weekly\n"
        "Add-ons: AI Agent Assistants\n"
    )
    (reading,) = read_forms(text, "")
    _, problems = validate(reading, catalogue(), attachments=False)
    assert {(p.field, p.code) for p in problems} == {
        ("token", Code.TOKEN_MALFORMED),
        ("accept", Code.NOT_ACCEPTED),
        ("plan", Code.UNKNOWN_VALUE),
        ("agents", Code.NOT_A_NUMBER),
        ("users", Code.OUT_OF_RANGE),
        ("billing", Code.UNKNOWN_VALUE),
        ("addons", Code.REQUIRES),
        ("support", Code.MISSING),
    }
    assert next(p for p in problems if p.field == "plan").hint == "Voice"


def test_too_few_agents_and_a_missing_log_are_problems() -> None:
    (reading,) = read_forms(FORM["activate", "plan"].replace("10", "4"), "")
    assert [(p.field, p.code) for p in validate(reading, catalogue(), attachments=False)[1]] == [
        ("agents", Code.OUT_OF_RANGE)
    ]
    (reading,) = read_forms(FORM["reactivate", "expired"], "")
    assert [(p.field, p.code) for p in validate(reading, catalogue(), attachments=False)[1]] == [
        ("log", Code.ATTACHMENT_MISSING)
    ]


def test_shuttle_request_without_action_has_product_shuttle() -> None:
    (reading,) = read_forms("Request: shuttle\nLicense token: A1B2C3D4E5F6\n", "")
    assert validate(reading, catalogue(), attachments=False)[0].product == "shuttle"


def test_label_given_twice_and_misspelt_label_are_problems() -> None:
    (reading,) = read_forms(FORM["contract", None] + "Support plan: Silver\n", "")
    assert [p.code for p in validate(reading, catalogue(), attachments=False)[1]] == [Code.GIVEN_TWICE]
    (reading,) = read_forms(FORM["contract", None].replace("Customer name", "Custmer name"), "")
    assert [(p.field, p.code) for p in validate(reading, catalogue(), attachments=False)[1]] == [
        ("customer_name", Code.NEAR_LABEL)
    ]


@pytest.mark.parametrize("request_key", TITLES)
def test_every_line_of_a_blank_form_is_read_as_a_field(request_key: RequestKind) -> None:
    lines = [
        f"{line}X" if line.endswith(": ") else line for line in render_blank(request_key, catalogue()).splitlines()
    ]
    read = read_fields("\n".join(lines))
    assert len(read.values) == len(lines)


def test_rendered_filled_form_gives_the_same_request() -> None:
    (reading,) = read_forms(FORM["activate", "plan"], "")
    request, problems = validate(reading, catalogue(), attachments=False)
    (again,) = read_forms(render_filled(request, reading.values, problems), "")
    assert validate(again, catalogue(), attachments=False)[0] == request
