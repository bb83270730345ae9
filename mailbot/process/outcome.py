"""What a kept mail came to. ``mailbot inbox`` prints these words, and the digest tells staff of the mails that got no answer."""

from dataclasses import dataclass
from enum import StrEnum

from storage.inbox import InboxState


class Outcome(StrEnum):
    """What a mail turned out to be, and what was done with it, as the inbox stores it."""

    # Nobody wrote it, or nothing can be done with it.
    HANDLED_ALREADY = "handled already"
    SAME_MAIL = "same as mail"
    SAME_ID = "same Message-ID"
    UNUSABLE = "unusable"
    OURS = "our own mail"
    SPAM = "marked as spam"
    AUTOMATIC = "automatic"
    DELIVERY_REPORT = "delivery report"
    FOREIGN_REPORT = "delivery report on no mail of ours"
    # A reply with a staff key, or a decision without one.
    DECISION = "decision"
    DECISION_REFUSED = "decision refused"
    DECISION_LATE = "decision too late"
    DECISION_NOT_UNDERSTOOD = "decision not understood"
    DECISION_NOT_ANSWERED = "decision not answered"
    DECISION_TO_BE_CONFIRMED = "decision to be confirmed"
    DECISION_WITHOUT_KEY = "decision without key"
    # A reply with a key of the customer's side.
    TICKET_UNKNOWN = "ticket unknown"
    STRANGERS_COMMENT = "comment of a stranger"
    COMMENT = "comment"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    ADDRESS_CONFIRMED = "address confirmed"
    ADDRESS_REFUSED = "address refused"
    WITHDRAWN = "withdrawn"
    CORRECTED = "corrected"
    SETTLED_ALREADY = "settled already"
    NEW_FORM = "new form"
    # A mail without a key.
    REFUSED_SENDER = "refused sender"
    FORM = "form"
    FORM_ASKED = "form asked"
    HELP = "help"
    STATUS = "status"
    STRANGERS_STATUS = "status of a stranger"
    QUESTION = "question"
    STRANGERS_WORDS = "words of a stranger"
    COMMENT_WITHOUT_KEY = "comment without key"
    STRAY = "stray"


#: A person may wait for an answer to these.
UNANSWERED = frozenset(
    {Outcome.REFUSED_SENDER, Outcome.STRANGERS_WORDS, Outcome.STRANGERS_STATUS, Outcome.STRAY, Outcome.SPAM}
)
#: Follows the outcome when the budget for its answer was used up.
WITHHELD = ", not answered: budget"


def unanswered(intake: str) -> bool:
    """Whether the mail behind a stored ``intake`` text got no answer, so that staff must hear of it."""
    return intake in UNANSWERED or intake.endswith(WITHHELD)


@dataclass(frozen=True)
class Handled:
    """What a mail came to: its final ``state`` in the inbox, and ``reason``, why it is in quarantine, if it is.

    ``detail`` specifies the outcome (the other mail, why it is automatic). ``refs`` are the tickets that it touched.
    """

    state: InboxState
    outcome: Outcome
    detail: str = ""
    reason: str | None = None
    refs: tuple[str, ...] = ()
    withheld: bool = False

    @property
    def intake(self) -> str:
        """The outcome as the inbox stores it and commands print it."""
        joint = " " if self.outcome is Outcome.SAME_MAIL else ": "
        text = f"{self.outcome}{joint}{self.detail}" if self.detail else self.outcome.value
        return text + WITHHELD if self.withheld else text

    @property
    def ref(self) -> str | None:
        """The tickets on one line, None when there are none."""
        return ", ".join(self.refs) or None
