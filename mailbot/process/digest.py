"""The digest: once a day, a line for each thing that waits for staff, since when, and that the desk could not do itself."""

from datetime import UTC, datetime, timedelta

from mailbot.core.desk.effects import Audience, Facts, Send
from mailbot.core.desk.ticket import Route, Ticket
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.ledger.licence import Licence
from mailbot.core.outbound.text_layout import first_line, one_line
from mailbot.environment import Desk
from mailbot.process import mapping
from mailbot.process.outcome import unanswered
from mailbot.process.unit_of_work import UnitOfWork
from storage import due, inbox, outbox, tickets

KIND = "digest"
#: States of our mails that an operator must look at.
LOST = (outbox.REFUSED, outbox.UNKNOWN, outbox.UNDELIVERED)
MOST_LINES = 100
#: The kinds of history lines that say that something was granted.
GRANTS = ("applied", "scheduled", "applying")
WAITING = ("waiting_staff", "waiting_customer", "waiting_confirmation")


def ensure_digest(desk: Desk) -> None:
    """Put the next digest among the due things."""
    with desk.store.write() as session:
        if not due.open_(session, KIND):
            _remember(UnitOfWork(desk, session, desk.clock(), KIND))


def _remember(work: UnitOfWork) -> None:
    scene = work.scene()
    today = scene.morning_of(work.today)
    at = today if today > work.now else scene.morning_of(work.today + timedelta(days=1))
    due.add(work.session, kind=KIND, due_at=_utc(at), made_at=work.now)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def send(work: UnitOfWork) -> None:
    """Send the digest to every member, when there is anything to say, and remember the next one."""
    waiting = tuple(mapping.of_row(row) for row in tickets.waiting(work.session, WAITING))
    licences = tuple(found for found in mapping.licences(work.session, work.today) if _unbilled(found))
    lines = (*_doubts(waiting), *_unread(work), *_mails_in(work), *_mails_out(work), *_failing(work))
    if waiting or licences or lines:
        facts = Facts(tickets=waiting, licences=licences, lines=_short(lines))
        work.send(Send(KIND, Audience.STAFF, facts, Purpose.DIGEST))
    _remember(work)


def _unbilled(licence: Licence) -> bool:
    """Whether it is active and its billing is not settled."""
    return licence.status == "active" and licence.billing is None


def _doubts(waiting: tuple[Ticket, ...]) -> list[str]:
    return [f"{t.ref} names a token that is not in the ledger: {t.token}" for t in waiting if t.token_doubt]


def _since(work: UnitOfWork) -> datetime:
    """When the last digest was sent."""
    return due.last_done(work.session, KIND, work.now) or datetime.min.replace(tzinfo=UTC)


def _unread(work: UnitOfWork) -> list[str]:
    """Comments on requests that the rules granted alone, so that staff had no mail about them."""
    new = (mapping.of_row(row) for row in tickets.with_event_since(work.session, GRANTS, _since(work)))
    alone = (t for t in new if t.comments and all(item.route is not Route.STAFF for item in t.items))
    return [f"{t.ref} was applied by itself; its customer wrote beside it: {one_line(t.comments or '')}" for t in alone]


def _mails_in(work: UnitOfWork) -> list[str]:
    """The mails in quarantine, and those that got no answer since the last digest."""
    since = _since(work)
    left = inbox.listing(work.session, inbox.QUARANTINED)
    left += [row for row in inbox.handled_since(work.session, since) if unanswered(row.intake or "")]
    return [f"mail {row.id} of {row.sender or 'nobody'}: {first_line(row.reason) or row.intake}" for row in left]


def _mails_out(work: UnitOfWork) -> list[str]:
    """Our own mails that did not arrive, or may not have."""
    rows = [row for state in LOST for row in outbox.listing(work.session, state)]
    return [f"our mail {row.id} ({row.kind} to {row.recipient}) is {row.state}: {row.last_reply or ''}" for row in rows]


def _failing(work: UnitOfWork) -> list[str]:
    rows = due.failing(work.session)
    return [f"{row.kind} of {row.ref or row.token or 'the desk'} has failed: {first_line(row.reason)}" for row in rows]


def _short(lines: tuple[str, ...]) -> tuple[str, ...]:
    """The first lines, and how many more there are."""
    more = len(lines) - MOST_LINES
    shown = tuple(line[:200] for line in lines[:MOST_LINES])
    return (*shown, f"and {more} more: see mailbot inbox, quarantine and outbox") if more > 0 else shown
