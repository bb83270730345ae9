"""Items, tickets and results of decisions in words, row by row, as the templates list them. Pure."""

from dataclasses import dataclass, replace
from datetime import date

from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.effects import DecisionResult
from mailbot.core.desk.ticket import Item, ItemStatus, Ticket
from mailbot.core.ledger.period import decrease_day
from mailbot.core.ledger.rule import Rule
from mailbot.core.outbound.readership import Reader
from mailbot.core.outbound.sanitise import harmless
from mailbot.core.outbound.text_layout import quoted_lines as words_of
from mailbot.core.outbound.words.phrases import Speech


@dataclass(frozen=True)
class ItemRow:
    """One item in words: ``change`` is "today -> requested", or only what is requested where nothing is there to compare."""

    key: str
    label: str
    change: str

    @property
    def pair(self) -> tuple[str, str]:
        """(label, change)."""
        return self.label, self.change


@dataclass(frozen=True)
class Group:
    """Items of which the same is to be said: ``holds`` is their state, ``notes`` are rule, bill and reason in sentences."""

    holds: str
    rows: tuple[ItemRow, ...]
    notes: tuple[str, ...]

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(label, change) of each item."""
        return tuple(row.pair for row in self.rows)


@dataclass(frozen=True)
class Days:
    """What the sentences about the bill need to know of a ticket.

    ``asked_on``: the day of the request. ``activated``: the day on which it activated its licence. ``lower``: the first
    day of the billing period after the one in which its decreases count, None where that is not known.
    """

    asked_on: date
    activated: date | None = None
    lower: date | None = None

    def billed_from(self, item: Item) -> date | None:
        """The first day on the bill of an increase: options of a new plan decided later count from its activation."""
        late = self.activated if item.item in ("support", "whitelabel") else None
        return late or item.effective or item.expected


@dataclass(frozen=True)
class Short:
    """A ticket in a list: as one ``line`` (ref, what, whose, since when), or with its items."""

    ref: str
    title: str
    state: str
    status: str
    token: str
    line: tuple[str, str]
    items: tuple[ItemRow, ...]


@dataclass(frozen=True)
class ResultWords:
    """What became of one decision line: ``read`` and ``sent`` line by line, ``items`` by name."""

    done: bool
    word: str
    ref: str
    items: str
    until: str
    why: str
    read: tuple[str, ...]
    sent: tuple[str, ...]


def title(ticket: Ticket, speech: Speech) -> str:
    """What is asked for, in a few words."""
    for key in (f"request.{ticket.request}_{ticket.action}", f"request.{ticket.request}"):
        if speech.has(key):
            return speech.say(key)
    return ticket.request


def state(ticket: Ticket, reader: Reader, speech: Speech) -> str:
    """How it stands, as its reader is told it."""
    own = f"state_staff.{ticket.state.value}"
    return speech.say(own if reader.staff and speech.has(own) else f"state.{ticket.state.value}")


def why(code: str, speech: Speech) -> str:
    """The sentence of a code, the code itself where it has none."""
    return speech.say(f"why.{code}") if speech.has(f"why.{code}") else code


def groups(
    items: tuple[Item, ...], reads: bool, changed: tuple[str, ...], days: Days, speech: Speech
) -> tuple[Group, ...]:
    """The items in words, those of which the same is to be said together, in the order in which they come."""
    found: dict[tuple[str, tuple[str, ...]], list[ItemRow]] = {}
    for item in items:
        said = (speech.holds(item) if reads else _status(item, speech)), _notes(item, reads, days, speech)
        found.setdefault(said, []).append(_row(item, changed, speech))
    return tuple(Group(holds, tuple(rows), notes) for (holds, notes), rows in found.items())


def _row(item: Item, changed: tuple[str, ...], speech: Speech) -> ItemRow:
    to = speech.value(item.item, item.to)
    change = to if item.from_ in (None, item.to) else f"{speech.value(item.item, item.from_)} -> {to}"
    mark = f" {speech.say('approval.changed_mark')}" if item.item in changed else ""
    return ItemRow(item.item, speech.item(item.item) + mark, change)


def _status(item: Item, speech: Speech) -> str:
    return speech.say(f"status.{item.status.value if item.status else 'new'}").capitalize()


def _notes(item: Item, reads: bool, days: Days, speech: Speech) -> tuple[str, ...]:
    notes = []
    if item.reason:
        own = f"reason.{item.reason}"
        notes.append(speech.say(own) if speech.has(own) else speech.say("items.reason", reason=item.reason))
    if reads and item.open and item.overtaken:
        notes.append(speech.say("items.overtaken"))
    elif reads and not (item.open and item.reason) and item.status not in (ItemStatus.REFUSED, ItemStatus.CANCELLED):
        waits = item.open
        if waits and item.expected:
            notes.append(speech.say("items.expected", date=speech.day(item.expected)))
        if not (waits and item.rule is Rule.BY_STAFF):  # that it waits for the team is said already
            notes.append(_rule(item, speech))
        notes.append(speech.billing(item.billing, days.billed_from(item), decrease_day(days.asked_on), days.lower))
    return tuple(note for note in notes if note)


def _rule(item: Item, speech: Speech) -> str:
    plugin = speech.catalogue.plugins.get(item.item.key)
    if item.rule is not Rule.IMPLIED or plugin is None or plugin.implied_by is None:
        return speech.say(f"rule.{item.rule}")
    cause = speech.item(ItemKey.addon(plugin.implied_by))
    return speech.say("rule.implied" if item.to else "rule.implied_removed", cause=cause)


def short(ticket: Ticket, reader: Reader, speech: Speech) -> Short:
    """The ticket as it stands in a list; where its items stand differently each says how."""
    clean = harmless(ticket)
    customer, since = clean.customer_name or clean.sender, clean.received_at.astimezone(speech.zone).date()
    what = title(clean, speech)
    items = reader.items(clean)
    rows = tuple(_row(item, (), speech) for item in items)
    if len({item.status for item in items}) > 1:
        rows = tuple(replace(row, change=_marked(row, item, speech)) for row, item in zip(rows, items, strict=True))
    return Short(
        ref=clean.ref,
        title=what,
        state=state(clean, reader, speech),
        status=clean.state.value,
        token=clean.token or "",
        line=(clean.ref, speech.say("digest.line", title=what, customer=customer, date=speech.day(since))),
        items=rows,
    )


def _marked(row: ItemRow, item: Item, speech: Speech) -> str:
    status = speech.say(f"status.{item.status.value if item.status else 'new'}")
    return speech.say("status_mail.item", change=row.change, status=status)


def result_words(result: DecisionResult, speech: Speech) -> ResultWords:
    """What became of a decision line, in words."""
    return ResultWords(
        done=result.done,
        word=result.word,
        ref=result.ref,
        items=speech.listed(speech.item(item) for item in result.items),
        until=speech.day(result.until) if result.until else "",
        why=why(result.why, speech) if result.why else "",
        read=words_of(result.read, fields=True),
        sent=words_of(result.sent, fields=True),
    )
