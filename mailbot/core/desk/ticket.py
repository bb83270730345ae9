"""What a ticket and its items are, and how the items make its state. How events change them: ``transitions``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, assert_never

from pydantic import Field, TypeAdapter

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import ItemKey, ItemKind
from mailbot.core.form.fields import FIELDS
from mailbot.core.form.problem import Problem
from mailbot.core.form.request_kinds import Action, RequestKind
from mailbot.core.ledger.billing import Billing
from mailbot.core.ledger.licence import Value
from mailbot.core.ledger.rule import DECREASES, Rule
from mailbot.core.logs.diagnosis import Diagnosis


class State(StrEnum):
    """Where a ticket stands. Where several hold, the first of this order counts."""

    WAITING_CUSTOMER = "waiting_customer"
    WAITING_CONFIRMATION = "waiting_confirmation"
    WAITING_STAFF = "waiting_staff"
    APPLYING = "applying"
    SCHEDULED = "scheduled"
    DONE = "done"
    REJECTED = "rejected"
    #: A contact said NO and the requester must not learn that there is one. Nobody is shown this state: ``desk.disclosure``.
    DENIED = "denied"
    CANCELLED = "cancelled"
    CLOSED = "closed"


FINAL = frozenset({State.DONE, State.REJECTED, State.DENIED, State.CANCELLED, State.CLOSED})
OPEN = tuple(state for state in State if state not in FINAL)


class ItemStatus(StrEnum):
    """What became of one item."""

    WAITING_STAFF = "waiting_staff"
    APPLYING = "applying"
    SCHEDULED = "scheduled"
    APPLIED = "applied"
    REFUSED = "refused"
    CANCELLED = "cancelled"


#: What became of an item that was granted.
GRANTED = (ItemStatus.APPLIED, ItemStatus.SCHEDULED)


class Route(StrEnum):
    """Who says yes to an item: the rules at once, staff, or the items that imply it."""

    AUTOMATIC = "automatic"
    STAFF = "staff"
    IMPLIED = "implied"


class Ending(StrEnum):
    """How a ticket ended that its items alone do not tell."""

    ANSWERED = "answered"
    REJECTED = "rejected"
    DENIED = "denied"
    DENIED_AND_CLOSED = "denied_and_closed"  # the requester was told that it is closed
    CANCELLED = "cancelled"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that a request asks for: ``item`` goes from ``from_`` to ``to``. ``status`` is None before release."""

    item: ItemKey
    from_: Annotated[Value, Field(alias="from")]
    to: Value
    status: ItemStatus | None = None
    effective: date | None = None
    rule: Rule
    billing: Billing | None = None
    reason: str | None = None
    route: Route = Route.STAFF
    #: While it waits: the day from which it would hold if it were granted today.
    expected: date | None = None

    @property
    def open(self) -> bool:
        """Whether nothing has been decided yet."""
        return self.status in (None, ItemStatus.WAITING_STAFF)

    @property
    def overtaken(self) -> bool:
        """Whether a count that was to grow would shrink by now, or one that was to shrink would grow."""
        if type(self.from_) is not int or type(self.to) is not int:
            return False
        grows, shrinks = self.rule is Rule.INCREASE, self.rule in DECREASES
        return (grows and self.to < self.from_) or (shrinks and self.to > self.from_)

    def over(self, status: ItemStatus, reason: str | None = None) -> "Item":
        """The item refused or cancelled: it holds from no day and costs nothing."""
        return replace(self, status=status, reason=reason, effective=None, expected=None, billing=None)


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """One request and all that became of it. The first block is the contract's, the second is the desk's own."""

    ref: str
    request: RequestKind
    action: Action | None = None
    product: str = "motion"
    state: State = State.WAITING_CUSTOMER
    token: str | None = None
    new_token: str | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    sender: str
    sender_verdict: str
    received_at: datetime
    comments: str | None = None
    items: tuple[Item, ...] = ()
    problems: tuple[Problem, ...] = ()
    diagnosis: Diagnosis | None = None
    linked: tuple[str, ...] = ()

    number: int
    #: Counts what is asked: a change voids the keys of the approval mails sent before.
    version: int = 1
    sender_name: str = ""
    #: Who wrote the request that the sender forwarded, attached or inline, as that mail says.
    forwarded_from: str | None = None
    subject: str = ""
    #: The names of what was attached to the mail that opened it.
    files: tuple[str, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)
    reason: str | None = None
    question: str | None = None
    description: str | None = None
    #: The kept mails in which logs, or what was meant as one, came.
    log_mails: tuple[int, ...] = ()
    agreement_version: str | None = None
    catalogue_version: str = ""
    licence_revision: int = 0
    #: Known, contact or partner: may read what was read from his own mail, and what the ledger says of his licence.
    sender_known: bool = False
    sender_is_contact: bool = False
    sender_is_partner: bool = False
    #: The addresses asked to confirm; empty when nobody needs to be. ``released`` once that is settled.
    challenged: tuple[str, ...] = ()
    released: bool = False
    confirmed_by: str | None = None
    #: The token is not in the ledger and the request needs it to be.
    token_doubt: bool = False
    #: Staff asked the customer something; what is asked stays alive meanwhile.
    asked: bool = False
    hold: bool = False
    ending: Ending | None = None
    #: The items whose mails and dates wait for the licence server; ``told``: the customer heard that it takes a while.
    held: tuple[ItemKey, ...] = ()
    told: bool = False
    #: The requester hears only neutral words: the same whether the token is in the ledger or not, and whether a contact
    #: said NO. So it is until somebody who may has agreed.
    neutral: bool = False
    #: Message-IDs that were exchanged with each address, oldest first: the threads of the customer's and the staff's side.
    threads: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @staticmethod
    def from_json(body: Mapping[str, Any]) -> "Ticket":
        """The ticket as ``to_json`` wrote it. pydantic's ValidationError where ``body`` is none."""
        return _JSON.validate_python(body)

    def to_json(self) -> dict[str, Any]:
        """The whole ticket as JSON values, an item's ``from_`` as ``from``."""
        body: dict[str, Any] = _JSON.dump_python(self, mode="json", by_alias=True)
        return body

    def item(self, key: str) -> Item | None:
        """The item of that key, if it is asked for."""
        return next((item for item in self.items if item.item == key), None)

    @property
    def open_items(self) -> tuple[Item, ...]:
        """The items that staff can decide now (an implied one follows those that imply it)."""
        waiting = (i for i in self.items if i.status is ItemStatus.WAITING_STAFF)
        return tuple(i for i in waiting if i.route is not Route.IMPLIED)

    @property
    def waits(self) -> bool:
        """Whether staff can decide it now: items wait for them, or a question has no answer."""
        undecided = bool(self.open_items) or (self.is_question and self.ending is None)
        return undecided and self.state is not State.WAITING_CONFIRMATION

    @property
    def final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.state in FINAL

    @property
    def is_question(self) -> bool:
        """Whether it is a question, which has no items and is ended by an answer."""
        return self.request is RequestKind.INFORMATION


_JSON = TypeAdapter(Ticket)
#: The fields of a form that ask for items.
ITEM_FIELDS = frozenset(
    {"plan", "agents", "users", "telephones", "mobile_agents", "addons", "plugins", "support", "billing", "whitelabel"}
)
#: What may be said at any time.
_WORDS = frozenset({"comments", "log"})


def settled_fields(ticket: Ticket) -> frozenset[str]:
    """The fields that a reply cannot change any more: once an item is decided, all but those of its open items.

    A refusal that the requester must not hear of settles nothing for him.
    """
    if ticket.state is State.DENIED or all(item.open for item in ticket.items):
        return frozenset()
    open_ = (item.item for item in ticket.items if item.open and item.route is not Route.IMPLIED)
    return frozenset(FIELDS) - {_field_of(item) for item in open_} - _WORDS


def _field_of(item: ItemKey) -> str:
    """The field of a form that asks for the item; "" where none does by itself."""
    match item.kind:
        case ItemKind.SEAT:
            return item.key
        case ItemKind.ADDON:
            return "addons"
        case ItemKind.PLUGIN:
            return "plugins"
        case ItemKind.PLAN | ItemKind.SUPPORT | ItemKind.BILLING | ItemKind.WHITELABEL | ItemKind.TOKEN:
            return item.kind
        case ItemKind.ADMIN | ItemKind.WEBRTC | ItemKind.PHONEBAR | ItemKind.STATUS:
            return ""
        case kind:
            assert_never(kind)


_CANCELLED = (Ending.CANCELLED, Ending.DENIED_AND_CLOSED)


def state_of(ticket: Ticket) -> State:
    """The state that follows from problems, challenge, items and ending: the first of the order that holds."""
    statuses = {item.status for item in ticket.items}
    checks = (
        (State.CLOSED, ticket.ending is Ending.CLOSED),
        (
            State.WAITING_CUSTOMER,
            ticket.ending is None and (bool(ticket.problems) or ticket.token_doubt or ticket.asked),
        ),
        (State.WAITING_CONFIRMATION, ticket.ending is None and not ticket.released),
        (State.WAITING_STAFF, ItemStatus.WAITING_STAFF in statuses or (ticket.is_question and ticket.ending is None)),
        (State.APPLYING, ItemStatus.APPLYING in statuses),
        (State.SCHEDULED, ItemStatus.SCHEDULED in statuses),
        (State.DONE, ItemStatus.APPLIED in statuses or ticket.ending is Ending.ANSWERED),
        (State.DENIED, ticket.ending is Ending.DENIED),
        (State.CANCELLED, ItemStatus.CANCELLED in statuses or ticket.ending in _CANCELLED),
    )
    return next((state for state, holds in checks if holds), State.REJECTED)


def with_state(ticket: Ticket) -> Ticket:
    """The ticket with the state that its parts make."""
    return replace(ticket, state=state_of(ticket))
