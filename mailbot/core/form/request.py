"""What a form asks for: its kind and action, ``Reading``, the text of each field as written, and ``Request``, the checked values."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

#: Separates the different values of a field that was filled in more than once. Removed from all text that is read.
VALUE_SEPARATOR = "\x1f"
#: The key under which a ticket stores the words that belong to no field.
PROSE_KEY = "prose"


class RequestKind(StrEnum):
    """What a form asks for, by its ``Request:`` line; UNKNOWN if that cannot be read."""

    ACTIVATE = "activate"
    MODIFY = "modify"
    CONTRACT = "contract"
    REACTIVATE = "reactivate"
    INFORMATION = "information"
    SHUTTLE = "shuttle"
    UNKNOWN = "unknown"


class Action(StrEnum):
    """What tells the forms of a request apart. A request with one form has none."""

    DEMO = "demo"  # of activate
    PLAN = "plan"
    ADD = "add"  # of modify
    REMOVE = "remove"
    DEACTIVATE = "deactivate"
    EXPIRED = "expired"  # of reactivate
    TOKEN_CHANGE = "token_change"  # noqa: S105 - an action
    OTHER = "other"
    MODIFY = "modify"  # of shuttle
    TRANSFER = "transfer"


class NearLabel(NamedTuple):
    """A line whose label is nearly that of a field: the label and the value as written."""

    label: str
    value: str


@dataclass(frozen=True)
class Reading:
    """A form as it was written.

    ``values``: field key -> text. A field with different values has them all, joined by ``VALUE_SEPARATOR``; the ticket keeps
    them so until the customer says which one is right. ``near``: field key -> a line that may be meant for it.
    ``request_line``: the ``Request:`` line or the subject that names the form, None without one. ``prose``: all other words.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    near: Mapping[str, NearLabel] = field(default_factory=dict)
    request_line: str | None = None
    prose: str = ""

    @cached_property
    def stored(self) -> dict[str, str]:
        """What the ticket stores; ``corrections.merge_correction`` reads it back."""
        return {**self.values, PROSE_KEY: self.prose} if self.prose else dict(self.values)

    def without(self, fields: Collection[str]) -> "Reading":
        """The reading without those fields."""
        values = {key: value for key, value in self.values.items() if key not in fields}
        near = {key: line for key, line in self.near.items() if key not in fields}
        return Reading(values, near, values.get("request"), self.prose)


@dataclass(frozen=True)
class Request:
    """A form as far as its values could be read. None: not given. ``reason`` is a catalogue key or ``other: text``."""

    request: RequestKind = RequestKind.UNKNOWN
    action: Action | None = None
    product: str = "motion"
    token: str | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    accept: bool | None = None
    demo: bool | None = None
    plan: str | None = None
    agents: int | None = None
    users: int | None = None
    telephones: int | None = None
    mobile_agents: int | None = None
    billing: str | None = None
    whitelabel: bool | None = None
    support: str | None = None
    addons: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    reason: str | None = None
    old_token: str | None = None
    new_token: str | None = None
    motion_token: str | None = None
    comments: str | None = None
    question: str | None = None
    description: str | None = None
