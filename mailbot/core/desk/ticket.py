"""Tickets and items, and how the state follows from them. How events change them: ``desk.transitions``."""

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
from mailbot.core.form.request import Action, RequestKind
from mailbot.core.ledger.billing import Billing
from mailbot.core.ledger.licence import Value
from mailbot.core.ledger.rule import DECREASES, Rule
from mailbot.core.logs.diagnosis import Diagnosis


class State(StrEnum):
    """The state of a ticket. Of several that apply, ``state_of`` says which counts."""

    WAITING_CUSTOMER = "waiting_customer"
    WAITING_CONFIRMATION = "waiting_confirmation"
    WAITING_STAFF = "waiting_staff"
    APPLYING = "applying"
    SCHEDULED = "scheduled"
    DONE = "done"
    REJECTED = "rejected"
    #: Denied by a contact of whom the requester must not know. Nobody is shown this state: ``desk.disclosure``.
    DENIED = "denied"
    CANCELLED = "cancelled"
    CLOSED = "closed"


FINAL = frozenset({State.DONE, State.REJECTED, State.DENIED, State.CANCELLED, State.CLOSED})
OPEN = tuple(state for state in State if state not in FINAL)


class ItemStatus(StrEnum):
    """The status of one item."""

    WAITING_STAFF = "waiting_staff"
    APPLYING = "applying"
    SCHEDULED = "scheduled"
    APPLIED = "applied"
    REFUSED = "refused"
    CANCELLED = "cancelled"


#: Statuses of granted items.
GRANTED = (ItemStatus.APPLIED, ItemStatus.SCHEDULED)


class Route(StrEnum):
    """Who approves an item: the rules, staff, or the items that imply it."""

    AUTOMATIC = "automatic"
    STAFF = "staff"
    IMPLIED = "implied"


class Ending(StrEnum):
    """How a ticket ended, if its items alone do not tell."""

    ANSWERED = "answered"
    REJECTED = "rejected"
    DENIED = "denied"
    DENIED_AND_CLOSED = "denied_and_closed"  # as DENIED; the requester has been told that it is closed
    CANCELLED = "cancelled"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One requested item, which goes from ``from_`` to ``to``. It has no status before the request is confirmed."""

    item: ItemKey
    from_: Annotated[Value, Field(alias="from")]
    to: Value
    status: ItemStatus | None = None
    effective: date | None = None
    rule: Rule
    billing: Billing | None = None
    reason: str | None = None
    route: Route = Route.STAFF
    #: While it waits: when it would take effect if it were granted today.
    expected: date | None = None

    @property
    def open(self) -> bool:
        """Whether it is not decided yet."""
        return self.status in (None, ItemStatus.WAITING_STAFF)

    @property
    def overtaken(self) -> bool:
        """Whether, as the licence is by now, an increase would lower the count or a decrease would raise it."""
        if type(self.from_) is not int or type(self.to) is not int:
            return False
        grows, shrinks = self.rule is Rule.INCREASE, self.rule in DECREASES
        return (grows and self.to < self.from_) or (shrinks and self.to > self.from_)

    def over(self, status: ItemStatus, reason: str | None = None) -> "Item":
        """The item refused or cancelled: without effective day and bill."""
        return replace(self, status=status, reason=reason, effective=None, expected=None, billing=None)


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A request and everything that became of it. The first block of fields is public JSON, the second is internal."""

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
    #: Rises with each change of the request, which voids the keys of earlier approval mails.
    version: int = 1
    sender_name: str = ""
    #: Who wrote the request that the sender forwarded, according to that mail.
    forwarded_from: str | None = None
    subject: str = ""
    #: Names of the files attached to the mail that opened it.
    files: tuple[str, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)
    reason: str | None = None
    question: str | None = None
    description: str | None = None
    #: The kept mails that had logs attached, or files meant as logs.
    log_mails: tuple[int, ...] = ()
    agreement_version: str | None = None
    catalogue_version: str = ""
    licence_revision: int = 0
    #: A known sender, a contact or a partner may read their own mail quoted; a contact or partner also the ledger.
    sender_known: bool = False
    sender_is_contact: bool = False
    sender_is_partner: bool = False
    #: The addresses asked to confirm, if any. ``released``: confirmed, or no confirmation needed.
    challenged: tuple[str, ...] = ()
    released: bool = False
    confirmed_by: str | None = None
    #: The request needs a token that is in the ledger, and this one is not.
    token_doubt: bool = False
    #: Staff have asked the customer something and wait for the answer.
    asked: bool = False
    hold: bool = False
    ending: Ending | None = None
    #: Items whose mails and due things wait for the licence server. ``told``: the customer has been told so.
    held: tuple[ItemKey, ...] = ()
    told: bool = False
    #: The requester gets the neutral view: the same whether or not the token is in the ledger or a contact said NO.
    #: Ends when staff decide or somebody who may confirms.
    neutral: bool = False
    #: Message-IDs exchanged with each address, oldest first.
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
        """The item of that key; None if it is not requested."""
        return next((item for item in self.items if item.item == key), None)

    @property
    def open_items(self) -> tuple[Item, ...]:
        """The items that staff can decide now. Implied ones follow from others."""
        waiting = (i for i in self.items if i.status is ItemStatus.WAITING_STAFF)
        return tuple(i for i in waiting if i.route is not Route.IMPLIED)

    @property
    def waits(self) -> bool:
        """Whether staff can decide now: items wait, or a question has no answer yet."""
        undecided = bool(self.open_items) or (self.is_question and self.ending is None)
        return undecided and self.state is not State.WAITING_CONFIRMATION

    @property
    def final(self) -> bool:
        """Whether it is over, as staff see it."""
        return self.state in FINAL

    @property
    def activated_on(self) -> date | None:
        """The day on which its plan was granted; None before, and for a request that is no activation."""
        plan = self.item(ItemKey.PLAN)
        return plan.effective if plan and plan.status is ItemStatus.APPLIED else None

    @property
    def is_question(self) -> bool:
        """Whether it is a question: it has no items and ends with an answer."""
        return self.request is RequestKind.INFORMATION


_JSON = TypeAdapter(Ticket)
#: The fields of a form that ask for items.
ITEM_FIELDS = frozenset(
    {"plan", "agents", "users", "telephones", "mobile_agents", "addons", "plugins", "support", "billing", "whitelabel"}
)
#: Fields that a reply may set at any time.
_WORDS = frozenset({"comments", "log"})


def settled_fields(ticket: Ticket) -> frozenset[str]:
    """The fields that a reply cannot change any more: once any item is decided, all but those of open items.

    A denial hidden from the requester settles nothing.
    """
    if ticket.state is State.DENIED or all(item.open for item in ticket.items):
        return frozenset()
    open_ = (item.item for item in ticket.items if item.open and item.route is not Route.IMPLIED)
    return frozenset(FIELDS) - {_field_of(item) for item in open_} - _WORDS


def _field_of(item: ItemKey) -> str:
    """The form field that requests the item; "" if none does."""
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
    """The state that follows from problems, confirmation, items and ending: the first that applies."""
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
    """The ticket with its state brought up to date."""
    return replace(ticket, state=state_of(ticket))
