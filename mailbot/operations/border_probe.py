"""``mailbot check --probe``: a mail with forged fields to the desk's own address, to see what the border makes of it."""

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

#: Between two looks into the mailbox, in seconds.
_LOOK = 0.5


def judge_mail(raw: bytes, authserv_id: str | None) -> tuple[BorderFinding, ...]:
    """What the desk makes of the sender of that mail."""
    return mail_findings(parse(raw), authserv_id)


def probe(desk: Desk, patience: float) -> tuple[BorderFinding, ...]:
    """Send the probe, wait so many seconds for it, judge what arrived and put it away.

    It is marked as our own, so that a desk that runs meanwhile does not answer it.

    Raises:
        ImapError: when the mailbox cannot be opened or read.
    """
    authserv_id = desk.config.identity.authserv_id
    if authserv_id is None:
        return (
            BorderFinding(
                "probe",
                False,
                "identity.authserv_id is not set, so the desk trusts no field and there is nothing to forge",
            ),
        )
    raw, message_id, mark = _mail(desk, authserv_id, desk.clock())
    before = {folder: _next(settings, desk) for folder, settings in _folders(desk).items()}
    address = desk.config.mailbot.address
    outcome = asyncio.run(_send(desk, address, raw))
    if not isinstance(outcome, Sent):
        return (BorderFinding("probe", False, f"the probe could not be sent: {outcome.reply}"),)
    message = _await(desk, before, message_id, patience)
    if message is None:
        return (
            BorderFinding(
                "probe",
                False,
                f"the probe was sent but did not arrive within {patience:g} s; is {address} the address of this mailbox?",
            ),
        )
    return probe_findings(message, mark, authserv_id)


def _mail(desk: Desk, authserv_id: str, now: datetime) -> tuple[bytes, str, str]:
    """(the finished mail, its Message-ID, the mark of the forged field)."""
    address, random = desk.config.mailbot.address, desk.ids.stream("probe")
    mark = reply_keys.make(random(20))
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
    """Where the probe may lie: a running desk moves it on at once."""
    settings = imap_settings(desk.config)
    return {folder: replace(settings, folder=folder) for folder in (settings.folder, settings.done_folder)}


def _next(settings: ImapSettings, desk: Desk) -> int:
    mailbox = Mailbox.open(settings, desk.log)
    try:
        return max(mailbox.uids(), default=0) + 1
    finally:
        mailbox.close()


def _await(desk: Desk, before: dict[str, int], message_id: str, patience: float) -> Message | None:
    deadline = time.monotonic() + patience
    while True:
        for folder, settings in _folders(desk).items():
            found = _look(desk, settings, before[folder], message_id)
            if found is not None:
                return found
        if time.monotonic() > deadline:
            return None
        time.sleep(_LOOK)


def _look(desk: Desk, settings: ImapSettings, first: int, message_id: str) -> Message | None:
    """The probe among the mails of that folder from UID ``first`` on; it is put away."""
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
