"""What a due thing does on its day, inside one transaction."""

from datetime import date, datetime

from sqlmodel import Session

from mailbot.core.desk.effects import Audience, Facts, Send
from mailbot.core.desk.events import CustomerReminded, DayCame, Silent, StaffReminded, StillApplying
from mailbot.core.desk.mail_kind import MailKind
from mailbot.environment import Desk
from mailbot.process import digest, outgoing, retention
from mailbot.process.unit_of_work import Work
from storage import due as due_rows


def handle_due(desk: Desk, session: Session, row: due_rows.Due, now: datetime) -> str:
    """Do one due thing inside the caller's transaction. Returns what it was."""
    work = Work(desk, session, now, f"due:{row.id}")
    text = (row.payload or {}).get("text", "")
    ticket = work.ticket(row.ref) if row.ref else None
    due_rows.done(session, row.id or 0, now)
    match row.kind:
        case digest.KIND:
            digest.send(work)
        case outgoing.ALERTS:
            work.post.tell()
        case retention.RAW | retention.KEYS:
            retention.act(desk, session, row.kind, now)
        case "day" if ticket:
            on = date.fromisoformat(text)
            work.apply(ticket, DayCame(on), work.scene(ticket.token, ticket.new_token, on=on))
        case "staff_reminder" if ticket:
            work.apply(ticket, StaffReminded())
        case "customer_reminder" if ticket and not _overdue(work, "close", row):
            work.apply(ticket, CustomerReminded())
        case "close" if ticket:
            work.apply(ticket, Silent())
        case "applying" if ticket:
            work.apply(ticket, StillApplying())
        case "demo_warning" if ticket and row.token and not _overdue(work, "demo_warning", row):
            _warn(work, row.token, ticket.ref)
        case _:
            return f"{row.kind}: nothing to do"
    return row.kind


def _overdue(work: Work, kind: str, row: due_rows.Due) -> bool:
    """Whether, after a standstill, something of that kind is due already that says more than ``row`` does."""
    return any(other.ref == row.ref and other.due_at <= work.now for other in due_rows.open_(work.session, kind))


def _warn(work: Work, token: str, ref: str) -> None:
    """A demo that still runs, by now perhaps on another token, is about to end."""
    licence, ticket = work.licence(token), work.ticket(ref)
    while licence and licence.status == "replaced" and licence.replaced_by:
        licence = work.licence(licence.replaced_by)
    if licence is None or licence.status != "demo" or licence.demo_ends is None or ticket is None:
        return
    left = (licence.demo_ends - work.today).days
    facts = Facts(text=licence.token, on=licence.demo_ends, days=left)
    work.perform(ticket, (Send(MailKind.DEMO_ENDING, Audience.CUSTOMER, facts),))
