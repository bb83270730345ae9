"""A rendered mail into its exact bytes: headers cleaned and checked, text and HTML, 7-bit, the same each time."""

import hashlib
import quopri
import re
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.parser import BytesHeaderParser
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from mailbot.core.base.characters import multi_line, single_line
from mailbot.core.mail.bounce import OWN_HEADER
from mailbot.core.mail.message_ids import MESSAGE_ID

#: Stored threads may be older than the rule for Message-IDs.
_MESSAGE_ID = re.compile(MESSAGE_ID)


@dataclass(frozen=True)
class Letterhead:
    """What every mail says about the desk."""

    address: str
    name: str
    prefix: str
    language: str
    sub_addressing: bool
    zone: ZoneInfo
    public_url: str | None = None


@dataclass(frozen=True)
class Envelope:
    """Everything of a mail that is fixed before its words: whom it goes to, its ids, its key."""

    message_id: str
    to: str
    date: datetime
    reply_to: str | None = None
    key: str | None = None
    tag: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    null_path: bool = False


@dataclass(frozen=True)
class Rendered:
    """A mail in words: its subject on one line, its plain text, and the same as an HTML page."""

    subject: str
    text: str
    html: str


def compose(mail: Rendered, envelope: Envelope, desk: Letterhead) -> bytes:
    """The finished mail. RuntimeError if its headers do not read back as they were meant, which would be a bug."""
    subject = mail.subject
    headers = _headers(envelope, f"{envelope.tag} {subject}" if envelope.tag else subject, desk)
    boundary = "=_" + hashlib.sha256(envelope.message_id.encode()).hexdigest()[:32]
    headers.append(("Content-Type", f'multipart/alternative; boundary="{boundary}"'))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    body = "".join(_part(boundary, kind, part) for kind, part in (("plain", mail.text), ("html", mail.html)))
    raw = f"{head}\r\n{body}--{boundary}--\r\n".encode("ascii")
    read_back = [name for name, _ in BytesHeaderParser().parsebytes(raw).items()]
    if read_back != [name for name, _ in headers]:
        msg = f"composed headers read back as {read_back}"
        raise RuntimeError(msg)
    return raw


def _headers(envelope: Envelope, subject: str, desk: Letterhead) -> list[tuple[str, str]]:
    headers = [
        ("From", f"{_encoded(desk.name)} <{desk.address}>"),
        ("To", single_line(envelope.to, 320)),
        ("Subject", _encoded(single_line(subject, 200))),
        ("Date", format_datetime(envelope.date.astimezone(desk.zone))),
        ("Message-ID", envelope.message_id),
    ]
    if envelope.reply_to:
        headers.append(("Reply-To", envelope.reply_to))
    if thread := [one for one in envelope.references if _MESSAGE_ID.fullmatch(one)]:
        headers.append(("In-Reply-To", thread[-1]))
        headers.append(("References", "\r\n ".join(thread)))
    return [
        *headers,
        ("Auto-Submitted", "auto-replied" if envelope.in_reply_to else "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        (OWN_HEADER, "1"),
        ("MIME-Version", "1.0"),
    ]


def _encoded(text: str) -> str:
    """A header's words: as they are when plain ASCII, else encoded; folded by our own line ends only."""
    plain = single_line(text, 300)
    if (plain.isascii() and not set(plain) & set('"(),:;<>@[\\]')) or (plain.isascii() and "[" in plain):
        return plain
    return Header(plain, "utf-8", maxlinelen=70, header_name="Subject").encode(linesep="\r\n")


def _part(boundary: str, kind: str, text: str) -> str:
    data = multi_line(text).strip("\n") + "\n"
    encoded = quopri.encodestring(data.encode("utf-8", "replace")).decode("ascii").replace("\n", "\r\n")
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n'
    return f"--{boundary}\r\n{head}\r\n{encoded}\r\n"
