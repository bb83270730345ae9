"""The bytes of a mail: its headers by section 9 of the contract, threads of its own side, nothing of the sender's in a header."""

import email
import email.policy
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

import pytest

from mailbot.core.outbound.compose import Envelope, Letterhead, Rendered, compose
from tests.support.letters import Letter, letters

#: One worker makes what these tests share.
pytestmark = pytest.mark.xdist_group("letters")

DESK = Letterhead("desk@vendor.example", "Licence Desk", "LIC", "en", True, ZoneInfo("Europe/Rome"))
AT = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
ENVELOPE = Envelope("<LIC-1.KEY@vendor.example>", "joe@acme.example", AT, tag="[LIC-1]")


def composed(subject: str, envelope: Envelope = ENVELOPE, desk: Letterhead = DESK, text: str = "text\n") -> bytes:
    return compose(Rendered(subject, text, "<p>html</p>\n"), envelope, desk)


@pytest.fixture(scope="module")
def all_letters() -> tuple[Letter, ...]:
    return letters()


def test_every_mail_has_the_headers_of_the_contract(all_letters: tuple[Letter, ...]) -> None:
    seen = set()
    for letter in all_letters:
        mail = letter.mail
        for name in ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"):
            assert len(mail.get_all(name, [])) == 1, (name, letter)
        assert mail["X-Auto-Response-Suppress"] == "All"
        assert mail["Auto-Submitted"] == ("auto-replied" if mail["In-Reply-To"] else "auto-generated")
        assert str(mail["From"]) == "Licence Desk <desk@vendor.example>"
        assert str(mail["To"]) == letter.to
        assert mail.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        assert parsedate_to_datetime(str(mail["Date"])).tzinfo is not None
        seen.add((letter.about, str(mail["Message-ID"])))
    assert len(seen) == len(all_letters)


def test_only_answers_that_anybody_can_provoke_have_no_return_path(all_letters: tuple[Letter, ...]) -> None:
    empty = {letter.kind for letter in all_letters if letter.path == ""}
    assert {"help", "not-understood", "cap"} <= empty <= {"help", "form", "not-understood", "cap"}
    assert {letter.path for letter in all_letters if letter.kind not in empty} == {"desk@vendor.example"}


def test_a_thread_is_made_of_mails_of_its_own_side(all_letters: tuple[Letter, ...]) -> None:
    sides: dict[tuple[str, str], set[str]] = {}
    for letter in all_letters:
        sides.setdefault((letter.about, letter.to), set()).add(str(letter.mail["Message-ID"]))
    replied = 0
    for letter in all_letters:
        references = str(letter.mail["References"] or "").split()
        ours = {ref for ref in references if "vendor.example" in ref and not re.fullmatch(r"<\d+@.*", ref)}
        assert ours <= sides[letter.about, letter.to], letter
        if letter.mail["In-Reply-To"]:
            replied += 1
            assert references[-1] == str(letter.mail["In-Reply-To"])
    assert replied > len(all_letters) / 2


def test_a_subject_about_a_ticket_names_it(all_letters: tuple[Letter, ...]) -> None:
    for letter in all_letters:
        tagged = re.match(r"\[(LIC-\d+|digest)\] \S", str(letter.mail["Subject"]))
        assert tagged or letter.kind in ("help", "form", "status", "cap", "alert"), letter


def test_the_same_mail_has_the_same_bytes() -> None:
    assert composed("How it stands") == composed("How it stands")
    mail = email.message_from_bytes(composed("How it stands"), policy=email.policy.default)
    assert str(mail["Date"]) == "Tue, 03 Nov 2026 10:00:00 +0100"
    assert b"\r\n" in composed("x")
    assert re.search(rb"(?<!\r)\n", composed("x")) is None


@pytest.mark.parametrize(
    "hostile",
    [
        "=?utf-8?q?a=0ABcc:_x?=",
        "a\r\nBcc: x@evil.example",
        "a\u2028Bcc: x\u2029Cc: y",
        "\u202ereversed \x00\x1b[31m",
        "<script>{{ 7*7 }}",
        "x" * 10_000,
        "Grüße, 客户\nBcc: x",
    ],
)
def test_no_words_make_a_header(hostile: str) -> None:
    raw = composed(hostile, desk=Letterhead("desk@vendor.example", hostile[:80], "LIC", "en", True, ZoneInfo("UTC")))
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail["Bcc"] is None
    assert mail["Cc"] is None
    assert mail.defects == []
    head = raw.partition(b"\r\n\r\n")[0]
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert [line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")] == [
        *(b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"X-Auto-Response-Suppress"),
        *(b"X-Mailbot", b"MIME-Version", b"Content-Type"),
    ]
    assert "\u2028" not in str(mail["Subject"])
    assert str(mail["Subject"]).startswith("[LIC-1] ")


def test_hostile_ids_of_others_break_no_reference() -> None:
    envelope = Envelope(
        "<a@b.c>", "joe@acme.example", AT, in_reply_to="<x\r\nBcc: y@z>", references=("<1@x>", "<x\r\nBcc: y@z>")
    )
    mail = email.message_from_bytes(composed("x", envelope), policy=email.policy.default)
    assert mail["Bcc"] is None


def test_the_text_arrives_as_it_was_written() -> None:
    text = "Grüße → 客户\n  | Agents∶ 5\n\n-- \nDesk\n" + "x" * 2000 + "\n"
    raw = composed("x", text=text)
    raw.decode("ascii")
    assert all(len(line) <= 78 for line in raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == text
