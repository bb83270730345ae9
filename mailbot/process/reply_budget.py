"""How many answers a person can provoke. What is owed (outcomes, plugins, decisions, receipts) is never counted."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from mailbot.core.base.address import domain, fold_case, matches
from mailbot.core.desk.mail_kind import MailKind
from mailbot.environment import Desk
from storage import mail_counts, people

#: Answers that anybody can provoke, in his own or in somebody else's name.
BUDGETED = (
    *(MailKind.INCOMPLETE, MailKind.NEUTRAL, MailKind.CONFIRMATION, MailKind.CONFIRM_YOU),
    *(MailKind.HELP, MailKind.FORM, MailKind.STATUS),
)
#: A domain of which nobody is known gets as much as so many senders.
SENDERS_PER_DOMAIN = 10


class Cap(StrEnum):
    """Which budget is used up."""

    SENDER = "sender"
    DOMAIN = "domain"
    UNKNOWN = "unknown"


def reached(desk: Desk, session: Session, kind: MailKind, address: str, now: datetime) -> Cap | None:
    """The budget that a mail of that kind to ``address`` would exceed; None when it may go."""
    if kind not in BUDGETED:
        return None
    limits, today, hour = desk.config.limits, now - timedelta(days=1), now - timedelta(hours=1)
    if mail_counts.count_since(session, address, today, BUDGETED) >= limits.replies_per_sender_per_day:
        return Cap.SENDER
    if _known(desk, session, address):
        return None
    ours = _ours(desk)
    of_domain = mail_counts.count_unknown_since(session, today, BUDGETED, f"@{domain(address)}", but=ours)
    if of_domain >= SENDERS_PER_DOMAIN * limits.replies_per_sender_per_day:
        return Cap.DOMAIN
    of_all = mail_counts.count_unknown_since(session, hour, BUDGETED, but=ours)
    return Cap.UNKNOWN if of_all >= limits.replies_to_unknown_per_hour else None


def _known(desk: Desk, session: Session, address: str) -> bool:
    return people.known(session, fold_case(address)) or any(matches(address, pattern) for pattern in _ours(desk))


def _ours(desk: Desk) -> list[str]:
    """Partners and staff: known by the configuration."""
    return [fold_case(p) for p in (*desk.config.identity.partners, *(member.address for member in desk.config.staff))]
