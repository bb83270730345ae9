"""The JSON shapes of the commands, exactly as the contract has them."""

from typing import Any

from mailbot.core.desk.disclosure import Viewer, shown_to
from mailbot.core.desk.ticket import Ticket
from mailbot.core.ledger.licence import Licence
from mailbot.core.outbound.words.sentences import Words, problem_json
from storage.tickets import TicketEventRow

#: Fields of a ticket and of an item, in the contract's order.
_TICKET = ("ref", "request", "action", "product", "state", "token", "new_token", "customer_name", "customer_email", "sender", "sender_verdict", "received_at", "comments")  # fmt: skip
_ITEM = ("item", "from", "to", "status", "effective", "rule", "billing", "reason")
LICENCE = ("token", "product", "status", "customer_name", "plan", "agents", "users", "telephones", "mobile_agents", "addons", "plugins", "support", "billing", "whitelabel", "contacts", "demo_ends", "expires_on", "renews_on")  # fmt: skip


def ticket_shape(found: Ticket, events: list[TicketEventRow], words: Words) -> dict[str, Any]:
    """A ticket with its items, problems and events."""
    found = shown_to(Viewer.OTHERS, found)
    dumped = found.to_json()
    shape = {key: dumped[key] for key in _TICKET} | {"received_at": json_value(found.received_at)}
    shape["items"] = [{key: item[key] for key in _ITEM} for item in dumped["items"]]
    shape["problems"] = [problem_json(problem, words) for problem in found.problems]
    shape["diagnosis"] = dumped["diagnosis"]
    shape["linked"] = dumped["linked"]
    shape["events"] = [event(row) for row in events]
    return shape


def event(row: TicketEventRow) -> dict[str, Any]:
    """A line of a ticket's history."""
    return {"at": json_value(row.at), "kind": row.kind, "by": row.by, "mail": row.mail, "detail": row.detail}


def licence_shape(found: Licence) -> dict[str, Any]:
    """A licence with its scheduled changes and its history."""
    shape: dict[str, Any] = {key: json_value(getattr(found, key)) for key in LICENCE}
    shape["scheduled"] = [
        {"item": s.item, "to": s.to, "effective": s.effective.isoformat(), "ticket": s.ticket} for s in found.scheduled
    ]
    shape["history"] = [{**e.to_json(), "at": json_value(e.at)} for e in found.whole_history]
    return shape


def json_value(value: Any) -> Any:
    """A value for JSON: dates and times in ISO 8601, times in UTC, tuples as lists."""
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def row(found: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    """Those columns of a stored row, by their names in the output."""
    return {key: json_value(getattr(found, COLUMNS.get(key, key))) for key in keys}


#: Columns that have another name in the output.
COLUMNS = {"reason": "last_result", "last_reply": "last_result", "due_at": "not_before"}
INBOX = ("id", "state", "received_at", "sender", "message_id", "intake", "reason", "attempts", "sha256")
OUTBOX = ("id", "state", "kind", "ref", "recipient", "message_id", "composed_at", "due_at", "sent_at", "attempts", "last_reply")  # fmt: skip
