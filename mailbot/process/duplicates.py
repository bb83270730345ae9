"""Mails that came before: the same mail again has no second effect, other words under its Message-ID are for staff."""

from typing import assert_never

from mailbot.core.inbound.intake import (
    Automatic,
    Bounced,
    CustomerReply,
    FormCommand,
    Forms,
    HelpCommand,
    Intake,
    Ours,
    Prose,
    Quoting,
    SetAside,
    StaffReply,
    StatusCommand,
    Stray,
    Unusable,
)
from mailbot.core.mail.message import Message, parse
from mailbot.process.outcome import Handled, Outcome
from mailbot.process.received_mail import ReceivedMail, in_context, intake_of
from mailbot.process.unit_of_work import UnitOfWork
from storage import inbox
from storage.inbox import InboxState

#: How much the word of a sender counts, by the verdict: of two copies of one mail the higher rank wins.
RANKS = {"refused": 0, "unverified": 1, "verified": 2}
HIGHEST_RANK = 2


def duplicate(work: UnitOfWork, message: Message, mail: ReceivedMail, intake: Intake) -> Handled | None:
    """What a mail comes to whose Message-ID was handled before; None for a mail that is new.

    ``message`` is the mail as it came, with the quotes that ``mail`` no longer has: copies are compared by it.
    A copy of lower rank, such as a forged one that was faster, does not stand in the way of the true mail.
    """
    if message.message_id is None:
        return None
    for other in inbox.by_message_id(work.session, message.message_id):
        if other.id == work.inbox_id or other.state == InboxState.KEPT:
            continue
        if other.sender == message.sender and other.body_sha256 == message.body_sha256:
            if _rank(mail, intake) > _rank_of(work, other):
                continue
            return Handled(InboxState.DUPLICATE, Outcome.SAME_MAIL, str(other.id))
        text = work.desk.say("alert.same_id", id=work.inbox_id, other=other.id)
        work.alert(f"same-id:{message.message_id}", text)
        reason = f"the Message-ID of mail {other.id}, with other words"
        return Handled(InboxState.QUARANTINED, Outcome.SAME_ID, reason=reason)
    return None


def _rank_of(work: UnitOfWork, other: inbox.Inbox) -> int:
    """The rank of a mail that was handled; the highest when its bytes are gone."""
    raw = inbox.raw_if_kept(work.session, other.id)
    if raw is None:
        return HIGHEST_RANK
    mail = in_context(work, parse(raw), other.received_at)
    return _rank(mail, intake_of(work, mail))


def _rank(mail: ReceivedMail, intake: Intake) -> int:
    """How much a mail counts, up to ``HIGHEST_RANK``; in a customer's thread the key makes up for a missing verdict."""
    found = mail.sender.verdict
    match intake:
        case Unusable() | Ours() | SetAside() | Bounced() | Automatic():
            return 0
        case CustomerReply() if found != "refused":
            return HIGHEST_RANK
        case (
            CustomerReply() | StaffReply() | Forms() | HelpCommand() | FormCommand() | StatusCommand()
            | Quoting() | Prose() | Stray()
        ):  # fmt: skip
            return RANKS[found]
        case _:
            assert_never(intake)
