"""The thread of a message: the key that it brings back, what that was given for, and which of its words are the writer's."""

from datetime import datetime

from mailbot.core.base.address import same
from mailbot.core.base.frozen import replace
from mailbot.core.form.own_text import without_our_text
from mailbot.core.inbound import reply_keys
from mailbot.core.inbound.intake import Thread
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.mail.message import Message
from mailbot.process.mapping import sent_text
from mailbot.process.unit_of_work import Work
from storage import keys as key_rows


def thread_of(work: Work, message: Message, received_at: datetime) -> Thread:
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
    if row is None or not same(
        found.ref or "", row.ref or reply_keys.DIGEST_REF
    ):  # a key beside another reference is none
        return Thread(found)
    expired = row.expires_at is not None and row.expires_at < received_at  # however late it is handled
    ended = row.dead_at is not None and row.dead_why != key_rows.EXPIRED
    why = (row.dead_why or "") if ended else key_rows.EXPIRED if expired else ""
    refs = tuple((str(ref), int(version), int(revision)) for ref, version, revision in row.refs)
    text = (row.payload or {}).get("text", "")
    live = not ended and not expired
    return Thread(found, Purpose(row.purpose), live, why, row.address, refs, text, row.digest)


def in_own_words(work: Work, message: Message, thread: Thread) -> Message:
    """The message; of an answer to a mail that went out without a key, our own sentences are not its writer's."""
    sent = None if thread.purpose is not None else sent_text(work.session, message.in_reply_to)
    return message if sent is None else replace(message, text=without_our_text(message.text, sent))
