"""A kept mail as the desk handles it: the message in its writer's own words, its thread, and how sure its sender is."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from mailbot.core.base.address import fold_case, matches_pattern, same_address
from mailbot.core.base.frozen import replace
from mailbot.core.desk.authorisation import Sender
from mailbot.core.desk.ticket import Ticket
from mailbot.core.form.quotes import split_at_quote, split_interleaved
from mailbot.core.inbound import reply_keys
from mailbot.core.inbound.intake import Intake, Thread, understand
from mailbot.core.inbound.own_text import without_our_text
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.mail.auth_results import sender_verdict
from mailbot.core.mail.message import Message
from mailbot.process.mapping import sent_text
from mailbot.process.outgoing import joined
from mailbot.process.unit_of_work import UnitOfWork
from storage import keys as key_rows
from storage import people


@dataclass(frozen=True)
class ReceivedMail:
    """One mail in its thread; ``marker`` is the line above which our mails ask for a reply."""

    message: Message
    thread: Thread
    sender: Sender
    received_at: datetime
    marker: str

    @cached_property
    def own(self) -> str:
        """The writer's own words, up to the first sign of a quote."""
        return split_at_quote(self.message.text, (self.marker,)).own

    @cached_property
    def said(self) -> str:
        """The writer's own words wherever they stand, also below and between quoted lines: they confirm nothing."""
        return split_interleaved(self.message.text, (self.marker,))[0].strip()

    @property
    def clear(self) -> bool:
        """Whether every mail program shows the same own words: no style that only some follow hides any."""
        surely = self.message.text_surely
        return surely is None or split_at_quote(surely, (self.marker,)).own == self.own

    @property
    def refs(self) -> tuple[str, ...]:
        """The tickets that the key is about."""
        return tuple(ref for ref, _, _ in self.thread.refs)

    def in_thread(self, ticket: Ticket) -> Ticket:
        """The ticket with this mail in its writer's thread, so that our next mail answers it."""
        return joined(ticket, self.sender.address, self.message.message_id)


def in_context(work: UnitOfWork, message: Message, received_at: datetime) -> ReceivedMail:
    """The message with everything about it that the desk remembers."""
    thread = _thread(work, message, received_at)
    return ReceivedMail(
        message=_in_own_words(work, message, thread),
        thread=thread,
        sender=_sender(work, message),
        received_at=received_at,
        marker=work.desk.wording.marker,
    )


def intake_of(work: UnitOfWork, mail: ReceivedMail) -> Intake:
    """What the mail turned out to be."""
    config = work.desk.config
    return understand(mail.message, mail.thread, config.mailbot.address, config.imap.spam_header)


def _thread(work: UnitOfWork, message: Message, received_at: datetime) -> Thread:
    """The key of the message and what the desk knows of it."""
    settings = work.desk.config.mailbot
    found = reply_keys.find_key(
        message.recipients,
        message.subject,
        message.in_reply_to,
        message.references,
        settings.address,
        settings.ticket_prefix,
    )
    row = key_rows.find(work.session, reply_keys.key_digest(found.key)) if found.key else None
    if row is None or not same_address(
        found.ref or "", row.ref or reply_keys.DIGEST_REF
    ):  # a key beside another reference is none
        return Thread(found)
    expired = row.expires_at is not None and row.expires_at < received_at  # however late it is handled
    ended = row.dead_at is not None and row.dead_why != key_rows.EXPIRED
    return Thread(
        found,
        Purpose(row.purpose),
        live=not ended and not expired,
        dead_why=(row.dead_why or "") if ended else key_rows.EXPIRED if expired else "",
        address=row.address,
        refs=tuple((str(ref), int(version), int(revision)) for ref, version, revision in row.refs),
        payload=(row.payload or {}).get("text", ""),
        digest=row.digest,
    )


def _in_own_words(work: UnitOfWork, message: Message, thread: Thread) -> Message:
    """The message; in an answer to a mail of ours without a key, our own sentences are not its writer's."""
    sent = None if thread.purpose is not None else sent_text(work.session, message.in_reply_to)
    return message if sent is None else replace(message, text=without_our_text(message.text, sent))


def _sender(work: UnitOfWork, message: Message) -> Sender:
    address, identity = message.sender or "", work.desk.config.identity
    found = sender_verdict(message, identity.authserv_id)
    partner = any(matches_pattern(address, pattern) for pattern in identity.partners)
    return Sender(
        address=address,
        verdict=found.value,
        verified=found == "verified" or (identity.customers == "trust" and found != "refused"),
        known=people.known(work.session, fold_case(address)) or partner,
        partner=partner,
    )
