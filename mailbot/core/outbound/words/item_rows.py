"""Items, tickets and results of decisions as rows of words."""

from dataclasses import dataclass
from datetime import date

from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.effects import DecisionResult
from mailbot.core.desk.ticket import Item, ItemStatus, Ticket
from mailbot.core.ledger.period import decrease_day
from mailbot.core.ledger.rule import Rule
from mailbot.core.outbound.readership import Reader
from mailbot.core.outbound.text_layout import quoted_lines
from mailbot.core.outbound.view_records import ItemGroup, ResultView, TicketLine
from mailbot.core.outbound.words.phrases import Phrases


@dataclass(frozen=True)
class BillingDays:
    """The days of a ticket that the sentences about the bill need.

    ``asked_on``: the day of the request. ``activated``: the day on which it activated its licence. ``lower``: the first
    day of the billing period after the one in which its decreases count, None where that is not known.
    """

    asked_on: date
    activated: date | None = None
    lower: date | None = None

    def billed_from(self, item: Item) -> date | None:
        """The first billed day of an increase: options of a new plan that are decided later count from its activation."""
        late = self.activated if item.item in ("support", "whitelabel") else None
        return late or item.effective or item.expected


def title(ticket: Ticket, phrases: Phrases) -> str:
    """The request in a few words."""
    for key in (f"request.{ticket.request}_{ticket.action}", f"request.{ticket.request}"):
        if phrases.has(key):
            return phrases.say(key)
    return ticket.request


def told_state(ticket: Ticket, reader: Reader, phrases: Phrases) -> str:
    """The ticket's state as the end of a sentence; for staff the sentence of ``state_staff`` where there is one."""
    own = f"state_staff.{ticket.state.value}"
    return phrases.say(own if reader.staff and phrases.has(own) else f"state.{ticket.state.value}")


def explanation(code: str, phrases: Phrases) -> str:
    """The sentence of a code of ``effects.Facts.why``, or the code itself where it has none."""
    return phrases.say(f"why.{code}") if phrases.has(f"why.{code}") else code


def item_groups(
    items: tuple[Item, ...], reads: bool, changed: tuple[str, ...], days: BillingDays, phrases: Phrases
) -> tuple[ItemGroup, ...]:
    """The items in their order, those with the same status and notes together; ``reads`` as ``readership.Sight.licence_data``."""
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[str, str]]] = {}
    for item in items:
        status = phrases.item_status(item) if reads else _short_status(item, phrases).capitalize()
        groups.setdefault((status, _notes(item, reads, days, phrases)), []).append(_row(item, changed, phrases))
    return tuple(ItemGroup(status, tuple(rows), notes) for (status, notes), rows in groups.items())


def _row(item: Item, changed: tuple[str, ...], phrases: Phrases) -> tuple[str, str]:
    mark = f" {phrases.say('approval.changed_mark')}" if item.item in changed else ""
    return phrases.item(item.item) + mark, _change(item, phrases)


def _change(item: Item, phrases: Phrases) -> str:
    """``10 -> 15``, or only the requested value where there was none or it is the same."""
    to = phrases.value(item.item, item.to)
    return to if item.from_ in (None, item.to) else f"{phrases.value(item.item, item.from_)} -> {to}"


def _short_status(item: Item, phrases: Phrases) -> str:
    return phrases.say(f"status.{item.status.value if item.status else 'new'}")


def _notes(item: Item, reads: bool, days: BillingDays, phrases: Phrases) -> tuple[str, ...]:
    notes = []
    if item.reason:
        own = f"reason.{item.reason}"
        notes.append(phrases.say(own) if phrases.has(own) else phrases.say("items.reason", reason=item.reason))
    if reads and item.open and item.overtaken:
        notes.append(phrases.say("items.overtaken"))
    elif reads and not (item.open and item.reason) and item.status not in (ItemStatus.REFUSED, ItemStatus.CANCELLED):
        if item.open and item.expected:
            notes.append(phrases.say("items.expected", date=phrases.day(item.expected)))
        if not (item.open and item.rule is Rule.BY_STAFF):  # its status says already that it waits for staff
            notes.append(_rule(item, phrases))
        notes.append(phrases.billing(item.billing, days.billed_from(item), decrease_day(days.asked_on), days.lower))
    return tuple(note for note in notes if note)


def _rule(item: Item, phrases: Phrases) -> str:
    plugin = phrases.catalogue.plugins.get(item.item.key)
    if item.rule is not Rule.IMPLIED or plugin is None or plugin.implied_by is None:
        return phrases.say(f"rule.{item.rule}")
    cause = phrases.item(ItemKey.addon(plugin.implied_by))
    return phrases.say("rule.implied" if item.to else "rule.implied_removed", cause=cause)


def ticket_row(ticket: Ticket, reader: Reader, phrases: Phrases) -> TicketLine:
    """The ticket, harmless and as it is shown to its reader, in a list; where its items differ in status, each shows its own."""
    items = reader.sees(ticket, shown=True).items
    differ = len({item.status for item in items}) > 1
    token = ((phrases.say("item.token"), ticket.token),) if ticket.token else ()
    return TicketLine(
        ref=ticket.ref,
        title=title(ticket, phrases),
        state=told_state(ticket, reader, phrases),
        rows=token + tuple(_row_with_status(i, phrases) if differ else _row(i, (), phrases) for i in items),
    )


def _row_with_status(item: Item, phrases: Phrases) -> tuple[str, str]:
    change, status = _change(item, phrases), _short_status(item, phrases)
    return phrases.item(item.item), phrases.say("status_mail.item", change=change, status=status)


def waiting_row(ticket: Ticket, phrases: Phrases) -> tuple[str, str]:
    """(reference, what is requested, by whom and since when) of a ticket in the digest, which is harmless already."""
    since = ticket.received_at.astimezone(phrases.zone).date()
    customer = ticket.customer_name or ticket.sender
    line = phrases.say("digest.line", title=title(ticket, phrases), customer=customer, date=phrases.day(since))
    return ticket.ref, line


def result_view(result: DecisionResult, phrases: Phrases) -> ResultView:
    """What became of a line of a decision."""
    return ResultView(
        recorded=result.done,
        word=result.word or "",
        ref=result.ref,
        items=phrases.listed(phrases.item(item) for item in result.items),
        until=phrases.day(result.until) if result.until else "",
        explanation=explanation(result.why, phrases) if result.why else "",
        read=quoted_lines(result.read, fields=True),
        sent=quoted_lines(result.sent, fields=True),
    )
