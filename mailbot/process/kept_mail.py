"""One kept mail is one transaction: read this file from top to bottom to know what the desk does with a mail.

What each kind of mail leads to is in ``process.cases``; mails that came twice are in ``process.duplicates``.
"""

from datetime import datetime

from sqlmodel import Session

from mailbot.core.base.frozen import replace
from mailbot.core.mail.message import Message, parse
from mailbot.environment import Desk
from mailbot.process.cases import judge_and_decide
from mailbot.process.duplicates import duplicate
from mailbot.process.outcome import Handled, Outcome
from mailbot.process.received_mail import in_context, intake_of
from mailbot.process.unit_of_work import UnitOfWork
from storage import inbox


def handle(desk: Desk, session: Session, inbox_id: int, now: datetime) -> Handled:
    """Handle one kept mail inside the caller's transaction, in six steps; everything that follows is written with it.

    Judge and decide alternate where a mail asks for several things: each form and each line of a decision is judged on
    what the one before left. The mails are composed when all is decided.
    """
    kept = inbox.get(session, inbox_id)
    if kept is None or kept.state != inbox.InboxState.KEPT:  # another process was faster
        return Handled(kept.state if kept else inbox.InboxState.DROPPED, Outcome.HANDLED_ALREADY)

    message = parse(inbox.raw(session, inbox_id))  # 1. parse: bytes to a message, whatever the bytes are

    work = UnitOfWork(
        desk, session, now, f"mail:{kept.sha256}", inbox_id, message.message_id or f"sha256:{kept.sha256}"
    )
    mail = in_context(work, message, kept.received_at)
    intake = intake_of(work, mail)  # 2. understand: what the message turned out to be, in its thread

    handled = duplicate(work, message, mail, intake) or judge_and_decide(work, mail, intake)  # 3. judge, 4. decide

    work.compose()  # 5. compose: every mail as its finished bytes

    handled = replace(handled, refs=tuple(work.refs), withheld=work.withheld)
    work.write()  # 6. commit: tickets, history and the inbox row join what the caller's transaction holds
    _mark(work, inbox_id, message, handled)
    desk.log.understood(inbox_id=inbox_id, sender=message.sender, intake=handled.intake, ref=handled.ref)
    return handled


def _mark(work: UnitOfWork, inbox_id: int, message: Message, handled: Handled) -> None:
    """The mail is in its final state."""
    inbox.mark(
        work.session,
        inbox_id,
        handled.state,
        at=work.now,
        reason=handled.reason,
        facts=inbox.MailFacts(
            intake=handled.intake,
            ref=handled.ref,
            message_id=message.message_id,
            sender=message.sender,
            body_sha256=message.body_sha256,
        ),
    )
