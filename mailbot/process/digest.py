"""The digest: once a day, a line for each thing that waits for staff, since when, and that the desk could not do itself."""

from datetime import UTC, datetime, timedelta

from mailbot.core.desk.effects import Audience, DueKind, Facts, Send
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import Route, Ticket
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.ledger.licence import Licence
from mailbot.core.outbound.text_layout import first_line, one_line
from mailbot.environment import Desk
from mailbot.process import mapping
from mailbot.process.outcome import UNANSWERED, WITHHELD, unanswered
from mailbot.process.unit_of_work import UnitOfWork
from storage import due, inbox, outbox, tickets

KIND = DueKind.DIGEST
#: States of our mails that an operator must look at.
LOST = (outbox.OutboxState.REFUSED, outbox.OutboxState.UNKNOWN, outbox.OutboxState.UNDELIVERED)
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
    context = work.context()
    today = context.morning_of(work.today)
    at = today if today > work.now else context.morning_of(work.today + timedelta(days=1))
    due.add(work.session, kind=KIND, due_at=_utc(at), made_at=work.now)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def send(work: UnitOfWork) -> None:
    """Send the digest to every member, when there is anything to say, and remember the next one."""
    waiting = tuple(mapping.of_row(row) for row in tickets.waiting(work.session, WAITING))
    licences = tuple(found for found in mapping.licences(work.session, work.today) if _unbilled(found))
    lines = (*_doubts(work, waiting), *_unread(work), *_mails_in(work), *_mails_out(work), *_failing(work))
    if waiting or licences or lines:
        facts = Facts(tickets=waiting, licences=licences, lines=_short(work, lines))
        work.send(Send(MailKind.DIGEST, Audience.STAFF, facts, Purpose.DIGEST))
    _remember(work)


def _unbilled(licence: Licence) -> bool:
    """Whether it is active and its billing is not settled."""
    return licence.status == "active" and licence.billing is None


def _doubts(work: UnitOfWork, waiting: tuple[Ticket, ...]) -> list[str]:
    say = work.desk.say
    return [say("digest.unknown_token", ref=t.ref, token=t.token) for t in waiting if t.token_doubt]


def _since(work: UnitOfWork) -> datetime:
    """When the last digest was sent."""
    return due.last_done(work.session, KIND, work.now) or datetime.min.replace(tzinfo=UTC)


def _unread(work: UnitOfWork) -> list[str]:
    """Comments on requests that the rules granted alone, so that staff had no mail about them."""
    new = (mapping.of_row(row) for row in tickets.with_event_since(work.session, GRANTS, _since(work)))
    alone = (t for t in new if t.comments and all(item.route is not Route.STAFF for item in t.items))
    say = work.desk.say
    return [say("digest.comments", ref=t.ref, comments=one_line(t.comments or "")) for t in alone]


def _mails_in(work: UnitOfWork) -> list[str]:
    """The mails in quarantine, and those that got no answer since the last digest."""
    since = _since(work)
    left = inbox.listing(work.session, inbox.InboxState.QUARANTINED)
    left += [row for row in inbox.handled_since(work.session, since) if unanswered(row.intake or "")]
    say = work.desk.say
    return [
        say(
            "digest.mail_in",
            id=row.id,
            sender=row.sender or say("alert.nobody"),
            why=first_line(row.last_result) or _why_unanswered(work, row.intake or ""),
        )
        for row in left
    ]


def _why_unanswered(work: UnitOfWork, intake: str) -> str:
    """The sentence for a stored ``intake`` text of a mail without an answer."""
    if intake.endswith(WITHHELD):
        return work.desk.say("unanswered.withheld")
    return work.desk.say(f"unanswered.{intake.replace(' ', '_')}") if intake in UNANSWERED else intake


def _mails_out(work: UnitOfWork) -> list[str]:
    """Our own mails that did not arrive, or may not have."""
    rows = [row for state in LOST for row in outbox.listing(work.session, state)]
    return [
        work.desk.say(
            "digest.mail_out",
            id=row.id,
            kind=row.kind,
            recipient=row.recipient,
            state=row.state,
            reply=row.last_result or "",
        )
        for row in rows
    ]


def _failing(work: UnitOfWork) -> list[str]:
    say = work.desk.say
    return [
        say(
            "digest.failing",
            kind=row.kind,
            what=row.ref or row.token or say("digest.the_desk"),
            reason=first_line(row.last_result),
        )
        for row in due.failing(work.session)
    ]


def _short(work: UnitOfWork, lines: tuple[str, ...]) -> tuple[str, ...]:
    """The first lines, and how many more there are."""
    more = len(lines) - MOST_LINES
    shown = tuple(line[:200] for line in lines[:MOST_LINES])
    return (*shown, work.desk.say("digest.more", count=more)) if more > 0 else shown
