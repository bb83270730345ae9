"""What customers and the calendar do to a ticket after it was opened: words, withdrawal, status, days that come, silence."""

from mailbot.core.base.frozen import replace
from mailbot.core.desk.context import Scene
from mailbot.core.desk.disclosure import Viewer, shown_to
from mailbot.core.desk.due_kind import DueKind
from mailbot.core.desk.effects import AlertStaff, Audience, ChangeLicence, Effect, Facts, Send, Unschedule, VoidKeys
from mailbot.core.desk.events import (
    Commented,
    CustomerReminded,
    DayCame,
    Decision,
    Note,
    Reversed,
    Silent,
    StaffReminded,
    StatusAsked,
    Undelivered,
    Withdrawn,
)
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.on_request import CUSTOMER_TIMERS, STAFF_TIMERS, staff_timer
from mailbot.core.desk.ticket import Ending, ItemStatus, State, Ticket, with_state
from mailbot.core.form.request_kinds import RequestKind
from mailbot.core.inbound.purpose import Purpose

#: What can still be withdrawn.
PENDING = frozenset({None, ItemStatus.WAITING_STAFF, ItemStatus.SCHEDULED})
#: The reasons of scheduled items that do not come, codes with sentences of their own: another request overtook it, an
#: operator took it back before its day.
OVERTAKEN, TAKEN_BACK = "later_request", "taken_back"


def comment(ticket: Ticket, event: Commented, scene: Scene) -> Decision:
    """Words for staff; when they answer what staff asked, the ticket waits for staff again."""
    told = Send(
        MailKind.COMMENT,
        Audience.STAFF,
        Facts(text=event.text, by=event.by, why=event.why, lines=event.files),
        Purpose.DECISION,
    )
    note = Note("commented", event.by, event.why)
    if event.acts and ticket.asked and ticket.open_items:
        again = with_state(replace(ticket, asked=False))
        return Decision(again, (told, Unschedule(CUSTOMER_TIMERS), staff_timer(scene)), (note,))
    if event.acts and ticket.asked and ticket.is_question:
        return Decision(with_state(replace(ticket, asked=False)), (told, staff_timer(scene)), (note,))
    return Decision(ticket, (told,), (note,))


def withdraw(ticket: Ticket, event: Withdrawn, scene: Scene) -> Decision:
    """The customer takes back everything that is not applied; what was scheduled is withdrawn from the ledger too."""
    scheduled = any(i.status is ItemStatus.SCHEDULED for i in ticket.items)
    items = tuple(i.over(ItemStatus.CANCELLED) if i.status in PENDING else i for i in ticket.items)
    applied = any(i.status is ItemStatus.APPLIED for i in items)
    ending = ticket.ending if applied else Ending.CANCELLED
    ticket = replace(ticket, items=items, ending=ending, problems=(), token_doubt=False, asked=False, released=True)
    ticket = with_state(ticket)
    effects: tuple[Effect, ...] = ()
    if scheduled and ticket.token:
        licence = scene.ledger.licence(ticket.token)
        for token in (ticket.token, licence.replaced_by if licence else None):  # it may have moved meanwhile
            if token:
                effects += (
                    ChangeLicence(token, scene.today, "withdrawn", {"withdraws": ticket.ref}, "withdrawn", "customer"),
                )
    effects += (
        Send(MailKind.CANCELLED, Audience.CUSTOMER, Facts(why="by_customer")),
        VoidKeys(tuple(Purpose), "cancelled"),
        Unschedule((*CUSTOMER_TIMERS, *STAFF_TIMERS, DueKind.DAY)),
    )
    return Decision(ticket, effects, (Note("withdrawn", event.by),))


def withdraw_denied(ticket: Ticket, event: Withdrawn, scene: Scene) -> Decision:
    """The requester takes back what a contact has refused already, of which he does not know."""
    effects = (
        Send(MailKind.CANCELLED, ticket.sender, Facts(why="by_customer")),
        VoidKeys(tuple(Purpose), "cancelled"),
        Unschedule(CUSTOMER_TIMERS),
    )
    return Decision(with_state(replace(ticket, ending=Ending.CANCELLED)), effects, (Note("withdrawn", event.by),))


def status(ticket: Ticket, event: StatusAsked, scene: Scene) -> Decision:
    """How it stands, to the one who asked."""
    shown = shown_to(Viewer.REQUESTER, ticket)
    purpose = None if shown.final else Purpose.CUSTOMER
    return Decision(ticket, (Send(MailKind.STATUS, event.by, Facts(tickets=(shown,)), purpose),))


def day_came(ticket: Ticket, event: DayCame, scene: Scene) -> Decision:
    """Scheduled items whose day has come are applied (the ledger holds them since they were scheduled).

    An item that a later request set otherwise is over: that request's mail has told what holds instead.
    """
    came = [i for i in ticket.items if _is_due(i.status, i.effective, event)]
    if not came:
        return Decision(ticket)
    licence = scene.ledger.licence(ticket.token)
    here = licence is not None and licence.status != "replaced"  # a licence that moved took what lay ahead with it
    gone = {i.item for i in came if here and licence is not None and licence.value(i.item) != i.to}
    due = tuple(i.item for i in came if i.item not in gone)
    items = tuple(
        i.over(ItemStatus.CANCELLED, OVERTAKEN)
        if i.item in gone
        else replace(i, status=ItemStatus.APPLIED)
        if i.item in due
        else i
        for i in ticket.items
    )
    ticket = with_state(replace(ticket, items=items))
    notes = (Note("superseded", "mailbot", ", ".join(sorted(gone))),) if gone else ()
    if not due:
        return Decision(ticket, (), notes)
    mail = Send(MailKind.DONE, Audience.OUTCOME, Facts(items=due, on=event.on))
    return Decision(ticket, (mail,), (*notes, Note("done", "mailbot", ", ".join(due))))


def take_back(ticket: Ticket, event: Reversed, scene: Scene) -> Decision:
    """What was scheduled by the event that an operator reversed does not come; what holds already stays told as it was."""
    items = tuple(
        i.over(ItemStatus.CANCELLED, TAKEN_BACK)
        if i.item in event.items and i.effective == event.effective and i.status is ItemStatus.SCHEDULED
        else i
        for i in ticket.items
    )
    ticket = with_state(replace(ticket, items=items))
    more = any(i.status is ItemStatus.SCHEDULED for i in items)
    effects = () if more else (Unschedule((DueKind.DAY,)),)
    return Decision(ticket, effects, (Note("reversed", "operator", ", ".join(event.items)),))


def _is_due(status: ItemStatus | None, effective: object, event: DayCame) -> bool:
    return status is ItemStatus.SCHEDULED and effective is not None and str(effective) <= event.on.isoformat()


def remind_staff(ticket: Ticket, event: StaffReminded, scene: Scene) -> Decision:
    """Staff are reminded, each with a key of his own, and again after the same time."""
    if ticket.hold:
        return Decision(ticket)
    mail = Send(MailKind.REMINDER, Audience.DECIDERS, Facts(why="staff"), Purpose.DECISION)
    return Decision(ticket, (mail, staff_timer(scene)), (Note("reminded", "mailbot", "staff"),))


def remind_customer(ticket: Ticket, event: CustomerReminded, scene: Scene) -> Decision:
    """Whoever the ticket waits for is reminded once; a requester who must not know for whom is reminded in any case."""
    mails: tuple[Effect, ...] = ()
    if ticket.state is State.WAITING_CONFIRMATION:
        mails = tuple(
            Send(MailKind.CONFIRM_YOU, a, Facts(by=ticket.sender), Purpose.CONFIRM) for a in ticket.challenged
        )
    if ticket.state is not State.WAITING_CONFIRMATION or _told_neutrally(ticket):
        mails += (Send(MailKind.REMINDER, ticket.sender, Facts(why="customer"), Purpose.CUSTOMER),)
    return Decision(ticket, mails, (Note("reminded", "mailbot", "customer"),))


def remind_denied(ticket: Ticket, event: CustomerReminded, scene: Scene) -> Decision:
    """The reminder that the requester would get if nobody had said NO."""
    if not _told_neutrally(ticket):
        return Decision(ticket)
    return Decision(ticket, (Send(MailKind.REMINDER, ticket.sender, Facts(why="customer"), Purpose.CUSTOMER),))


def close(ticket: Ticket, event: Silent, scene: Scene) -> Decision:
    """The customer stayed silent: closed; whatever waited is cancelled."""
    mails = (Send(MailKind.CLOSED, Audience.CUSTOMER),) if not ticket.neutral or _told_neutrally(ticket) else ()
    items = tuple(i.over(ItemStatus.CANCELLED) if i.open else i for i in ticket.items)
    ticket = with_state(replace(ticket, items=items, ending=Ending.CLOSED))
    effects = (*mails, VoidKeys(tuple(Purpose), "closed"), Unschedule(STAFF_TIMERS + CUSTOMER_TIMERS))
    return Decision(ticket, effects, (Note("closed", "mailbot"),))


def close_denied(ticket: Ticket, event: Silent, scene: Scene) -> Decision:
    """The closing that the requester would be told of if nobody had said NO."""
    mails = (Send(MailKind.CLOSED, ticket.sender),) if _told_neutrally(ticket) else ()
    ticket = with_state(replace(ticket, ending=Ending.DENIED_AND_CLOSED))
    return Decision(ticket, (*mails, VoidKeys(tuple(Purpose), "closed")))


def _told_neutrally(ticket: Ticket) -> bool:
    """Whether a requester who may not know how it stands is reminded and told of the end.

    Not where, with an unknown token, staff would decide, who come to it in their own time.
    """
    return ticket.neutral and ticket.request not in (RequestKind.REACTIVATE, RequestKind.SHUTTLE)


def undelivered(ticket: Ticket, event: Undelivered, scene: Scene) -> Decision:
    """A mail came back: staff are told, nothing else changes."""
    text = f"{event.kind} to {event.recipient}: {event.diagnostic}"
    told = AlertStaff(
        f"undelivered:{ticket.ref}:{event.kind}:{event.recipient}", f"{ticket.ref}: our mail was not delivered: {text}"
    )
    return Decision(ticket, (told,), (Note("undelivered", "mailbot", text),))


def stay(ticket: Ticket, event: object, scene: Scene) -> Decision:
    """Nothing: what the event meant is over."""
    return Decision(ticket)
