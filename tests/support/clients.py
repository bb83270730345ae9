"""Mails in the raw structure in which real programs write them: headers, parts, dress of the HTML, encodings.

Each ``CLIENTS`` entry takes a Draft and gives the raw mail with CRLF line ends. The structures are rebuilt from public samples:
mailgun/talon tests/fixtures/standard_replies, closeio/quotequail tests/files, crisp-oss/email-reply-parser test/fixtures,
Promignis/rfc2822 usage/testemls.go (Gmail), Proton Mail Bridge's features of SMTP sending, mozilla/releases-comm-central
mailnews/test/data (signed mails, Thunderbird), Ricoh's manuals for scan to e-mail.
"""

import base64
import quopri
import struct
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

DESK = "licences@desk.example"
BORDER = "mx.desk.example"


@dataclass(frozen=True)
class Draft:
    """What a person typed. ``html``: the body's inside as the editor has it ("" = made of the text's lines)."""

    sender: str
    subject: str
    text: str
    name: str = ""
    html: str = ""
    charset: str = "utf-8"
    encoding: str = "quoted-printable"
    label: str = ""  # what the mail says its character set is, where that is wrong ("none" = nothing)
    files: tuple[tuple[str, str, bytes], ...] = ()
    extra: tuple[str, ...] = ()  # further header lines
    number: int = 1

    @property
    def domain(self) -> str:
        return self.sender.rpartition("@")[2]


def word(text: str, charset: str = "utf-8", how: str = "b") -> str:
    """A header's text, encoded where it must be (RFC 2047), in words of at most 75 characters."""
    if text.isascii():
        return text
    words = []
    while text:
        piece, data = text[:12], text[:12].encode(charset)
        body = base64.b64encode(data).decode() if how == "b" else "".join(f"={byte:02X}" for byte in data)
        words.append(f"=?{charset}?{how.upper()}?{body}?=")
        text = text[len(piece) :]
    return "\n ".join(words)


def body(data: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return base64.encodebytes(data.replace(b"\n", b"\r\n") if b"\0" not in data else data)
    return quopri.encodestring(data) if encoding == "quoted-printable" else data


def part(kind: str, text: str, draft: Draft, parameters: str = "", label: str | None = None) -> bytes:
    """A text part: header, blank line, body."""
    encoding = "base64" if draft.charset == "utf-16" else draft.encoding
    charset = (draft.label or draft.charset) if label is None else label
    named = "" if charset == "none" else f'; charset="{charset}"'
    data = text.encode(draft.charset, "xmlcharrefreplace" if kind == "text/html" else "replace")
    head = f"Content-Type: {kind}{named}{parameters}\nContent-Transfer-Encoding: {encoding}\n\n"
    return head.encode() + body(data, encoding)


def several(kind: str, parts: list[bytes], boundary: str, parameters: str = "") -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"{parameters}\n\n'.encode()
    return head + b"".join(b"--%s\n%s\n" % (boundary.encode(), one) for one in parts) + f"--{boundary}--\n".encode()


def attached(name: str, kind: str, data: bytes) -> bytes:
    """A file; one whose name is not ASCII is named as RFC 2231 says. A mail is attached as it is."""
    if kind == "message/rfc822":
        return f'Content-Type: message/rfc822; name="{name}"\nContent-Disposition: attachment\n\n'.encode() + data
    named = (
        f'filename="{name}"'
        if name.isascii()
        else "filename*=UTF-8''" + "".join(f"%{byte:02X}" for byte in name.encode())
    )
    head = f"Content-Type: {kind}\nContent-Disposition: attachment; {named}\nContent-Transfer-Encoding: base64\n\n"
    return head.encode() + base64.encodebytes(data)


def mail(draft: Draft, content: bytes, *lines: str, message_id: str = "") -> bytes:
    """The whole mail as the border kept it."""
    name = word(draft.name, how="q")
    if draft.name.isascii() and any(sign in draft.name for sign in ',."'):
        name = f'"{draft.name}"'
    head = [
        f"Return-Path: <{draft.sender}>",
        f"Delivered-To: {DESK}",
        f"Received: from out.{draft.domain} (out.{draft.domain} [192.0.2.25])\n\tby {BORDER} (Postfix) with ESMTPS id 4XyZ{draft.number:06}\n\tfor <{DESK}>; Tue, 3 Nov 2026 09:12:44 +0100 (CET)",
        f"Authentication-Results: {BORDER}; dkim=pass header.d={draft.domain}; dmarc=pass header.from={draft.domain}",
        "MIME-Version: 1.0",
        f"From: {name} <{draft.sender}>" if name else f"From: {draft.sender}",
        f"To: {DESK}",
        f"Subject: {word(draft.subject)}",
        f"Message-ID: {message_id or f'<{draft.number}.{draft.domain}>'.replace('.', '@', 1)}",
        "Date: Tue, 3 Nov 2026 09:12:41 +0100",
        *lines,
        *draft.extra,
    ]
    if draft.files:
        files = [attached(*file) for file in draft.files]
        content = several("mixed", [content, *files], f"mixed-{draft.number:08}")
    return (
        "\n".join(head).encode("utf-8", "surrogateescape").replace(b"\r", b"").replace(b"\n", b"\r\n")
        + b"\r\n"
        + content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    )


def divs(text: str, attributes: str = "") -> str:
    """Lines as most web editors keep them."""
    return "".join(f"<div{attributes}>{spaced(line) or '<br>'}</div>" for line in text.split("\n"))


def breaks(text: str) -> str:
    return "<br>".join(spaced(line) for line in text.split("\n"))


def spaced(line: str) -> str:
    """A line in HTML; of several spaces all but one are non-breaking, as editors do."""
    return escape(line, quote=False).replace("  ", "&nbsp; ").replace("\t", "&nbsp;&nbsp;&nbsp; ")


def word_paragraphs(text: str) -> str:
    return "".join(f'<p class="MsoNormal">{spaced(line) or "&nbsp;"}<o:p></o:p></p>' for line in text.split("\n"))


# the programs


def gmail_web(d: Draft) -> bytes:
    html = f'<div dir="ltr">{d.html or divs(d.text)}</div>\n'
    parts = [part("text/plain", d.text + "\n", d), part("text/html", html, d)]
    return mail(
        d,
        several("alternative", parts, f"000000000000{d.number:012x}"),
        message_id=f"<CAJ8+{d.number:08}abc=def@mail.gmail.example>",
    )


def gmail_app(d: Draft) -> bytes:
    html = f'<div dir="auto">{d.html or divs(d.text, " dir=auto")}</div>\n'
    parts = [part("text/plain", d.text + "\n", d), part("text/html", html, d)]
    return mail(
        d,
        several("alternative", parts, f"000000000000{d.number:012x}"),
        message_id=f"<CAOq9{d.number:08}w@mail.gmail.example>",
    )


_WORD_HEAD = '<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w="urn:schemas-microsoft-com:office:word"><head><meta name="Generator" content="Microsoft Word 15 (filtered medium)"><style><!--\n@font-face {font-family:Calibri;}\np.MsoNormal, li.MsoNormal {margin:0cm; font-size:11.0pt;}\n--></style><!--[if gte mso 9]><xml>\n<o:shapedefaults v:ext="edit" spidmax="1026" />\n</xml><![endif]--></head>'


def _word(d: Draft) -> str:
    return f'{_WORD_HEAD}<body lang="EN-GB" link="#0563C1" vlink="#954F72" style="word-wrap:break-word"><div class="WordSection1">{d.html or word_paragraphs(d.text)}</div></body></html>\n'


def outlook_desktop(d: Draft) -> bytes:
    """Exchange writes the plain part with a blank line behind each paragraph."""
    plain = "\n\n".join(line or " " for line in d.text.split("\n")) + "\n\n"
    parts = [part("text/plain", plain, d), part("text/html", _word(d), d)]
    content = several("alternative", parts, f"_000_AM0PR08MB{d.number:06}eurp_")
    return mail(
        d,
        content,
        f"Thread-Topic: {word(d.subject)}",
        "Thread-Index: AdpNf1l2",
        "Accept-Language: en-GB, en-US",
        "Content-Language: en-GB",
        "X-MS-Has-Attach:",
        "X-Auto-Response-Suppress: DR, OOF, AutoReply",
        message_id=f"<AM0PR08MB{d.number:06}@AM0PR08MB.eurprd08.prod.example>",
    )


def outlook_html(d: Draft) -> bytes:
    """The HTML alone, as many servers hand it on."""
    return mail(
        d,
        part("text/html", _word(d), d),
        f"Thread-Topic: {word(d.subject)}",
        "X-Mailer: Microsoft Outlook 16.0",
        "Content-Language: de",
    )


def outlook_web(d: Draft) -> bytes:
    style = (
        ' class="elementToProof" style="font-family: Aptos, Calibri, sans-serif; font-size: 12pt; color: rgb(0, 0, 0);"'
    )
    html = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={d.charset}"><style type="text/css" style="display:none;"> P {{margin-top:0;margin-bottom:0;}} </style></head><body dir="ltr">{d.html or divs(d.text, style)}</body></html>\n'
    parts = [part("text/plain", d.text + "\n", d), part("text/html", html, d)]
    return mail(
        d,
        several("alternative", parts, f"_000_DB9PR04MB{d.number:06}_"),
        f"Thread-Topic: {word(d.subject)}",
        "msip_labels:",
        "X-MS-Has-Attach:",
    )


_OUTLOOK_APP = {
    "en": "Get Outlook for iOS",
    "it": "Scarica Outlook per iOS",
    "de": "Holen Sie sich Outlook für iOS",
    "fr": "Télécharger Outlook pour iOS",
    "es": "Obtener Outlook para iOS",
}


def outlook_app(d: Draft, language: str = "en") -> bytes:
    added = f"{d.text}\n\n{_OUTLOOK_APP[language]}<https://aka.ms/o0ukef>"
    link = f'<div id="ms-outlook-mobile-signature"><div></div>{_OUTLOOK_APP[language].replace("Outlook", "<a href=https://aka.ms/o0ukef>Outlook")}</a></div>'
    html = f'<html><head></head><body dir="ltr"><div dir="ltr">{d.html or divs(d.text)}</div><div><br></div>{link}</body></html>\n'
    parts = [part("text/plain", added + "\n", d), part("text/html", html, d)]
    return mail(d, several("alternative", parts, f"_000_PA4PR02MB{d.number:06}_"), "X-MS-Has-Attach:")


def apple_mac(d: Draft) -> bytes:
    return mail(
        d,
        part("text/plain", d.text + "\n", d),
        "X-Mailer: Apple Mail (2.3826.200.121)",
        message_id=f"<{d.number:08X}-6D0B-4C65-A6A5-0D7B3F4E2A11@{d.domain}>",
    )


def apple_mac_html(d: Draft) -> bytes:
    html = f'<html><head><meta http-equiv="content-type" content="text/html; charset={d.charset}"></head><body style="overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;">{d.html or divs(d.text)}</body></html>'
    parts = [
        part("text/plain", d.text + "\n", d, ";\n\tdelsp=no" if d.charset == "utf-8" else ""),
        part("text/html", html, d),
    ]
    return mail(
        d, several("alternative", parts, f"Apple-Mail={d.number:08X}-33AA"), "X-Mailer: Apple Mail (2.3826.200.121)"
    )


_IPHONE = {
    "en": "Sent from my iPhone",
    "it": "Inviato da iPhone",
    "de": "Von meinem iPhone gesendet",
    "fr": "Envoyé de mon iPhone",
    "es": "Enviado desde mi iPhone",
}


def iphone(d: Draft, language: str = "en") -> bytes:
    return mail(
        d,
        part("text/plain", f"{d.text}\n\n{_IPHONE[language]}\n", d),
        "X-Mailer: iPhone Mail (23B85)",
        message_id=f"<{d.number:08X}-13B9-4C5F-A9EF-4A809D94C078@{d.domain}>",
    )


def iphone_html(d: Draft, language: str = "en") -> bytes:
    signature = f'<div dir="ltr"><br></div><div dir="ltr">{_IPHONE[language]}</div>'
    html = f'<html><head><meta http-equiv="content-type" content="text/html; charset={d.charset}"></head><body dir="auto">{d.html or divs(d.text, " dir=ltr")}{signature}</body></html>'
    return mail(d, part("text/html", html, d), "X-Mailer: iPhone Mail (23B85)")


def thunderbird(d: Draft) -> bytes:
    """format=flowed (RFC 3676): soft breaks at 72 columns, stuffed where a line begins with a space, ``>`` or From."""
    return mail(
        d,
        part("text/plain", flowed(d.text) + "\n", d, "; format=flowed"),
        "User-Agent: Mozilla Thunderbird",
        "Content-Language: en-US",
    )


def flowed(text: str, width: int = 72) -> str:
    lines = []
    for line in text.split("\n"):
        line = line.rstrip() if line != "-- " else line
        mark = "> " if line.startswith("> ") else ""
        while len(line) > width and line.rfind(" ", 3, width) > 0:
            at = line.rfind(" ", 3, width) + 1
            lines.append(line[:at])
            line = mark + line[at:]
        lines.append(f" {line}" if line.startswith((" ", "From ")) else line)
    return "\n".join(lines)


def thunderbird_html(d: Draft) -> bytes:
    html = f'<!DOCTYPE html>\n<html>\n  <head>\n    <meta http-equiv="content-type" content="text/html; charset={d.charset}">\n  </head>\n  <body>\n    {d.html or f"<p>{breaks(d.text)}</p>"}\n  </body>\n</html>\n'
    parts = [part("text/plain", flowed(d.text) + "\n", d, "; format=flowed"), part("text/html", html, d)]
    return mail(d, several("alternative", parts, f"------------{d.number:08}Abc"), "User-Agent: Mozilla Thunderbird")


def yahoo(d: Draft) -> bytes:
    html = f'<html><head></head><body><div class="ydp{d.number:08x}yahoo-style-wrap" style="font-family:Helvetica Neue, Helvetica, Arial, sans-serif;font-size:13px;">{d.html or divs(d.text, " dir=ltr data-setdir=false")}</div></body></html>'
    parts = [
        part(
            "text/plain",
            "\n".join(f" {line}" if line and not n else line for n, line in enumerate(d.text.split("\n"))) + "\n",
            d,
        ),
        part("text/html", html, d),
    ]
    return mail(
        d,
        several("alternative", parts, f"----=_Part_{d.number}_1234.1762157561"),
        "X-Mailer: WebService/1.1.24987 YMailNovation",
    )


def proton(d: Draft) -> bytes:
    style = ' style="font-family: Arial, sans-serif; font-size: 14px;"'
    html = f'{d.html or divs(d.text, style)}<div class="protonmail_signature_block"{style}><div class="protonmail_signature_block-proton">Sent with <a target="_blank" href="https://proton.me/mail/home">Proton Mail</a> secure email.</div></div>'
    plain = f"{d.text}\n\nSent with [Proton Mail](https://proton.me/mail/home) secure email.\n"
    parts = [part("text/plain", plain, d), part("text/html", html, d)]
    return mail(d, several("alternative", parts, f"b1=_{d.number:08}proton"), "Feedback-ID: 1234567:user:proton")


def ticket_system(d: Draft) -> bytes:
    """A help desk (OTRS) that sends in the name of an agent."""
    return mail(
        d,
        part("text/plain", d.text + "\n", d),
        "X-Mailer: OTRS Mail Service (6.5.x)",
        "X-Powered-By: OTRS (https://otrs.com/)",
        "Organization: Help Desk",
    )


def scanner(d: Draft) -> bytes:
    """A printer that sends what it scanned; its own words are the only text."""
    return mail(d, part("text/plain", d.text + "\n", d), "X-Mailer: RICOH Scanner 1.0")


def smime(d: Draft) -> bytes:
    inner = part("text/plain", d.text + "\n", d)
    signature = b'Content-Type: application/pkcs7-signature; name="smime.p7s"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="smime.p7s"\n\nMIAGCSqGSIb3DQEHAqCAMIACAQExDzANBglghkgBZQMEAgEFADCABgkqhkiG9w0BBwEAAKCCA\n'
    return mail(
        d,
        several(
            "signed",
            [inner, signature],
            f"----{d.number:032X}",
            '; protocol="application/pkcs7-signature"; micalg="sha-256"',
        ),
    )


def pgp_mime(d: Draft) -> bytes:
    inner = part("text/plain", d.text + "\n", d)
    signature = b'Content-Type: application/pgp-signature; name="OpenPGP_signature.asc"\nContent-Description: OpenPGP digital signature\nContent-Disposition: attachment; filename="OpenPGP_signature.asc"\n\n-----BEGIN PGP SIGNATURE-----\n\niHUEARYKAB0WIQ\n-----END PGP SIGNATURE-----\n'
    return mail(
        d,
        several(
            "signed",
            [inner, signature],
            f"------------sig{d.number:08}",
            '; micalg=pgp-sha256; protocol="application/pgp-signature"',
        ),
    )


def pgp_inline(d: Draft) -> bytes:
    text = "\n".join(f"- {line}" if line.startswith("-") else line for line in d.text.split("\n"))
    armour = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}\n-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCgAdFiEE7Q8\n=a1B2\n-----END PGP SIGNATURE-----\n"
    return mail(d, part("text/plain", armour, d))


def winmail(d: Draft) -> bytes:
    """Outlook's rich text: an empty plain part and all of it in a winmail.dat (MS-OXTNEF)."""
    text = d.text.replace("\n", "\r\n").encode("utf-16-le") + b"\0\0"
    properties = (
        struct.pack("<I", 1) + struct.pack("<HHII", 0x1F, 0x1000, 1, len(text)) + text + b"\0" * (-len(text) % 4)
    )
    data = struct.pack("<IH", 0x223E9F78, 1)
    for identifier, value in ((0x9007, struct.pack("<II", 1252, 0)), (0x9003, properties)):
        data += struct.pack("<BHHI", 1, identifier, 6, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)
    parts = [
        b'Content-Type: text/plain; charset="us-ascii"\n\n \n',
        b'Content-Type: application/ms-tnef; name="winmail.dat"\nContent-Transfer-Encoding: base64\n\n'
        + base64.encodebytes(data),
    ]
    return mail(d, several("mixed", parts, f"_000_TNEF{d.number:06}_"), "X-MS-TNEF-Correlator: <1@x>")


CLIENTS: dict[str, Callable[..., bytes]] = {
    f.__name__: f
    for f in (
        *(
            gmail_web,
            gmail_app,
            outlook_desktop,
            outlook_html,
            outlook_web,
            outlook_app,
            apple_mac,
            apple_mac_html,
            iphone,
        ),
        *(
            iphone_html,
            thunderbird,
            thunderbird_html,
            yahoo,
            proton,
            ticket_system,
            scanner,
            smime,
            pgp_mime,
            pgp_inline,
            winmail,
        ),
    )
}
#: Those that take the language of what they add.
SPEAKING = frozenset({"iphone", "iphone_html", "outlook_app"})
#: Those whose text is plain only, HTML only, or both.
PLAIN_ONLY = frozenset(
    {"apple_mac", "iphone", "thunderbird", "ticket_system", "scanner", "smime", "pgp_mime", "pgp_inline", "winmail"}
)
HTML_ONLY = frozenset({"outlook_html", "iphone_html"})
