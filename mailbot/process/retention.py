"""What is removed with age: the bytes of mails after ``[retention] raw_days``, keys after ``[timers] key_days``.

Of each kind one due thing is open, for the moment from which there may be something to do; when it comes, the next is
remembered. Nothing that is written later can grow old before it.
"""

from datetime import UTC, datetime, time, timedelta

from sqlmodel import Session

from mailbot.core.desk.effects import DueKind
from mailbot.environment import Desk
from storage import due, inbox, keys, outbox

#: The bytes of mails go, in and out, and with them attachments and logs; rows, hashes, tickets and ledger stay.
RAW = DueKind.RETENTION
#: Unused keys expire.
KEYS = DueKind.KEY_EXPIRY
KINDS = (RAW, KEYS)


def ensure_retention(desk: Desk) -> None:
    """Put the next of each kind among the due things, earlier than before if the configuration became stricter."""
    now = desk.clock()
    with desk.store.write() as session:
        for kind in KINDS:
            at = _next(desk, session, kind, now)
            if any(row.due_at > at for row in due.open_(session, kind)):
                due.drop(session, kind, at=now)
            if not due.open_(session, kind):
                due.add(session, kind, at, now)


def act(desk: Desk, session: Session, kind: DueKind, now: datetime) -> None:
    """Remove what is too old, and remember the next date."""
    if kind is RAW:
        before = now - _raw_age(desk)
        inbox.forget_raws(session, before)
        outbox.forget_raws(session, before)
    else:
        keys.expire(session, now)
    due.add(session, kind, _next(desk, session, kind, now, done=True), now)


def _next(desk: Desk, session: Session, kind: DueKind, now: datetime, *, done: bool = False) -> datetime:
    """When the oldest will be too old; if there is none, when one written now would be. ``done``: in the future."""
    if kind is KEYS:
        first = keys.next_expiry(session) or now + timedelta(days=desk.config.timers.key_days)
        return max(first, now + timedelta(microseconds=1)) if done else first
    oldest = min(filter(None, (inbox.oldest_raw(session), outbox.oldest_raw(session))), default=now)
    day = (oldest + _raw_age(desk)).astimezone(desk.config.zone).date()
    if done:
        day = max(day, now.astimezone(desk.config.zone).date())
    return datetime.combine(day + timedelta(days=1), time(0), desk.config.zone).astimezone(UTC)


def _raw_age(desk: Desk) -> timedelta:
    return timedelta(days=desk.config.retention.raw_days)
