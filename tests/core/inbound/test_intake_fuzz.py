"""Any bytes are parsed and understood without an exception. ``make fuzz`` tries far more of them."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.core.form import quotes, reader
from mailbot.core.inbound import decision_grammar, reply_keys
from mailbot.core.inbound.intake import Thread, understand
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.mail import auth_results, bounce, message
from mailbot.core.mail.message import parse
from tests.support.paths import TESTS

TRIALS = int(os.environ.get("FUZZ_TRIALS", "300"))
MAILS = [path.read_bytes() for path in sorted((TESTS / "mails").glob("*.eml"))]
MARKER = "--- Please write your reply above this line ---"
#: Pieces that send a mail from one parser to another.
PIECES = st.sampled_from(
    [
        b"\r\n", b"\n\n", b"\r", b"\0", b"--b\r\n", b"--b--", b"From: ", b"From: a@b.c\n", b"Content-Type: multipart/mixed; boundary=b\n",
        b"Content-Type: message/rfc822\n\n", b"Content-Type: text/html\n", b"Content-Type: application/ms-tnef\n", b"Content-Type: message/delivery-status\n",
        b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n", b"; charset=utf-7", b"; charset=\xff", b"=?utf-8?q?=00?=",
        b"Authentication-Results: mx.a; dmarc=pass header.from=b.c\n", b"Auto-Submitted: auto-replied\n", b"In-Reply-To: <LIC-1.ABCDEFGHIJKLMNOPQRSTUVWXYZ@e.f>\n",
        b"Request: modify\n", b"APPROVE LIC-1 until 2026-12-31\n", b"<p style='display:none'>", b"<!--", b"\xf0\x9f\x98\x80", b"\x78\x9f\x3e\x22", b"\x1b]0;x\x07",
        b"[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] token=A1B2C3D4E5F6 status=grace\n",
    ]
)  # fmt: skip
CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 60), PIECES | st.binary(max_size=40), st.booleans()),
    min_size=1,
    max_size=8,
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real mail with pieces removed, inserted or doubled."""
    raw = draw(st.sampled_from(MAILS))
    for where, length, piece, doubled in draw(CHANGES):
        at = int(where * len(raw))
        raw = raw[:at] + piece + (raw[at : at + length] * 2 if doubled else b"") + raw[at + length :]
    return raw


def read_whole(raw: bytes) -> None:
    """Runs everything that reads a mail before it is judged."""
    mail = parse(raw)
    found = reply_keys.find_key(mail.recipients, mail.subject, mail.in_reply_to, mail.references, "d@e.f", "LIC")
    for purpose in (None, *Purpose):
        understand(mail, Thread(found, purpose), "d@e.f", "X-Spam-Flag: YES")
    for server in ("mx.desk.example", "microsoft365"):
        auth_results.sender_verdict(mail, server)
    bounce.delivery_report(mail)
    bounce.automatic_reason(mail, "d@e.f")
    own = quotes.split_at_quote(mail.text, (MARKER,)).own
    decision_grammar.read_decisions(own, "LIC", {"LIC-1": {"agents": "agents"}})
    decision_grammar.confirmation_word(own)
    for text in quotes.split_interleaved(mail.text, (MARKER,)):
        reader.read_fields(text)


quick = settings(
    max_examples=TRIALS,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@quick
@given(mutated())
def test_damaged_mail_is_read_without_error(raw: bytes) -> None:
    read_whole(raw)


@quick
@given(st.binary(max_size=2000) | st.lists(PIECES | st.binary(max_size=20), max_size=40).map(b"".join))
def test_any_bytes_are_read_without_error(raw: bytes) -> None:
    read_whole(raw)


def test_error_in_a_parser_becomes_a_fault_of_the_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(message, "read_body", fails)
    found = parse(b"From: a@b.c\n\nhello\n")
    assert (found.sender, found.fault) == ("a@b.c", "it cannot be read (RecursionError)")
