"""Forms that are not a line for each field: labels above their values, tables, columns, sentences. And what is none of these."""

import pytest

from mailbot.core.form.problem import Code
from mailbot.core.form.reader import read_fields, read_forms
from tests.core.form.test_labels import ORDINARY
from tests.core.form.test_values import PLAN, WHO, checked

STACKED = "\n".join(line.replace(": ", "\n") for line in PLAN.splitlines())


@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n \n", "\n\n\n"])
@pytest.mark.parametrize("mark", ["", "> ", "* ", "1. "])
def test_a_form_without_colons(gap: str, mark: str) -> None:
    pairs = [line.split(": ") for line in PLAN.splitlines()]
    text = "\n\n".join(f"{mark}{label}{gap}{mark if mark == '> ' else ''}{value}" for label, value in pairs)
    assert checked(text) == checked(PLAN)


def test_a_label_alone_and_the_one_thing_that_can_be_its_value() -> None:
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
def test_a_word_alone_is_no_label(text: str) -> None:
    read = read_fields(text)
    assert dict(read.values) == {}
    assert read.prose == text


def test_one_label_alone_in_a_form_with_colons_asks_no_sentence_for_a_value() -> None:
    request, problems = checked(f"{PLAN}\nSupport\nplease call us\n")
    assert (problems, request.comments) == ([], "Support\nplease call us")


def test_a_value_that_is_missing_between_labels_is_missing() -> None:
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
def test_several_fields_in_a_line_or_a_table(line: str) -> None:
    assert dict(read_fields(line).values) == {"token": "A1B2C3D4E5F6", "agents": "12", "customer_name": "Acme; Ltd"}


def test_two_things_in_a_line_are_one_value() -> None:
    assert dict(read_fields("Customer name: Acme; Support: all").values) == {"customer_name": "Acme; Support: all"}
    assert dict(read_fields("Comments: token: lost, agents: 3, users: 4").values) == {
        "comments": "token: lost, agents: 3, users: 4"
    }


def test_a_row_of_labels_whose_values_are_elsewhere_gives_no_field() -> None:
    assert dict(read_fields("Customer name\tPlan\tAgents\nAcme\tVoice").values) == {}


def test_lists_in_a_request_of_one_sentence_stay_whole() -> None:
    text = f"Request: modify, {', '.join(WHO.splitlines())}, Action: add, Reason: cost, Add-ons: Quality Analysis, AI Assistants."
    request, problems = checked(text)
    assert (request.addons, problems) == (("quality_analysis", "ai_assistants"), [])


@pytest.mark.parametrize("line", ORDINARY)
def test_ordinary_lines_are_no_part_of_a_stacked_form(line: str) -> None:
    request, problems = checked(f"{STACKED}\n\n{line}")
    assert (problems, request.comments) == ([], line)


def test_telephones_of_signatures_end_the_words_of_a_first_mail() -> None:
    for line in ("Sent from my iPhone", "Inviato da iPhone", "Von meinem iPhone gesendet", "Envoyé de mon iPhone", "Enviado desde mi iPhone", "Get Outlook for iOS<https://aka.ms/o0ukef>",
                 "Télécharger Outlook pour Android<https://aka.ms/AAb9ysg>", "Sent with [Proton Mail](https://proton.me/mail/home) secure email.", "Sent from Yahoo Mail on Android", "Sent from my Galaxy"):  # fmt: skip
        read = read_fields(f"Comments: soon\n\n{line}\nTelephone: 3\n")
        assert dict(read.values) == {"comments": "soon"}, line
        assert dict(read_fields(f"{line}\n\nAgents: 3\n").values) == {"agents": "3"}, line


@pytest.mark.parametrize("line", ["Sent from our office in Turin.", "I sent from my phone the wrong log", "Enviado por Joe", "Gesendet habe ich es schon"])  # fmt: skip
def test_words_that_only_begin_like_a_telephone_s(line: str) -> None:
    assert read_fields(f"Comments: soon\n{line}\nagain").values["comments"] == f"soon\n{line}\nagain"


@pytest.mark.parametrize(
    ("words", "hint"),
    [("ten", "10"), ("Ten agents", "10"), ("twenty-five", "25"), ("twenty five", "25"), ("dieci", "10"), ("zwölf", "12"), ("dix-huit", "18"), ("veinte", "20"), ("a few", ""), ("ten-ten", ""), ("tenor", ""), ("ten or twelve", "")],
)  # fmt: skip
def test_a_number_in_words_is_a_hint_and_never_a_count(words: str, hint: str) -> None:
    from mailbot.core.form.problem import Problem
    from mailbot.core.form.values import read_number

    found = read_number("agents", words)
    assert isinstance(found, Problem)
    assert (found.code, found.hint) == (Code.NOT_A_NUMBER, hint)


def test_agreed_in_five_languages() -> None:
    for word in ("I agree", "Accetto", "Ich stimme zu", "J’accepte", "Acepto"):
        assert checked(PLAN.replace("Agreement: yes", f"Agreement: {word}"))[1] == []


def test_forms_below_a_forwarding_line_are_read_behind_a_signature() -> None:
    text = f"Please.\n\nSent from my iPhone\n\nBegin forwarded message:\n\nFrom: Ann <ann@client.example>\n\n{PLAN.partition('Request: activate')[2]}"
    (reading,) = read_forms(text, "Activate a new license")
    assert reading.values["plan"] == "Voice"
