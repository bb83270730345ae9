"""What a desk did, in a few lines that a reviewer reads: mails by their facts, tickets, licences and history by what changed.

Nothing here is wording of the templates, a Message-ID or a key; fields that are empty or as a new ticket has them are left out.
The mails are what the real composition made: `Recording` keeps what each was made from, and `told` holds the rendered parts
against it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from html import unescape
from typing import Any

from mailbot.core.desk.effects import Facts, Result
from mailbot.core.desk.ticket import Billing, Item, ItemStatus, Ticket
from mailbot.core.form.problem import Problem
from mailbot.core.inbound.reply_keys import digest
from mailbot.core.ledger.licence import Licence, LicenceEvent
from mailbot.json_shapes import LICENCE
from mailbot.wording import Wording
from storage.tickets import TicketEventRow
from tests.support.desk import catalogue

#: What is said of a ticket besides its items, problems and diagnosis; where two say the same, the second is left out.
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
DAY = re.compile(r"\b\d{1,2}\s+(?:[JFMASOND][a-z]{2,8})\s+20\d\d")


@dataclass(frozen=True)
class Made:
    """A mail as it was composed: from ``context``, into these words."""

    kind: str
    context: Mapping[str, Any]
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Step:
    """The step that is played: what it has of its own is not said again."""

    at: datetime
    own: str | None  # the Message-ID of the mail that came in
    names: Mapping[str, str]  # how the mails are called, by Message-ID

    def when(self, at: datetime) -> str:
        """The time, where it is not the step's."""
        return f"{word(at)} " if at != self.at else ""

    def mail(self, message_id: str | None) -> str:
        """The mail that something is due to, where it is not the step's."""
        if message_id == self.own:
            return ""
        return f" ({self.names.get(message_id, message_id) if message_id else 'no mail'})"


class Recording(Wording):
    """The wording as it is; ``made`` keeps what each mail was made from."""

    def __init__(self, wording: Wording) -> None:
        self.__dict__.update(wording.__dict__)
        self.made: list[Made] = []

    def render(self, kind: str, context: dict[str, Any]) -> tuple[str, str, str]:
        rendered = super().render(kind, context)
        self.made.append(Made(kind, context, *rendered))
        return rendered


def word(value: object) -> str:
    """A value as a line has it: free words in quotes, each on one line."""
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
        case Result():
            said = [value.word or word(value.read), value.ref, *value.items]
            more = {"until": value.until, "why": value.why, "sends": value.sent}
            return " ".join([*filter(None, said), "done" if value.done else "NOT done", *_named(more)])
        case Ticket():
            return f"{value.ref} {value.state.value}"
        case Licence():
            return f"{value.token} {value.status}"
        case tuple() | list():
            return ", ".join(" ".join(map(word, one)) if isinstance(one, tuple) else word(one) for one in value)
        case _:
            return str(value)


def _named(values: Mapping[str, object]) -> list[str]:
    return [f"{key} {word(value)}" for key, value in values.items() if value not in (None, "", (), [], {}, False)]


def _how(item: Item) -> str:
    """What became of an item, from which day, by which rule, on which bill, why."""
    billed: Billing | None = item.billing
    bill = [f"bill {billed.kind}", *_named(billed.model_dump(exclude={"kind"}))] if billed else []
    days = {"from": item.effective, "if granted from": item.expected}
    status = item.status.value if item.status else "new"
    return ", ".join([status, *_named(days), item.rule, " ".join(bill), *_named({"reason": item.reason})]).replace(
        ", ,", ","
    )


def items(found: Iterable[Item]) -> list[str]:
    """A line for all items of which the same is to be said."""
    lines: dict[str, list[str]] = {}
    for item in found:
        change = word(item.to) if item.from_ is None else f"{word(item.from_)} -> {word(item.to)}"
        lines.setdefault(_how(item).removesuffix(", "), []).append(f"{item.item} {change}")
    return [f"{how}: {'; '.join(what)}" for how, what in lines.items()]


def problem(found: Problem) -> str:
    """``agents: not_a_number, read ten, expected ..., hint ...``."""
    more = _named({"read": found.read, "expected": found.expected, "hint": found.hint})
    return ", ".join([f"{found.field}: {found.code.value}", *more])


def ticket(now: Ticket, before: Ticket | None, at: datetime) -> Iterator[str]:
    """What is new of a ticket."""
    old, new = _facts(before) if before else {"received_at": at}, _facts(now)
    changed = {key: value for key, value in new.items() if old.get(key) != value}
    gone = {key: "none" for key in TICKET if key in old and key not in new}
    if before is None:
        asked = f"{now.request}/{now.action}" if now.action else now.request
        yield ", ".join([f"{now.ref} {asked} {now.state.value}", *_named(changed)])
    elif changed or gone or before.state is not now.state:
        moved = f"{before.state.value} -> {now.state.value}" if before.state is not now.state else now.state.value
        yield ", ".join([f"{now.ref} {moved}", *_named(changed | gone)])
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
        yield f"{now.ref} log {', '.join([*_named(said), *(f'proof {line}' for line in proof)])}"


def _facts(found: Ticket) -> dict[str, object]:
    said = {key: getattr(found, key) for key in TICKET}
    if found.agreement_version == catalogue().agreement_version:
        said["agreement_version"] = "current"
    plain = {"product": "motion", "customer_email": found.sender, "sender_verdict": "verified"}
    return {key: value for key, value in said.items() if value and value != plain.get(key)}


def history(rows: Iterable[TicketEventRow], step: Step) -> Iterator[str]:
    """The new lines of a ticket's history."""
    for row in rows:
        done = f"{step.when(row.at)}{row.kind} by {row.by}{step.mail(row.mail)}"
        yield f"{done} {word(row.detail)}" if row.detail else done


def licence(now: Licence, before: Licence | None, on: date, step: Step) -> Iterator[str]:
    """The events that a licence has more than before, the terms that changed, what lies ahead of it."""
    known = len(before.history) if before else 0
    yield from (f"{now.token} {_event(event, on, step)}" for event in now.history[known:])
    changed = {key: getattr(now, key) for key in LICENCE[1:] if getattr(now, key) != getattr(before, key, None)}
    if before is None:
        new = _named({key: value for key, value in changed.items() if value and value != "motion"})
        yield f"{now.token} is {', '.join(new)}"
    elif changed:
        told = (
            f"{key} {word(getattr(before, key) or None)} -> {word(value or None)}" for key, value in changed.items()
        )
        yield f"{now.token} is now {', '.join(told)}"
    if now.scheduled != (before.scheduled if before else ()):
        ahead: dict[str, list[str]] = {}
        for one in now.scheduled:
            ahead.setdefault(f"{one.effective} {one.ticket or ''}".strip(), []).append(f"{one.item} {word(one.to)}")
        yield from (f"{now.token} ahead {when}: {', '.join(what)}" for when, what in ahead.items())
        if not ahead:
            yield f"{now.token} ahead nothing"


def _event(event: LicenceEvent, on: date, step: Step) -> str:
    asked_on = event.asked_on if event.asked_on != on else None
    more = {key: getattr(event, key) for key in EVENT} | {"asked_on": asked_on}
    from_ = [f"from {event.effective}"] if event.effective != on else []
    by = f"{step.when(event.at)}#{event.revision} {event.kind} by {event.decider}{step.mail(event.mail)}"
    return ", ".join([by, *from_, *_named(more)]) + f": {word(event.changes)}"


@dataclass(frozen=True)
class Mail:
    """One mail that went out, and what the outbox and the keys have of it."""

    made: Made
    ref: str | None
    to: str
    null_path: bool
    purpose: str | None
    answers: str

    def line(self, now: Ticket | None) -> str:
        """Everything but whom it went to; ``now`` is its ticket after the step."""
        key = [f"key {self.purpose}"] if self.purpose else []
        path = ["null path"] if self.null_path else []
        answers = [f"re {self.answers}"] if self.answers else []
        return ", ".join([*key, *path, *answers, *self._view(now), *self._said()])

    def _view(self, now: Ticket | None) -> Iterator[str]:
        """How its ticket looks in it: what is hidden, which items are shown, and what differs from the end of the step."""
        context, shown = self.made.context, self.made.context["ticket"]
        if not shown or not now:
            return
        if not context["reads"]:
            yield "without licence data"
        if shown.state is not now.state:
            yield f"as {shown.state.value}"
        rows = [row.key for row in _rows(self.made)]
        every = [item.item for item in shown.items]
        if rows:
            yield "all items" if rows == every or set(rows) == set(every) else f"items {word(rows)}"
        if rows and context["reads"]:
            kept = {item.item: item for item in now.items}
            differ = [i for i in shown.items if i.item in rows and i.item in kept and _how(kept[i.item]) != _how(i)]
            yield from items(differ)
        private = self.made.context["say"]("problem.private")
        hidden = [p.field for p, (_, said) in zip(shown.problems, context["problems"], strict=True) if said == private]
        if hidden:
            yield f"untold problems {word(hidden)}"

    def _said(self) -> Iterator[str]:
        facts: Facts = self.made.context["facts"]
        for field in fields(Facts):
            value, name = getattr(facts, field.name), field.name
            own = name == "by" and value == self.to.partition("@")[0].title()
            if value in (field.default, ()) or own or (name == "form" and facts.form_key):
                continue
            yield f"{'about' if name == 'items' else name} {word(value)}" if value is not True else name


def _rows(made: Made) -> list[Any]:
    """The rows of items that stand in the text."""
    rows = [row for group in made.context["groups"] for row in group.rows]
    text = _flat(made.text)
    return [row for row in rows if f"{row.label} {_flat(row.change)}" in text]


def _flat(text: str) -> str:
    return " ".join(text.replace("→", "->").split())


def visible(html: str) -> str:
    """What is read of a page or a piece of one, on one line."""
    return _flat(unescape(re.sub(r"<[^>]*>", " ", html)))


def purpose_of(key: str | None) -> str | None:
    """The digest of the key in an address such as ``desk+lic-1.KEY@vendor.example``."""
    found = re.search(r"\.([A-Z2-7]{26})@", key or "")
    return digest(found[1]) if found else None


def told(made: Made) -> list[str]:
    """What the text or the page of a mail should say of its facts and does not."""
    text, page = _flat(made.text), visible(made.html)
    missing = [f"only in one part: {day}" for day in set(DAY.findall(text)) ^ set(DAY.findall(page))]
    wanted = [*_words_of(made)]
    return missing + [
        f"not in {name}: {one}"
        for one in wanted
        for name, part in (("text", text), ("page", page))
        if _flat(one) not in part
    ]


def _words_of(made: Made) -> Iterator[str]:
    """Words that both parts must hold: items with their dates, bills and reasons, decisions, free words, dates."""
    context = made.context
    facts: Facts = context["facts"]
    if found := context["ticket"]:
        shown = {row.key: row for row in _rows(made)}
        for item in found.items:
            if item.item not in shown:
                continue
            yield shown[item.item].label
            yield shown[item.item].change
            if context["reads"] and made.kind != "status":  # that lists them with their status alone
                yield from _item_words(item)
    if made.kind == "approval":
        yield from (value for name in ("who", "licence", "new_licence") for _, value in context[name])
        yield from context["comments"]
    if facts.on and context["on"]:
        yield context["on"]
    yield from facts.lines
    for result in facts.results:
        yield from (result.word, result.ref)
        yield from result.sent.splitlines()


def _item_words(item: Item) -> Iterator[str]:
    if item.reason and " " in item.reason:
        yield item.reason
    if item.effective and item.status in (ItemStatus.APPLIED, ItemStatus.SCHEDULED):
        yield f"{item.effective.day} {item.effective:%B %Y}"
    if item.billing and item.billing.invoice_on and item.billing.kind == "increase":
        yield f"{item.billing.invoice_on:%B}"
