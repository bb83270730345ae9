"""What can happen to a ticket, as values. What each does: ``desk.transitions``."""

from dataclasses import dataclass
from datetime import date, datetime

from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.authorisation import Standing
from mailbot.core.desk.effects import DecisionResult, Effect
from mailbot.core.desk.ticket import Item, Ticket
from mailbot.core.form.problem import Problem
from mailbot.core.form.request import Request
from mailbot.core.ledger.licence import Licence
from mailbot.core.logs.diagnosis import Diagnosis


@dataclass(frozen=True)
class SubmittedForm:
    """A form as it was read, with the problems in it. ``fields`` are its values as written; ``received_at`` is aware.

    ``confirmed``: a contact has confirmed it, so problems found in the ledger may be told and nobody is asked again.
    ``ref``: the ticket that it corrects or confirms, "" for a new one; ledger events of that ticket are disregarded.
    """

    request: Request
    problems: tuple[Problem, ...]
    fields: dict[str, str]
    received_at: datetime
    filled: str = ""  # the form as text, filled in as far as it was understood
    diagnosis: Diagnosis | None = None
    log_mails: tuple[int, ...] = ()
    always_confirm: bool = False
    confirmed: bool = False
    ref: str = ""


@dataclass(frozen=True)
class JudgedForm:
    """A form checked against the ledger and the rules of today: all its problems, its items, its authorisation."""

    form: SubmittedForm
    items: tuple[Item, ...]
    standing: Standing
    licence: Licence | None = None
    agreement_version: str = ""
    catalogue_version: str = ""


@dataclass(frozen=True)
class Opened:
    """A form arrived, valid or with problems."""

    judged: JudgedForm
    note: str = ""


@dataclass(frozen=True)
class Changed:
    """The customer corrected lines, sent the form again, or answered a challenge about the token."""

    judged: JudgedForm
    by: str
    text: str = ""


@dataclass(frozen=True)
class Confirmed:
    """Somebody who was asked replied CONFIRM; the form is judged again on today's ledger."""

    judged: JudgedForm
    by: str


@dataclass(frozen=True)
class Denied:
    """Somebody who was asked replied NO."""

    by: str


@dataclass(frozen=True)
class EmailConfirmed:
    """The customer e-mail of the form confirmed that it wants the mails about this licence."""

    by: str


@dataclass(frozen=True)
class Approved:
    """Staff grant items; no ``items`` means all that wait."""

    by: str
    read: str
    items: tuple[ItemKey, ...] = ()
    until: date | None = None


@dataclass(frozen=True)
class Rejected:
    """Staff refuse items, with a reason for the customer; no ``items`` means all that wait."""

    by: str
    read: str
    reason: str
    items: tuple[ItemKey, ...] = ()


@dataclass(frozen=True)
class QuestionAsked:
    """Staff ask the customer something."""

    by: str
    read: str
    text: str


@dataclass(frozen=True)
class AnswerGiven:
    """Staff write to the customer."""

    by: str
    read: str
    text: str


@dataclass(frozen=True)
class NoteTaken:
    """Staff add a note to the history, which is never sent."""

    by: str
    read: str
    text: str


@dataclass(frozen=True)
class PutOnHold:
    """Staff want no reminders until the ticket changes."""

    by: str
    read: str


@dataclass(frozen=True)
class Commented:
    """Somebody wrote to staff. ``acts``: the writer may act on the ticket. ``why``: the kind of comment.

    ``files`` are the names of the attachments.
    """

    by: str
    text: str
    why: str
    acts: bool = False
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Withdrawn:
    """The customer withdraws what is not applied yet."""

    by: str


@dataclass(frozen=True)
class StatusAsked:
    """The customer asks for the status."""

    by: str


@dataclass(frozen=True)
class DayCame:
    """The effective day of scheduled items has come."""

    on: date


@dataclass(frozen=True)
class StaffReminded:
    """Staff have not decided for a while."""


@dataclass(frozen=True)
class CustomerReminded:
    """The customer has not answered for a while."""


@dataclass(frozen=True)
class CustomerSilent:
    """The customer has not answered for so long that the ticket is closed."""


@dataclass(frozen=True)
class Undelivered:
    """A mail about this ticket was not delivered."""

    recipient: str
    kind: str
    diagnostic: str = ""


@dataclass(frozen=True)
class LicenceServerAccepted:
    """The licence server accepted an event of this ticket; ``items`` are the keys of its changes."""

    token: str
    revision: int
    items: tuple[str, ...]


@dataclass(frozen=True)
class LicenceServerRefused:
    """The licence server refused an event of this ticket; it is not asked again."""

    token: str
    revision: int
    items: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class EventReversed:
    """An operator reversed an event of this ticket, which changed ``items`` with effect from ``effective``."""

    items: tuple[str, ...]
    effective: date


@dataclass(frozen=True)
class LicenceServerSlow:
    """The licence server has not answered for a while."""


Event = (
    Opened
    | Changed
    | Confirmed
    | Denied
    | EmailConfirmed
    | Approved
    | Rejected
    | QuestionAsked
    | AnswerGiven
    | NoteTaken
    | PutOnHold
    | Commented
    | Withdrawn
    | StatusAsked
    | DayCame
    | StaffReminded
    | CustomerReminded
    | CustomerSilent
    | Undelivered
    | LicenceServerAccepted
    | LicenceServerRefused
    | EventReversed
    | LicenceServerSlow
)


@dataclass(frozen=True)
class HistoryNote:
    """A line of the ticket's history: what happened, by whom, and details."""

    kind: str
    by: str
    detail: str = ""


@dataclass(frozen=True)
class Decision:
    """What an event led to: the new ticket, the effects, new lines of history, and the result of a decision line."""

    ticket: Ticket
    effects: tuple[Effect, ...] = ()
    notes: tuple[HistoryNote, ...] = ()
    result: DecisionResult | None = None
