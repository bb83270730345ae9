"""What follows from an event, as values: mails, ledger events, due things. ``process.unit_of_work`` carries them out."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import Ticket
from mailbot.core.form.request import RequestKind
from mailbot.core.inbound.decision_word import DecisionWord
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.ledger.licence import Licence, Value


class Audience(StrEnum):
    """Groups of recipients; ``process.outgoing`` sends one mail to each address."""

    CUSTOMER = "customer"  # the ticket's sender, and the customer e-mail if it is a contact
    OUTCOME = "outcome"  # CUSTOMER, and for a partner's request the licence's contacts
    STAFF = "staff"  # every member of staff
    DECIDERS = "deciders"  # every member of staff but the requester


class DueKind(StrEnum):
    """What a due thing does: see ``process.due_things``."""

    DAY = "day"  # scheduled items take effect
    STAFF_REMINDER = "staff_reminder"
    CUSTOMER_REMINDER = "customer_reminder"
    CLOSE = "close"
    APPLYING = "applying"  # the licence server has not answered for a while
    DEMO_WARNING = "demo_warning"
    DIGEST = "digest"
    ALERTS = "alerts"
    RETENTION = "retention"  # the contents of old mails are removed
    KEY_EXPIRY = "key_expiry"


@dataclass(frozen=True)
class DecisionResult:
    """What became of one decision line as ``read``: whether it was ``done``, and the words ``sent`` to the customer."""

    read: str
    done: bool
    ref: str = ""
    word: DecisionWord | None = None
    items: tuple[ItemKey, ...] = ()
    why: str = ""
    sent: str = ""
    until: date | None = None


@dataclass(frozen=True)
class Facts:
    """What one mail says besides the ticket. Fields that do not apply are empty."""

    text: str = ""  # free text: a comment, question, answer, decision as read, alert
    by: str = ""  # who: a member's name, "operator", an address
    why: str = ""  # a code; the templates have its sentence
    form: str = ""  # a form as text, blank or filled in
    form_key: RequestKind | None = None  # the request of that form
    items: tuple[ItemKey, ...] = ()  # the items this mail is about
    changed: tuple[str, ...] = ()  # items and fields that changed since the last approval mail
    replaced: tuple[tuple[str, str, str], ...] = ()  # what a correction replaced: field, old value, new value
    results: tuple[DecisionResult, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    licences: tuple[Licence, ...] = ()
    lines: tuple[str, ...] = ()  # facts for the operator, or the files attached to a comment
    on: date | None = None
    days: int | None = None
    decided_by: str = ""
    quiet: bool = False  # the sender may be forged: quote nothing


@dataclass(frozen=True)
class Send:
    """A mail of that kind (a pair of templates) to an audience or an address; with ``purpose``, a reply key."""

    kind: MailKind
    to: Audience | str
    facts: Facts = field(default_factory=Facts)
    purpose: Purpose | None = None
    payload: str = ""  # stored with the key: the decision that a CONFIRM confirms
    covers: tuple[tuple[str, int, int], ...] = ()  # the tickets of the key, if not the mail's own


@dataclass(frozen=True)
class ChangeLicence:
    """An event to append to the ledger; ``changes`` take effect on ``effective``."""

    token: str
    effective: date
    kind: str
    changes: dict[str, Value]
    rule: str
    decider: str
    why: str | None = None
    asked_on: date | None = None  # the business date of the request
    ticket: str | None = None  # the ticket it belongs to, if not the current one


@dataclass(frozen=True)
class AddContact:
    """``address`` becomes a contact of ``token``; ``known`` if added by import, by command or by a staff decision."""

    token: str
    address: str
    known: bool = False


@dataclass(frozen=True)
class SetName:
    """Sets the customer's name on a licence."""

    token: str
    name: str


@dataclass(frozen=True)
class MarkKnown:
    """Staff have decided on this licence: its contacts become known."""

    token: str


@dataclass(frozen=True)
class MovePeople:
    """Moves name and contacts from one token to another."""

    old: str
    new: str


@dataclass(frozen=True)
class Schedule:
    """A due thing of the ticket or licence, at ``at``."""

    kind: DueKind
    at: datetime
    token: str | None = None
    payload: str = ""


@dataclass(frozen=True)
class Unschedule:
    """Drops the ticket's due things of those kinds."""

    kinds: tuple[DueKind, ...]


@dataclass(frozen=True)
class VoidKeys:
    """Voids the ticket's reply keys for those purposes."""

    purposes: tuple[Purpose, ...]
    why: str


@dataclass(frozen=True)
class AlertStaff:
    """Alerts staff, once per incident."""

    incident: str
    text: str


#: Carried out before the mails are composed, so that these tell the new state.
Record = ChangeLicence | AddContact | SetName | MarkKnown | MovePeople | Schedule | Unschedule | VoidKeys | AlertStaff
Effect = Send | Record
