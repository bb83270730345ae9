"""What a mail would do: it is handled as any other, on a rehearsal of the database, of which nothing stays."""

import email
import email.policy
from dataclasses import replace
from typing import Any

from sqlmodel import Session

from mailbot import json_shapes
from mailbot.core.mail.auth_results import believed_field, sender_verdict
from mailbot.core.mail.message import Message, parse
from mailbot.environment import Desk
from mailbot.maillog import MailLog
from mailbot.process import mapping
from mailbot.process.kept_mail import handle
from storage import inbox, outbox, tickets


class _Silent(MailLog):
    """Nothing happens, so nothing is logged."""

    def _say(self, level: str, event: str, **values: Any) -> None:
        pass


def explain_mail(desk: Desk, raw: bytes) -> dict[str, Any]:
    """What the mail is, how sure its sender is and why, the tickets it would touch as they would be, the mails out."""
    quiet = replace(desk, log=_Silent())
    message = parse(raw)
    with desk.store.rehearsal() as session:
        # A mail that was here already is explained as if it had not been.
        row, _ = inbox.keep(session, raw, f"explain:{message.sha256}", desk.clock(), desk.clock(), "inject")
        handled = handle(quiet, session, row.id, desk.clock())
        out = [mail for mail in reversed(outbox.listing(session)) if mail.inbox_id == row.id]
        return {
            "intake": handled.intake,
            "state": handled.state,
            "reason": handled.reason,
            "sender": message.sender,
            "sender_verdict": _verdict(desk, message),
            "sender_why": _why(desk, message),
            "tickets": [_ticket(desk, session, ref) for ref in handled.refs],
            "mails": [_mail(session, mail) for mail in out],
        }


def _verdict(desk: Desk, message: Message) -> str | None:
    return sender_verdict(message, desk.config.identity.authserv_id).value if message.sender else None


def _why(desk: Desk, message: Message) -> str:
    """What the verdict rests on."""
    named = desk.config.identity.authserv_id
    if message.sender is None:
        return message.sender_fault or ""
    if named is None:
        return "identity.authserv_id is not configured"
    field = believed_field(message, named)
    return f"Authentication-Results: {field}" if field else f"it has no Authentication-Results field from {named}"


def _ticket(desk: Desk, session: Session, ref: str) -> dict[str, Any]:
    ticket = mapping.load_ticket(session, ref)
    if ticket is None:
        raise LookupError(ref)
    return json_shapes.ticket_shape(ticket, tickets.events(session, ticket.number), desk.wording)


def _mail(session: Session, row: outbox.Outbox) -> dict[str, Any]:
    mail = email.message_from_bytes(outbox.raw(session, row.id), policy=email.policy.default)
    return {"kind": row.kind, "recipient": row.recipient, "subject": str(mail["Subject"])}
