"""Kept mails and due things in one order of time, each in a transaction of its own, and what happens when one fails.

A mail goes into quarantine after three attempts, a due thing is tried for ever; neither delays what comes after it.
"""

import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from mailbot.core.mail.message import mail_digest, parse
from mailbot.core.outbound.text_layout import first_line
from mailbot.environment import Desk
from mailbot.process.due_things import handle_due
from mailbot.process.kept_mail import handle
from mailbot.process.unit_of_work import UnitOfWork
from storage import due, inbox
from storage.faults import StoreError
from storage.queue import back_off

#: Attempts at a mail before it goes into quarantine, and at a due thing in one ``run --once``.
TRIES = 3
#: Seconds before the next attempt; the last delay repeats.
BACK_OFF = (60, 300, 900, 3600)
#: How long this process skips a row whose failure could not be recorded.
SKIP = timedelta(hours=1)
#: How long a mail is leased for handling; far longer than any mail takes.
LEASE = timedelta(minutes=10)
#: How much of a traceback's end is kept, in frames.
FRAMES = -8
#: Maximum length of an alert, in characters.
ALERT_MAX = 500

T = TypeVar("T")


class Runs(Protocol):
    """Runs work on the database when its turn comes, and waits for it."""

    def __call__(self, work: Callable[[], T], /) -> T:
        """What ``work`` returns."""
        ...


def here(work: Callable[[], T]) -> T:
    """Run it at once."""
    return work()


@dataclass(frozen=True)
class Arrival:
    """A mail to keep; ``place`` says where it lies on the server."""

    raw: bytes
    received_at: datetime
    place: inbox.Place | None = None


def keep_mail(desk: Desk, raw: bytes, received_at: datetime, source: str) -> tuple[int, bool]:
    """Keep a raw mail before anything else happens to it. Returns its number in the inbox and whether it is new."""
    return keep_all(desk, [Arrival(raw, received_at)], source)[0]


def keep_all(desk: Desk, arrivals: Sequence[Arrival], source: str) -> list[tuple[int, bool]]:
    """Keep several mails in one commit; as ``keep_mail`` for each."""
    now = desk.clock()
    with desk.store.write() as session:
        kept = [
            inbox.keep(session, one.raw, mail_digest(one.raw), one.received_at, now, source, one.place)
            for one in arrivals
        ]
    for row, new in kept:
        if new:
            desk.log.kept(inbox_id=row.id, received_at=row.received_at)
    return [(row.id, new) for row, new in kept]


def keep_oversized(desk: Desk, header: Arrival, size: int) -> int:
    """Put the header of a mail that is too large to fetch into quarantine, for the operator. Returns its number."""
    ((inbox_id, _),) = keep_all(desk, [header], "imap")
    reason = f"{size} bytes exceed the limit of {desk.config.limits.raw_mb} MB; only the header was fetched"
    with desk.store.write() as session:
        inbox.mark(session, inbox_id, inbox.InboxState.QUARANTINED, at=desk.clock(), reason=reason)
    desk.log.quarantined(inbox_id=inbox_id, reason=reason)
    return inbox_id


def step(desk: Desk) -> bool:
    """Handle the next kept mail or due thing, whichever is earlier (a mail first at a tie). False when there is none."""
    now = desk.clock()
    with desk.store.read() as session:
        mail = inbox.next_kept(session, now, skipped_rows(desk, "mail"))
        thing = due.next(session, now, skipped_rows(desk, "due"))
    if thing is not None and (mail is None or thing.due_at < mail.received_at):
        _alone(desk, "due", thing.id, _due)
    elif mail is not None:
        _alone(desk, "mail", mail.id, _mail)
    return not (mail is None and thing is None)


def work_off(desk: Desk, *, again: bool = False) -> None:
    """Handle everything that is there now. With ``again`` what fails is tried three times at once, after all else."""
    tries: Counter[int] = Counter()
    while step(desk) or (again and _again(desk, tries)):
        pass


def undone(desk: Desk) -> bool:
    """Whether a mail is left that is in no final state, or a row that failed."""
    with desk.store.read() as session:
        return bool(desk.skipped or inbox.counts(session).get(inbox.InboxState.KEPT) or due.failing(session))


def _again(desk: Desk, tries: Counter[int]) -> bool:
    """Try once more something that failed, before its time. False when nothing has a try left; ``tries`` counts."""
    now = desk.clock()
    with desk.store.read() as session:
        mail = inbox.next_kept(session, now, skipped_rows(desk, "mail"), failed=True)
        failing = [row for row in due.failing(session) if row.id not in skipped_rows(desk, "due")]
        thing = next((row for row in failing if tries[row.id] < TRIES - 1), None)
    if mail is not None:
        _alone(desk, "mail", mail.id, _mail)
    elif thing is not None:
        tries[thing.id] += 1
        _alone(desk, "due", thing.id, _due)
    return not (mail is None and thing is None)


def skipped_rows(desk: Desk, table: str) -> list[int]:
    """The numbers of the rows of that table that this process does not touch now."""
    now = desk.clock()
    return [number for (name, number), until in desk.skipped.items() if name == table and until > now]


def _alone(desk: Desk, table: str, number: int, work: Callable[[Desk, int], None]) -> None:
    """Work on one row. When its failure cannot be recorded either, the row is skipped, so that the others are not."""
    try:
        work(desk, number)
    except StoreError:
        raise
    except Exception as error:
        skip(desk, table, number, error)
    else:
        desk.skipped.pop((table, number), None)


def skip(desk: Desk, table: str, number: int, error: Exception) -> None:
    """This process leaves the row alone for a while; the log and, once, an alert report it."""
    desk.skipped[table, number] = desk.clock() + SKIP
    desk.log.not_recorded(row=f"{table} {number}", error=first_line(failure_text(error)))
    what = desk.say("alert.not_recorded", what=f"{table} {number}", reason=first_line(failure_text(error)))
    alert_once(desk, f"{table}:{number}", what)


def _mail(desk: Desk, inbox_id: int) -> None:
    now = desk.clock()
    with desk.store.write() as session:
        attempt = inbox.claim(session, inbox_id, now, now + LEASE)
    if attempt is None:
        return
    if attempt > TRIES:  # not parsed again: parsing may be what kills the desk
        _quarantine(desk, inbox_id, None, f"the desk stopped during each of {TRIES} attempts")
        return
    try:
        with desk.store.write() as session:
            handled = handle(desk, session, inbox_id, desk.clock())
    except StoreError:  # a full disk is no fault of the mail: the desk ends, and the mail waits for it
        with suppress(StoreError), desk.store.write() as session:
            inbox.release(session, inbox_id)
        raise
    except Exception as error:
        _mail_failed(desk, inbox_id, attempt, error)
        return
    desk.log.committed(inbox_id=inbox_id)
    if handled.state == inbox.InboxState.QUARANTINED:
        desk.log.quarantined(inbox_id=inbox_id, reason=handled.reason or "")
    desk.log.handled(inbox_id=inbox_id, ref=handled.ref, state=handled.state)


def _mail_failed(desk: Desk, inbox_id: int, attempt: int, error: Exception) -> None:
    """Its transaction is undone; it is free again after a while, or quarantined."""
    desk.log.attempt_failed(inbox_id=inbox_id, attempt=attempt, error=first_line(failure_text(error)))
    if attempt >= TRIES:
        _quarantine(desk, inbox_id, _sender(desk, inbox_id), failure_text(error))
        return
    with desk.store.write() as session:
        inbox.defer(session, inbox_id, failure_text(error), desk.clock() + back_off(BACK_OFF, attempt))


def failure_text(error: Exception) -> str:
    """What went wrong, in one line; below it the end of the traceback."""
    said = traceback.format_exception_only(error)[-1]
    return f"{first_line(said)}\n{''.join(traceback.format_exception(error, limit=FRAMES))}"


def _sender(desk: Desk, inbox_id: int) -> str | None:
    """Who wrote the mail, for the operator; None when unknown, since reading the mail may be what fails."""
    with suppress(Exception), desk.store.read() as session:
        return parse(inbox.raw(session, inbox_id)).sender
    return None


def _quarantine(desk: Desk, inbox_id: int, sender: str | None, reason: str) -> None:
    """Set the mail aside and alert staff, since its sender is waiting for an answer."""
    with desk.store.write() as session:
        inbox.mark(
            session,
            inbox_id,
            inbox.InboxState.QUARANTINED,
            at=desk.clock(),
            reason=reason,
            facts=inbox.MailFacts(sender=sender),
        )
    desk.log.quarantined(inbox_id=inbox_id, reason=first_line(reason))
    who = sender or desk.say("alert.nobody")
    what = desk.say("alert.quarantined", id=inbox_id, sender=who, reason=first_line(reason))
    alert_once(desk, f"mail:{inbox_id}", what)


def _due(desk: Desk, due_id: int) -> None:
    try:
        with desk.store.write() as session:
            row = due.get(session, due_id)
            kind = handle_due(desk, session, row, desk.clock()) if row else None
    except StoreError:
        raise
    except Exception as error:
        _due_failed(desk, due_id, error)
        return
    if row is not None and kind is not None:
        desk.log.due(kind=kind, ref=row.ref)


def _due_failed(desk: Desk, due_id: int, error: Exception) -> None:
    """Its transaction is rolled back; it is retried later, and staff are alerted once."""
    reason = failure_text(error)
    with desk.store.write() as session:
        row = due.defer(session, due_id, reason, lambda attempts: desk.clock() + back_off(BACK_OFF, attempts))
    desk.log.due_failed(kind=row.kind, ref=row.ref, attempt=row.attempts, error=first_line(reason))
    what = f"{row.kind} ({row.ref})" if row.ref else row.kind
    alert_once(desk, f"due:{due_id}", desk.say("alert.failed", what=what, reason=first_line(reason)))


def alert_once(desk: Desk, incident: str, what: str) -> None:
    """Sends staff an alert, once per incident; never fails."""
    try:
        with desk.store.write() as session, UnitOfWork(desk, session, desk.clock(), f"failed:{incident}") as work:
            work.alert(incident, what[:ALERT_MAX])
    except Exception as error:  # composing is what fails: the log and the exit code tell of it
        desk.log.alert(text=f"could not write to staff: {what[:ALERT_MAX]}: {error!r}")
