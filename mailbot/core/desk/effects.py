"""What follows from an event, as values: mails to compose, changes of the ledger, dates to remember. No effect acts by itself."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.due_kind import DueKind
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import Ticket
from mailbot.core.form.request_kinds import RequestKind
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.ledger.licence import Licence, Value


class Audience(StrEnum):
    """Groups that a mail goes to; process turns them into addresses, one mail for each."""

    CUSTOMER = "customer"  # the ticket's sender, and the customer e-mail where it is a contact
    OUTCOME = "outcome"  # CUSTOMER, and for a partner's request the licence's plain contacts too
    STAFF = "staff"  # every member
    DECIDERS = "deciders"  # every member but the requester


@dataclass(frozen=True)
class Result:
    """What became of one decision line: ``read`` as it was read, ``done`` whether it counted, ``sent`` the words sent on."""

    read: str
    done: bool
    ref: str = ""
    word: str = ""
    items: tuple[ItemKey, ...] = ()
    why: str = ""
    sent: str = ""
    until: date | None = None


@dataclass(frozen=True)
class Facts:
    """What one mail says besides the ticket itself. Empty where it does not apply."""

    text: str = ""  # free words: a comment, question, answer, decision as read, alert
    by: str = ""  # who: a member's name, "operator", an address
    why: str = ""  # a code with a sentence of its own in the templates
    form: str = ""  # a form in plain text, blank or filled in
    form_key: RequestKind | None = None  # the request of that form
    items: tuple[ItemKey, ...] = ()  # the items this mail is about
    changed: tuple[str, ...] = ()  # items and fields that changed since the last approval mail
    replaced: tuple[tuple[str, str, str], ...] = ()  # of a correction: the field, what it was, what it is now
    results: tuple[Result, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    licences: tuple[Licence, ...] = ()
    lines: tuple[str, ...] = ()  # facts for the operator, or the files that came with a comment, one each
    on: date | None = None
    days: int | None = None
    decided_by: str = ""
    quiet: bool = False  # to a sender who may be forged: quote nothing of his


@dataclass(frozen=True)
class Send:
    """A mail of that kind (a template pair) to an audience or one address; with ``purpose`` it carries a key of its own."""

    kind: MailKind
    to: Audience | str
    facts: Facts = field(default_factory=Facts)
    purpose: Purpose | None = None
    payload: str = ""  # kept with the key: the decision that a CONFIRM confirms
    covers: tuple[tuple[str, int, int], ...] = ()  # the tickets that the key is about, where not the mail's own


@dataclass(frozen=True)
class ChangeLicence:
    """An event of the ledger to be appended: ``changes`` hold from ``effective`` on."""

    token: str
    effective: date
    kind: str
    changes: dict[str, Value]
    rule: str
    decider: str
    why: str | None = None
    asked_on: date | None = None  # the business date of the request
    ticket: str | None = None  # whose it is, where it is not the ticket at hand


@dataclass(frozen=True)
class AddContact:
    """``address`` becomes a contact of ``token``; ``known`` when by import, set or a staff decision."""

    token: str
    address: str
    known: bool = False


@dataclass(frozen=True)
class SetName:
    """The customer's name on a licence."""

    token: str
    name: str


@dataclass(frozen=True)
class MarkKnown:
    """Staff decided on this licence: its contacts are known from now on."""

    token: str


@dataclass(frozen=True)
class MovePeople:
    """Name and contacts go from one token to another."""

    old: str
    new: str


@dataclass(frozen=True)
class Schedule:
    """A due thing: at ``at`` something of that kind happens to the ticket or licence."""

    kind: DueKind
    at: datetime
    token: str | None = None
    payload: str = ""


@dataclass(frozen=True)
class Unschedule:
    """The ticket's due things of those kinds fall away."""

    kinds: tuple[DueKind, ...]


@dataclass(frozen=True)
class VoidKeys:
    """The ticket's keys for those purposes die."""

    purposes: tuple[Purpose, ...]
    why: str


@dataclass(frozen=True)
class AlertStaff:
    """Staff are told, once per incident."""

    incident: str
    text: str


Effect = (
    Send | ChangeLicence | AddContact | SetName | MarkKnown | MovePeople | Schedule | Unschedule | VoidKeys | AlertStaff
)
