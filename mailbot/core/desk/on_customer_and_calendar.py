"""What customers and the calendar do to a ticket: comments, withdrawal, status, effective days, reminders, closing."""

from mailbot.core.base.frozen import replace
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.disclosure import Viewer, shown_to
from mailbot.core.desk.effects import (
    AlertStaff,
    Audience,
    ChangeLicence,
    DueKind,
    Effect,
    Facts,
    Send,
    Unschedule,
    VoidKeys,
)
from mailbot.core.desk.events import (
    Commented,
    CustomerReminded,
    CustomerSilent,
    DayCame,
    Decision,
    EventReversed,
    HistoryNote,
    StaffReminded,
    StatusAsked,
    Undelivered,
    Withdrawn,
)
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.on_request import CUSTOMER_TIMERS, STAFF_TIMERS, staff_timer
from mailbot.core.desk.ticket import Ending, ItemStatus, State, Ticket, with_state
from mailbot.core.form.request import RequestKind
from mailbot.core.inbound.purpose import Purpose

#: Statuses of items that can still be withdrawn.
PENDING = frozenset({None, ItemStatus.WAITING_STAFF, ItemStatus.SCHEDULED})
#: Why a scheduled item was cancelled (codes; the templates have the sentences): a later request replaced it, or an
#: operator reversed it before its day.
OVERTAKEN, TAKEN_BACK = "later_request", "taken_back"


def pass_on_comment(ticket: Ticket, event: Commented, context: DecisionContext) -> Decision:
    """A comment for staff. If it answers their question, the ticket waits for staff again."""
    told = Send(
        MailKind.COMMENT,
        Audience.STAFF,
        Facts(text=event.text, by=event.by, why=event.why, lines=event.files),
        Purpose.DECISION,
    )
    note = HistoryNote("commented", event.by, event.why)
    if event.acts and ticket.asked and ticket.open_items:
        again = with_state(replace(ticket, asked=False))
        return Decision(again, (told, Unschedule(CUSTOMER_TIMERS), staff_timer(context)), (note,))
    if event.acts and ticket.asked and ticket.is_question:
        return Decision(with_state(replace(ticket, asked=False)), (told, staff_timer(context)), (note,))
    return Decision(ticket, (told,), (note,))


def withdraw(ticket: Ticket, event: Withdrawn, context: DecisionContext) -> Decision:
    """The customer withdraws what is not applied; scheduled changes are withdrawn from the ledger too."""
    scheduled = any(i.status is ItemStatus.SCHEDULED for i in ticket.items)
    items = tuple(i.over(ItemStatus.CANCELLED) if i.status in PENDING else i for i in ticket.items)
    applied = any(i.status is ItemStatus.APPLIED for i in items)
    ending = ticket.ending if applied else Ending.CANCELLED
    ticket = replace(ticket, items=items, ending=ending, problems=(), token_doubt=False, asked=False, released=True)
    ticket = with_state(ticket)
    effects: tuple[Effect, ...] = ()
    if scheduled and ticket.token:
        licence = context.ledger.licence(ticket.token)
        for token in (ticket.token, licence.replaced_by if licence else None):  # its token may have changed since
            if token:
                effects += (
                    ChangeLicence(
                        token, context.today, "withdrawn", {"withdraws": ticket.ref}, "withdrawn", "customer"
                    ),
                )
    effects += (
        Send(MailKind.CANCELLED, Audience.CUSTOMER, Facts(why="by_customer")),
        VoidKeys(tuple(Purpose), "cancelled"),
        Unschedule((*CUSTOMER_TIMERS, *STAFF_TIMERS, DueKind.DAY)),
    )
    return Decision(ticket, effects, (HistoryNote("withdrawn", event.by),))


def withdraw_denied(ticket: Ticket, event: Withdrawn, context: DecisionContext) -> Decision:
    """The requester withdraws a request, not knowing that a contact has denied it."""
    effects = (
        Send(MailKind.CANCELLED, ticket.sender, Facts(why="by_customer")),
        VoidKeys(tuple(Purpose), "cancelled"),
        Unschedule(CUSTOMER_TIMERS),
    )
    return Decision(
        with_state(replace(ticket, ending=Ending.CANCELLED)), effects, (HistoryNote("withdrawn", event.by),)
    )


def report_status(ticket: Ticket, event: StatusAsked, context: DecisionContext) -> Decision:
    """The status, to the address that asked."""
    shown = shown_to(Viewer.REQUESTER, ticket)
    purpose = None if shown.final else Purpose.CUSTOMER
    return Decision(ticket, (Send(MailKind.STATUS, event.by, Facts(tickets=(shown,)), purpose),))


def day_came(ticket: Ticket, event: DayCame, context: DecisionContext) -> Decision:
    """Scheduled items whose day has come become applied. The ledger has had their events since they were scheduled.

    An item that a later request set to another value is cancelled; the mail about that request has said so.
    """
    came = [i for i in ticket.items if _is_due(i.status, i.effective, event)]
    if not came:
        return Decision(ticket)
    licence = context.ledger.licence(ticket.token)
    here = licence is not None and licence.status != "replaced"  # scheduled changes moved to the new token with it
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
    notes = (HistoryNote("superseded", "mailbot", ", ".join(sorted(gone))),) if gone else ()
    if not due:
        return Decision(ticket, (), notes)
    mail = Send(MailKind.DONE, Audience.OUTCOME, Facts(items=due, on=event.on))
    return Decision(ticket, (mail,), (*notes, HistoryNote("done", "mailbot", ", ".join(due))))


def reverse_event(ticket: Ticket, event: EventReversed, context: DecisionContext) -> Decision:
    """Cancels items scheduled by the event that an operator reversed; applied items stay as they are."""
    items = tuple(
        i.over(ItemStatus.CANCELLED, TAKEN_BACK)
        if i.item in event.items and i.effective == event.effective and i.status is ItemStatus.SCHEDULED
        else i
        for i in ticket.items
    )
    ticket = with_state(replace(ticket, items=items))
    more = any(i.status is ItemStatus.SCHEDULED for i in items)
    effects = () if more else (Unschedule((DueKind.DAY,)),)
    return Decision(ticket, effects, (HistoryNote("reversed", "operator", ", ".join(event.items)),))


def _is_due(status: ItemStatus | None, effective: object, event: DayCame) -> bool:
    return status is ItemStatus.SCHEDULED and effective is not None and str(effective) <= event.on.isoformat()


def remind_staff(ticket: Ticket, event: StaffReminded, context: DecisionContext) -> Decision:
    """Reminds staff, and schedules the next reminder."""
    if ticket.hold:
        return Decision(ticket)
    mail = Send(MailKind.REMINDER, Audience.DECIDERS, Facts(why="staff"), Purpose.DECISION)
    return Decision(ticket, (mail, staff_timer(context)), (HistoryNote("reminded", "mailbot", "staff"),))


def remind_customer(ticket: Ticket, event: CustomerReminded, context: DecisionContext) -> Decision:
    """Reminds those the ticket waits for, once. A requester in the neutral view is reminded in any case."""
    mails: tuple[Effect, ...] = ()
    if ticket.state is State.WAITING_CONFIRMATION:
        mails = tuple(
            Send(MailKind.CONFIRM_YOU, a, Facts(by=ticket.sender), Purpose.CONFIRM) for a in ticket.challenged
        )
    if ticket.state is not State.WAITING_CONFIRMATION or _told_neutrally(ticket):
        mails += (Send(MailKind.REMINDER, ticket.sender, Facts(why="customer"), Purpose.CUSTOMER),)
    return Decision(ticket, mails, (HistoryNote("reminded", "mailbot", "customer"),))


def remind_denied(ticket: Ticket, event: CustomerReminded, context: DecisionContext) -> Decision:
    """The reminder that the requester would get without a denial."""
    if not _told_neutrally(ticket):
        return Decision(ticket)
    return Decision(ticket, (Send(MailKind.REMINDER, ticket.sender, Facts(why="customer"), Purpose.CUSTOMER),))


def close(ticket: Ticket, event: CustomerSilent, context: DecisionContext) -> Decision:
    """Closes the ticket for lack of an answer and cancels its open items."""
    mails = (Send(MailKind.CLOSED, Audience.CUSTOMER),) if not ticket.neutral or _told_neutrally(ticket) else ()
    items = tuple(i.over(ItemStatus.CANCELLED) if i.open else i for i in ticket.items)
    ticket = with_state(replace(ticket, items=items, ending=Ending.CLOSED))
    effects = (*mails, VoidKeys(tuple(Purpose), "closed"), Unschedule(STAFF_TIMERS + CUSTOMER_TIMERS))
    return Decision(ticket, effects, (HistoryNote("closed", "mailbot"),))


def close_denied(ticket: Ticket, event: CustomerSilent, context: DecisionContext) -> Decision:
    """The closing mail that the requester would get without a denial."""
    mails = (Send(MailKind.CLOSED, ticket.sender),) if _told_neutrally(ticket) else ()
    ticket = with_state(replace(ticket, ending=Ending.DENIED_AND_CLOSED))
    return Decision(ticket, (*mails, VoidKeys(tuple(Purpose), "closed")))


def _told_neutrally(ticket: Ticket) -> bool:
    """Whether a requester in the neutral view gets the reminder and the closing mail.

    Not for requests that staff would decide if the token were unknown: these have no reminder.
    """
    return ticket.neutral and ticket.request not in (RequestKind.REACTIVATE, RequestKind.SHUTTLE)


def report_undelivered(ticket: Ticket, event: Undelivered, context: DecisionContext) -> Decision:
    """Alerts staff that a mail was not delivered."""
    text = f"{event.kind} to {event.recipient}: {event.diagnostic}"
    told = AlertStaff(
        f"undelivered:{ticket.ref}:{event.kind}:{event.recipient}", f"{ticket.ref}: our mail was not delivered: {text}"
    )
    return Decision(ticket, (told,), (HistoryNote("undelivered", "mailbot", text),))


def no_effect(ticket: Ticket, event: object, context: DecisionContext) -> Decision:
    """Nothing happens: the event no longer applies."""
    return Decision(ticket)
