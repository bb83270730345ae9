"""Which parts of a mail or a file could hold a log, whatever they are called."""

import base64
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.logs.log_sources import mail_in, sources_in, sources_of
from mailbot.core.mail.message import parse

LOG = b"[2026-11-03 08:15:00] [WARN] license - [LICENSE:CHECK] token=A1B2C3D4E5F6 status=grace daysLeft=10\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
HEAD = b"From: joe@acme.example\nTo: desk@example.com\nMIME-Version: 1.0\n"


def mail(*parts: bytes, text: bytes = b"Request: reactivate\n") -> bytes:
    inner = [b"Content-Type: text/plain\n\n" + text, *parts]
    edge = b"edge-%d" % sum(map(len, inner))  # another one for each level
    body = b"".join(b"--" + edge + b"\n" + part + b"\n" for part in inner)
    return HEAD + b"Content-Type: multipart/mixed; boundary=" + edge + b"\n\n" + body + b"--" + edge + b"--\n"


def file(name: str, data: bytes, kind: bytes = b"application/octet-stream") -> bytes:
    return (
        b"Content-Type: "
        + kind
        + b"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="
        + name.encode()
        + b"\n\n"
        + base64.encodebytes(data)
    )


def attached(raw: bytes) -> bytes:
    return b"Content-Type: message/rfc822\n\n" + raw


def winmail(name: str, data: bytes) -> bytes:
    """A TNEF file of one attachment (MS-OXTNEF section 2.1.3.2)."""

    def attribute(identifier: int, value: bytes) -> bytes:
        return struct.pack("<BHHI", 2, identifier, 6, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)

    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(
        (attribute(0x9002, bytes(14)), attribute(0x8010, name.encode() + b"\0"), attribute(0x800F, data))
    )


def found(raw: bytes) -> list[tuple[str, bytes]]:
    return list(sources_of(parse(raw)))


def test_attachments_are_sources_and_pictures_are_not() -> None:
    assert found(mail(file("a.log", LOG), file("logo.png", PNG), file("b.log", PNG))) == [
        ("a.log", LOG),
        ("b.log", PNG),
    ]
    assert found(mail(file("logo.png", PNG), file("me.vcf", b"BEGIN:VCARD\nEND:VCARD\n"))) == []


def test_mails_attached_to_attached_mails_are_looked_through() -> None:
    inner = mail(file("a.log", LOG))
    assert found(mail(attached(mail(attached(inner))))) == [("a.log", LOG)]


def test_a_log_pasted_at_any_level_is_a_source() -> None:
    pasted = mail(text=b"here:\n\n" + LOG)
    assert [name for name, _ in found(pasted)] == ["the mail itself"]
    ((name, data),) = found(mail(attached(pasted)))
    assert name == "the attached mail"
    assert LOG.strip() in data


@pytest.mark.parametrize("name", ["winmail.dat", "att00001.bin", "license.log"])
def test_a_winmail_dat_is_known_by_its_content(name: str) -> None:
    assert found(mail(file(name, winmail("a.log", LOG)))) == [("a.log", LOG)]
    assert list(sources_in(name, winmail("a.log", LOG))) == [("a.log", LOG)]


@pytest.mark.parametrize("name", ["mail.eml", "forwarded", "license.log"])
@pytest.mark.parametrize("start", [b"", b"From joe Tue Nov  3 08:15:00 2026\n", b"\xef\xbb\xbf"])
def test_a_mail_in_a_file_is_known_by_its_content(name: str, start: bytes) -> None:
    assert list(sources_in(name, start + mail(file("a.log", LOG)))) == [("a.log", LOG)]
    assert list(sources_in(name, (start + mail(file("a.log", LOG))).replace(b"\n", b"\r\n"))) == [("a.log", LOG)]


def test_the_same_file_twice_is_one_source() -> None:
    assert found(mail(file("a.log", LOG), file("b.log", LOG), attached(mail(file("a.log", LOG))))) == [("a.log", LOG)]


def test_a_mail_without_a_log_has_no_source() -> None:
    assert list(sources_in("a.eml", mail())) == []


@pytest.mark.parametrize(
    "data", [b"", LOG, b"Name: Acme\nPlan: voice\n", b"status: grace\n", b"From: here\nto there\n"]
)
def test_other_text_is_no_mail(data: bytes) -> None:
    assert mail_in(data) is None
    assert sources_in("a.log", data) == (("a.log", data),)


def test_a_file_in_a_file_in_a_file_ends_somewhere() -> None:
    data = LOG
    for _ in range(30):
        data = winmail("again.dat", data)
    assert len(sources_in("a.dat", data)) == 1


@given(st.binary(max_size=400), st.sampled_from([b"", b"\x78\x9f\x3e\x22", HEAD]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_have_sources(data: bytes, start: bytes) -> None:
    assert all(isinstance(one, bytes) for _, one in sources_in("a", start + data))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_mutated_mails_and_winmails_have_sources(data: st.DataObject) -> None:
    whole = mail(file("a.log", LOG), attached(mail(file("b.dat", winmail("c.log", LOG)))))
    mutated = bytearray(data.draw(st.sampled_from([whole, winmail("a.log", LOG)])))
    for _ in range(data.draw(st.integers(1, 8))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    assert all(isinstance(name, str) for name, _ in sources_in("a", bytes(mutated)))
