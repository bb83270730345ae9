"""The kinds of mails that the desk sends. Each has a pair of templates of its name: ``KIND.txt`` and ``KIND.html``."""

from enum import StrEnum


class MailKind(StrEnum):
    """What a mail is about; the value names its templates and its row in the outbox."""

    # To customers.
    OUTCOME = "outcome"
    PLUGINS = "plugins"
    CONFIRMATION = "confirmation"
    DONE = "done"
    INCOMPLETE = "incomplete"
    CONFIRM_YOU = "confirm-you"
    NEUTRAL = "neutral"
    QUESTION = "question"
    ANSWER = "answer"
    STATUS = "status"
    HELP = "help"
    FORM = "form"
    CANCELLED = "cancelled"
    DEMO_ENDING = "demo-ending"
    CLOSED = "closed"
    CAP = "cap"
    # To customers and to staff.
    REMINDER = "reminder"
    # To staff.
    APPROVAL = "approval"
    RECEIPT = "receipt"
    COMMENT = "comment"
    ALREADY_DECIDED = "already-decided"
    NOT_UNDERSTOOD = "not-understood"
    DIGEST = "digest"
    ALERT = "alert"


#: Kinds that only members of staff receive.
STAFF_KINDS = frozenset(
    {
        MailKind.APPROVAL,
        MailKind.RECEIPT,
        MailKind.COMMENT,
        MailKind.ALREADY_DECIDED,
        MailKind.NOT_UNDERSTOOD,
        MailKind.DIGEST,
        MailKind.ALERT,
    }
)
