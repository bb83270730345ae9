"""Where mails enter the demo's mail server: who sent each is checked and stamped, then it is put into mailboxes.

What a real desk's mail provider does: only the topmost Authentication-Results of its own id counts, because it takes
away any that came with the mail. Here a sender is proved by his login, as providers do with their own people.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from mailbot.core.base.address import domain_of, fold_case
from mailbot.core.mail.message import parse

#: The name of this border in Authentication-Results.
AUTHSERV_ID = "mx.demo.example"

# At every login aiosmtpd warns of its own property.
logging.getLogger("mail.log").setLevel(logging.ERROR)

_FIELD_END = re.compile(rb"\r?\n(?![ \t])")
_HEAD_END = re.compile(rb"\r?\n\r?\n")


def stamped_verdict(sender: str | None, login: str | None, own: frozenset[str]) -> str:
    """The result to stamp: pass for whoever logged in as ``sender``, fail for another in a domain of ``own`` people."""
    if sender is None:
        return "dmarc=none"
    host = domain_of(sender)
    if login is not None and fold_case(sender) == login:
        return f"dmarc=pass header.from={host}"
    if host in {domain_of(address) for address in own}:
        return f"dmarc=fail (p=reject) header.from={host}"
    return f"dmarc=none header.from={host}"


def stamped(raw: bytes, envelope_from: str, result: str, authserv_id: str = AUTHSERV_ID) -> bytes:
    """The mail under our own Return-Path and Authentication-Results, without any that claimed to be ours."""
    ends = _HEAD_END.search(raw)
    head, rest = (raw[: ends.start()], raw[ends.start() :]) if ends else (raw, b"")
    fields = [field for field in _FIELD_END.split(head) if not _ours(field, authserv_id)]
    own = [f"Return-Path: <{envelope_from}>", f"Authentication-Results: {authserv_id}; {result}"]
    return b"\r\n".join([*(line.encode("ascii", "replace") for line in own), *fields]) + rest


def _ours(field: bytes, authserv_id: str) -> bool:
    name, _, value = field.partition(b":")
    match name.strip().lower():
        case b"return-path":
            return True
        case b"authentication-results":
            # Wherever the id stands: it may be quoted or follow a comment.
            return authserv_id.encode() in value.lower()
    return False


def mailbox_of(recipient: str, own: frozenset[str]) -> str | None:
    """Whose mailbox an address is, sub-addresses (``desk+lic-1.KEY@...``) included; None when nobody's here."""
    local, _, host = fold_case(recipient).rpartition("@")
    address = f"{local.partition('+')[0]}@{host}"
    return address if address in own else None


class Border:
    """What aiosmtpd calls. ``deliver`` puts a mail into a mailbox, ``seen`` is told of each before that."""

    def __init__(
        self,
        own: frozenset[str],
        password: str,
        deliver: Callable[[str, bytes], Awaitable[None]],
        seen: Callable[[str, bytes], None],
    ) -> None:
        self.own, self.password, self.deliver, self.seen = own, password, deliver, seen
        self._sessions: WeakSet[SMTP] = WeakSet()

    def session(self) -> SMTP:
        """A new connection's protocol."""
        made = SMTP(
            self,
            hostname=AUTHSERV_ID,
            ident="mailbot demo",
            authenticator=self._authenticate,
            auth_require_tls=False,  # nothing but 127.0.0.1 reaches us
            decode_data=False,
        )
        self._sessions.add(made)
        return made

    def hang_up(self) -> None:
        """End all connections."""
        for session in list(self._sessions):
            if session.transport is not None:
                session.transport.abort()  # type: ignore[attr-defined]

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        if isinstance(given, LoginPassword) and given.password == self.password.encode():
            login = fold_case(given.login.decode("utf-8", "replace"))
            if login in self.own:
                return AuthResult(success=True, auth_data=login)
        return AuthResult(success=False, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Only mailboxes of the demo are served."""
        if mailbox_of(address, self.own) is None:
            return "550 5.1.1 no such mailbox in the demo"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Check, stamp, deliver."""
        raw = bytes(envelope.original_content or b"")
        login = session.auth_data if isinstance(session.auth_data, str) else None
        sender = (envelope.mail_from or "").removeprefix("<>")  # how aiosmtpd writes the null return path
        finished = stamped(raw, sender, stamped_verdict(parse(raw).sender, login, self.own))
        for mailbox in dict.fromkeys(mailbox_of(address, self.own) for address in envelope.rcpt_tos):
            if mailbox is not None:
                self.seen(mailbox, finished)
                await self.deliver(mailbox, finished)
        return "250 OK"
