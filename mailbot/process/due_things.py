"""What a due thing does on its day, inside one transaction."""

from datetime import date, datetime

from sqlmodel import Session

from mailbot.core.desk.effects import Audience, Facts, Send
from mailbot.core.desk.events import CustomerReminded, DayCame, Silent, StaffReminded, StillApplying
from mailbot.core.desk.ticket import Ticket
from mailbot.environment import Desk
from mailbot.process import digest, retention, staff_alerts
from mailbot.process.unit_of_work import UnitOfWork
from storage import due as due_rows


def handle_due(desk: Desk, session: Session, row: due_rows.Due, now: datetime) -> str:
    """Do one due thing inside the caller's transaction. Returns what it was."""
    due_rows.done(session, row.id or 0, now)
    with UnitOfWork(desk, session, now, f"due:{row.id}") as work:
        done = _of_desk(work, row) or _of_ticket(work, row)
    return row.kind if done else f"{row.kind}: nothing to do"


def _of_desk(work: UnitOfWork, row: due_rows.Due) -> bool:
    """Do what the desk does of itself. False when that is not its kind."""
    match row.kind:
        case digest.KIND:
            digest.send(work)
        case staff_alerts.ALERTS:
            if (mail := staff_alerts.collected(work)) is not None:
                work.send(mail)
        case retention.RAW | retention.KEYS:
            retention.act(work.desk, work.session, row.kind, work.now)
        case _:
            return False
    return True


def _of_ticket(work: UnitOfWork, row: due_rows.Due) -> bool:
    """Let the day of the row come for its ticket. False when there is nothing to do any more."""
    ticket = work.ticket(row.ref) if row.ref else None
    if ticket is None:
        return False
    match row.kind:
        case "day":
            on = date.fromisoformat((row.payload or {}).get("text", ""))
            work.apply(ticket, DayCame(on), work.scene(ticket.token, ticket.new_token, on=on))
        case "staff_reminder":
            work.apply(ticket, StaffReminded())
        case "customer_reminder" if not _overdue(work, "close", row):
            work.apply(ticket, CustomerReminded())
        case "close":
            work.apply(ticket, Silent())
        case "applying":
            work.apply(ticket, StillApplying())
        case "demo_warning" if row.token and not _overdue(work, "demo_warning", row):
            _warn(work, row.token, ticket)
        case _:
            return False
    return True


def _overdue(work: UnitOfWork, kind: str, row: due_rows.Due) -> bool:
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
    work.send(Send("demo-ending", Audience.CUSTOMER, facts), ticket)
