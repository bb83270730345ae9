"""Forms that are not one field per line: labels above their values, tables, columns, sentences; and what only looks like one."""

import pytest

from mailbot.core.form.problem import Code
from mailbot.core.form.reader import read_fields
from tests.core.form.test_labels import ORDINARY
from tests.core.form.test_values import PLAN, WHO, checked

STACKED = "\n".join(line.replace(": ", "\n") for line in PLAN.splitlines())


@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n \n", "\n\n\n"])
@pytest.mark.parametrize("mark", ["", "> ", "* ", "1. "])
def test_form_with_labels_above_values_is_read(gap: str, mark: str) -> None:
    pairs = [line.split(": ") for line in PLAN.splitlines()]
    text = "\n\n".join(f"{mark}{label}{gap}{mark if mark == '> ' else ''}{value}" for label, value in pairs)
    assert checked(text) == checked(PLAN)


def test_lone_label_takes_the_line_that_can_only_be_its_value() -> None:
    assert dict(read_fields("License token\nA1B2C3D4E5F6").values) == {"token": "A1B2C3D4E5F6"}
    assert dict(read_fields("Agents\n12").values) == {"agents": "12"}
    assert dict(read_fields("I accept the License Agreement\n\nyes").values) == {"accept": "yes"}
    assert dict(read_fields("Plugins\n- Botify\n- Schedulease").values) == {"plugins": "- Botify\n- Schedulease"}


@pytest.mark.parametrize(
    "text",
    [
        "Support\nJoe Smith", "Company\nAcme Ltd", "Email\njoe@acme.example", "Plan\nwe meet on Monday", "Question\nwho pays?", "Demo\nshowed us much",
        "Agents\nare hard to find", "License token\nis in the settings", "Users\nTelephones\nMobile agents", "Comments\nnone so far",
    ],
)  # fmt: skip
def test_lone_word_above_a_sentence_is_no_label(text: str) -> None:
    read = read_fields(text)
    assert dict(read.values) == {}
    assert read.prose == text


def test_lone_label_in_a_form_with_colons_takes_no_sentence() -> None:
    request, problems = checked(f"{PLAN}\nSupport\nplease call us\n")
    assert (problems, request.comments) == ([], "Support\nplease call us")


def test_missing_value_between_stacked_labels_is_reported() -> None:
    _, problems = checked(STACKED.replace("Acme\n", ""))
    assert problems == [("customer_name", Code.MISSING)]


@pytest.mark.parametrize(
    "line",
    [
        "Token: A1B2C3D4E5F6; Agents: 12; Customer name: Acme; Ltd.", "- Token: A1B2C3D4E5F6, Agents: 12, Customer name: Acme; Ltd",
        "Token: A1B2C3D4E5F6\tAgents: 12\tCustomer name: Acme; Ltd", "Token: A1B2C3D4E5F6    Agents: 12    Customer name: Acme; Ltd",
        "Token\tA1B2C3D4E5F6\tAgents\t12\nCustomer name\tAcme; Ltd", "Token\tAgents\tCustomer name\nA1B2C3D4E5F6\t12\tAcme; Ltd",
        "Token = A1B2C3D4E5F6\nAgents = 12\nCustomer name = Acme; Ltd",
    ],
)  # fmt: skip
def test_several_fields_on_a_line_or_in_a_table_are_read(line: str) -> None:
    assert dict(read_fields(line).values) == {"token": "A1B2C3D4E5F6", "agents": "12", "customer_name": "Acme; Ltd"}


def test_two_fields_on_a_line_are_one_value() -> None:
    assert dict(read_fields("Customer name: Acme; Support: all").values) == {"customer_name": "Acme; Support: all"}
    assert dict(read_fields("Comments: token: lost, agents: 3, users: 4").values) == {
        "comments": "token: lost, agents: 3, users: 4"
    }


def test_table_row_with_too_few_values_gives_no_field() -> None:
    assert dict(read_fields("Customer name\tPlan\tAgents\nAcme\tVoice").values) == {}


def test_list_in_a_form_of_one_sentence_stays_whole() -> None:
    text = f"Request: modify, {', '.join(WHO.splitlines())}, Action: add, Reason: cost, Add-ons: Quality Analysis, AI Assistants."
    request, problems = checked(text)
    assert (request.addons, problems) == (("quality_analysis", "ai_assistants"), [])


@pytest.mark.parametrize("line", ORDINARY)
def test_ordinary_line_below_a_stacked_form_is_a_comment(line: str) -> None:
    request, problems = checked(f"{STACKED}\n\n{line}")
    assert (problems, request.comments) == ([], line)
