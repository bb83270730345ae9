"""What can happen to a ticket, as frozen values; what they do stands in ``transitions``."""

from dataclasses import dataclass
from datetime import date, datetime

from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.authorisation import Standing
from mailbot.core.desk.effects import Effect, Result
from mailbot.core.desk.ticket import Item, Ticket
from mailbot.core.form.problem import Problem
from mailbot.core.form.reader import Request
from mailbot.core.ledger.licence import Licence
from mailbot.core.logs.diagnosis import Diagnosis


@dataclass(frozen=True)
class Judged:
    """A form as the rules see it now: what was asked, what is wrong with it, its items, and how it is taken."""

    request: Request
    fields: dict[str, str]
    problems: tuple[Problem, ...]
    items: tuple[Item, ...]
    standing: Standing
    received_at: datetime
    licence: Licence | None = None
    diagnosis: Diagnosis | None = None
    log_mails: tuple[int, ...] = ()
    form: str = ""  # the form filled in as far as understood
    agreement_version: str = ""
    catalogue_version: str = ""


@dataclass(frozen=True)
class Opened:
    """A form arrived: valid or with problems."""

    judged: Judged
    note: str = ""


@dataclass(frozen=True)
class Changed:
    """The customer corrected lines, sent the form again, or answered a challenge about the token."""

    judged: Judged
    by: str
    text: str = ""


@dataclass(frozen=True)
class Confirmed:
    """One of those asked said CONFIRM; the request is judged anew on today's ledger."""

    judged: Judged
    by: str


@dataclass(frozen=True)
class Denied:
    """One of those asked said NO."""

    by: str


@dataclass(frozen=True)
class EmailConfirmed:
    """Another customer e-mail address confirmed that it wants the mails of this licence."""

    by: str


@dataclass(frozen=True)
class Approved:
    """Staff grant items (none named: all that wait)."""

    by: str
    read: str
    items: tuple[ItemKey, ...] = ()
    until: date | None = None


@dataclass(frozen=True)
class Rejected:
    """Staff refuse items (none named: all that wait), with a reason that the customer reads."""

    by: str
    read: str
    reason: str
    items: tuple[ItemKey, ...] = ()


@dataclass(frozen=True)
class Asks:
    """Staff ask the customer something."""

    by: str
    read: str
    text: str


@dataclass(frozen=True)
class Answers:
    """Staff write to the customer."""

    by: str
    read: str
    text: str


@dataclass(frozen=True)
class Notes:
    """Staff note something that is never sent."""

    by: str
    read: str
    text: str


@dataclass(frozen=True)
class Holds:
    """Staff want no reminders until the ticket changes."""

    by: str
    read: str


@dataclass(frozen=True)
class Commented:
    """Somebody wrote words for staff; ``acts`` when the writer may act on the ticket, ``why`` names the kind of comment.

    ``files`` are the names of what he attached.
    """

    by: str
    text: str
    why: str
    acts: bool = False
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Withdrawn:
    """The customer takes back what is not applied yet."""

    by: str


@dataclass(frozen=True)
class StatusAsked:
    """The customer asks how it stands."""

    by: str


@dataclass(frozen=True)
class DayCame:
    """The day of scheduled items came."""

    on: date


@dataclass(frozen=True)
class StaffReminded:
    """Nobody decided for a while."""


@dataclass(frozen=True)
class CustomerReminded:
    """The customer did not answer for a while."""


@dataclass(frozen=True)
class Silent:
    """The customer did not answer for so long that the ticket is closed."""


@dataclass(frozen=True)
class Undelivered:
    """A mail of this ticket did not reach its recipient."""

    recipient: str
    kind: str
    diagnostic: str = ""


@dataclass(frozen=True)
class Accepted:
    """The licence server took an event of this ticket; ``items`` are what that event changes."""

    token: str
    revision: int
    items: tuple[str, ...]


@dataclass(frozen=True)
class RefusedThere:
    """The licence server refused an event of this ticket for good."""

    token: str
    revision: int
    items: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Reversed:
    """An operator took back an event of this ticket; ``items`` are what that event changed from the day ``effective`` on."""

    items: tuple[str, ...]
    effective: date


@dataclass(frozen=True)
class StillApplying:
    """The licence server has not answered for a while."""


Event = (
    Opened
    | Changed
    | Confirmed
    | Denied
    | EmailConfirmed
    | Approved
    | Rejected
    | Asks
    | Answers
    | Notes
    | Holds
    | Commented
    | Withdrawn
    | StatusAsked
    | DayCame
    | StaffReminded
    | CustomerReminded
    | Silent
    | Undelivered
    | Accepted
    | RefusedThere
    | Reversed
    | StillApplying
)


@dataclass(frozen=True)
class Note:
    """A line of the ticket's history: what happened, by whom, in a few words."""

    kind: str
    by: str
    detail: str = ""


@dataclass(frozen=True)
class Decision:
    """What an event led to: the ticket as it is now, what follows, its history's new lines, and a decision's result."""

    ticket: Ticket
    effects: tuple[Effect, ...] = ()
    notes: tuple[Note, ...] = ()
    result: Result | None = None
