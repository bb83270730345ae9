"""With a licence server nothing is applied before it says so: what was granted waits, and so do the mails that tell it."""

from collections.abc import Iterable
from datetime import timedelta

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.context import Scene
from mailbot.core.desk.due_kind import DueKind
from mailbot.core.desk.effects import AlertStaff, Audience, ChangeLicence, Effect, Schedule, Send
from mailbot.core.desk.events import Accepted, Decision, Note, RefusedThere, StillApplying
from mailbot.core.desk.grant import SILENT, billed_anew, case_of, granted_item
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.on_request import dates, outcome, plugin_mail
from mailbot.core.desk.ticket import GRANTED, Item, ItemStatus, Ticket, with_state
from mailbot.core.inbound.purpose import Purpose

#: Mails that say what was granted, and dates that count from it.
TELLING = frozenset({"outcome", "plugins", "confirmation"})
DATED = frozenset({DueKind.DAY, DueKind.DEMO_WARNING})
#: After so long without an answer of the server the customer hears that it is being applied.
PATIENCE = timedelta(minutes=10)
#: Kinds of events that answer others; the server is not asked about them.
ANSWERS = frozenset({"accepted", "refused"})


def held(before: Ticket, decision: Decision, scene: Scene) -> Decision:
    """The decision with what it granted as ``applying``, if it changes the ledger; mails and dates wait for the server."""
    asks = any(isinstance(effect, ChangeLicence) and effect.kind not in ANSWERS for effect in decision.effects)
    was = {item.item: item.status for item in before.items}
    now = [i.item for i in decision.ticket.items if i.status in GRANTED and was.get(i.item) not in GRANTED]
    if ItemKey.PLAN not in now:  # what is included waits only with the plan that brings it
        now = [item for item in now if item not in SILENT]
    if not asks or not now:
        return decision
    items = tuple(_held(i) if i.item in now else i for i in decision.ticket.items)
    waiting = tuple(dict.fromkeys((*decision.ticket.held, *now)))
    ticket = with_state(replace(decision.ticket, items=items, held=waiting, told=False))
    effects = tuple(effect for effect in decision.effects if not _waits(effect))
    timer = Schedule(DueKind.APPLYING, scene.now + PATIENCE)
    notes = tuple(note for note in decision.notes if note.kind not in ("applied", "scheduled"))
    return Decision(ticket, (*effects, timer), (*notes, Note("applying", "mailbot", ", ".join(now))), decision.result)


def _held(item: Item) -> Item:
    return replace(item, status=ItemStatus.APPLYING, expected=item.effective, effective=None)


def _waits(effect: Effect) -> bool:
    if isinstance(effect, Schedule):
        return effect.kind in DATED
    return isinstance(effect, Send) and effect.kind in TELLING


def licence_server_accepted(ticket: Ticket, event: Accepted, scene: Scene) -> Decision:
    """The server took an event: its items hold from today, or are scheduled; mails go out with the last of them."""
    case = case_of(ticket, scene.ledger.licence(ticket.token), scene)
    mine = _of_event(ticket, event.items)
    items = tuple(granted_item(i, case, scene.today) if i.item in mine else i for i in ticket.items)
    if "billing" in mine:
        items = billed_anew(items, case, scene.today)
    change = ChangeLicence(
        event.token, scene.today, "accepted", {"accepts": event.revision}, "accepted", "licence server"
    )
    notes = (Note("accepted", "licence server", ", ".join(mine)),) if mine else ()
    return _go_on(replace(ticket, items=items), change, (), notes, scene)


def licence_server_refused(ticket: Ticket, event: RefusedThere, scene: Scene) -> Decision:
    """The server will not have an event: it is reversed, its items are refused with the reason, staff are told."""
    mine = _of_event(ticket, event.items)
    items = tuple(i.over(ItemStatus.REFUSED, event.reason) if i.item in mine else i for i in ticket.items)
    change = ChangeLicence(
        event.token, scene.today, "refused", {"reverses": event.revision}, "refused", "licence server", event.reason
    )
    alert = AlertStaff(
        f"licence-server:{event.token}:{event.revision}",
        f"{ticket.ref}: the licence server refused {', '.join(mine) or 'a change'}: {event.reason}",
    )
    notes = (Note("refused", "licence server", f"{', '.join(mine)}: {event.reason}"),)
    return _go_on(replace(ticket, items=items), change, (alert,), notes, scene)


def _of_event(ticket: Ticket, changed: Iterable[str]) -> tuple[str, ...]:
    """The waiting items that an event of the ledger stands for; what is included comes with the plan."""
    keys = set(changed)
    if ItemKey.PLAN in keys:
        keys |= SILENT
    if "replaced_by" in keys:
        keys.add(ItemKey.TOKEN)
    return tuple(i.item for i in ticket.items if i.status is ItemStatus.APPLYING and i.item in keys)


def _go_on(
    ticket: Ticket, change: ChangeLicence, effects: tuple[Effect, ...], notes: tuple[Note, ...], scene: Scene
) -> Decision:
    """While items are applying nothing is told; with the last one all that waited is done."""
    ticket = with_state(ticket)
    if not ticket.held or any(item.status is ItemStatus.APPLYING for item in ticket.items):
        return Decision(ticket, (change, *effects), notes)
    granted = frozenset(i.item for i in ticket.items if i.item in ticket.held and i.status in GRANTED)
    effects += dates(ticket, granted, scene)
    told = ticket.told
    ticket = replace(ticket, held=(), told=False)
    if ticket.open_items:
        effects += () if told else (Send(MailKind.CONFIRMATION, Audience.CUSTOMER, purpose=Purpose.CUSTOMER),)
    else:
        effects += (outcome(ticket),)
    return Decision(ticket, (change, *effects, *plugin_mail(ticket, granted)), notes)


def still_applying(ticket: Ticket, event: StillApplying, scene: Scene) -> Decision:
    """The server has not answered for a while: the customer hears once that it is being applied."""
    if ticket.told or not any(item.status is ItemStatus.APPLYING for item in ticket.items):
        return Decision(ticket)
    mail = Send(MailKind.CONFIRMATION, Audience.CUSTOMER, purpose=Purpose.CUSTOMER)
    return Decision(replace(ticket, told=True), (mail,), (Note("told", "mailbot", "applying"),))
