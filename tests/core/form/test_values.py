"""Values: many ways of writing one are accepted, and none is guessed."""

import pytest

from mailbot.core.form import values
from mailbot.core.form.choices import option_labels
from mailbot.core.form.problem import Code, Problem
from mailbot.core.form.reader import read_fields, read_forms
from mailbot.core.form.request import Request
from mailbot.core.form.validation import validate
from tests.support.desk import catalogue

WHO = "License token: A1B2C3D4E5F6\nCustomer name: Acme\nI accept the License Agreement: yes\n"
PLAN = (
    f"Request: activate\n{WHO}demo: no\nPlan: Voice\nAgents: 10\nBilling frequency: annual\nSupport package: Silver\n"
)


def checked(text: str, subject: str = "", *, attachments: bool = True) -> tuple[Request, list[tuple[str, Code]]]:
    (reading,) = read_forms(text, subject)
    request, problems = validate(reading, catalogue(), attachments=attachments)
    return request, [(p.field, p.code) for p in problems]


@pytest.mark.parametrize(
    ("field", "raw", "count"),
    [
        ("agents", "10", 10), ("agents", "10 agents", 10), ("agents", "10 Concurrent  agents", 10), ("agents", "10.", 10),
        ("agents", "“10”", 10), ("agents", "10\u00a0agents", 10), ("agents", "\u200b10", 10), ("users", "10 users", 10),
        ("users", "3 additional users", 3), ("telephones", "2 PBX extensions", 2), ("mobile_agents", "1 mobile agent", 1),
    ],
)  # fmt: skip
def test_number_is_read(field: str, raw: str, count: int) -> None:
    assert values.read_number(field, raw) == count


@pytest.mark.parametrize(
    "raw",
    ["5 more", "10 less than now", "10 more agents", "ten", "10 users", "+5", "-5", "=10", "10 %", "5-10", "10 or 12", "about 10", "10.5", "٣", "１０", "10 agents more", "10 telephones", "1 000 000 000", "none", "10k"],
)  # fmt: skip
def test_value_that_is_no_plain_number_is_asked_about(raw: str) -> None:
    problem = values.read_number("agents", raw)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.read) == (Code.NOT_A_NUMBER, raw)


@pytest.mark.parametrize("count", ["100001", "999999999", "99999999999999"])
@pytest.mark.parametrize("label", ["Agents", "Telephones", "PBX extensions"])
def test_count_above_the_maximum_is_out_of_range(label: str, count: str) -> None:
    text = PLAN.replace("Agents: 10", f"Agents: 10\n{label}: {count}" if label != "Agents" else f"Agents: {count}")
    field = "agents" if label == "Agents" else "telephones"
    assert checked(text)[1] == [(field, Code.OUT_OF_RANGE)]


@pytest.mark.parametrize("line", ["Telephone: 3331234567", "Telephone (office): 5551234567", "Telephones: 02 1234567"])
def test_phone_number_is_no_count(line: str) -> None:
    request, problems = checked(f"{PLAN}{line}\n")
    assert (request.telephones, problems) == (None, [])


@pytest.mark.parametrize("raw", ["1.000", "1,000", "1'000", "1’000", "1 000"])
def test_grouped_number_is_asked_about_with_a_hint(raw: str) -> None:
    problem = values.read_number("agents", raw)
    assert isinstance(problem, Problem)
    assert (problem.code, problem.hint) == (Code.NOT_A_NUMBER, "1000")


@pytest.mark.parametrize("word", ["yes", "YES.", "y", "sì", "Si", "ja", "Oui", "sí", "true", "“Yes”", "[x]", "☒", "☑ yes ☐ no", "[ ] no [x] yes", "✓"])  # fmt: skip
def test_yes_is_read(word: str) -> None:
    assert values.read_yes_no("demo", read_fields(f"demo: {word}").values["demo"]) is True


@pytest.mark.parametrize("word", ["no", "No!", "n", "nein", "non", "false", "[ ] yes [x] no", "☐ yes ☒ no"])
def test_no_is_read(word: str) -> None:
    assert values.read_yes_no("demo", read_fields(f"demo: {word}").values["demo"]) is False


@pytest.mark.parametrize(
    "word", ["sometimes", "not yet", "sure", "maybe", "ok", "yess", "yes / no", "not really", "ofc"]
)
def test_value_that_is_neither_yes_nor_no_is_asked_about(word: str) -> None:
    assert isinstance(values.read_yes_no("demo", word), Problem)
    _, problems = checked(f"Request: activate\n{WHO}demo: {word}\n")
    assert problems == [("demo", Code.UNKNOWN_VALUE)]


@pytest.mark.parametrize(
    "word", ["yes, please", "Yes please!", "ja, gerne", "Sí, muchas gracias", "Yes, I accept.", "Select “YES”"]
)
def test_courtesy_beside_yes_is_ignored(word: str) -> None:
    assert values.read_yes_no("accept", word) is True


@pytest.mark.parametrize("word", ["yes, but not before May", "yes, if it is free", "no, yes", "yes and no", "gerne"])
def test_yes_with_a_condition_is_asked_about(word: str) -> None:
    assert isinstance(values.read_yes_no("accept", word), Problem)


@pytest.mark.parametrize(
    "raw",
    [
        "12 agents",
        "12 Agenten",
        "12 agenti",
        "12 seats",
        "12 in total",
        "12 (twelve)",
        "12 agents (twelve)",
        "12 (agents)",
        "twelve (12)",
        "12;",
    ],
)
def test_count_with_its_unit_or_repeated_is_read(raw: str) -> None:
    assert values.read_number("agents", raw) == 12


@pytest.mark.parametrize(
    "raw", ["12 (now 10)", "12 (ten)", "ten (12)", "12 users", "12 more", "12 named", "12 new agents", "10 12", "122²"]
)
def test_count_with_other_words_is_asked_about(raw: str) -> None:
    assert isinstance(values.read_number("agents", raw), Problem)


PLUGINS = {"botify": "Botify", "queue_manager": "Queue Manager", "data_retention": "Data Retention"}


@pytest.mark.parametrize(
    "raw",
    [
        "Botify and Data-Retention",
        "Botify & data retention",
        "Botify e Data Retention plugins",
        "1. Botify\n2. Data Retention",
        "Botify: yes, Queue Manager: no, Data Retention: yes",
    ],
)
def test_list_of_known_names_is_read_however_joined(raw: str) -> None:
    assert values.read_options("plugins", raw, PLUGINS) == (("botify", "data_retention"), ())


@pytest.mark.parametrize(
    "raw", ["Botify or Data Retention", "Botify and not Data Retention", "Botify and Fooify", "all but Botify"]
)
def test_list_with_an_unknown_part_is_not_split(raw: str) -> None:
    found, (problem,) = values.read_options("plugins", raw, PLUGINS)
    assert (found, problem.read) == ((), raw)


def test_agreement_in_words_counts_only_for_the_license_agreement() -> None:
    assert values.read_yes_no("accept", "I agree") is True
    assert isinstance(values.read_yes_no("demo", "I agree"), Problem)


@pytest.mark.parametrize("empty", ["[ ]", "☐", "[ ] yes [ ] no", ""])
def test_empty_boxes_are_a_missing_value(empty: str) -> None:
    _, problems = checked(f"Request: activate\n{WHO}demo: {empty}\n")
    assert problems == [("demo", Code.MISSING)]


@pytest.mark.parametrize(
    ("word", "hint"), [("Shutle", "Shuttle"), ("Shuttle Motion", ""), ("Motoin", "Motion"), ("Queue", "")]
)
def test_unknown_product_is_reported_with_a_hint(word: str, hint: str) -> None:
    (reading,) = read_forms(f"Product: {word}\n{PLAN}", "")
    _, problems = validate(reading, catalogue(), attachments=True)
    assert [(p.field, p.code) for p in problems] == [("product", Code.UNKNOWN_VALUE)]
    assert problems[0].read == word
    assert not hint or problems[0].hint == hint


@pytest.mark.parametrize("word", ["Motion", "motion", "XCALLY Motion", "xcally  motion"])
def test_product_is_read_with_or_without_vendor(word: str) -> None:
    assert checked(f"Product: {word}\n{PLAN}") == (checked(PLAN)[0], [])


@pytest.mark.parametrize(
    ("word", "action"),
    [
        ("expired", "expired"), ("Expired License", "expired"), ("Expired licence (trial mode)", "expired"), ("trial mode", "expired"),
        ("token change", "token_change"), ("token_change", "token_change"), ("Token changed.", "token_change"),
        ("other", "other"), ("the server burnt", "other"), ("not expired", "other"), ("no token any more", "other"),
        ("other: we moved", "other"),
    ],
)  # fmt: skip
def test_grace_period_reason_is_read(word: str, action: str) -> None:
    text = f"Request: reactivate\nCustomer name: Acme\nReason: {word}\nOld token: A1B2C3D4E5F6\nNew token: B1B2C3D4E5F6\nComments: x\n"
    request, problems = checked(text)
    assert (request.action, problems) == (action, [])
    assert (request.reason or "").count("other") <= 1


@pytest.mark.parametrize("word", ["expird", "Expired licens", "token chnge", "tokenchange"])
def test_misspelt_grace_period_reason_is_asked_about(word: str) -> None:
    (reading,) = read_forms(f"Request: reactivate\nCustomer name: Acme\nReason: {word}\nOld token: short\n", "")
    _, problems = validate(reading, catalogue(), attachments=True)
    assert {(p.field, p.code, bool(p.hint)) for p in problems} == {
        ("reason", Code.UNKNOWN_VALUE, True),
        ("old_token", Code.TOKEN_MALFORMED, False),
    }


def test_other_reason_is_kept_as_written() -> None:
    for action in ("add", "remove", "deactivate"):
        items = "" if action == "deactivate" else "Users: 4\n"
        request, problems = checked(f"Request: modify\n{WHO}Action: {action}\nReason: we grow\n{items}")
        assert (request.reason, problems) == ("other: we grow", [])


@pytest.mark.parametrize(
    ("line", "token"),
    [
        ("*Token:* ABCDEFGH", "ABCDEFGH"), ("**Token**: ABCDEFGH", "ABCDEFGH"), ("**Token:** ABCDEFGH", "ABCDEFGH"),
        ("*Token: ABCDEFGH*", "ABCDEFGH"), ("Token: **ABCDEFGH**", "ABCDEFGH"), ("Token: *ABCDEFGH*", "ABCDEFGH"),
        ("Token: ABC*DEFGH", "ABC*DEFGH"), ("Token: *ABCDEFGH", "*ABCDEFGH"), ("Token: ABCDEFGH*", "ABCDEFGH*"),
        ("* Token: ABCDEFGH*", "ABCDEFGH*"), ("* Token: *ABCDEFGH", "*ABCDEFGH"), ("*Token:* ABCDEFGH*", "ABCDEFGH*"),
        ("*Token*: *ABC*DEFGH*", "*ABC*DEFGH*"), ("Token: _ABCDEFGH_", "_ABCDEFGH_"), ("Token: ABC|DEFGH", "ABC|DEFGH"),
        ("Token:\u200bABCDEFGH\u200b", "ABCDEFGH"), ("Token: \ufeffABCDEFGH\u00a0", "ABCDEFGH"), ("Token: abc:DEF?gh", "abc:DEF?gh"),
        ("1. Token: ABCDEFGH", "ABCDEFGH"), ("- Token: ABCDEFGH-", "ABCDEFGH-"), ("Token：ABCDEFGH", "ABCDEFGH"),
        ("Token: `ABCDEFGH`", "ABCDEFGH"), ('Token: "ABCDEFGH"', "ABCDEFGH"), ("Token: “ABCDEFGH”", "ABCDEFGH"),
        ('Token: "ABCDEFGH', '"ABCDEFGH'), ("Token: 'ABCDEFGH\"", "'ABCDEFGH\""), ('Token: "ABCDEF"', '"ABCDEF"'),
        ("| Token | ABCDEFGH |", "ABCDEFGH"), ("Token\tABCDEFGH", "ABCDEFGH"), ("> > Token: >ABCDEFGH", ">ABCDEFGH"),
    ],
)  # fmt: skip
def test_token_is_kept_without_its_decoration(line: str, token: str) -> None:
    assert read_fields(line).values == {"token": token}


def test_odd_character_inside_a_token_makes_it_malformed() -> None:
    for raw in ("ABCD\u200bEFGH", "ABCD\u202eEFGH", "ABCD EFGH", "ABC“DEFGH", "short", "x" * 129):
        _, problems = checked(PLAN.replace("A1B2C3D4E5F6", raw))
        assert problems == [("token", Code.TOKEN_MALFORMED)], raw


@pytest.mark.parametrize(
    "text",
    [
        "Botify, Queue manager", "Botify; Queue Manager", "\n- Botify\n- Queue Manager", "\n\n• Botify\n\n• queue_manager\n\nThanks for all",
        "• Botify • Queue Manager", "\n[x] Botify\n[ ] Schedulease\n[X] Queue Manager", "\n☒ Botify\n☐ Schedulease\n☑ Queue Manager",
        "\nþ Botify\n¨ Schedulease\ný Queue Manager", "\n\uf0fe Botify\n\uf0a8 Schedulease\n\uf0fe\u00a0Queue Manager", "\n\uf0b7\tBotify\n\uf0b7\tQueue Manager",
        "[x] Botify [ ] Schedulease [x] Queue Manager", "Botify,\nQueue Manager", "\nBotify\nQueue Manager\n\nThanks", "“Botify”, Queue‑Manager",
    ],
)  # fmt: skip
def test_list_is_read_in_every_layout(text: str) -> None:
    request, problems = checked(f"{PLAN}Plugins: {text.replace('‑', '_')}\n")
    assert (request.plugins, problems) == (("botify", "queue_manager"), [])


def test_unknown_name_in_a_list_is_reported_with_a_hint() -> None:
    (reading,) = read_forms(f"{PLAN}Plugins: Botify and more, Shedulease\n", "")
    _, problems = validate(reading, catalogue(), attachments=True)
    assert [(p.read, p.hint) for p in problems if p.code is Code.UNKNOWN_VALUE][1] == ("Shedulease", "Schedulease")
    assert len(problems) == 2


def test_address_with_an_added_link_is_read() -> None:
    request, problems = checked(f"{PLAN}Customer email: ann@acme.example<mailto:ann@acme.example>\n")
    assert (request.customer_email, problems) == ("ann@acme.example", [])


def test_all_given_values_are_checked_while_the_form_is_unknown() -> None:
    _, problems = checked(
        f"Request: activate\n{WHO.replace('yes', 'no')}Plan: Voize\nAgents: ten\nCustomer email: nobody\n"
    )
    assert set(problems) == {
        ("demo", Code.MISSING), ("accept", Code.NOT_ACCEPTED), ("plan", Code.UNKNOWN_VALUE),
        ("agents", Code.NOT_A_NUMBER), ("customer_email", Code.UNKNOWN_VALUE),
    }  # fmt: skip
    _, problems = checked("Request: modify\nLicense token: short\nUsers: few\n")
    assert set(problems) == {
        ("action", Code.MISSING), ("token", Code.TOKEN_MALFORMED), ("users", Code.NOT_A_NUMBER),
        ("customer_name", Code.MISSING), ("accept", Code.MISSING), ("reason", Code.MISSING),
    }  # fmt: skip
    _, problems = checked("Request: reactivate\nNew token: short\n")
    assert set(problems) == {
        ("customer_name", Code.MISSING), ("reason", Code.MISSING), ("old_token", Code.MISSING), ("new_token", Code.TOKEN_MALFORMED),
    }  # fmt: skip
    _, problems = checked("Product: Shuttle\nLicense token: A1B2C3D4E5F6\nMotion token: A1B2C3D4E5F6\n")
    assert set(problems) == {
        ("action", Code.MISSING), ("customer_name", Code.MISSING), ("description", Code.MISSING), ("motion_token", Code.NO_CHANGE),
    }  # fmt: skip
    _, problems = checked("Request: dance\nLicense token: short\nAgents: ten\n")
    assert set(problems) == {
        ("request", Code.UNKNOWN_VALUE), ("token", Code.TOKEN_MALFORMED), ("agents", Code.NOT_A_NUMBER),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "hint"),
    [
        ("Voic", "Voice"),
        ("vois", "Voice"),
        ("Voice Digtal", "Voice Digital"),
        ("Digital Voice", "Voice Digital"),
        ("voicedigital", "Voice Digital"),
        ("Voice/Digital", "Voice Digital"),
    ],
)
def test_nearest_option_is_suggested_and_never_taken(raw: str, hint: str) -> None:
    problem = values.read_option(
        "plan", raw, {"voice": "Voice", "digital": "Digital", "voice_digital": "Voice Digital"}
    )
    assert isinstance(problem, Problem)
    assert problem.hint == hint


@pytest.mark.parametrize(
    ("field", "raw", "hint"),
    [("billing", "from monthly to annual", ""), ("billing", "anual", "Annual"), ("plan", "Voice & Digital", "Voice Digital")],
)  # fmt: skip
def test_no_option_is_suggested_for_a_value_that_names_two(field: str, raw: str, hint: str) -> None:
    problem = values.read_option(field, raw, option_labels(field, catalogue()))
    assert isinstance(problem, Problem)
    assert problem.hint == hint


@pytest.mark.parametrize(
    ("words", "hint"),
    [("ten", "10"), ("Ten agents", "10"), ("twenty-five", "25"), ("twenty five", "25"), ("dieci", "10"), ("zwölf", "12"), ("dix-huit", "18"), ("veinte", "20"), ("a few", ""), ("ten-ten", ""), ("tenor", ""), ("ten or twelve", "")],
)  # fmt: skip
def test_number_in_words_is_suggested_and_never_taken(words: str, hint: str) -> None:
    found = values.read_number("agents", words)
    assert isinstance(found, Problem)
    assert (found.code, found.hint) == (Code.NOT_A_NUMBER, hint)


def test_agreement_is_read_in_five_languages() -> None:
    for word in ("I agree", "Accetto", "Ich stimme zu", "J’accepte", "Acepto"):
        assert checked(PLAN.replace("Agreement: yes", f"Agreement: {word}"))[1] == []
