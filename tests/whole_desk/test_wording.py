"""What the mails say: every kind in both parts, no line that reads as a field, no licence data to others, nothing hostile."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import css_inline
import jinja2
import pytest

from mailbot.core.desk.ticket import ItemStatus, State
from mailbot.core.form.problem import Code, Problem, either
from mailbot.core.form.quotes import split_interleaved
from mailbot.core.form.reader import read_fields
from mailbot.core.ledger.billing import Billing
from mailbot.core.mail.html import visible_text as markup
from mailbot.core.outbound.words import sentences
from mailbot.core.outbound.words.phrases import Phrases
from mailbot.core.outbound.words.sentences import item_label
from mailbot.wording import inlined, load_wording
from tests.support.desk import catalogue
from tests.support.letters import CONTRACT, CUSTOMER, EVE, MOVE, NEW, STAFF, Letter, letters
from tests.support.paths import ROOT
from tests.support.running import Running, body, running
from tests.whole_desk.test_whole_desk import ANNA, BOB, JOE, LOG, PLAN, import_active

#: One worker makes what these tests share.
pytestmark = pytest.mark.xdist_group("letters")

MEMBERS = (ANNA, BOB)
ENGLISH = load_wording("en")
DAY = re.compile(r"\b\d{1,2}\s+(?:[JFMASOND][a-z]{2,8})\s+20\d\d")


@pytest.fixture(scope="module")
def all_letters() -> tuple[Letter, ...]:
    return letters()


def without_form(letter: Letter) -> str:
    """The text of a customer mail without its one filled-in form: the lines from ``Request:`` to the signature."""
    head, form, tail = letter.text.partition("\nRequest:")
    return head + tail[tail.index("\n-- ") :] if form else head


def form_of(letter: Letter) -> str:
    _, form, tail = letter.text.partition("\nRequest:")
    return "Request:" + tail[: tail.index("\n-- ")] if form else ""


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def test_every_kind_is_a_pair_and_is_sent_by_some_conversation(all_letters: tuple[Letter, ...]) -> None:
    assert ENGLISH.faults() == ()
    assert set(ENGLISH.kinds) == {*CUSTOMER, *STAFF} == {letter.kind for letter in all_letters}
    assert {letter.kind for letter in all_letters if letter.to not in MEMBERS} == set(CUSTOMER)
    assert {letter.kind for letter in all_letters if letter.to in MEMBERS} == set(STAFF)


@pytest.mark.parametrize("kind", CUSTOMER)
def test_nothing_of_a_customer_mail_reads_as_a_field_but_its_form(all_letters: tuple[Letter, ...], kind: str) -> None:
    for letter in (found for found in all_letters if found.kind == kind and found.to not in MEMBERS):
        rest, form = without_form(letter), form_of(letter)
        for text in (rest, quoted(rest)):
            assert read_fields(text).values == {}, text
            assert read_fields(text).near == {}, text
        _, unquoted = split_interleaved(f"thank you\n\n{quoted(letter.text)}", ())
        assert read_fields(unquoted).values == read_fields(form).values
        assert read_fields(letter.text).values == read_fields(form).values
        if not form:
            assert read_fields(markup.visible_text(letter.html).text).values == {}


def test_words_of_people_never_read_as_fields_or_commands(all_letters: tuple[Letter, ...]) -> None:
    asked = next(letter for letter in all_letters if (letter.about, letter.kind) == ("contract", "question"))
    assert "  | Agents∶ 500" in asked.text
    assert "Agents∶ 500" in asked.html
    answer = next(letter for letter in all_letters if letter.kind == "answer")
    assert "  | 10 Euro each." in answer.text
    told = next(letter for letter in all_letters if (letter.about, letter.kind) == ("contract", "receipt"))
    assert "  | Agents: 500" in told.text, "staff read what they wrote"


def test_both_parts_say_the_same_facts(all_letters: tuple[Letter, ...]) -> None:
    shop, words = catalogue(), ENGLISH
    items = [*shop.seats, "plan", "admin", "webrtc", "phonebar", "support", "billing", "whitelabel", "status"]
    items += [f"addon:{key}" for key in shop.addons] + [f"plugin:{key}" for key in shop.plugins]
    labels = [item_label(item, shop, words) for item in items]
    for letter in all_letters:
        text = " ".join(letter.text.split())
        page = " ".join(markup.visible_text(letter.html).text.split())
        assert set(DAY.findall(text)) == set(DAY.findall(page)), letter
        for label in labels:
            assert (label in text) == (label in page), (label, letter.kind, letter.about)
        assert "Licence Desk" in text
        assert "Licence Desk" in page


def test_dates_are_words_and_no_key_of_the_catalogue_is_shown(all_letters: tuple[Letter, ...]) -> None:
    keys = ("voice_digital", "addon:", "plugin:", "mobile_agents", "waiting_staff", "decrease_", "ai_assistants")
    for letter in (found for found in all_letters if found.to not in MEMBERS):
        seen = without_form(letter) + re.sub(r"<[^>]*>", " ", letter.html.split('class="form"')[0])
        assert not re.search(r"20\d\d-\d\d-\d\d", seen), letter
        assert not any(key in seen for key in keys), letter


def test_the_html_is_plain_and_fetches_nothing(all_letters: tuple[Letter, ...]) -> None:
    for letter in all_letters:
        page = letter.html
        assert not re.search(r"<(img|script|link|iframe|object|form|input|base|video)\b|url\(|\bsrc=|@import", page)
        assert set(re.findall(r'href="(\w+):', page)) <= {"https", "mailto"}
        assert page.count("<style>") == 1
        assert "prefers-color-scheme: dark" in page
        assert 'style="max-width: 600px' in page
        assert "<table" not in re.sub(r"<!--.*?-->", "", page)
        assert len(page) < 40_000


def test_a_stranger_hears_of_his_own_request_and_nothing_of_the_licence(all_letters: tuple[Letter, ...]) -> None:
    mine = [letter for letter in all_letters if letter.about == "stranger" and letter.to == EVE]
    assert {letter.kind for letter in mine} >= {
        "outcome",
        "status",
        "cancelled",
        "confirmation",
        "neutral",
        "incomplete",
    }
    for letter in mine:
        for text in (letter.text, markup.visible_text(letter.html).text):
            assert "->" not in text
            assert "→" not in text
            assert not DAY.search(text) or letter.kind == "done", text  # that one says only that it is today
            for word in (
                "invoice",
                "period",
                "20th",
                "Silver",
                "Monthly",
                "Botify and",
                "Live Call Translator",
                "Quality",
            ):
                assert word not in text, (word, text)
    contact = [letter for letter in all_letters if letter.about == "modify" and letter.kind == "outcome"]
    assert "10 -> 15" in contact[0].text
    assert "1 December 2026" in contact[1].text


def test_a_problem_with_the_ledger_is_no_news_for_a_stranger(tmp_path: Path) -> None:
    desk = running(tmp_path)
    import_active(desk)
    form = "Request: modify\nLicense token: A1B2C3D4E5F6\nCustomer name: Acme\naccept: yes\nAction: add\nReason: x\nAgents: 9\n"
    asked = desk.write(EVE, form)
    told = desk.write(JOE, "CONFIRM", reply_to=asked[0])
    assert {str(mail["To"]) for mail in told} == {JOE}


def test_neutral_is_the_same_for_an_unknown_token_as_for_somebody_elses(tmp_path: Path) -> None:
    desk = running(tmp_path)
    import_active(desk)
    form = "Request: contract\nLicense token: {}\nCustomer name: Acme\naccept: yes\nPlan: voice\n"
    pages = []
    for token in ("A1B2C3D4E5F6", "UNKNOWN12345"):
        mail = desk.write(EVE, form.format(token))[-1]
        raw = mail.get_body(("plain",)).get_content() + mail.get_body(("html",)).get_content()
        pages.append(re.sub(r"LIC-\d|lic-\d|[A-Z2-7]{26}", "-", raw))
    assert pages[0] == pages[1]


def test_a_sender_who_may_be_forged_is_quoted_nothing(all_letters: tuple[Letter, ...]) -> None:
    (letter,) = [found for found in all_letters if found.kind == "incomplete" and found.to == "kim@new.example"]
    for text in (letter.text, letter.html):
        assert not any(word in text for word in ("Voize", "ten,", '"ten"', "weekly", "Acme", "A1B2C3D4E5F6", "At once"))


HOSTILE = {
    "markup": "<script>alert(1)</script><b>x",
    "header": "=?utf-8?q?a=0ABcc:_x?=",
    "separator": "Acme\u2028Agents: 500\u2029Plan: Voice",
    "bidi": "\u202eevil\u2066\u200b\ufeff",
    "template": "{{ 7*7 }}{% raw %}{x}",
    "long": "A" * 10_000,
    "label": "Agents: 500",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_values_stay_words(tmp_path: Path, name: str) -> None:
    value = HOSTILE[name]
    desk = running(tmp_path)
    import_active(desk)
    who = f"License token: A1B2C3D4E5F6\nCustomer name: {value}\naccept: yes\n"
    desk.write(
        JOE,
        f"Request: contract\n{who}Support package: platinum\nComments: {value}\n",
        subject=value[:60].splitlines()[0],
    )
    desk.write(JOE, f"Request: modify\n{who}Action: add\nReason: {value}\nAgents: {value}\n")
    desk.write(JOE, f"Question: {value}\n", subject="Request general information")
    approval = next(mail for mail in desk.sent if str(mail["To"]) == ANNA)
    desk.write(ANNA, f"ASK {value} ?\n{value}", reply_to=approval)
    assert not desk.quarantine()
    assert {kind for kind, _ in desk.kinds()} >= {"approval", "confirmation", "incomplete", "question"}
    for mail in desk.sent:
        letter = Letter("hostile", "", str(mail["To"]), "", mail)
        assert set(mail.keys()) <= {
            *("From", "To", "Subject", "Date", "Message-ID", "Reply-To", "In-Reply-To", "References", "Auto-Submitted"),
            *("X-Auto-Response-Suppress", "X-Mailbot", "MIME-Version", "Content-Type"),
        }, mail.keys()
        assert mail["Bcc"] is None
        assert "<script" not in letter.html
        assert "<b>x" not in letter.html
        for text in (letter.text, letter.html):
            assert "49" not in re.sub(r"[A-Za-z2-7]{26}", "", text)
            assert not set(text) & set("\u2028\u2029\u202e\u2066\u200b\ufeff\0")
        assert len(letter.text) < 30_000
        if letter.to == JOE:
            for text in (without_form(letter), quoted(without_form(letter))):
                assert read_fields(text).values == {}, text


def test_a_mail_compiles_and_inlines_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk: Running = running(tmp_path)
    desk.write(JOE, PLAN)
    calls: list[str] = []
    whole = jinja2.Environment.compile
    monkeypatch.setattr(jinja2.Environment, "compile", lambda *a, **k: calls.append("compile") or whole(*a, **k))
    monkeypatch.setattr(css_inline, "CSSInliner", lambda **k: calls.append("inline"))
    mails = desk.write("kim@acme.example", PLAN.replace("A1B2", "C1B2"))
    assert len(mails) == 3
    assert calls == []


def test_styles_are_inlined_around_what_jinja_reads() -> None:
    source = '<div class="a">{% if a > "b" and c %}{{ say("x", y=a) }}{% endif %}</div><a href="{{ f("q") }}" class="a">&amp;</a>'
    done = inlined(source, ".a { color: red }")
    assert '{% if a > "b" and c %}{{ say("x", y=a) }}{% endif %}' in done
    assert 'href="{{ f("q") }}"' in done
    assert done.count("color: red") == 2


def test_an_operator_overlays_single_files_and_single_sentences(tmp_path: Path) -> None:
    folder = tmp_path / "en"
    folder.mkdir()
    (folder / "sentences.toml").write_text('[cap]\nintro = "Enough <for> today."\n')
    (folder / "_style.css").write_text(".p { color: teal }")
    changed = load_wording("en", tmp_path)
    assert changed.sentences["cap"]["intro"] == "Enough <for> today."
    assert changed.sentences["neutral"] == ENGLISH.sentences["neutral"]
    assert changed.version != ENGLISH.version
    assert changed.faults(overlaid=True) == ()


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("help.txt", "{% if %}", "help.txt: Expected an expression"),
        ("help.html", "{{ parts.p( }}", "help.html: "),
        ("extra.txt", "Subject: x\n", "extra.txt: there is no extra.html beside it"),
        ("extra.html", "<p>x</p>", "extra.html: there is no extra.txt beside it"),
        ("cap.txt", 'Subject: {{ say("cap.nothing") }}\n', "cap.txt: sentences.toml has no cap.nothing"),
        ("cap.txt", "Subject: {{ nix }}\n", "cap.txt: there is no variable nix"),
    ],
)
def test_faults_of_templates_are_all_found(tmp_path: Path, name: str, text: str, fault: str) -> None:
    folder = tmp_path / "en"
    folder.mkdir()
    (folder / name).write_text(text)
    found = load_wording("en", tmp_path).faults(overlaid=True)
    assert len(found) == 1
    assert found[0].startswith(fault)


def test_what_replaces_nothing_is_a_fault(tmp_path: Path) -> None:
    folder = tmp_path / "en"
    folder.mkdir()
    (folder / "extra.txt").write_text("Subject: x\n")
    (folder / "extra.html").write_text("<p>x</p>")
    assert load_wording("en", tmp_path).faults(overlaid=True) == tuple(
        f"extra.{part}: there is no shipped template of that name to replace" for part in ("html", "txt")
    )


def test_an_overlay_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^mailbot\.templates: .* has no folder 'en'"):
        load_wording("en", tmp_path)
    sentences = tmp_path / "en" / "sentences.toml"
    sentences.parent.mkdir()
    for raw, why in ((b"a = [", "not valid TOML"), (b"a = '\xff'", "cannot be read as UTF-8 text")):
        sentences.write_bytes(raw)
        with pytest.raises(ValueError, match=f"sentences.toml: {why}: "):
            load_wording("en", tmp_path)


def test_every_code_has_its_sentence() -> None:
    said = ENGLISH.sentences
    assert {code.value for code in Code} <= said["problem"].keys()
    own = said["problem"].keys() - {code.value for code in Code} - {"private"}
    assert all(key.startswith(tuple(f"{code.value}_" for code in Code)) for key in own), own
    assert {status.value for status in ItemStatus} | {"new"} == said["status"].keys() == said["holds"].keys()
    assert {state.value for state in State if state is not State.DENIED} == said["state"].keys()
    core = "".join(path.read_text() for path in (ROOT / "mailbot" / "core").rglob("*.py"))
    told = set(re.findall(r'"expected\.(\w+)"', core))
    assert told == said["expected"].keys()
    rules = {"demo", "automatic", "by_staff", "increase", "decrease_by_20th", "decrease_after_20th", "deactivation"}
    assert rules | {"next_period", "implied", "implied_removed"} == said["rule"].keys()
    with pytest.raises(ValueError, match=r"^mailbot\.language: there are no templates for language 'xx'"):
        load_wording("xx")


def test_what_would_be_right_is_said_in_words_of_the_templates() -> None:
    def told(code: Code, expected: str, hint: str = "") -> str:
        return sentences.problem_sentence(
            Problem(field="x", code=code, read="r", expected=expected, hint=hint), ENGLISH
        )

    assert told(Code.UNKNOWN_VALUE, either(("Voice", "Digital", "Voice Digital"))).endswith(
        "write Voice, Digital or Voice Digital."
    )
    assert told(Code.OUT_OF_RANGE, "5-100").endswith("The number must be between 5 and 100.")
    assert told(Code.TOKEN_NOT_ACTIVE, "replaced", "B1B2C3D4E5F6") == (
        'The licence r was replaced by another token. Did you mean "B1B2C3D4E5F6"?'
    )


def test_dates_numbers_and_money_are_said_in_the_desks_language() -> None:
    english = Phrases(ENGLISH, catalogue(), "en", ZoneInfo("Europe/Rome"))
    italian = Phrases(ENGLISH, catalogue(), "it", ZoneInfo("Europe/Rome"))
    day, moment = date(2026, 11, 3), datetime(2026, 11, 3, 23, 30, tzinfo=UTC)
    assert (english.day(day), italian.day(day)) == ("3 November 2026", "3 novembre 2026")
    assert english.at(moment) == "4 November 2026, 00:30"
    assert (english.value("agents", 12000), italian.value("agents", 12000)) == ("12,000", "12.000")
    assert english.listed(["A", "B"]) == "A and B"
    billing = Billing(
        kind="increase", fraction="15/30", amount="1234.50", currency="EUR", invoice_on=date(2026, 11, 30)
    )
    said = english.billing(billing, date(2026, 11, 16), day, None)
    assert "on the November 2026 invoice for 16 to 30 November 2026 (15 of 30 days)" in said
    assert "€1,234.50" in said
    whole = replace(billing, fraction="30/30")
    assert "for the full month, 1 to 30 November 2026" in english.billing(whole, date(2026, 11, 1), day, None)
    year = replace(billing, fraction="365/365")
    said = english.billing(year, date(2026, 11, 3), day, None)
    assert "for one year, 3 November 2026 to 2 November 2027" in said
    fewer = Billing(kind="decrease")
    said = english.billing(fewer, None, day, date(2026, 12, 1))
    assert "as before until 30 November 2026. The reduction shows on the bill from 1 December 2026" in said
    assert "period that includes 3 November 2026" in english.billing(fewer, None, day, None)
    assert Phrases(ENGLISH, catalogue(), "klingon", ZoneInfo("UTC")).day(day) == "3 November 2026"


def test_an_approval_says_what_the_ledger_has_of_the_new_token_and_who_wrote_the_forwarded_request(
    tmp_path: Path,
) -> None:
    desk = running(tmp_path)
    import_active(desk)
    import_active(desk, NEW, status="demo", demo_ends="2026-11-20", billing=None, support=None)
    inner = EmailMessage()
    inner["From"] = "lou@acme.example"
    inner["Subject"] = "please"
    inner.set_content(MOVE)
    outer = EmailMessage()
    outer["Authentication-Results"] = "mx.vendor.example; dmarc=pass header.from=acme.example"
    outer["From"], outer["To"], outer["Subject"], outer["Message-ID"] = (
        JOE,
        "desk@vendor.example",
        "Fwd: please",
        "<1@x>",
    )
    outer.set_content("")
    outer.add_attachment(inner)
    outer.add_attachment(LOG, maintype="text", subtype="plain", filename="license.log")
    desk.take(outer.as_bytes())
    text = body(next(mail for mail in desk.sent if str(mail["To"]) == ANNA))
    new = text.partition("The new token in the ledger")[2].partition("\n\n")[0]
    assert "free demo" in new
    assert "20 November 2026" in new
    assert re.search(r"Forwarded from +lou@acme.example", text)
    assert re.search(r"From +joe@acme.example", text)


def test_who_did_not_ask_himself_reads_who_did(all_letters: tuple[Letter, ...]) -> None:
    told = [found for found in all_letters if (found.about, found.kind) == ("partner", "outcome")]
    contact = next(found for found in told if found.to == JOE)
    for text in (contact.text, contact.html):
        assert "Requested by pat@partner.example." in text
        assert "you asked" not in text
    assert not any("Requested by" in found.text for found in told if found.to != JOE)


def test_a_list_says_of_each_item_how_it_stands_where_they_stand_differently(tmp_path: Path) -> None:
    desk = running(tmp_path)
    import_active(desk)
    mails = desk.write(JOE, CONTRACT)
    desk.write(ANNA, "REJECT support: not now", reply_to=next(mail for mail in mails if str(mail["To"]) == ANNA))
    text = body(desk.write(JOE, "status", reply_to=mails[0])[0])
    assert re.search(r"Support package +Silver -> Platinum \(declined\)", text)
    assert re.search(r"Billing frequency +Monthly -> Annual \(waiting for our team\)", text)


def test_an_approval_shows_what_each_line_of_the_log_proves(all_letters: tuple[Letter, ...]) -> None:
    letter = next(found for found in all_letters if (found.about, found.kind) == ("reactivate", "approval"))
    text = " ".join(letter.text.replace("|", " ").split())
    assert "license.log, line 1 (Status, Since, Tokens, Earlier tokens, Reason, Days of grace left)" in text
    assert "Since 3 November 2026 or before" in text
    assert f"Token changes from A1B2C3D4E5F6 to {NEW}, first logged on 3 November 2026" in text


def test_staff_are_not_told_that_their_answer_is_waited_for(all_letters: tuple[Letter, ...]) -> None:
    mine = [found for found in all_letters if found.to in MEMBERS]
    assert any("is waiting for the customer" in found.text for found in mine)
    assert not any("is waiting for your answer" in found.text for found in mine)


def test_another_customer_address_is_asked_without_a_word_of_the_licence(all_letters: tuple[Letter, ...]) -> None:
    (letter,) = [found for found in all_letters if found.to == "lou@other.example"]
    assert letter.kind == "confirm-you"
    assert "pat@partner.example asked us to send the mails about a licence to this address" in " ".join(
        letter.text.split()
    )
    assert "DEMOTOKEN123" not in letter.text + letter.html
    assert "Agents" not in letter.text + letter.html
    assert letter.html.count("mailto:desk+lic-2.") == 2


def test_what_was_refused_says_why_and_what_was_granted_says_how_to_go_on(all_letters: tuple[Letter, ...]) -> None:
    refused = next(letter for letter in all_letters if (letter.about, letter.kind) == ("whole", "outcome"))
    assert "The company is not known to us." in " ".join(refused.text.split())
    assert "declined" in str(refused.mail["Subject"])
    assert "apply" not in refused.text
    demo = next(letter for letter in all_letters if (letter.about, letter.kind) == ("demo", "outcome"))
    for word in (catalogue().links.apply_licence, catalogue().links.support, catalogue().ai_note, "A1B2C3D4E5F6"):
        assert word in demo.text
        assert word in demo.html
