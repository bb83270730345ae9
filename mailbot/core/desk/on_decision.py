"""What staff's decisions do to a ticket. Whether a decision counts at all: ``process.staff_replies``."""

from typing import assert_never

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import INCLUDED, ItemKey
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.effects import Audience, DecisionResult, Effect, Facts, Send, Unschedule, VoidKeys
from mailbot.core.desk.events import (
    AnswerGiven,
    Approved,
    Decision,
    HistoryNote,
    NoteTaken,
    PutOnHold,
    QuestionAsked,
    Rejected,
)
from mailbot.core.desk.grant import grant_items, without_cause
from mailbot.core.desk.licence_changes import Grant
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.on_request import (
    CUSTOMER_TIMERS,
    STAFF_TIMERS,
    customer_timers,
    notes_of_granted,
    outcome_mail,
    plugin_mail,
    staff_timer,
    with_granted,
)
from mailbot.core.desk.ticket import Ending, ItemStatus, Ticket, with_state
from mailbot.core.form.request import Action, RequestKind
from mailbot.core.inbound.decision_word import DecisionWord
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.ledger.invariants import first_broken_invariant
from mailbot.core.ledger.licence import Licence


def approve(ticket: Ticket, event: Approved, context: DecisionContext) -> Decision:
    """Grants items, unless that would break the licence: then nothing changes and the result says why."""
    keys = frozenset(event.items or (i.item for i in ticket.open_items))
    if not keys or not keys <= {i.item for i in ticket.open_items}:
        why = "question" if ticket.is_question else "nothing_open"
        return refuse_line(ticket, event.by, event.read, DecisionWord.APPROVE, why)
    why = _taken(ticket, context) or _blocked(ticket, keys, event, context)
    if why:
        return refuse_line(ticket, event.by, event.read, DecisionWord.APPROVE, why)
    ticket, effects = with_granted(Grant(ticket, context, event.by, event.until), keys)
    result = DecisionResult(
        event.read, True, ticket.ref, DecisionWord.APPROVE, _in_order(ticket, keys), until=event.until
    )
    notes = (HistoryNote("approved", event.by, ", ".join(sorted(keys))), *notes_of_granted(ticket, keys, event.by))
    return _decided(ticket, context, effects + plugin_mail(ticket, keys), notes, result)


def _taken(ticket: Ticket, context: DecisionContext) -> str:
    """A licence moves only to a token that is not in the ledger or to a demo with a contact in common."""
    target = context.ledger.licence(ticket.new_token)
    free = target is None or target.is_demo_of(context.ledger.licence(ticket.token))
    return "" if free else "new_token_taken"


def _blocked(ticket: Ticket, keys: frozenset[ItemKey], event: Approved, context: DecisionContext) -> str:
    if ticket.request in (RequestKind.REACTIVATE, RequestKind.SHUTTLE) and context.ledger.licence(ticket.token) is None:
        return "token_not_in_ledger" if ticket.action is not Action.MODIFY else ""
    why = _out_of_place(ticket, keys, context.ledger.licence(ticket.token))
    if why:
        return why
    if event.until is not None and event.until < context.today:
        return "until_past"
    made = grant_items(Grant(ticket, context, event.by, event.until), keys)
    broken = first_broken_invariant(made.events, context.today, context.catalogue)
    return broken[1] if broken else ""


def _out_of_place(ticket: Ticket, keys: frozenset[ItemKey], licence: Licence | None) -> str:
    """Why the items cannot be granted on the licence as it is by now; "" if they can."""
    status = licence.status if licence else None
    plan = ticket.item(ItemKey.PLAN)
    match ticket.request:
        case RequestKind.REACTIVATE | RequestKind.SHUTTLE:
            return "token_replaced" if status == "replaced" else ""
        case RequestKind.MODIFY | RequestKind.CONTRACT if status != "active":
            return "licence_not_active"
        case RequestKind.MODIFY:
            return "overtaken" if any(item.overtaken for item in ticket.items if item.item in keys) else ""
        case RequestKind.ACTIVATE if plan is not None and plan.status is not ItemStatus.APPLIED:
            if status == "active" or (status == "demo" and ticket.action is Action.DEMO):
                return "token_in_use"
            return "" if ItemKey.PLAN in keys or keys <= INCLUDED else "plan_refused"
        case RequestKind.ACTIVATE | RequestKind.CONTRACT | RequestKind.INFORMATION | RequestKind.UNKNOWN:
            return ""
        case kind:
            assert_never(kind)


def reject(ticket: Ticket, event: Rejected, context: DecisionContext) -> Decision:
    """Refuses items with a reason. A refused billing frequency of an active plan is asked for again."""
    if ticket.is_question:
        ticket = with_state(replace(ticket, ending=Ending.REJECTED))
        result = DecisionResult(event.read, True, ticket.ref, DecisionWord.REJECT, sent=event.reason)
        mail = Send(MailKind.ANSWER, Audience.CUSTOMER, Facts(text=event.reason))
        return Decision(ticket, (mail, *_ended()), (HistoryNote("rejected", event.by, event.reason),), result)
    keys = frozenset(event.items or (i.item for i in ticket.open_items))
    if not keys or not keys <= {i.item for i in ticket.open_items}:
        return refuse_line(ticket, event.by, event.read, DecisionWord.REJECT, "nothing_open")
    if ticket.request is RequestKind.ACTIVATE and ItemKey.BILLING in keys and _plan_stands(ticket, keys):
        return _another_billing(ticket, event, keys, context)
    items = tuple(i.over(ItemStatus.REFUSED, event.reason) if i.item in keys else i for i in ticket.items)
    ticket = replace(ticket, items=without_cause(items))
    result = DecisionResult(
        event.read, True, ticket.ref, DecisionWord.REJECT, _in_order(ticket, keys), sent=event.reason
    )
    note = HistoryNote("rejected", event.by, f"{', '.join(sorted(keys))}: {event.reason}")
    return _decided(ticket, context, (), (note,), result)


def _in_order(ticket: Ticket, keys: frozenset[ItemKey]) -> tuple[ItemKey, ...]:
    """The items in the order in which mails list them."""
    return tuple(item.item for item in ticket.items if item.item in keys)


def _plan_stands(ticket: Ticket, keys: frozenset[ItemKey]) -> bool:
    plan = ticket.item(ItemKey.PLAN)
    return plan is not None and plan.status is not ItemStatus.REFUSED and ItemKey.PLAN not in keys


def _another_billing(ticket: Ticket, event: Rejected, keys: frozenset[ItemKey], context: DecisionContext) -> Decision:
    """An active licence needs a billing frequency: the item stays open until the customer names another."""
    others = keys - {ItemKey.BILLING}
    items = tuple(i.over(ItemStatus.REFUSED, event.reason) if i.item in others else i for i in ticket.items)
    items = tuple(replace(i, reason=event.reason) if i.item == ItemKey.BILLING else i for i in items)
    ticket = with_state(replace(ticket, items=items, asked=True, neutral=False))
    result = DecisionResult(
        event.read, True, ticket.ref, DecisionWord.REJECT, _in_order(ticket, keys), sent=event.reason
    )
    ask = Send(MailKind.QUESTION, Audience.CUSTOMER, Facts(text=event.reason, why="billing"), Purpose.CUSTOMER)
    note = HistoryNote("rejected", event.by, f"{', '.join(sorted(keys))}: {event.reason}")
    return Decision(ticket, (ask, Unschedule(STAFF_TIMERS), *customer_timers(context)), (note,), result)


def _decided(
    ticket: Ticket,
    context: DecisionContext,
    effects: tuple[Effect, ...],
    notes: tuple[HistoryNote, ...],
    result: DecisionResult,
) -> Decision:
    """After a decision: the outcome if it was the last one, else the other items go on waiting."""
    ticket = with_state(replace(ticket, neutral=False))
    if ticket.open_items:
        return Decision(ticket, (*effects, Unschedule(STAFF_TIMERS), staff_timer(context)), notes, result)
    ticket = with_state(replace(ticket, asked=False))
    return Decision(ticket, (outcome_mail(ticket), *effects, *_ended()), notes, result)


def _ended() -> tuple[VoidKeys, Unschedule]:
    return (
        VoidKeys((Purpose.DECISION, Purpose.CONFIRM_DECISION), "decided"),
        Unschedule(STAFF_TIMERS + CUSTOMER_TIMERS),
    )


def refuse_line(ticket: Ticket, by: str, read: str, word: DecisionWord, why: str) -> Decision:
    """Changes nothing; the result says why."""
    return Decision(
        ticket, (), (HistoryNote("not_understood", by, why),), DecisionResult(read, False, ticket.ref, word, why=why)
    )


def too_late(ticket: Ticket, event: Approved | Rejected, context: DecisionContext) -> Decision:
    """A decision that comes after another."""
    return refuse_line(ticket, event.by, event.read, _word(event), "decided")


def too_early(ticket: Ticket, event: Approved | Rejected, context: DecisionContext) -> Decision:
    """A decision about a request that is not confirmed yet."""
    return refuse_line(ticket, event.by, event.read, _word(event), "not_confirmed")


def _word(event: Approved | Rejected) -> DecisionWord:
    return DecisionWord.APPROVE if isinstance(event, Approved) else DecisionWord.REJECT


def ask_customer(ticket: Ticket, event: QuestionAsked, context: DecisionContext) -> Decision:
    """Asks the customer something; items stay open and keys valid."""
    ticket = with_state(replace(ticket, asked=True, neutral=False))
    mail = Send(MailKind.QUESTION, Audience.CUSTOMER, Facts(text=event.text), Purpose.CUSTOMER)
    effects: tuple[Effect, ...] = (mail, Unschedule(STAFF_TIMERS), *customer_timers(context))
    result = DecisionResult(event.read, True, ticket.ref, DecisionWord.ASK, sent=event.text)
    return Decision(ticket, effects, (HistoryNote("asked", event.by, event.text),), result)


def answer(ticket: Ticket, event: AnswerGiven, context: DecisionContext) -> Decision:
    """Writes to the customer. A ticket that is a question is done with it."""
    result = DecisionResult(event.read, True, ticket.ref, DecisionWord.ANSWER, sent=event.text)
    note = HistoryNote("answered", event.by, event.text)
    if ticket.is_question and not ticket.final:
        ticket = with_state(replace(ticket, ending=Ending.ANSWERED, asked=False))
        mail = Send(MailKind.ANSWER, Audience.CUSTOMER, Facts(text=event.text))
        return Decision(ticket, (mail, *_ended()), (note,), result)
    purpose = None if ticket.final else Purpose.CUSTOMER
    return Decision(
        ticket, (Send(MailKind.ANSWER, Audience.CUSTOMER, Facts(text=event.text), purpose),), (note,), result
    )


def take_note(ticket: Ticket, event: NoteTaken, context: DecisionContext) -> Decision:
    """Adds a note to the history."""
    return Decision(
        ticket,
        (),
        (HistoryNote("noted", event.by, event.text),),
        DecisionResult(event.read, True, ticket.ref, DecisionWord.NOTE),
    )


def answer_final_ticket(ticket: Ticket, event: QuestionAsked, context: DecisionContext) -> Decision:
    """Sends a question about a final ticket to the customer; the ticket stays final."""
    return answer(ticket, AnswerGiven(event.by, event.read, event.text), context)


def hold_final_ticket(ticket: Ticket, event: PutOnHold, context: DecisionContext) -> Decision:
    """A final ticket has no reminders to stop."""
    return refuse_line(ticket, event.by, event.read, DecisionWord.HOLD, "decided")


def hold(ticket: Ticket, event: PutOnHold, context: DecisionContext) -> Decision:
    """Stops reminders until the ticket changes."""
    held = replace(ticket, hold=True)
    return Decision(
        held,
        (Unschedule(STAFF_TIMERS),),
        (HistoryNote("held", event.by),),
        DecisionResult(event.read, True, ticket.ref, DecisionWord.HOLD),
    )
