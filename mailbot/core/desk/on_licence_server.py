"""With a licence server, granted items are applied only once it accepts them; mails about them wait until then."""

from collections.abc import Iterable
from datetime import timedelta

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import INCLUDED, ItemKey
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.effects import AlertStaff, Audience, ChangeLicence, DueKind, Effect, Schedule, Send
from mailbot.core.desk.events import (
    Decision,
    HistoryNote,
    LicenceServerAccepted,
    LicenceServerRefused,
    LicenceServerSlow,
)
from mailbot.core.desk.grant import billed_again, case_of, granted_item
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.on_request import due_things, outcome_mail, plugin_mail
from mailbot.core.desk.ticket import GRANTED, Item, ItemStatus, Ticket, with_state
from mailbot.core.inbound.purpose import Purpose

#: Kinds of mails that say what was granted, and kinds of due things that count from it. Both wait.
TELLING = frozenset({"outcome", "plugins", "confirmation"})
DATED = frozenset({DueKind.DAY, DueKind.DEMO_WARNING})
#: How long to wait for the server before the customer is told that items are being applied.
PATIENCE = timedelta(minutes=10)
#: Kinds of ledger events that record the server's answers; these are not sent to it.
ANSWERS = frozenset({"accepted", "refused"})


def await_licence_server(before: Ticket, decision: Decision, context: DecisionContext) -> Decision:
    """The decision with new grants as ``applying``, without the mails and due things that wait for the server."""
    asks = any(isinstance(effect, ChangeLicence) and effect.kind not in ANSWERS for effect in decision.effects)
    was = {item.item: item.status for item in before.items}
    now = [i.item for i in decision.ticket.items if i.status in GRANTED and was.get(i.item) not in GRANTED]
    if ItemKey.PLAN not in now:  # included items wait only together with the plan
        now = [item for item in now if item not in INCLUDED]
    if not asks or not now:
        return decision
    items = tuple(_held(i) if i.item in now else i for i in decision.ticket.items)
    waiting = tuple(dict.fromkeys((*decision.ticket.held, *now)))
    ticket = with_state(replace(decision.ticket, items=items, held=waiting, told=False))
    effects = tuple(effect for effect in decision.effects if not _waits(effect))
    timer = Schedule(DueKind.APPLYING, context.now + PATIENCE)
    notes = tuple(note for note in decision.notes if note.kind not in ("applied", "scheduled"))
    return Decision(
        ticket, (*effects, timer), (*notes, HistoryNote("applying", "mailbot", ", ".join(now))), decision.result
    )


def _held(item: Item) -> Item:
    return replace(item, status=ItemStatus.APPLYING, expected=item.effective, effective=None)


def _waits(effect: Effect) -> bool:
    if isinstance(effect, Schedule):
        return effect.kind in DATED
    return isinstance(effect, Send) and effect.kind in TELLING


def licence_server_accepted(ticket: Ticket, event: LicenceServerAccepted, context: DecisionContext) -> Decision:
    """The server accepted an event: its items are applied or scheduled as of today. The last one releases the mails."""
    case = case_of(ticket, context.ledger.licence(ticket.token), context)
    mine = _of_event(ticket, event.items)
    items = tuple(granted_item(i, case, context.today) if i.item in mine else i for i in ticket.items)
    if "billing" in mine:
        items = billed_again(items, case, context.today)
    change = ChangeLicence(
        event.token, context.today, "accepted", {"accepts": event.revision}, "accepted", "licence server"
    )
    notes = (HistoryNote("accepted", "licence server", ", ".join(mine)),) if mine else ()
    return _proceed(replace(ticket, items=items), change, (), notes, context)


def licence_server_refused(ticket: Ticket, event: LicenceServerRefused, context: DecisionContext) -> Decision:
    """The server refused an event: it is reversed, its items are refused with the reason, staff are alerted."""
    mine = _of_event(ticket, event.items)
    items = tuple(i.over(ItemStatus.REFUSED, event.reason) if i.item in mine else i for i in ticket.items)
    change = ChangeLicence(
        event.token, context.today, "refused", {"reverses": event.revision}, "refused", "licence server", event.reason
    )
    alert = AlertStaff(
        f"licence-server:{event.token}:{event.revision}",
        f"{ticket.ref}: the licence server refused {', '.join(mine) or 'a change'}: {event.reason}",
    )
    notes = (HistoryNote("refused", "licence server", f"{', '.join(mine)}: {event.reason}"),)
    return _proceed(replace(ticket, items=items), change, (alert,), notes, context)


def _of_event(ticket: Ticket, changed: Iterable[str]) -> tuple[str, ...]:
    """The waiting items that a ledger event is about; a plan's event is about included items too."""
    keys = set(changed)
    if ItemKey.PLAN in keys:
        keys |= INCLUDED
    if "replaced_by" in keys:
        keys.add(ItemKey.TOKEN)
    return tuple(i.item for i in ticket.items if i.status is ItemStatus.APPLYING and i.item in keys)


def _proceed(
    ticket: Ticket,
    change: ChangeLicence,
    effects: tuple[Effect, ...],
    notes: tuple[HistoryNote, ...],
    context: DecisionContext,
) -> Decision:
    """After the last item the waiting mails and due things are released; before, nobody is told."""
    ticket = with_state(ticket)
    if not ticket.held or any(item.status is ItemStatus.APPLYING for item in ticket.items):
        return Decision(ticket, (change, *effects), notes)
    granted = frozenset(i.item for i in ticket.items if i.item in ticket.held and i.status in GRANTED)
    effects += due_things(ticket, granted, context)
    told = ticket.told
    ticket = replace(ticket, held=(), told=False)
    if ticket.open_items:
        effects += () if told else (Send(MailKind.CONFIRMATION, Audience.CUSTOMER, purpose=Purpose.CUSTOMER),)
    else:
        effects += (outcome_mail(ticket),)
    return Decision(ticket, (change, *effects, *plugin_mail(ticket, granted)), notes)


def still_applying(ticket: Ticket, event: LicenceServerSlow, context: DecisionContext) -> Decision:
    """Tells the customer, once, that items are being applied."""
    if ticket.told or not any(item.status is ItemStatus.APPLYING for item in ticket.items):
        return Decision(ticket)
    mail = Send(MailKind.CONFIRMATION, Audience.CUSTOMER, purpose=Purpose.CUSTOMER)
    return Decision(replace(ticket, told=True), (mail,), (HistoryNote("told", "mailbot", "applying"),))
