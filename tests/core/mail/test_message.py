"""Any bytes parse into a Message. ``mails/NN-name.eml`` are realistic mails, ``.expected`` what is read of them."""

import base64
import hashlib
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.mail.auth_results import sender_verdict
from mailbot.core.mail.bounce import automatic_reason, delivery_report
from mailbot.core.mail.message import Caps, Message, parse
from tests.support.paths import TESTS

DESK = "licences@desk.example"
MAILS = sorted((TESTS / "mails").glob("*.eml"))
#: Mails whose ``.expected`` lists what ``parse`` reads of them.
WHOLE = [path for path in MAILS if "authserv_id" in json.loads(path.with_suffix(".expected").read_text())]
quick = settings(max_examples=150, deadline=None, database=None)


def mail(body: bytes = b"hello\n", **fields: str) -> bytes:
    """A raw mail from a@b.example; ``content_type=`` becomes Content-Type, a value of "" leaves the field out."""
    known = {"from": "Ann <a@b.example>", "to": DESK, "subject": "x", "message_id": "<1@b.example>"} | fields
    header = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in known.items() if value)
    return header.encode() + b"\n" + body


def multipart(*parts: bytes, kind: str = "mixed") -> bytes:
    body = b"".join(b"--b\n" + one + b"\n" for one in parts) + b"--b--\n"
    return mail(body, content_type=f"multipart/{kind}; boundary=b")


def seen(message: Message, authserv_id: str) -> dict[str, object]:
    return {
        "authserv_id": authserv_id,
        "sender": message.sender,
        "sender_fault": message.sender_fault,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "attachments": [one.name for one in message.attachments],
        "attached": [one.subject for one in message.attached],
        "defects": list(message.defects),
        "verdict": str(sender_verdict(message, authserv_id)),
        "automatic": automatic_reason(message, DESK),
    }


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_real_mails_are_read_as_expected(path):
    expected = json.loads(path.with_suffix(".expected").read_text())
    message = parse(path.read_bytes())
    found = seen(message, expected["authserv_id"])
    assert found == {key: expected[key] for key in found}
    assert message.fault is None


# identity


def test_line_ends_do_not_change_a_message():
    raw = MAILS[0].read_bytes().replace(b"\r\n", b"\n")
    mixed = raw.replace(b"\n", b"\r\n", 7)
    assert parse(raw) == parse(raw.replace(b"\n", b"\r\n")) == parse(mixed)
    assert parse(raw).sha256 == hashlib.sha256(raw).hexdigest()


def test_two_copies_of_a_mail_have_equal_body_digests():
    one, other = parse(mail(received="by one")), parse(mail(received="by another"))
    assert one.sha256 != other.sha256
    assert one.body_sha256 == other.body_sha256
    assert one.body_sha256 != parse(mail(b"hello!\n")).body_sha256


def test_the_body_digest_covers_attachments_and_attached_mails():
    plain = b"Content-Type: text/plain\n\nhello"
    file = b"Content-Type: application/x-log\n\n"
    inner = b"Content-Type: message/rfc822\n\nSubject: y\n\n"
    bodies = [
        multipart(plain, file + b"1"),
        multipart(plain, file + b"2"),
        multipart(plain, inner + b"1"),
        multipart(plain, inner + b"2"),
    ]
    assert len({parse(raw).body_sha256 for raw in bodies}) == 4


@pytest.mark.parametrize(
    ("value", "message_id"),
    [("<1@b>", "<1@b>"), ("", None), ("1@b", "<1@b>"), ("(c) <1@b> <2@b>", "<1@b>"), ("no id", None), ("<>", None)],
)
def test_the_message_id_of_a_mail(value, message_id):
    assert parse(mail(message_id=value)).message_id == message_id


UNUSABLE_IDS = {
    "8-bit": "<café@b.example>",
    "8-bit in Latin-1": "<caf\udce9@b.example>",
    "NUL": "<a\0b@b.example>",
    "a control character": "<a\x1b[31m@b.example>",
    "10,000 characters": f"<{'a' * 10_000}@b.example>",
    "more than a header line holds": f"<{'a' * 998}>",
    "a space inside": "<a b@b.example>",
    "folded inside": "<a\n b@b.example>",
    "a bidirectional control": "<a\u202eb@b.example>",
}


@pytest.mark.parametrize("value", UNUSABLE_IDS.values(), ids=UNUSABLE_IDS)
def test_an_unusable_message_id_is_left_out_with_a_defect(value: str):
    fields = {"Message-ID": value, "In-Reply-To": value, "References": f"<good@b.example> {value} <last@b.example>"}
    raw = "".join(f"{name}: {value}\n" for name, value in fields.items()).encode("utf-8", "surrogateescape")
    message = parse(b"From: a@b.example\n" + raw + b"\nhello")
    assert message.fault is None
    assert (message.message_id, message.in_reply_to) == (None, None)
    assert message.references == ("<good@b.example>", "<last@b.example>")
    told = [defect for defect in message.defects if "Message-ID" in defect]
    assert told == [f"an unusable Message-ID in {name.lower()}" for name in fields]


def test_a_bare_cr_in_a_message_id_sets_the_mail_aside():
    message = parse(mail(message_id="<a\rb@b.example>", in_reply_to="<a\rb@b.example>"))
    assert message.fault == "a bare CR in the header"
    assert (message.message_id, message.in_reply_to, message.references) == (None, None, ())


def test_an_unusable_message_id_is_not_replaced_by_another_in_its_field():
    message = parse(mail(message_id="<é@x> <good@x>", in_reply_to="<é@x> <good@x>"))
    assert (message.message_id, message.in_reply_to) == (None, None)


def test_in_reply_to_and_references_of_a_mail():
    message = parse(mail(in_reply_to="<a@x> (a comment)", references="<o@x>\n <a@x>"))
    assert message.in_reply_to == "<a@x>"
    assert message.references == ("<o@x>", "<a@x>")
    assert parse(mail(in_reply_to="<a@x> <b@x>")).in_reply_to is None


def test_recipients_are_in_the_order_of_their_fields():
    raw = b"Delivered-To: desk+1@d.example\nX-Original-To: desk@d.example\n" + mail(
        to='"a, b" <one@d.example>, ?', cc="Two: two@d.example, desk@d.example;"
    )
    assert parse(raw).recipients == ("desk+1@d.example", "desk@d.example", "one@d.example", "two@d.example")


def test_header_fields_keep_order_and_case_and_are_unfolded():
    message = parse(b"X-A: 1\nx-a:  two\n lines\nX-B: \xe8\nFrom: a@b.example\n\n")
    assert message.headers == (("X-A", "1"), ("x-a", "two lines"), ("X-B", "è"), ("From", "a@b.example"))
    assert message.field("X-a") == "1"
    assert message.fields("x-A") == ("1", "two lines")
    assert message.field("X-C") is None


# the sender


@pytest.mark.parametrize(
    ("value", "sender", "name"),
    [
        ("a@b.example", "a@b.example", ""),
        ("Ann <a@b.example>", "a@b.example", "Ann"),
        ("a@b.example (Ann)", "a@b.example", ""),
        ('"Doe, Ann" <A.Doe@B.example>', "A.Doe@B.example", "Doe, Ann"),
        ('"boss@staff.example" <a@b.example>', "a@b.example", "boss@staff.example"),
        ("=?utf-8?q?boss=40staff=2Eexample?= <a@b.example>", "a@b.example", "boss@staff.example"),
        ("Müller <a@b.example>", "a@b.example", "Müller"),
        ("John Q. Public <a@b.example>", "a@b.example", "John Q. Public"),
        ("Ann\n <a@b.example>", "a@b.example", "Ann"),
    ],
)
def test_one_plain_address_is_the_sender(value, sender, name):
    message = parse(b"From: " + value.encode() + b"\nTo: x@y.example\n\n")
    assert (message.sender, message.sender_name, message.sender_fault) == (sender, name, None)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "From:",
        "From: nobody",
        "From: <>",
        "From: a@b.example\nFrom: c@d.example",
        "From: a@b.example\nfrom: a@b.example",
        "From: a@b.example, c@d.example",
        "From: Team: a@b.example;",
        "From: undisclosed-recipients:;",
        "From: boss@staff.example <a@b.example>",
        "From: <a@b.example> <c@d.example>",
        "From: Ann <a@b.example",
        "From: a@b.example>",
        "From: a@b@c.example",
        "From: =?utf-8?q?boss=40staff=2Eexample?=",
        "From: <=?utf-8?q?boss?=@staff.example>",
        "From: =?utf-8?q?boss=40staff=2Eexample=3E?= , <a@b.example>",
        "From: a(x)@b.example",
        'From: "a b"@c.example',
        "From: a@[192.0.2.1]",
        "From: ä@b.example",
        "From: a@bücher.example",
        "From: a@b.example\x00",
        "From: bo\x00ss <a@b.example>",
        "From: \x1b[2K <a@b.example>",
        "From: " + "x" * 2000 + " <a@b.example>",
        "From: " + "(" * 900 + "a@b.example",
        "From: =?utf-8?q?x=0ABcc=3A_y?= <a@b.example>",
        "From : a@b.example",
        "Not a field\nFrom: a@b.example",
    ],
)
def test_a_from_field_without_one_plain_address_gives_no_sender_and_a_reason(header):
    message = parse(header.encode() + b"\nTo: x@y.example\n\ntext")
    assert message.sender is None
    assert message.sender_fault


# caps and hostile structures


def test_an_empty_mail_is_a_message_without_sender():
    message = parse(b"")
    assert (message.sender, message.sender_fault, message.text) == (None, "no From field", "")


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (mail(b"x" * 1024 * 1024), "more than 1 MB"),
        (mail(x="y" * 300_000), "KiB of header"),
        (mail(x="y") + b"", None),
        (b"x: y\n" * 1001 + mail(), "header fields"),
        (mail(to=", ".join(f"a{number}@b.example" for number in range(201))), "addresses"),
        (mail(cc=", ".join(f"a{number}@b.example" for number in range(100_000))), "KiB of header"),
        (multipart(*[b"\nx"] * 201), "parts"),
        (multipart(b"x: y\n" * 1001 + b"\nx"), "header fields"),
        (mail(b"", content_type="message/rfc822") + b"Content-Type: message/rfc822\n\n" * 1000, "nested"),
        (b"Subject: x\rBcc: y@z.example\n" + mail(), "bare CR"),
        (mail(subject="x\r y"), "bare CR"),
    ],
)
def test_a_mail_over_a_cap_is_set_aside(raw, fault):
    message = parse(raw, Caps(raw_mb=1))
    assert (fault in message.fault) if fault else message.fault is None
    assert message.sha256
    assert not (fault and (message.text or message.attachments))


def test_a_mail_over_a_cap_still_has_its_sender():
    message = parse(multipart(*[b"\nx"] * 201))
    assert (message.sender, message.subject) == ("a@b.example", "x")


def test_a_thousand_levels_of_parts_do_not_recurse():
    nest = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(1000))
    assert "nested" in (parse(mail()[: -len("\nhello\n")] + nest).fault or "")


def test_thirty_megabytes_are_an_attachment_and_no_text():
    data = bytes(range(256)) * (30 * 4096)
    raw = multipart(
        b"Content-Type: text/plain\n\nsee the log",
        b"Content-Type: text/plain\nContent-Disposition: attachment; filename=big.log\n"
        b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(data),
    )
    message = parse(raw.replace(b"\n", b"\r\n"))
    assert message.text == "see the log"
    assert [(one.name, one.sha256) for one in message.attachments] == [("big.log", hashlib.sha256(data).hexdigest())]
    assert "\\x" not in repr(message)


@pytest.mark.parametrize(
    ("body", "caps", "fault"),
    [
        (b"a" * 200, Caps(text_chars=100), "it has more than 100 characters of text"),
        (b"a\n" * 200, Caps(text_lines=100), "it has more than 100 lines of text"),
        ("a\u2028".encode() * 200, Caps(text_lines=100), "it has more than 100 lines of text"),
    ],
)
def test_a_mail_with_text_over_a_cap_is_set_aside_not_cut(body: bytes, caps: Caps, fault: str):
    assert parse(mail(body)).fault is None
    assert parse(mail(body), caps).fault == fault


def test_attached_mails_count_towards_the_caps_and_unread_html_does_not():
    lines = b"a\n" * 60
    twice = multipart(
        b"Content-Type: text/plain\n\n" + lines, b"Content-Type: message/rfc822\n\nSubject: x\n\n" + lines
    )
    assert parse(twice, Caps(text_lines=100)).fault == "it has more than 100 lines of text"
    both = (b"Content-Type: text/plain\n\nhello", b"Content-Type: text/html\n\n" + b"<p>a</p>" * 200)
    assert parse(multipart(*both, kind="alternative"), Caps(text_lines=100, tags=100)).text == "hello"
    assert parse(multipart(*both[1:]), Caps(tags=100)).fault == "it has more than 100 tags of HTML"


def test_nul_and_control_characters_are_removed():
    message = parse(mail(b"a\0b\n", subject="x\0\x1b[31my\u202e", x_note="\0"))
    assert message.text == "ab\n"
    assert message.subject == "x\ufffd[31my"
    assert "\0" not in "".join(value for _, value in message.headers)


def test_an_encoded_word_cannot_make_a_header_line():
    assert parse(mail(subject="=?utf-8?q?a=0ABcc:_x@y.z?= =?utf-8?q?=3D=3Futf-8=3Fq=3Fb=3F=3D?=")).subject == (
        "a Bcc: x@y.z= ?utf-8?q?b?="
    )


# the text


PLAIN, HTML = b"Content-Type: text/plain\n\nplain", b"Content-Type: text/html\n\n<p>html"


@pytest.mark.parametrize(
    ("kind", "parts", "text", "html", "attachments"),
    [
        ("alternative", (PLAIN, HTML), "plain", False, 0),
        ("alternative", (HTML, PLAIN), "plain", False, 0),
        ("alternative", (b"Content-Type: text/plain\n\n \n", HTML), "html", True, 0),
        ("alternative", (b"Content-Type: text/calendar\n\nBEGIN", HTML), "html", True, 1),
        ("mixed", (PLAIN, PLAIN), "plain\nplain", False, 0),
        ("mixed", (HTML, PLAIN), "html\nplain", True, 0),
        ("mixed", (b"\nno header", PLAIN), "no header\nplain", False, 0),
        ("related", (HTML, b"Content-Type: text/plain\n\npart"), "html", True, 1),
        ("signed", (PLAIN, b"Content-Type: application/pgp-signature\n\nx"), "plain", False, 1),
        ("unheard-of", (PLAIN,), "plain", False, 0),
        ("mixed", (b'Content-Type: text/plain; name="a.log"\n\nlog',), "", False, 1),
        ("mixed", (b"Content-Type: text/plain\nContent-Disposition: attachment\n\nlog",), "", False, 1),
        ("digest", (b"\nSubject: inner\n\ninner",), "", False, 0),
    ],
)
def test_which_mime_parts_are_the_text(kind, parts, text, html, attachments):
    message = parse(multipart(*parts, kind=kind))
    assert (message.text, message.html, len(message.attachments)) == (text, html, attachments)


def test_an_attached_mail_is_a_message_of_its_own():
    inner = b"From: c@d.example\nSubject: inner\nContent-Type: text/html\n\n<b>APPROVE</b>"
    encoded = b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(inner.replace(b"\n", b"\r\n"))
    for part in (b"\n" + inner, encoded):
        message = parse(multipart(PLAIN, b"Content-Type: message/rfc822\n" + part))
        assert message.text == "plain"
        assert [(one.sender, one.subject, one.text) for one in message.attached] == [
            ("c@d.example", "inner", "APPROVE")
        ]
        assert message.attached[0].sha256 == hashlib.sha256(inner).hexdigest()


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("quoted-printable", b"a=3Db=\nc =XX=", "a=bc =XX"),
        ("base64", b"aGVs\nbG8*=\n", "hello"),
        ("base64", b"aGVsbG8gd29ybGQ", "hello world"),
        ("base64", b"aGVsbA0", "hell"),
        ("BASE64 ", b"aGVsbG8=", "hello"),
        ("x-unknown", b"hello", "hello"),
    ],
)
def test_damaged_transfer_encodings_are_decoded_as_far_as_possible(encoding, body, text):
    assert parse(mail(body, content_transfer_encoding=encoding)).text.strip("\r\n") == text


def test_a_multipart_without_boundary_or_end_is_still_read():
    assert "hello" in parse(mail(content_type="multipart/mixed")).text
    assert "hello" in parse(mail(b"\n--c\n\nhello", content_type="multipart/mixed; boundary=b")).text
    cut = parse(mail(b"--b\n\nhello", content_type="multipart/mixed; boundary=b"))
    assert (cut.text, cut.defects) == ("hello", ("a multipart has no end",))


def test_a_boundary_ends_only_at_its_own_line():
    parts = (b"\nfirst\n--bb\n--b x\n --b", b"\nsecond")
    assert parse(multipart(*parts)).text == "first\n--bb\n--b x\n --b\nsecond"


@pytest.mark.parametrize("count", [0xFFFFFFFF, 3])
def test_a_winmail_dat_with_false_counts_is_kept_as_a_file(count):
    properties = struct.pack("<IHHI", count, 0x1002, 0x1000, 0xFFFFFFFF)
    data = struct.pack("<IHBHHI", 0x223E9F78, 1, 1, 0x9003, 6, len(properties)) + properties + b"\0\0"
    part = b"Content-Type: application/ms-tnef\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(data)
    message = parse(multipart(part))
    assert message.defects == ("winmail.dat is damaged",)
    assert [one.data for one in message.attachments] == [data]


# parsing never raises


def check(raw: bytes) -> None:
    message = parse(raw)
    for one in (message.message_id, message.in_reply_to, *message.references):
        assert one is None or (one.isascii() and one.isprintable() and " " not in one and len(one) <= 998)
    assert "cannot be read" not in (message.fault or "")
    for one in (message, *message.attached):
        "".join([one.text, one.subject, one.sender_name, *(value for _, value in one.headers)]).encode()
        assert "\0" not in one.text
        assert one.body_sha256
        sender_verdict(one, "mx.desk.example")
        sender_verdict(one, "microsoft365")
        automatic_reason(one, DESK)
        delivery_report(one)


@quick
@given(st.binary(max_size=2000))
def test_any_bytes_parse_into_a_message(raw):
    check(raw)


@quick
@given(st.data())
def test_damaged_mails_parse_into_messages(data):
    raw = data.draw(st.sampled_from(MAILS)).read_bytes()
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(raw)))
        until = at + data.draw(st.sampled_from([0, 1, 2, 40]))
        junk = st.sampled_from(
            [b"\0", b"\r", b"\n", b"\n\n", b"(", b'"', b"=", b"=?", b";", b"\xff", b"--", b":", b"<", b""]
        )
        raw = raw[:at] + data.draw(junk | st.binary(max_size=3)) * data.draw(st.sampled_from([1, 3, 500])) + raw[until:]
    check(raw)


@quick
@given(st.binary(max_size=300))
def test_any_winmail_dat_is_read_without_raising(data):
    signed = struct.pack("<IH", 0x223E9F78, 1) + data
    part = b"Content-Type: application/ms-tnef\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(signed)
    check(multipart(part))


def test_the_headers_of_all_parts_share_one_size_cap():
    raw = multipart(*[b"x: " + b"y" * 2000 + b"\n\nx"] * 5)
    assert parse(raw, Caps(header_bytes=2048)).fault == "it has more than 8 KiB of header in all parts"
    assert parse(raw).fault is None


def test_parameters_of_an_overlong_field_are_not_read() -> None:
    """The standard library takes quadratic time: a megabyte of such parts took five seconds."""
    for semicolons, name in ((100, "x.log"), (300, "")):
        raw = f"From: a@b.c\nContent-Disposition: attachment; filename=x.log{';' * semicolons}\n\nx".encode()
        (file,) = parse(raw).attachments
        assert file.name == name
