"""The grammar of decisions: what each line decides, and everything that must not approve anything."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.core.form.quotes import split_at_quote
from mailbot.core.inbound.contradictions import contradicted_refs
from mailbot.core.inbound.decision_grammar import (
    DecisionLine,
    NotUnderstood,
    confirmation_word,
    read_decisions,
)

OPEN = {
    "support": "support",
    "support package": "support",
    "billing": "billing",
    "agents": "agents",
    "addon:quality_analysis": "addon:quality_analysis",
    "quality analysis": "addon:quality_analysis",
}
ONE = {"LIC-1": OPEN}
TWO = {"LIC-1": OPEN, "LIC-2": {"support": "support", "status": "status"}}
MARKER = "--- Please write your reply above this line ---"


def lines(own: str, items=ONE):
    return read_decisions(own, "LIC", items)


def line(own: str, items=ONE) -> DecisionLine:
    (only,) = lines(own, items)
    assert isinstance(only, DecisionLine), only
    return only


def why(own: str, items=ONE) -> str:
    (only,) = lines(own, items)
    assert isinstance(only, NotUnderstood), only
    return only.why


@pytest.mark.parametrize(
    "own",
    [
        "APPROVE", "approve", "Approve.", "APPROVE,", "approve!", "\n\n  Approve\n\n", "\u200bAPPROVE\ufeff", "APPROVE LIC-1",
        "approve lic-1.", "APPROVE [LIC-1]", "APPROVE: LIC-1", "APPROVE\tLIC-1", "APPROVE\u00a0LIC-1", "APPROVE\r\n",
        "APPROVE\n\nMaria Rossi\nLicence Manager", "APPROVE\nThanks, Anna", "Approve\nBest regards\nAnna Rossi",
        "APPROVE\n\nMit freundlichen Grüßen\nJörg von der Heide\nLeiter Vertrieb | Vendor GmbH\nTel. +49 (0)30 1234-56",
        "APPROVE\n\nAnna Rossi - Head of Sales\nanna@vendor.example\nhttps://www.vendor.example/team\n+39 06 123 45 67",
        "APPROVE\n\nCordiali saluti,\n\nAnna\n\nSupport Engineer, Vendor S.p.A.", "APPROVE\n\nthx", "APPROVE\nThank you so much\nAnna",
        "APPROVE\n\nAnna Rossi\nSales manager\nVendor srl - Ufficio licenze\n+39 06 1234567", "APPROVE\n\nAnna\nHead of customer care",
    ],
)  # fmt: skip
def test_text_approves_all_open_items(own: str) -> None:
    decision = line(own)
    assert (decision.word, decision.items, decision.until) == ("APPROVE", (), None)


@pytest.mark.parametrize(
    ("own", "items", "until"),
    [
        ("APPROVE support", ("support",), None),
        ("APPROVE LIC-1 support, billing", ("support", "billing"), None),
        ("approve Support Package, QUALITY ANALYSIS.", ("support", "addon:quality_analysis"), None),
        ("APPROVE addon:quality_analysis", ("addon:quality_analysis",), None),
        ("APPROVE support, Support package", ("support",), None),
        ("APPROVE until 2026-12-31", (), date(2026, 12, 31)),
        ("APPROVE LIC-1 support until 2026-12-31.", ("support",), date(2026, 12, 31)),
        ("APPROVE support,\nbilling until\n2026-12-31", ("support", "billing"), date(2026, 12, 31)),
    ],
)
def test_approve_takes_items_by_key_or_label_and_a_date(own: str, items: tuple[str, ...], until: date | None) -> None:
    decision = line(own)
    assert (decision.word, decision.items, decision.until) == ("APPROVE", items, until)


MUST_NOT_APPROVE = [
    "", "   \n\n", "yes", "OK", "approved", "Approved.", "approving", "I approve", "Please approve", "do not APPROVE",
    "Please do not APPROVE", "Hi,\nAPPROVE", "Yes, please.\nAPPROVE", "approve?", "APPROVE?", "APPROVE ?", "APPROVE!?",
    "APPROVE not", "APPROVE? No.", "APPROVE but not support", "APPROVE all", "APPROVE everything except support",
    "APPROVE supprt", "APPROVE support billing", "APPROVE support, plan", "APPROVE support if they pay",
    "APPROVE LIC-2", "APPROVE LIC-1 LIC-2", "APPROVE LIC-1x", "APPROVE LIC-1-2", "APPROVE until", "APPROVE until tomorrow",
    "APPROVE until 31.12.2026", "APPROVE until 2026-13-01", "APPROVE until 2026-02-30", "APPROVE until 20261231",
    "APPROVE until 2026-W01-1", "APPROVE until ２０２６-12-31", "APPROVE until 2026-12-31 or later",
    "APPROVE until 2026-12-31 until 2027-12-31", "APPROVE\nbut not the support", "APPROVE\n\nbut not the support",
    "APPROVE\n\nIt is all fine.", "APPROVE\n\nI would wait a week.", "APPROVE\n\nThanks\n\nThe support is too dear, though.",
    "APPROVE\n\nSupport", "APPROVE\n\nAnna\nSupport, Billing: No", "APPROVE\n\nTomorrow", "APPROVE\n\nNot Yet", "APPROVE\n\nReject",
    "APPROVE\n\nRossi\n\nPS: the agents cost more", "APPROVE\n\nAnna (only the agents)", "APPROVE\n\n10 agents are enough",
    "APPROVE\n\nAnna\nSupport refused", "APPROVE\n\nSales manager", "APPROVE\n\nAnna\nTell him so", "APPROVE\n\nAnna\nHalf price", "APPROVE\n\nAnna\nEight seats", "APPROVE\n\nAnna\nDemo instead",
    "APPROVE\n\nAnna\nStarting January", "APPROVE\n\nAnna\nWaiting payment", "APPROVE\n\nAnna\nPrezzo pieno", "APPROVE\n\nAnna\nCharge double.",
    "APPROVE\n\nAnna\nAgents at the minimum", "APPROVE\n\nAnna\nAfter payment", "APPROVE\n\nVielleicht", "APPROVE\n\nMañana", "APPROVE\n\nPas encore", "APPROVE\n\n" + "Anna\n" * 30,
    "APPROVE support and billing", "APPROVE support; billing", "APPROVE support & billing", "APPROVE support + billing",
    "APPROVE support/billing", "APPROVE until 2026-12-31 support", "APPROVE quality until 2026-12-31 analysis",
    "APPROVE (all)", "APPROVE - support", "APPROVE support *", "APPROVE support, ?", "APPROVE 👍",
    "APPROVE\n\nOnly when they have paid.", "APPROVE\nonly support", "APPROVE\nThanks, but not the support",
    "APPROVE\nThanks\nbut not the support", "APPROVE\nwhen paid", "Approve\n\nma non il supporto", "Approve\n\nAber nicht alles",
    "\"APPROVE\"", "“APPROVE”", "*APPROVE*", "- APPROVE", "> APPROVE", "| APPROVE", "APPROVE*", "ＡＰＰＲＯＶＥ", "АPPROVE",
    "\u202eAPPROVE", "A P P R O V E", "APPROVELIC-1", "/APPROVE", "<b>APPROVE</b>", "Subject: APPROVE", "CONFIRM",
    "HOLD\nAPPROVE it later", "NOTE he says\napprove", "REJECT I do not\napprove of it", "ASK shall we\nApprove this?",
]  # fmt: skip


@pytest.mark.parametrize("own", MUST_NOT_APPROVE)
def test_text_approves_nothing(own: str) -> None:
    assert not any(isinstance(decision, DecisionLine) and decision.word == "APPROVE" for decision in lines(own))


@pytest.mark.parametrize(
    "text",
    [
        "> APPROVE",
        "\n> APPROVE\n\nAPPROVE",
        f"{MARKER}\nAPPROVE",
        "On 3 Nov 2026, at 10:15, Desk <d@v.example> wrote:\nAPPROVE",
        "From: Desk\nSent: today\nTo: Anna\n\nAPPROVE",
        "-- \nAPPROVE",
        "-----Original Message-----\nAPPROVE",
        "I am away until Monday.\n\nOn 3 Nov 2026 Desk wrote:\n> APPROVE",
    ],
)
def test_quoted_approve_approves_nothing(text: str) -> None:
    decisions = lines(split_at_quote(text, (MARKER,)).own)
    assert [type(one) for one in decisions] == [NotUnderstood]


def test_reason_may_have_several_lines() -> None:
    decision = line("REJECT LIC-1 It costs\nmore than\n\nwe agreed.")
    assert (decision.word, decision.refs, decision.items) == ("REJECT", ("LIC-1",), ())
    assert decision.text == "It costs\nmore than\n\nwe agreed."


@pytest.mark.parametrize(
    ("own", "items", "text"),
    [
        ("REJECT support: too dear", ("support",), "too dear"),
        ("REJECT Quality Analysis, billing: not now: later", ("addon:quality_analysis", "billing"), "not now: later"),
        ("REJECT addon:quality_analysis: no", ("addon:quality_analysis",), "no"),
        ("REJECT quality\nanalysis: no", ("addon:quality_analysis",), "no"),
        ("REJECT support, plan: too dear", (), "support, plan: too dear"),
        ("REJECT reason: too dear", (), "reason: too dear"),
        ("REJECT support is too dear", (), "support is too dear"),
    ],
)
def test_words_before_a_colon_are_items_only_if_all_are_open(own: str, items: tuple[str, ...], text: str) -> None:
    decision = line(own)
    assert (decision.items, decision.text) == (items, text)


@pytest.mark.parametrize(
    "own", ["REJECT", "REJECT.", "REJECT ...", "REJECT support:", "REJECT support, billing", "ASK ?"]
)
def test_reject_and_ask_require_a_text(own: str) -> None:
    assert why(own) == "reason_missing"


@pytest.mark.parametrize("word", ["ASK", "ANSWER", "NOTE"])
def test_ask_answer_and_note_take_a_text(word: str) -> None:
    decision = line(f"{word.capitalize()} LIC-1: Which server?\nThe old one?")
    assert (decision.word, decision.refs, decision.text) == (word, ("LIC-1",), "Which server?\nThe old one?")


def test_hold_takes_no_words() -> None:
    assert line("hold.").word == "HOLD"
    assert line("HOLD LIC-1").refs == ("LIC-1",)
    assert why("Hold on, I must think") == "unknown_words"


def test_each_decision_of_a_mail_has_its_own_outcome() -> None:
    decisions = lines(
        "APPROVE agents, billing until 2026-12-31\nREJECT support: too dear\nfor us\n\nNOTE called them\nHOLD"
    )
    assert [(one.word, one.items, one.text) for one in decisions if isinstance(one, DecisionLine)] == [
        ("APPROVE", ("agents", "billing"), ""),
        ("REJECT", ("support",), "too dear\nfor us"),
        ("NOTE", (), "called them"),
        ("HOLD", (), ""),
    ]


def test_unclear_line_leaves_decisions_about_other_items() -> None:
    assert [type(one) for one in lines("APPROVE agents\nREJECT support:\nNOTE x")] == [
        DecisionLine,
        NotUnderstood,
        DecisionLine,
    ]


def test_capitals_or_a_reference_begin_a_decision_within_a_text() -> None:
    assert [
        one.word for one in lines("ASK Please\nnote the date and\nask your partner") if isinstance(one, DecisionLine)
    ] == ["ASK"]
    assert [one.word for one in lines("ASK Which?\nNOTE he called") if isinstance(one, DecisionLine)] == ["ASK", "NOTE"]
    assert [one.word for one in lines("REJECT LIC-1 no\napprove lic-2", TWO) if isinstance(one, DecisionLine)] == [
        "REJECT",
        "APPROVE",
    ]


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ("reject support: too dear.\napprove agents", ["REJECT", "APPROVE"]),
        ("Answer It is done.\nNote he is difficult", ["ANSWER", "NOTE"]),
        ("Answer We ship it\nNote he is difficult", ["ANSWER", "NOTE"]),
        ("answer we ship it\nnote: he is difficult", ["ANSWER", "NOTE"]),
        ("ask Which server?\n\nhold", ["ASK", "HOLD"]),
        ("ASK Which server do you\nhold it on?", ["ASK"]),
        ("ANSWER Please\nask your partner and\nnote the token", ["ANSWER"]),
        ("REJECT we do not sell to you.\nAsk your reseller.", ["REJECT"]),
        ("ANSWER It is done.\n\nApprove of it as you like.\nReject what is not yours.", ["ANSWER"]),
        ("reject support: too dear\napprove agents", ["REJECT", "APPROVE"]),
        ("reject support: too dear\nreject agents: too many", ["REJECT", "REJECT"]),
        ("answer It is done\nask: which server?", ["ANSWER", "ASK"]),
    ],
)
def test_line_within_a_text_is_a_decision_if_it_cannot_be_a_sentence(own: str, words: list[str]) -> None:
    assert [one.word for one in lines(own) if isinstance(one, DecisionLine)] == words


@pytest.mark.parametrize(
    "own",
    [
        "APPROVE\nREJECT support", "APPROVE\nREJECT support:", "APPROVE support\nREJECT support", "REJECT Support Package:\nAPPROVE support",
        "approve\nhold on, not yet", "APPROVE\nREJECT", "APPROVE\n\nReject", "APPROVE LIC-1\nREJECT support:", "REJECT too dear\nAPPROVE supprt",
    ],
)  # fmt: skip
def test_unclear_line_that_may_restrict_a_decision_voids_it(own: str) -> None:
    decisions = lines(own)
    assert [type(one) for one in decisions] == [NotUnderstood, NotUnderstood]
    assert "contradiction" in {one.why for one in decisions if isinstance(one, NotUnderstood)}


def test_unclear_line_does_not_void_decisions_about_other_tickets_or_items() -> None:
    assert [type(one) for one in lines("APPROVE LIC-1\nREJECT LIC-2", TWO)] == [DecisionLine, NotUnderstood]
    assert [type(one) for one in lines("APPROVE agents\nREJECT support:")] == [DecisionLine, NotUnderstood]
    assert [type(one) for one in lines("APPROVE agents\nAPPROVE supprt")] == [DecisionLine, NotUnderstood]


def test_label_that_contains_and_names_one_item() -> None:
    items = {"LIC-1": {"voice and digital": "plan", "voice": "voice", "digital": "digital"}}
    assert line("APPROVE Voice and Digital", items).items == ("plan",)


def test_unread_words_between_decisions_void_those_around_them() -> None:
    decisions = lines("APPROVE\n\nthat is, nearly all:\n\nREJECT support: no\nNOTE x")
    assert [type(one) for one in decisions] == [NotUnderstood, NotUnderstood, NotUnderstood]


def test_reply_to_a_digest_must_name_references() -> None:
    decision = line("APPROVE LIC-1, LIC-2 support", TWO)
    assert (decision.refs, decision.items) == (("LIC-1", "LIC-2"), ("support",))
    assert why("APPROVE", TWO) == "ref_missing"
    assert why("NOTE x", TWO) == "ref_missing"
    assert why("APPROVE LIC-3", TWO) == "other_ticket"
    assert why("APPROVE LIC-1 LIC-2 status", TWO) == "unknown_words"
    assert why("APPROVE", {}) == "ref_missing"


@pytest.mark.parametrize(
    "own",
    [
        "APPROVE\nREJECT too dear",
        "REJECT too dear\nAPPROVE",
        "APPROVE support\nREJECT support: no",
        "APPROVE support, billing\nREJECT billing, agents: no",
        "APPROVE\nREJECT support: no",
        "REJECT no\nAPPROVE support",
        "APPROVE until 2026-12-31\nAPPROVE until 2027-12-31",
    ],
)
def test_contradicting_decisions_are_found(own: str) -> None:
    assert contradicted_refs([one for one in lines(own) if isinstance(one, DecisionLine)]) == {""}


@pytest.mark.parametrize(
    "own",
    [
        "APPROVE support\nREJECT billing: no",
        "APPROVE support\nREJECT the rest is too dear",
        "REJECT support: no\nAPPROVE",
        "APPROVE\nNOTE x",
        "APPROVE support\nAPPROVE billing",
    ],
)
def test_decisions_by_item_and_then_as_a_whole_do_not_contradict(own: str) -> None:
    assert contradicted_refs([one for one in lines(own) if isinstance(one, DecisionLine)]) == frozenset()


def test_only_the_contradicted_ticket_is_void() -> None:
    decisions = lines("APPROVE LIC-1 LIC-2\nREJECT LIC-2 no", TWO)
    assert contradicted_refs([one for one in decisions if isinstance(one, DecisionLine)]) == {"LIC-2"}
    decisions = lines("APPROVE LIC-1\nREJECT LIC-2 no", TWO)
    assert contradicted_refs([one for one in decisions if isinstance(one, DecisionLine)]) == frozenset()


@pytest.mark.parametrize("own", ["CONFIRM", "confirm.", "\n Confirm!\nthanks", "CONFIRM\u200b"])
def test_confirm_is_read(own: str) -> None:
    assert confirmation_word(own) == "CONFIRM"


def test_no_is_read() -> None:
    assert confirmation_word("No.") == "NO"


@pytest.mark.parametrize(
    "own",
    ["", "Yes", "CONFIRM?", "I CONFIRM", "CONFIRM it", "No, I did not", "Hi\nCONFIRM", "CONF\u0131RM", "CONFIRMED"],
)
def test_other_words_confirm_nothing(own: str) -> None:
    assert confirmation_word(own) is None


WORDS = st.sampled_from(
    [
        "APPROVE",
        "approve",
        "REJECT",
        "ASK",
        "NOTE",
        "HOLD",
        "until",
        "2026-12-31",
        "LIC-1",
        "LIC-9",
        "support",
        ":",
        ",",
        ".",
        "\n",
        "\n\n",
        "but",
    ]
)


@given(st.lists(WORDS | st.text(max_size=5), max_size=20).map(" ".join))
def test_any_text_is_read_without_error_and_approves_only_open_items(own: str) -> None:
    decisions = lines(own)
    assert decisions
    for one in decisions:
        if isinstance(one, DecisionLine):
            assert set(one.items) <= set(OPEN.values())
            assert set(one.refs) <= {"LIC-1"}
    contradicted_refs([one for one in decisions if isinstance(one, DecisionLine)])
    confirmation_word(own)


@given(st.text(min_size=1, max_size=40))
def test_no_word_after_approve_is_ignored(words: str) -> None:
    (decision,) = lines(f"APPROVE x{words.replace(chr(10), ' ')}") or (None,)
    assert isinstance(decision, NotUnderstood) or decision.word != "APPROVE"


@pytest.mark.series(3)
@pytest.mark.parametrize(
    "own",
    [
        "NOTE " + "LIC-1 " * 150_000 + "x",
        "REJECT " + "x:" * 500_000,
        "HOLD" + "\n" * 1_000_000,
        "APPROVE " + "support, " * 100_000,
        "APPROVE" + "\nx" * 300_000,
        "APPROVE " + "until " * 150_000,
        "NOTE x\n" * 50_000,
        "\u200b" * 1_000_000,
    ],
    ids=lambda own: own[:10].strip(),
)
def test_decisions_of_a_hostile_megabyte_are_read_fast(own: str) -> None:
    """A quadratic scan of any of these takes minutes and hangs the run; a linear one is done at once."""
    assert lines(own)
