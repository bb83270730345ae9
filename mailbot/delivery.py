"""From the outbox to the SMTP server: several lanes, the same bytes at every attempt, and a back-off between them."""

import asyncio
from datetime import datetime, timedelta

from mailbot.desk import Desk
from mailbot.smtp import Deferred, Refused, Sent, Smtp, SmtpSettings, Unknown
from storage import outbox

#: A mail that nobody else may take for so long.
LEASE_SECONDS = 1200
#: How long a server may think about a whole mail (RFC 5321 section 4.5.3.2.6).
VERDICT_SECONDS = 600
#: What must be left of the lease when a mail is begun, so that nobody else sends it meanwhile: the verdict, and the
#: answers before it.
NEEDED = timedelta(seconds=VERDICT_SECONDS + 300)
#: Minutes before the next attempt; the last one holds for all later ones.
BACK_OFF = (1, 2, 5, 15, 30, 60, 180)
#: After so many attempts a mail is given up and shown to the operator.
ATTEMPTS = 60


def smtp_settings(desk: Desk) -> SmtpSettings:
    """The server as it is configured."""
    smtp = desk.config.smtp
    password = smtp.password.get_secret_value() if smtp.password else None
    return SmtpSettings(smtp.host, smtp.port, smtp.security, smtp.username, password, smtp.connections)


async def deliver(desk: Desk, lanes: list[Smtp]) -> tuple[int, int]:
    """Send everything that is due now. (how many were sent, how many failed)."""
    sent = failed = 0
    while True:
        with desk.store.write() as session:
            claimed = outbox.claim(session, desk.clock(), len(lanes) * 4, LEASE_SECONDS)
            batch = [(row.id, row.lease_until, raw) for row, raw in claimed]
        if not batch:
            return sent, failed
        queue = list(reversed(batch))

        async def work(lane: Smtp, waiting: list[tuple[int, datetime | None, bytes]]) -> list[bool]:
            results = []
            while waiting:
                results.append(await _one(desk, lane, *waiting.pop()))
            return [result for result in results if result is not None]

        for results in await asyncio.gather(*(work(lane, queue) for lane in lanes)):
            sent += sum(results)
            failed += len(results) - sum(results)


async def _one(desk: Desk, lane: Smtp, outbox_id: int, lease: datetime | None, raw: bytes) -> bool | None:
    """Whether the mail was sent; None when it is no longer ours to send."""
    with desk.store.read() as session:
        row = outbox.get(session, outbox_id)
    if row is None or lease is None or row.lease_until != lease or lease - desk.clock() < NEEDED:
        return None  # dropped, or the lanes were so slow that another process has it or may soon take it
    desk.log.claimed(outbox_id=outbox_id)
    outcome = await lane.send(row.envelope_from, row.recipient, raw)
    now = desk.clock()
    minutes = BACK_OFF[min(row.attempts, len(BACK_OFF) - 1)]
    again = now + timedelta(minutes=minutes)
    with desk.store.write() as session:
        match outcome:
            case Sent(reply):
                outbox.delivered(session, outbox_id, now, reply)
            case Refused(reply):
                outbox.refused(session, outbox_id, now, reply)
            case Deferred(reply) if row.attempts >= ATTEMPTS:
                outbox.refused(session, outbox_id, now, f"given up: {reply}")
            case Deferred(reply):
                outbox.deferred(session, outbox_id, now, reply, again)
            case Unknown(reply):
                outbox.unknown(session, outbox_id, now, reply, again)
    _log(desk, outcome, outbox_id, row, again)
    return isinstance(outcome, Sent)


def _log(desk: Desk, outcome: object, outbox_id: int, row: outbox.Outbox, again: object) -> None:
    match outcome:
        case Sent():
            desk.log.sent(
                outbox_id=outbox_id, message_id=row.message_id, kind=row.kind, recipient=row.recipient, ref=row.ref
            )
        case Refused(reply):
            desk.log.refused(outbox_id=outbox_id, reply=reply)
        case Deferred(reply):
            desk.log.deferred(outbox_id=outbox_id, reply=reply, retry_at=again)  # type: ignore[arg-type]
        case Unknown(reply):
            desk.log.unknown(outbox_id=outbox_id, reply=reply)
    desk.log.marked(outbox_id=outbox_id)
