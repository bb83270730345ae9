"""The reply budgets: how many answers a person can provoke. Mails that the desk owes are never counted."""

from datetime import timedelta
from enum import StrEnum

from sqlmodel import Session

from mailbot.core.base.address import domain_of, fold_case, matches_pattern
from mailbot.core.desk.mail_kind import MailKind
from mailbot.environment import Desk
from mailbot.process.transaction import Transaction
from storage import mail_counts, people

#: Kinds of mails that anyone can provoke, in their own name or in another's.
BUDGETED = (
    *(MailKind.INCOMPLETE, MailKind.NEUTRAL, MailKind.CONFIRMATION, MailKind.CONFIRM_YOU),
    *(MailKind.HELP, MailKind.FORM, MailKind.STATUS),
)
#: Budget of a domain without known senders, as a multiple of one sender's.
SENDERS_PER_DOMAIN = 10


class Cap(StrEnum):
    """Which budget is used up."""

    SENDER = "sender"
    DOMAIN = "domain"
    UNKNOWN = "unknown"


def reached(transaction: Transaction, kind: MailKind, address: str) -> Cap | None:
    """The budget that a mail of that kind to ``address`` would exceed; None when it may go."""
    desk, session, now = transaction.desk, transaction.session, transaction.now
    if kind not in BUDGETED:
        return None
    limits, today, hour = desk.config.limits, now - timedelta(days=1), now - timedelta(hours=1)
    if mail_counts.count_since(session, address, today, BUDGETED) >= limits.replies_per_sender_per_day:
        return Cap.SENDER
    if _known(desk, session, address):
        return None
    ours = _ours(desk)
    of_domain = mail_counts.count_unknown_since(session, today, BUDGETED, f"@{domain_of(address)}", but=ours)
    if of_domain >= SENDERS_PER_DOMAIN * limits.replies_per_sender_per_day:
        return Cap.DOMAIN
    of_all = mail_counts.count_unknown_since(session, hour, BUDGETED, but=ours)
    return Cap.UNKNOWN if of_all >= limits.replies_to_unknown_per_hour else None


def _known(desk: Desk, session: Session, address: str) -> bool:
    return people.known(session, fold_case(address)) or any(
        matches_pattern(address, pattern) for pattern in _ours(desk)
    )


def _ours(desk: Desk) -> list[str]:
    """Partners and staff, who are known by configuration."""
    return [fold_case(p) for p in (*desk.config.identity.partners, *(member.address for member in desk.config.staff))]
