"""One attempt to deliver a mail: when the next one is, when it is the last, and how it is recorded and logged."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from sqlmodel import Session

from mailbot.maillog import MailLog
from mailbot.servers.smtp import Deferred, Outcome, Refused, Sent, Unknown
from storage import outbox
from storage.queue import back_off

#: Seconds before the next attempt; the last delay repeats.
BACK_OFF = (60, 120, 300, 900, 1800, 3600, 10_800)
#: The longest wait, in seconds, while the server takes no mail at all: answers go out soon after it is back.
AWAY = 900
#: A mail that the server keeps deferring is abandoned after this many attempts and days, and the operator is alerted.
ATTEMPTS, PATIENCE = 60, timedelta(days=7)


@dataclass(frozen=True)
class Attempt:
    """The outcome of sending the mail in ``row``."""

    row: outbox.Outbox
    outcome: Outcome
    at: datetime

    @property
    def again(self) -> datetime:
        """When the next attempt is due."""
        return self.at + back_off(BACK_OFF, self.row.attempts + 1, AWAY if self._away else None)

    @property
    def given_up(self) -> bool:
        """Whether this was the last attempt; never while the reason is not this mail's own."""
        old = self.at - self.row.composed_at >= PATIENCE
        return old and self.row.attempts >= ATTEMPTS and not self._away

    @property
    def _away(self) -> bool:
        return isinstance(self.outcome, Deferred) and self.outcome.any_mail

    def record(self, session: Session) -> None:
        """Write the outcome into the outbox."""
        outbox_id, at = self.row.id, self.at
        match self.outcome:
            case Sent(reply):
                outbox.delivered(session, outbox_id, at, reply)
            case Refused(reply):
                outbox.refused(session, outbox_id, at, reply)
            case Deferred(reply) if self.given_up:
                outbox.refused(session, outbox_id, at, f"gave up: {reply}")
            case Deferred(reply):
                outbox.deferred(session, outbox_id, at, reply, self.again)
            case Unknown(reply):
                outbox.unknown(session, outbox_id, at, reply, self.again)
            case other:
                assert_never(other)

    def log(self, log: MailLog) -> None:
        """Log the outcome."""
        row = self.row
        match self.outcome:
            case Sent():
                log.sent(
                    outbox_id=row.id, message_id=row.message_id, kind=row.kind, recipient=row.recipient, ref=row.ref
                )
            case Refused(reply):
                log.refused(outbox_id=row.id, reply=reply)
            case Deferred(reply):
                log.deferred(outbox_id=row.id, reply=reply, retry_at=self.again)
            case Unknown(reply):
                log.unknown(outbox_id=row.id, reply=reply)
            case other:
                assert_never(other)
        log.marked(outbox_id=row.id)
