"""What one may ask the desk for, and the actions that tell apart the forms of a request."""

from enum import StrEnum


class RequestKind(StrEnum):
    """What a form asks for, as its ``Request:`` line says; UNKNOWN where that cannot be read."""

    ACTIVATE = "activate"
    MODIFY = "modify"
    CONTRACT = "contract"
    REACTIVATE = "reactivate"
    INFORMATION = "information"
    SHUTTLE = "shuttle"
    UNKNOWN = "unknown"


class Action(StrEnum):
    """Which form of a request it is. A request with one form has none."""

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
