"""Describes what a desk did in a few lines for a reviewer: the changes in tickets, licences and history.

The lines contain no template wording, no Message-IDs and no keys. They omit empty fields and default values.
``composed`` describes the mails by their facts.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from mailbot.core.desk.effects import DecisionResult
from mailbot.core.desk.ticket import Billing, Item, Ticket
from mailbot.core.form.problem import Problem
from mailbot.core.ledger.licence import Licence, LicenceEvent
from mailbot.json_shapes import LICENCE
from storage.tickets import TicketEventRow
from tests.support.desk import catalogue

#: The ticket fields to describe. Items, problems and the diagnosis have their own lines.
TICKET = (
    *("product", "token", "new_token", "customer_name", "customer_email", "sender", "sender_name", "sender_verdict"),
    *("sender_known", "sender_is_contact", "sender_is_partner", "forwarded_from", "received_at", "comments", "reason"),
    *("question", "description", "files", "agreement_version", "challenged", "confirmed_by", "hold", "linked"),
)
DIAGNOSIS = (
    *(
        "status",
        "reason",
        "token",
        "previous_token",
        "tokens",
        "previous_tokens",
        "since",
        "since_or_before",
        "days_left",
    ),
    *("expires_at", "version", "last_contact", "first_at", "last_at", "files", "disagreements", "unreadable"),
    *("send_instead", "unknown"),
)
EVENT = ("rule", "ticket", "asked_on", "why", "pending")


@dataclass(frozen=True)
class Step:
    """The current step. The lines do not repeat its time and its mail."""

    at: datetime
    own: str | None  # the Message-ID of the incoming mail
    names: Mapping[str, str]  # names of the mails by Message-ID

    def when(self, at: datetime) -> str:
        """The time, if it differs from the time of the step."""
        return f"{word(at)} " if at != self.at else ""

    def mail(self, message_id: str | None) -> str:
        """The mail that caused something, if it is not the mail of the step."""
        if message_id == self.own:
            return ""
        return f" ({self.names.get(message_id, message_id) if message_id else 'no mail'})"


def word(value: object) -> str:
    """The text for a value. Free text is in quotes and on one line."""
    match value:
        case str():
            return value if re.fullmatch(r"[\w.@:/+-]+", value) else '"' + " / ".join(value.strip().splitlines()) + '"'
        case bool() | None:
            return {True: "yes", False: "no", None: "none"}[value]
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
        case Mapping():
            return ", ".join(f"{key} {word(one)}" for key, one in value.items())
        case DecisionResult():
            said = [value.word or word(value.read), value.ref, *value.items]
            more = {"until": value.until, "why": value.why, "sends": value.sent}
            return " ".join([*filter(None, said), "done" if value.done else "NOT done", *named(more)])
        case Ticket():
            return f"{value.ref} {value.state.value}"
        case Licence():
            return f"{value.token} {value.status}"
        case tuple() | list():
            return ", ".join(" ".join(map(word, one)) if isinstance(one, tuple) else word(one) for one in value)
        case _:
            return str(value)


def named(values: Mapping[str, object]) -> list[str]:
    """The non-empty values with their names."""
    return [f"{key} {word(value)}" for key, value in values.items() if value or type(value) is int]


def how(item: Item) -> str:
    """The status of an item with its dates, rule, bill and reason."""
    billed: Billing | None = item.billing
    bill = (
        " ".join([f"bill {billed.kind}", *named({key: value for key, value in vars(billed).items() if key != "kind"})])
        if billed
        else ""
    )
    days = {"from": item.effective, "if granted from": item.expected}
    status = item.status.value if item.status else "new"
    return ", ".join(filter(None, [status, *named(days), item.rule, bill, *named({"reason": item.reason})]))


def items(found: Iterable[Item]) -> list[str]:
    """One line for all items with the same description."""
    lines: dict[str, list[str]] = {}
    for item in found:
        change = word(item.to) if item.from_ is None else f"{word(item.from_)} -> {word(item.to)}"
        lines.setdefault(how(item), []).append(f"{item.item} {change}")
    return [f"{how}: {'; '.join(what)}" for how, what in lines.items()]


def problem(found: Problem) -> str:
    """``agents: not_a_number, read ten, expected ..., hint ...``."""
    more = named({"read": found.read, "expected": found.expected, "hint": found.hint})
    return ", ".join([f"{found.field}: {found.code.value}", *more])


def ticket(now: Ticket, before: Ticket | None, at: datetime) -> Iterator[str]:
    """What changed in a ticket."""
    old, new = _facts(before) if before else {"received_at": at}, _facts(now)
    changed = {key: value for key, value in new.items() if old.get(key) != value}
    gone = {key: "none" for key in TICKET if key in old and key not in new}
    if before is None:
        asked = f"{now.request}/{now.action}" if now.action else now.request
        yield ", ".join([f"{now.ref} {asked} {now.state.value}", *named(changed)])
    elif changed or gone or before.state is not now.state:
        moved = f"{before.state.value} -> {now.state.value}" if before.state is not now.state else now.state.value
        yield ", ".join([f"{now.ref} {moved}", *named(changed | gone)])
    known = {item.item: item for item in before.items} if before else {}
    yield from (f"{now.ref} {line}" for line in items(i for i in now.items if known.get(i.item) != i))
    if lost := known.keys() - {item.item for item in now.items}:
        yield f"{now.ref} asks no more for {word(sorted(lost))}"
    if now.problems != (before.problems if before else ()):
        yield from (f"{now.ref} problem {problem(one)}" for one in now.problems)
        if not now.problems:
            yield f"{now.ref} problems none"
    if now.diagnosis and now.diagnosis != (before.diagnosis if before else None):
        said = {key: getattr(now.diagnosis, key) for key in DIAGNOSIS}
        proof = [f"{line.file}:{line.line} ({' '.join(line.proves)})" for line in now.diagnosis.proof]
        yield f"{now.ref} log {', '.join([*named(said), *(f'proof {line}' for line in proof)])}"


def _facts(found: Ticket) -> dict[str, object]:
    said = {key: getattr(found, key) for key in TICKET}
    if found.agreement_version == catalogue().agreement_version:
        said["agreement_version"] = "current"
    plain = {"product": "motion", "customer_email": found.sender, "sender_verdict": "verified"}
    return {key: value for key, value in said.items() if value and value != plain.get(key)}


def history(rows: Iterable[TicketEventRow], step: Step) -> Iterator[str]:
    """One line for each new event in a ticket's history."""
    for row in rows:
        done = f"{step.when(row.at)}{row.kind} by {row.by}{step.mail(row.mail)}"
        yield f"{done} {word(row.detail)}" if row.detail else done


def licence(now: Licence, before: Licence | None, on: date, step: Step) -> Iterator[str]:
    """The new events, the changed terms and the scheduled changes of a licence."""
    known = len(before.history) if before else 0
    yield from (f"{now.token} {_event(event, on, step)}" for event in now.history[known:])
    changed = {key: getattr(now, key) for key in LICENCE[1:] if getattr(now, key) != getattr(before, key, None)}
    if before is None:
        new = named({key: value for key, value in changed.items() if value and value != "motion"})
        yield f"{now.token} is {', '.join(new)}"
    elif changed:
        told = (f"{key} {_term(getattr(before, key))} -> {_term(value)}" for key, value in changed.items())
        yield f"{now.token} is now {', '.join(told)}"
    if now.scheduled != (before.scheduled if before else ()):
        ahead: dict[str, list[str]] = {}
        for one in now.scheduled:
            ahead.setdefault(f"{one.effective} {one.ticket or ''}".strip(), []).append(f"{one.item} {word(one.to)}")
        yield from (f"{now.token} ahead {when}: {', '.join(what)}" for when, what in ahead.items())
        if not ahead:
            yield f"{now.token} ahead nothing"


def _term(value: object) -> str:
    return word(value) or "none"


def _event(event: LicenceEvent, on: date, step: Step) -> str:
    asked_on = event.asked_on if event.asked_on != on else None
    more = {key: getattr(event, key) for key in EVENT} | {"asked_on": asked_on}
    from_ = [f"from {event.effective}"] if event.effective != on else []
    by = f"{step.when(event.at)}#{event.revision} {event.kind} by {event.decider}{step.mail(event.mail)}"
    return ", ".join([by, *from_, *named(more)]) + f": {word(event.changes)}"
