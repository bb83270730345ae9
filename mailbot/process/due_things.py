"""What a due thing does on its day, inside one transaction."""

from datetime import date, datetime
from typing import assert_never

from sqlmodel import Session

from mailbot.core.desk.effects import Audience, DueKind, Facts, Send
from mailbot.core.desk.events import CustomerReminded, CustomerSilent, DayCame, LicenceServerSlow, StaffReminded
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import Ticket
from mailbot.environment import Desk
from mailbot.process import digest, retention, staff_alerts
from mailbot.process.unit_of_work import UnitOfWork
from storage import due as due_rows


def handle_due(desk: Desk, session: Session, row: due_rows.Due, now: datetime) -> str:
    """Do one due thing inside the caller's transaction. Returns what it was."""
    due_rows.done(session, row.id or 0, now)
    kind = next((known for known in DueKind if known == row.kind), None)
    with UnitOfWork(desk, session, now, f"due:{row.id}") as work:
        ticket = work.ticket(row.ref) if row.ref else None
        acted = kind is not None and (
            _of_desk(work, kind) or (ticket is not None and _of_ticket(work, kind, row, ticket))
        )
    return row.kind if acted else f"{row.kind}: nothing to do"


def _of_desk(work: UnitOfWork, kind: DueKind) -> bool:
    """Do what the desk does for itself. False for the kinds that belong to a ticket."""
    match kind:
        case DueKind.DIGEST:
            digest.send(work)
        case DueKind.ALERTS:
            if (mail := staff_alerts.collected_alert(work)) is not None:
                work.send(mail)
        case DueKind.RETENTION | DueKind.KEY_EXPIRY:
            retention.act(work.desk, work.session, kind, work.now)
        case DueKind.DAY | DueKind.STAFF_REMINDER | DueKind.CUSTOMER_REMINDER | DueKind.CLOSE:
            return False
        case DueKind.APPLYING | DueKind.DEMO_WARNING:
            return False
        case _:
            assert_never(kind)
    return True


def _of_ticket(work: UnitOfWork, kind: DueKind, row: due_rows.Due, ticket: Ticket) -> bool:
    """Let the day come for the ticket. False when something else that is due by now says more."""
    match kind:
        case DueKind.DAY:
            on = date.fromisoformat((row.payload or {}).get("text", ""))
            work.apply(ticket, DayCame(on), work.context(ticket.token, ticket.new_token, on=on))
        case DueKind.STAFF_REMINDER:
            work.apply(ticket, StaffReminded())
        case DueKind.CUSTOMER_REMINDER:
            if _overdue(work, DueKind.CLOSE, row):
                return False
            work.apply(ticket, CustomerReminded())
        case DueKind.CLOSE:
            work.apply(ticket, CustomerSilent())
        case DueKind.APPLYING:
            work.apply(ticket, LicenceServerSlow())
        case DueKind.DEMO_WARNING:
            if row.token is None or _overdue(work, DueKind.DEMO_WARNING, row):
                return False
            _warn(work, row.token, ticket)
        case DueKind.DIGEST | DueKind.ALERTS | DueKind.RETENTION | DueKind.KEY_EXPIRY:
            return False
        case _:
            assert_never(kind)
    return True


def _overdue(work: UnitOfWork, kind: DueKind, row: due_rows.Due) -> bool:
    """Whether, after a standstill, something of that kind is due already that says more than ``row`` does."""
    return any(other.ref == row.ref and other.due_at <= work.now for other in due_rows.open_(work.session, kind))


def _warn(work: UnitOfWork, token: str, ticket: Ticket) -> None:
    """Warn that a demo ends soon, if it still runs, by now perhaps under another token."""
    licence = work.licence(token)
    while licence and licence.status == "replaced" and licence.replaced_by:
        licence = work.licence(licence.replaced_by)
    if licence is None or licence.status != "demo" or licence.demo_ends is None:
        return
    left = (licence.demo_ends - work.today).days
    facts = Facts(text=licence.token, on=licence.demo_ends, days=left)
    work.send(Send(MailKind.DEMO_ENDING, Audience.CUSTOMER, facts), ticket)
