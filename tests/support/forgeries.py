"""Forged decisions: every way that we could think of to have APPROVE taken from somebody or something that may not decide.

Each is a group, a name and the raw mail. What the attacker has is generous: in most of them the true key of Anna's mail.
"""

from collections.abc import Iterator
from email.message import EmailMessage

ANNA = "anna@vendor.example"
PASS = "Authentication-Results: mx.vendor.example; dmarc=pass header.from=vendor.example"

Forgery = tuple[str, str, bytes]


class Forger:
    """Writes mails that answer the approval mail ``to``, honest in all but what a forgery changes."""

    def __init__(self, to: EmailMessage) -> None:
        self.to = to
        self.count = 0

    def mail(
        self, *, sender: str = f"From: {ANNA}", auth: str | None = PASS, to: str | None = None, answers: str | None = None,
        subject: str | None = None, more: tuple[str, ...] = (), text: str = "APPROVE", body: bytes | None = None,
        kind: str = "text/plain; charset=utf-8",
    ) -> bytes:  # fmt: skip
        self.count += 1
        answers = str(self.to["Message-ID"]) if answers is None else answers
        lines = [
            *([auth] if auth else []),
            *more,
            sender,
            f"To: {to or self.to['Reply-To']}",
            f"Subject: {subject or 'Re: ' + str(self.to['Subject'])}",
            f"Message-ID: <forged{self.count}@somewhere.example>",
            *([f"In-Reply-To: {answers}"] if answers else []),
            "MIME-Version: 1.0",
            f"Content-Type: {kind}",
            "Content-Transfer-Encoding: 8bit",
        ]
        content = body if body is not None else text.encode() + b"\r\n"
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + content


def senders(forger: Forger) -> Iterator[Forgery]:
    """Somebody else than Anna, with her key and a mail that proves him, or a From that is not one plain address."""
    proved = "Authentication-Results: mx.vendor.example; dmarc=pass header.from={}"
    for name, sender, domain in (
        ("a stranger", "mallory@evil.example", "evil.example"),
        ("a stranger with Anna's name", '"Anna" <mallory@evil.example>', "evil.example"),
        ("her address as display name", f'"{ANNA}" <mallory@evil.example>', "evil.example"),
        ("her address as bare display name", f"{ANNA} <mallory@evil.example>", "evil.example"),
        ("her address in a comment", f"({ANNA}) mallory@evil.example", "evil.example"),
        ("her address in a comment behind", f"mallory@evil.example ({ANNA})", "evil.example"),
        ("another member", "bob@vendor.example", "vendor.example"),
        ("a colleague who is no member", "carl@vendor.example", "vendor.example"),
        ("the desk itself", "desk@vendor.example", "vendor.example"),
        ("the requester", "joe@acme.example", "acme.example"),
        ("a subdomain", "anna@mail.vendor.example", "mail.vendor.example"),
        ("a longer domain", "anna@vendor.example.evil.example", "vendor.example.evil.example"),
        ("a domain that ends alike", "anna@evilvendor.example", "evilvendor.example"),
        ("a letter doubled", "anna@vendorr.example", "vendorr.example"),
        ("a sub-address of hers", "anna+x@vendor.example", "vendor.example"),
        ("a Cyrillic letter", "\u0430nna@vendor.example", "vendor.example"),
        ("a full-width sign", "anna\uff20vendor.example", "vendor.example"),
        ("a Cyrillic domain", "anna@v\u0435ndor.example", "vendor.example"),
        ("a zero-width space", "an\u200bna@vendor.example", "vendor.example"),
        ("a dotless i of another alphabet", "\u212anna@vendor.example", "vendor.example"),
        ("a trailing dot", "anna@vendor.example.", "vendor.example"),
        ("a quoted local part with more", '"anna@vendor.example "@evil.example', "evil.example"),
        ("a percent route", "anna%vendor.example@evil.example", "evil.example"),
        ("a source route", "<@evil.example:anna@vendor.example>", "vendor.example"),
        ("a bang path", "vendor.example!anna@evil.example", "evil.example"),
        ("two addresses", f"{ANNA}, mallory@evil.example", "vendor.example"),
        ("two addresses, hers behind", f"mallory@evil.example, {ANNA}", "vendor.example"),
        ("a group", f"staff: {ANNA};", "vendor.example"),
        ("an address in an address", f"{ANNA} <mallory@evil.example> <{ANNA}>", "vendor.example"),
        ("an open bracket", f"<{ANNA}", "vendor.example"),
        ("an encoded word as address", "=?utf-8?q?anna=40vendor=2Eexample?=", "vendor.example"),
        ("an encoded word before another address", f"=?utf-8?q?{ANNA.replace('@', '=40')}?= <mallory@evil.example>", "evil.example"),
        ("a NUL behind it", f"{ANNA}\0", "vendor.example"),
        ("nothing", "", "vendor.example"),
    ):  # fmt: skip
        yield "sender", name, forger.mail(sender=f"From: {sender}", auth=proved.format(domain))
    yield "sender", "two From fields", forger.mail(sender=f"From: {ANNA}\r\nFrom: mallory@evil.example")
    yield "sender", "two From fields, hers behind", forger.mail(sender=f"From: mallory@evil.example\r\nFrom: {ANNA}")
    yield "sender", "no From, but Sender", forger.mail(sender=f"Sender: {ANNA}")
    yield (
        "sender",
        "a From that a bare CR begins",
        forger.mail(sender=f"X-Y: a\rFrom: {ANNA}\r\nFrom: mallory@evil.example"),
    )
    stranger, proof = "From: mallory@evil.example", proved.format("evil.example")
    for field in ("Sender", "Reply-To", "Resent-From", "X-Original-From", "X-Sender", "Return-Path", "Envelope-From"):
        yield "sender", f"her address in {field}", forger.mail(sender=stranger, auth=proof, more=(f"{field}: {ANNA}",))


def proofs(forger: Forger) -> Iterator[Forgery]:
    """Anna's From with her key, and a proof that is none. Some lead to a question to Anna herself; none decides."""
    own = "Authentication-Results: mx.vendor.example"
    for name, auth in (
        ("no field", None),
        ("only SPF", f"{own}; spf=pass smtp.mailfrom=vendor.example"),
        ("DKIM of another domain", f"{own}; dkim=pass header.d=evil.example"),
        ("DKIM of a subdomain", f"{own}; dkim=pass header.d=mail.vendor.example"),
        ("DKIM of the parent domain", f"{own}; dkim=pass header.d=example"),
        ("DKIM without a domain", f"{own}; dkim=pass"),
        ("DKIM that failed", f"{own}; dkim=fail header.d=vendor.example"),
        ("DKIM by header.b only", f"{own}; dkim=pass header.b=vendor.example"),
        ("DMARC for another domain", f"{own}; dmarc=pass header.from=evil.example"),
        ("DMARC without a domain", f"{own}; dmarc=pass"),
        ("DMARC with two domains", f"{own}; dmarc=pass header.from=evil.example header.from=vendor.example"),
        ("DMARC none", f"{own}; dmarc=none header.from=vendor.example"),
        ("DMARC temperror", f"{own}; dmarc=temperror header.from=vendor.example"),
        ("DMARC failed", f"{own}; dmarc=fail header.from=vendor.example"),
        ("DMARC failed and DKIM passed", f"{own}; dmarc=fail header.from=vendor.example; dkim=pass header.d=vendor.example"),
        ("DMARC failed with policy none", f"{own}; dmarc=fail (p=none) header.from=vendor.example"),
        ("a pass in a comment", f"{own}; dmarc=none (dmarc=pass header.from=vendor.example) header.from=vendor.example"),
        ("a pass in a quoted reason", f'{own}; dmarc=none reason="; dmarc=pass header.from=vendor.example"'),
        ("two DMARC results", f"{own}; dmarc=pass header.from=vendor.example; dmarc=fail header.from=vendor.example"),
        ("ARC", f"{own}; arc=pass header.oldest-pass=0 smtp.remote-ip=1.2.3.4"),
        ("no result", f"{own}; none"),
        ("another id", "Authentication-Results: mx.evil.example; dmarc=pass header.from=vendor.example"),
        ("a longer id", "Authentication-Results: mx.vendor.example.evil.example; dmarc=pass header.from=vendor.example"),
        ("the id in a comment", "Authentication-Results: mx.evil.example (mx.vendor.example); dmarc=pass header.from=vendor.example"),
        ("no id", "Authentication-Results: dmarc=pass header.from=vendor.example"),
        ("an id with a sign more", "Authentication-Results: mx.vendor.example\u200b; dmarc=pass header.from=vendor.example"),
        ("below a failed one", f"{own}; dmarc=fail header.from=vendor.example\r\n{PASS}"),
        ("below an empty one", f"{own}; none\r\n{PASS}"),
        ("the field's name with X", f"X-{PASS}"),
        ("ARC's field", "ARC-Authentication-Results: i=1; mx.vendor.example; dmarc=pass header.from=vendor.example"),
        ("Received-SPF", "Received-SPF: pass (vendor.example) client-ip=1.2.3.4"),
        ("the field with a space before its colon", PASS.replace(":", " :", 1)),
        ("a look-alike of the field's name", PASS.replace("Results", "Result\u0455")),
    ):  # fmt: skip
        yield "proof", name, forger.mail(auth=auth)
    yield "proof", "in the body", forger.mail(auth=None, text=f"{PASS}\r\n\r\nAPPROVE")
    nested = f"{PASS}\r\nFrom: {ANNA}\r\nSubject: x\r\n\r\nAPPROVE\r\n".encode()
    yield "proof", "in an attached mail", forger.mail(auth=None, kind="message/rfc822", body=nested)


def keys(forger: Forger, bobs: EmailMessage, others: EmailMessage, customers: EmailMessage) -> Iterator[Forgery]:
    """Anna, proved, without the key of her own mail about this ticket."""
    desk, reply_to, mail_id = "desk@vendor.example", str(forger.to["Reply-To"]), str(forger.to["Message-ID"])
    key = reply_to.partition(".")[2].partition("@")[0]
    yield "key", "none", forger.mail(to=desk, answers="")
    yield "key", "none, with the ticket in the subject", forger.mail(to=desk, answers="", subject="Re: [LIC-1]")
    yield "key", "none, with the ticket in the address", forger.mail(to="desk+lic-1@vendor.example", answers="")
    yield "key", "only in References", forger.mail(to=desk, answers="", more=(f"References: {mail_id}",))
    yield "key", "only in the body", forger.mail(to=desk, answers="", text=f"APPROVE\r\n\r\n{key}")
    yield (
        "key",
        "only in the Cc's display name",
        forger.mail(to=desk, answers="", more=(f'Cc: "{reply_to}" <x@y.example>',)),
    )
    yield "key", "one letter changed", forger.mail(to=reply_to.replace(key, _changed(key)), answers="")
    yield "key", "one letter short", forger.mail(to=reply_to.replace(key, key[:-1]), answers="")
    yield "key", "one letter more", forger.mail(to=reply_to.replace(key, key + "A"), answers="")
    yield "key", "made up", forger.mail(to=reply_to.replace(key, "A" * 26), answers="")
    yield "key", "of Bob's mail", forger.mail(to=str(bobs["Reply-To"]), answers="")
    yield "key", "of Bob's mail, by In-Reply-To", forger.mail(to=desk, answers=str(bobs["Message-ID"]))
    yield "key", "of another ticket", forger.mail(to=str(others["Reply-To"]), answers="", text="APPROVE LIC-1")
    yield "key", "of the customer's mail", forger.mail(to=str(customers["Reply-To"]), answers="")
    yield "key", "two that disagree", forger.mail(answers=str(bobs["Message-ID"]))
    yield "key", "two addresses that disagree", forger.mail(to=f"{reply_to}, {bobs['Reply-To']}", answers="")
    yield "key", "at another domain", forger.mail(to=reply_to.replace("@vendor.example", "@evil.example"), answers="")
    yield (
        "key",
        "with another ticket's number",
        forger.mail(to=reply_to.replace("lic-1.", "lic-2."), answers="", text="APPROVE LIC-1"),
    )
    yield (
        "key",
        "in full-width letters",
        forger.mail(to=desk, answers="", subject=f"[LIC-1.{''.join(chr(ord(c) + 0xFEE0) for c in key)}]"),
    )


def _changed(key: str) -> str:
    return ("B" if key[0] != "B" else "C") + key[1:]


def words(forger: Forger) -> Iterator[Forgery]:
    """Anna, proved, with her key, and a text in which she has decided nothing."""
    for name, text in (
        ("nothing", ""),
        ("quoted", "> APPROVE"),
        ("quoted twice", "> > APPROVE"),
        ("below a greeting", "Hello,\r\nAPPROVE"),
        ("in a sentence", "I would APPROVE that"),
        ("a question", "APPROVE?"),
        ("a negation", "Do not\r\nAPPROVE"),
        ("a condition behind", "APPROVE if they have paid"),
        ("a condition below", "APPROVE\r\n\r\nbut only when they have paid"),
        ("something else behind", "APPROVE everything"),
        ("an unknown item", "APPROVE agents, spaceship"),
        ("an inflected word", "APPROVED"),
        ("spaced out", "A P P R O V E"),
        ("another language", "APPROVA"),
        ("yes", "yes"),
        ("ok", "OK\r\n"),
        ("full-width letters", "\uff21\uff30\uff30\uff32\uff2f\uff36\uff25"),
        ("Cyrillic letters", "\u0410\u0420PROVE"),
        ("a dot before", ".APPROVE"),
        ("a slash before", "/APPROVE"),
        ("another ticket", "APPROVE LIC-2"),
        ("one more ticket", "APPROVE LIC-1 LIC-2"),
        ("a contradiction", "APPROVE\r\nREJECT too dear"),
        ("a contradiction about items", "REJECT agents: too many\r\nAPPROVE agents"),
        ("a bad date", "APPROVE until tomorrow"),
        ("a date that is none", "APPROVE until 2026-02-30"),
        ("a past date", "APPROVE until 2020-01-01"),
        ("below the marker", "--- Please write your reply above this line ---\r\nAPPROVE"),
        ("in the signature", "-- \r\nAPPROVE"),
        ("below an attribution", "On 3 Nov 2026 at 9:00, Anna wrote:\r\nAPPROVE"),
        ("below a header block", "From: Anna\r\nSent: Monday\r\nTo: desk\r\nSubject: x\r\n\r\nAPPROVE"),
        ("CONFIRM, which nobody asked for", "CONFIRM"),
    ):  # fmt: skip
        yield "words", name, forger.mail(text=text)
    html = "text/html; charset=utf-8"
    for name, body in (
        ("hidden by display", '<p style="display:none">APPROVE</p><p>What is this?</p>'),
        ("hidden by size", '<p style="font-size:0">APPROVE</p><p>What is this?</p>'),
        ("hidden by the attribute", "<p hidden>APPROVE</p><p>What is this?</p>"),
        (
            "hidden by a style sheet",
            "<style>div > p{clip:rect(0,0,0,0);position:absolute}</style><div><p>APPROVE</div>What?",
        ),
        ("hidden on telephones", "<style>@media (max-width:600px){p{display:none}}</style><p>APPROVE</p>"),
        ("hidden by a sheet elsewhere", '<link rel="stylesheet" href="https://x.example/a.css"><p>APPROVE</p>'),
        ("folded away", "<details><summary></summary>APPROVE</details>"),
        ("in a comment", "<!-- APPROVE --><p>What is this?</p>"),
        ("in a script", "<script>APPROVE</script><p>What is this?</p>"),
        ("in a style", "<style>APPROVE</style><p>What is this?</p>"),
        ("in a title", "<head><title>APPROVE</title></head><p>What is this?</p>"),
        ("in a blockquote", "<p>What is this?</p><blockquote>APPROVE</blockquote>"),
        ("only in a blockquote", "<blockquote type=cite>APPROVE</blockquote>"),
        ("as an image's text", '<img alt="APPROVE" src="x.png"><p>What is this?</p>'),
    ):
        yield "words", f"HTML, {name}", forger.mail(kind=html, body=body.encode())
    yield from _parts(forger)


def _parts(forger: Forger) -> Iterator[Forgery]:
    def parts(kind: str, *bodies: tuple[str, str]) -> bytes:
        text = "".join(f"--b\r\n{head}\r\n\r\n{body}\r\n" for head, body in bodies) + "--b--\r\n"
        return forger.mail(kind=f"multipart/{kind}; boundary=b", body=text.encode())

    plain, html = "Content-Type: text/plain", "Content-Type: text/html"
    yield (
        "words",
        "HTML says APPROVE, plain text does not",
        parts("alternative", (plain, "What is this?"), (html, "<p>APPROVE</p>")),
    )
    yield (
        "words",
        "in an attached text",
        parts(
            "mixed",
            (plain, "See there."),
            (plain + "\r\nContent-Disposition: attachment; filename=APPROVE.txt", "APPROVE"),
        ),
    )
    yield (
        "words",
        "in an attached mail",
        parts("mixed", (plain, "See there."), ("Content-Type: message/rfc822", f"From: {ANNA}\r\n\r\nAPPROVE")),
    )
    yield (
        "words",
        "only in an attached mail",
        parts("mixed", ("Content-Type: message/rfc822", f"From: {ANNA}\r\n\r\nAPPROVE")),
    )
    yield "words", "in a second text", parts("mixed", (plain, "What is this?"), (plain, "APPROVE"))


def automatic(forger: Forger) -> Iterator[Forgery]:
    """Anna, proved, with her key, but a program has written it."""
    for field in (
        "Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated", "Return-Path: <>", "Precedence: bulk",
        "Precedence: auto_reply", "X-Autoreply: yes", "X-Auto-Response-Suppress: All\r\nX-Autorespond: yes",
        "List-Id: <staff.vendor.example>", "X-Mailbot: 1",
    ):  # fmt: skip
        yield "automatic", field.replace("\r\n", ", "), forger.mail(more=(field,))
    yield "automatic", "an absence notice by its subject", forger.mail(subject="Automatic reply: approval")
    yield "automatic", "an absence notice by its words", forger.mail(text="I am out of the office.\r\nAPPROVE")
    report = (
        "--b\r\nContent-Type: text/plain\r\n\r\nAPPROVE\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; {ANNA}\r\nAction: failed\r\nStatus: 5.1.1\r\n--b--\r\n"
    )
    kind = "multipart/report; report-type=delivery-status; boundary=b"
    yield "automatic", "a delivery report", forger.mail(kind=kind, body=report.encode())
