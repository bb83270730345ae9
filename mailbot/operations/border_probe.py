"""``mailbot check --probe``: sends the desk a mail with forged Authentication-Results and looks at what arrives.

The forged fields and their judgement are in ``mail.auth_results_probe``.
"""

import asyncio
import time
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from itertools import chain

from mailbot.core.base.address import domain_of
from mailbot.core.inbound import reply_keys
from mailbot.core.mail.auth_results_probe import BorderFinding, forged_fields, mail_findings, probe_findings
from mailbot.core.mail.bounce import OWN_HEADER
from mailbot.core.mail.message import Message, parse
from mailbot.environment import Desk
from mailbot.servers.imap import ImapSettings, Mailbox
from mailbot.servers.smtp import Outcome, Sent, Smtp
from mailbot.service.delivery import smtp_settings
from mailbot.service.mailbox_loop import imap_settings

#: Pause between two searches of the mailbox, in seconds.
_PAUSE = 0.5


def judge_mail(raw: bytes, authserv_id: str | None) -> tuple[BorderFinding, ...]:
    """The findings on the sender of a received mail."""
    return mail_findings(parse(raw), authserv_id)


def probe(desk: Desk, patience: float) -> tuple[BorderFinding, ...]:
    """Send the probe, wait up to ``patience`` seconds for it, judge it and move it to the done folder.

    The probe is marked as our own mail, so that a running desk does not answer it.

    Raises:
        ImapError: if the mailbox cannot be opened or read.
    """
    authserv_id = desk.config.identity.authserv_id
    if authserv_id is None:
        return _failed("identity.authserv_id is not set, so the desk trusts no field and there is nothing to forge")
    raw, message_id, mark = _mail(desk, authserv_id, desk.clock())
    before = {folder: _next_uid(settings, desk) for folder, settings in _folders(desk).items()}
    address = desk.config.mailbot.address
    outcome = asyncio.run(_send(desk, address, raw))
    if not isinstance(outcome, Sent):
        return _failed(f"the probe could not be sent: {outcome.reply}")
    message = _wait_for(desk, before, message_id, patience)
    if message is None:
        return _failed(
            f"the probe was sent but did not arrive within {patience:g} s; is {address} the address of this mailbox?"
        )
    return probe_findings(message, mark, authserv_id)


def _failed(detail: str) -> tuple[BorderFinding, ...]:
    return (BorderFinding("probe", False, detail),)


def _mail(desk: Desk, authserv_id: str, now: datetime) -> tuple[bytes, str, str]:
    """(finished mail, its Message-ID, the mark in the forged field)."""
    address, random = desk.config.mailbot.address, desk.ids.stream("probe")
    mark = reply_keys.make_key(random(20))
    message_id = reply_keys.message_id(None, None, random(20), domain_of(address))
    lines = [
        *forged_fields(authserv_id, address, mark),
        f"From: {address}",
        f"To: {address}",
        "Subject: mailbot check --probe",
        f"Date: {format_datetime(now)}",
        f"Message-ID: {message_id}",
        "Auto-Submitted: auto-generated",
        f"{OWN_HEADER}: 1",
        "",
        "This mail carries forged Authentication-Results fields. mailbot checks whether the receiving server removes them.",
        "",
    ]
    return "\r\n".join(lines).encode("ascii"), message_id, mark


async def _send(desk: Desk, address: str, raw: bytes) -> Outcome:
    lane = Smtp(smtp_settings(desk.config))
    try:
        return await lane.send(address, address, raw)
    finally:
        await lane.close()


def _folders(desk: Desk) -> dict[str, ImapSettings]:
    """The settings by folder where the probe may be: a running desk moves it to the done folder at once."""
    settings = imap_settings(desk.config)
    return {folder: replace(settings, folder=folder) for folder in (settings.folder, settings.done_folder)}


def _next_uid(settings: ImapSettings, desk: Desk) -> int:
    mailbox = Mailbox.open(settings, desk.log)
    try:
        return max(mailbox.uids(), default=0) + 1
    finally:
        mailbox.close()


def _wait_for(desk: Desk, before: dict[str, int], message_id: str, patience: float) -> Message | None:
    deadline = time.monotonic() + patience
    while True:
        for folder, settings in _folders(desk).items():
            found = _take(desk, settings, before[folder], message_id)
            if found is not None:
                return found
        if time.monotonic() > deadline:
            return None
        time.sleep(_PAUSE)


def _take(desk: Desk, settings: ImapSettings, first: int, message_id: str) -> Message | None:
    """The probe, if it is in that folder with UID ``first`` or higher; it is moved to the done folder."""
    mailbox = Mailbox.open(settings, desk.log)
    try:
        batches = mailbox.fetch(uid for uid in mailbox.uids() if uid >= first)
        for arrived in chain.from_iterable(batches):
            message = parse(arrived.raw)
            if message.message_id == message_id:
                if settings.folder != settings.done_folder:
                    mailbox.move([arrived.uid], settings.done_folder)
                return message
    finally:
        mailbox.close()
    return None
