"""A form in any layout is read back exactly; any text is read without an error, in time linear in its length."""

import os
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.form.choices import option_labels
from mailbot.core.form.corrections import merge_correction, read_edited_quote
from mailbot.core.form.fields import FIELDS, FORMS, FieldKind, Form, field_of
from mailbot.core.form.labels import read_label
from mailbot.core.form.reader import FORMS_MAX, read_fields, read_forms
from mailbot.core.form.request import Request
from mailbot.core.form.validation import validate
from mailbot.core.form.which_form import chooser_values
from tests.support.desk import catalogue

TOKENS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=128).filter(
    # A token that is the name of a field, such as WHITELABEL, is asked about.
    lambda token: not (token.startswith("*") and token.endswith("*")) and field_of(token) is None
)
WORDS = st.text(
    st.characters(categories=["L", "Nd", "Pd", "Po", "Sm", "So"], exclude_characters="*>"), min_size=1, max_size=9
)
NAMES = (
    st.lists(WORDS, min_size=1, max_size=3)
    .map(" ".join)
    # Colons alone are no value.
    .filter(lambda name: len(name.strip("\u00ad")) == len(name) and not set(name) <= set(": ："))
)
PROSE = st.lists(st.sampled_from(["please", "soon", "we grow fast", "", "10 of them", "thank you"]), max_size=4).map(
    lambda lines: "\n".join(["see", *lines]).strip()
)
EMAILS = st.sampled_from(["ann@acme.example", "a.b+c@sub.acme.example", "x_y@acme-2.example"])
MARKS = st.sampled_from(["", "- ", "* ", "• ", "> ", ">> ", "   ", "\t", "1. ", "\u200b", "– "])
CASES = st.sampled_from([str, str.upper, str.lower, str.title])
STYLES = st.sampled_from(["{}: {}", "{}:{}", "{} : {}", "{}：{}", "{}\t{}", "| {} | {} |", "**{}**: {}", "*{}:* {}", "**{}:** {}", "{} (as always: this): {}", "{}:\n{}", "{}:\u00a0{}"])  # fmt: skip


def spelled(draw: st.DrawFn, key: str, label: str) -> str:
    return draw(CASES)(draw(st.sampled_from([key, label])))


def of_kind(draw: st.DrawFn, form: Form, key: str) -> tuple[str, object]:
    """A value as written and as it must be read."""
    cat = catalogue()
    match FIELDS[key].kind:
        case FieldKind.TOKEN:
            token = draw(TOKENS)
            return token, token
        case FieldKind.EMAIL:
            address = draw(EMAILS)
            return address, address
        case FieldKind.YES:
            yes = key == "accept" or draw(st.booleans())
            return draw(
                st.sampled_from(["yes", "Sì", "JA", "[x]", "☐ no ☒ yes"] if yes else ["no", "Nein", "[ ] yes [x] no"])
            ), yes
        case FieldKind.NUMBER:
            count = draw(st.integers(5, 100_000))
            return draw(st.sampled_from(["{}", "{} " + FIELDS[key].label.lower(), "“{}”"])).format(count), count
        case FieldKind.OPTION:
            option, label = draw(st.sampled_from(sorted(option_labels(key, cat).items())))
            return spelled(draw, option, label), option
        case FieldKind.OPTIONS:
            labels = option_labels(key, cat)
            chosen = {*draw(st.lists(st.sampled_from(sorted(labels)), min_size=1))}
            chosen |= {need for one in chosen if key == "addons" for need in cat.addons[one].requires}
            between = draw(st.sampled_from([", ", ";", " • ", "\n- ", "\n[x] "]))
            first = between.lstrip() if between.startswith("\n") else ""
            names = between.join(spelled(draw, one, labels[one]) for one in sorted(chosen))
            return first + names, tuple(one for one in labels if one in chosen)
        case FieldKind.PROSE:
            words = draw(PROSE)
            return words, words
        case FieldKind.REASON if form.request != "reactivate":
            known = cat.reasons[form.action or ""]
            reason = draw(st.sampled_from(sorted(known)))
            return spelled(draw, reason, known[reason]), reason
        case _:
            name = draw(NAMES)
            return name, f"other: {name}" if key == "reason" else name


@dataclass
class Written:
    """A form as ``text`` and what must be read from it."""

    text: str
    expected: Request


@st.composite
def written(draw: st.DrawFn, form: Form) -> Written:
    said = chooser_values(form.request, form.action)
    one_of = draw(st.lists(st.sampled_from(form.one_of), min_size=1, unique=True)) if form.one_of else []
    optional = draw(st.lists(st.sampled_from(form.optional), unique=True)) if form.optional else []
    keys = [key for key in (*form.required, *one_of, *optional) if key not in ("log", *said)]
    pairs = {key: of_kind(draw, form, key) for key in keys}
    tokens = [value for key, value in pairs.items() if FIELDS[key].kind is FieldKind.TOKEN]
    if len(set(tokens)) < len(tokens):
        pairs["old_token" if "old_token" in pairs else "token"] = ("A1B2C3D4E5F6", "A1B2C3D4E5F6")
    request = f"{form.request}/{form.action}" if form.action and draw(st.booleans()) else form.request
    lines = {**{key: raw for key, (raw, _) in pairs.items()}, **said}
    first = decorated(draw, "request", request)
    text = [decorated(draw, key, lines[key]) for key in draw(st.permutations(sorted(lines)))]
    expected = {key: value for key, (_, value) in pairs.items()}
    if "demo" in said:
        expected["demo"] = form.action == "demo"
    if form.request == "reactivate":
        expected["reason"] = "other: other" if form.action is None else form.action
    product = "shuttle" if form.request == "shuttle" else "motion"
    asked = Request(
        request=form.request,
        action=form.action,
        product=product,
        **{k: v for k, v in expected.items() if k != "action"},
    )  # type: ignore[arg-type]
    return Written("\n".join([first, *text]), asked)


def decorated(draw: st.DrawFn, key: str, value: str) -> str:
    """A labelled line as somebody may write it."""
    field = FIELDS[key]
    label = draw(CASES)(draw(st.sampled_from([field.label, *field.aliases])))
    mark, style = draw(MARKS), draw(STYLES)
    rows = value.split("\n")
    in_cell = "|" in style and (len(rows) > 1 or "|" in value)
    on_next = "\n" in style and (read_label(rows[0]) is not None or rows[0][:1] == ">")
    if in_cell or on_next or ("\t" in style and value[:1] in ":|"):
        style = "{}: {}"
    quote = mark if mark.startswith(">") else ""
    return "\n".join(
        (mark if not number else quote) + line for number, line in enumerate(style.format(label, value).split("\n"))
    )


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: f"{form.request}-{form.action}")
def test_form_in_any_layout_is_read_back_exactly(form: Form) -> None:
    @settings(max_examples=25 if os.environ.get("THOROUGH") else 8, deadline=None)
    @given(written(form))
    def holds(one: Written) -> None:
        (reading,) = read_forms(one.text, "")
        request, problems = validate(reading, catalogue(), attachments=True)
        assert (request, problems) == (one.expected, ())

    holds()


HOSTILE = st.lists(
    st.one_of(
        st.sampled_from(
            ["Request: modify\n", "Plan:", "Plan: Voice\n", "> ", ">>>>", "**", "*Token:* ", "(", ")", "Add-ons (", "[x] ", "☐", "\n", "\n\n", "|", "\t",
             "：", "?", "-- \n", "Best regards\n", "Comments: ", "\x1f", "\u200b", "\ud800", "\x85", "\u2028", "1. ", "Usrs: 3\n", "a" * 500, "(" * 300, "- " * 200, "{\n", '"token": 1\n',
             '{"previousToken": "x",\n', '"status": "grace"}\n', "[2026-11-01 08:15:00] [WARN] license - [LICENSE:CHECK]\n", "status=grace\n"]
        ),
        st.text(max_size=20),
    ),
    max_size=60,
).map("".join)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(HOSTILE, HOSTILE)
def test_reading_any_text_never_raises(text: str, other: str) -> None:
    for reading in read_forms(text, other[:50]):
        request, problems = validate(reading, catalogue(), attachments=False)
        assert request.request or problems
        again = merge_correction(reading.stored, read_edited_quote(other, text), read_fields(other))
        validate(again, catalogue(), attachments=True)


def work(text: str) -> int:
    """How many calls it takes to read a text."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        readings = read_forms(text, "")
    finally:
        sys.setprofile(before)
    assert sum(len(value) for reading in readings for value in reading.stored.values()) <= (FORMS_MAX + 1) * len(text)
    return calls


@pytest.mark.series(3)
@pytest.mark.parametrize(
    "piece",
    ["Request: modify\n", "hello there\n", "Plan: Voice\n", "Users: 3\nUsers: 4\n", "Comments: x\n\n", "Add-ons (a /\n", "> " * 50, "(" * 50, "**", "[x] a ",
     "Usrs: 3\n", "- - - ", "Plugins:\n- a\n", "a" * 70 + "\n", "Customer name: " + "a" * 60 + "\nb\n", "\n", "1. ", "Token?\n", '{"previousToken": {\n', "[2026-11-01 08:15:00] [WARN] license - x\nstatus=a\n"],
)  # fmt: skip
def test_reading_takes_time_linear_in_the_text(piece: str) -> None:
    assert work(piece * 1200) <= 2.5 * work(piece * 600) + 2000
