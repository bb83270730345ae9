"""Kept mails and due things in one order of time, each in a transaction of its own; three tries, then the quarantine."""

import traceback
from datetime import datetime

from mailbot.core.message import parse
from mailbot.desk import Desk
from mailbot.process import handle, handle_due
from storage import due, inbox

#: So often a mail is tried before it goes into the quarantine.
TRIES = 3


def keep(desk: Desk, raw: bytes, received_at: datetime, source: str, **hints: object) -> tuple[int, bool]:
    """The first commit: the raw mail is in the database before anything else happens. (inbox id, whether it is new)."""
    message = parse(raw)
    with desk.store.write() as session:
        row, new = inbox.keep(session, raw, message.sha256, received_at, desk.clock(), source, **hints)  # type: ignore[arg-type]
    if new:
        desk.log.kept(inbox_id=row.id, sender=message.sender, received_at=received_at)
    return row.id, new


def keep_oversized(desk: Desk, header: bytes, received_at: datetime, size: int, **hints: object) -> int:
    """A mail above the limit was not fetched: its header stands in the quarantine, for the operator."""
    inbox_id, _ = keep(desk, header, received_at, "imap", **hints)
    reason = f"{size} bytes are more than the limit of {desk.config.limits.raw_mb} MB; only the header was fetched"
    with desk.store.write() as session:
        inbox.mark(session, inbox_id, "quarantined", at=desk.clock(), reason=reason)
    desk.log.quarantined(inbox_id=inbox_id, reason=reason)
    return inbox_id


def step(desk: Desk, until: datetime | None = None, *, last: frozenset[int] = frozenset()) -> bool:
    """Handle the next kept mail or due thing, whichever is earlier (a mail first at a tie). False when there is none."""
    now = desk.clock()
    until = until or now
    with desk.store.read() as session:
        mail = inbox.next_kept(session, None, exclude=last) or (inbox.next_kept(session) if last else None)
        thing = due.next(session, until)
    if thing is not None and (mail is None or thing.due_at < mail.received_at):
        _due(desk, thing.id)
        return True
    if mail is None:
        return False
    _mail(desk, mail.id)
    return True


def _mail(desk: Desk, inbox_id: int) -> None:
    with desk.store.write() as session:
        attempt = inbox.attempt(session, inbox_id, desk.clock())
    try:
        with desk.store.write() as session:
            handled = handle(desk, session, inbox_id, desk.clock())
    except Exception as error:
        desk.log.attempt_failed(inbox_id=inbox_id, attempt=attempt, error=repr(error))
        if attempt >= TRIES:
            _quarantine(desk, inbox_id, traceback.format_exc(limit=-8))
        return
    desk.log.committed(inbox_id=inbox_id)
    if handled.state == "quarantined":
        desk.log.quarantined(inbox_id=inbox_id, reason=handled.reason or "")
    desk.log.handled(inbox_id=inbox_id, ref=None, state=handled.state)


def _quarantine(desk: Desk, inbox_id: int, reason: str) -> None:
    with desk.store.write() as session:
        inbox.mark(session, inbox_id, "quarantined", at=desk.clock(), reason=reason)
    desk.log.quarantined(inbox_id=inbox_id, reason=reason.strip().splitlines()[-1])


def _due(desk: Desk, due_id: int) -> None:
    with desk.store.write() as session:
        row = session.get(due.Due, due_id)
        if row is None or row.done_at is not None or row.dropped_at is not None:
            return
        kind = handle_due(desk, session, row, desk.clock())
    desk.log.due(kind=kind, ref=row.ref)


def work_off(desk: Desk) -> int:
    """Handle everything that is there now. Returns how many things were done."""
    done = 0
    while step(desk):
        done += 1
    return done
