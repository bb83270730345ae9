"""What staff's decisions do to a ticket. Whether a decision may count at all is settled before: see ``replies``."""

from typing import assert_never

from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import ItemKey
from mailbot.core.desk.context import Scene
from mailbot.core.desk.effects import Audience, Effect, Facts, Result, Send, Unschedule, VoidKeys
from mailbot.core.desk.events import Answers, Approved, Asks, Decision, Holds, Note, Notes, Rejected
from mailbot.core.desk.grant import SILENT, grant, without_cause
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.on_request import (
    CUSTOMER_TIMERS,
    STAFF_TIMERS,
    customer_timers,
    granted,
    granted_notes,
    outcome,
    plugin_mail,
    staff_timer,
)
from mailbot.core.desk.ticket import Ending, ItemStatus, Ticket, with_state
from mailbot.core.form.request_kinds import Action, RequestKind
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.ledger.invariants import first_broken_invariant
from mailbot.core.ledger.licence import Licence


def approve(ticket: Ticket, event: Approved, scene: Scene) -> Decision:
    """Grant items, unless the licence must not become like that: then nothing changes and the reason is told."""
    keys = frozenset(event.items or (i.item for i in ticket.open_items))
    if not keys or not keys <= {i.item for i in ticket.open_items}:
        why = "question" if ticket.is_question else "nothing_open"
        return refuse_line(ticket, event.by, event.read, "APPROVE", why)
    why = _taken(ticket, scene) or _blocked(ticket, keys, event, scene)
    if why:
        return refuse_line(ticket, event.by, event.read, "APPROVE", why)
    ticket, effects = granted(ticket, keys, scene, event.by, event.until)
    result = Result(event.read, True, ticket.ref, "APPROVE", _in_order(ticket, keys), until=event.until)
    notes = (Note("approved", event.by, ", ".join(sorted(keys))), *granted_notes(ticket, keys, event.by))
    return _decided(ticket, scene, effects + plugin_mail(ticket, keys), notes, result)


def _taken(ticket: Ticket, scene: Scene) -> str:
    """A licence moves only to an unknown token or to a demo of the mover's own."""
    target = scene.ledger.licence(ticket.new_token)
    free = target is None or target.is_demo_of(scene.ledger.licence(ticket.token))
    return "" if free else "new_token_taken"


def _blocked(ticket: Ticket, keys: frozenset[ItemKey], event: Approved, scene: Scene) -> str:
    if ticket.request in (RequestKind.REACTIVATE, RequestKind.SHUTTLE) and scene.ledger.licence(ticket.token) is None:
        return "token_not_in_ledger" if ticket.action is not Action.MODIFY else ""
    why = _out_of_place(ticket, keys, scene.ledger.licence(ticket.token))
    if why:
        return why
    if event.until is not None and event.until < scene.today:
        return "until_past"
    made = grant(ticket, keys, scene, event.by, event.until)
    broken = first_broken_invariant(made.events, scene.today, scene.catalogue)
    return broken[1] if broken else ""


def _out_of_place(ticket: Ticket, keys: frozenset[ItemKey], licence: Licence | None) -> str:
    """Why the licence, as it came to be while the ticket waited, is none that these items can be granted on."""
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
            return "" if ItemKey.PLAN in keys or keys <= SILENT else "plan_refused"
        case RequestKind.ACTIVATE | RequestKind.CONTRACT | RequestKind.INFORMATION | RequestKind.UNKNOWN:
            return ""
        case kind:
            assert_never(kind)


def reject(ticket: Ticket, event: Rejected, scene: Scene) -> Decision:
    """Refuse items with a reason for the customer; without a way of billing the customer is asked for another choice."""
    if ticket.is_question:
        ticket = with_state(replace(ticket, ending=Ending.REJECTED))
        result = Result(event.read, True, ticket.ref, "REJECT", sent=event.reason)
        mail = Send(MailKind.ANSWER, Audience.CUSTOMER, Facts(text=event.reason))
        return Decision(ticket, (mail, *_ended()), (Note("rejected", event.by, event.reason),), result)
    keys = frozenset(event.items or (i.item for i in ticket.open_items))
    if not keys or not keys <= {i.item for i in ticket.open_items}:
        return refuse_line(ticket, event.by, event.read, "REJECT", "nothing_open")
    if ticket.request is RequestKind.ACTIVATE and ItemKey.BILLING in keys and _plan_stands(ticket, keys):
        return _another_billing(ticket, event, keys, scene)
    items = tuple(i.over(ItemStatus.REFUSED, event.reason) if i.item in keys else i for i in ticket.items)
    ticket = replace(ticket, items=without_cause(items))
    result = Result(event.read, True, ticket.ref, "REJECT", _in_order(ticket, keys), sent=event.reason)
    note = Note("rejected", event.by, f"{', '.join(sorted(keys))}: {event.reason}")
    return _decided(ticket, scene, (), (note,), result)


def _in_order(ticket: Ticket, keys: frozenset[ItemKey]) -> tuple[ItemKey, ...]:
    """The items as the mails about the ticket list them."""
    return tuple(item.item for item in ticket.items if item.item in keys)


def _plan_stands(ticket: Ticket, keys: frozenset[ItemKey]) -> bool:
    plan = ticket.item(ItemKey.PLAN)
    return plan is not None and plan.status is not ItemStatus.REFUSED and ItemKey.PLAN not in keys


def _another_billing(ticket: Ticket, event: Rejected, keys: frozenset[ItemKey], scene: Scene) -> Decision:
    """A running licence must be billed somehow: the refused choice stays open until the customer names another."""
    others = keys - {ItemKey.BILLING}
    items = tuple(i.over(ItemStatus.REFUSED, event.reason) if i.item in others else i for i in ticket.items)
    items = tuple(replace(i, reason=event.reason) if i.item == ItemKey.BILLING else i for i in items)
    ticket = with_state(replace(ticket, items=items, asked=True, neutral=False))
    result = Result(event.read, True, ticket.ref, "REJECT", _in_order(ticket, keys), sent=event.reason)
    ask = Send(MailKind.QUESTION, Audience.CUSTOMER, Facts(text=event.reason, why="billing"), Purpose.CUSTOMER)
    note = Note("rejected", event.by, f"{', '.join(sorted(keys))}: {event.reason}")
    return Decision(ticket, (ask, Unschedule(STAFF_TIMERS), *customer_timers(scene)), (note,), result)


def _decided(
    ticket: Ticket, scene: Scene, effects: tuple[Effect, ...], notes: tuple[Note, ...], result: Result
) -> Decision:
    """After a decision: the outcome when it was the last one, else the rest goes on waiting."""
    ticket = with_state(replace(ticket, neutral=False))
    if ticket.open_items:
        return Decision(ticket, (*effects, Unschedule(STAFF_TIMERS), staff_timer(scene)), notes, result)
    ticket = with_state(replace(ticket, asked=False))
    return Decision(ticket, (outcome(ticket), *effects, *_ended()), notes, result)


def _ended() -> tuple[VoidKeys, Unschedule]:
    return (VoidKeys((Purpose.DECISION, Purpose.AGAIN), "decided"), Unschedule(STAFF_TIMERS + CUSTOMER_TIMERS))


def refuse_line(ticket: Ticket, by: str, read: str, word: str, why: str) -> Decision:
    """A decision line that changes nothing, with the reason."""
    return Decision(ticket, (), (Note("not_understood", by, why),), Result(read, False, ticket.ref, word, why=why))


def late(ticket: Ticket, event: Approved | Rejected, scene: Scene) -> Decision:
    """A decision about what is decided already."""
    return refuse_line(ticket, event.by, event.read, _word(event), "decided")


def early(ticket: Ticket, event: Approved | Rejected, scene: Scene) -> Decision:
    """A decision about what nobody who may has asked for yet."""
    return refuse_line(ticket, event.by, event.read, _word(event), "not_confirmed")


def _word(event: Approved | Rejected) -> str:
    return "APPROVE" if isinstance(event, Approved) else "REJECT"


def ask(ticket: Ticket, event: Asks, scene: Scene) -> Decision:
    """A question to the customer; items and keys stay alive meanwhile."""
    ticket = with_state(replace(ticket, asked=True, neutral=False))
    mail = Send(MailKind.QUESTION, Audience.CUSTOMER, Facts(text=event.text), Purpose.CUSTOMER)
    effects: tuple[Effect, ...] = (mail, Unschedule(STAFF_TIMERS), *customer_timers(scene))
    result = Result(event.read, True, ticket.ref, "ASK", sent=event.text)
    return Decision(ticket, effects, (Note("asked", event.by, event.text),), result)


def answer(ticket: Ticket, event: Answers, scene: Scene) -> Decision:
    """Words for the customer; a question is done with them."""
    result = Result(event.read, True, ticket.ref, "ANSWER", sent=event.text)
    note = Note("answered", event.by, event.text)
    if ticket.is_question and not ticket.final:
        ticket = with_state(replace(ticket, ending=Ending.ANSWERED, asked=False))
        mail = Send(MailKind.ANSWER, Audience.CUSTOMER, Facts(text=event.text))
        return Decision(ticket, (mail, *_ended()), (note,), result)
    purpose = None if ticket.final else Purpose.CUSTOMER
    return Decision(
        ticket, (Send(MailKind.ANSWER, Audience.CUSTOMER, Facts(text=event.text), purpose),), (note,), result
    )


def note(ticket: Ticket, event: Notes, scene: Scene) -> Decision:
    """Words for the history only."""
    return Decision(ticket, (), (Note("noted", event.by, event.text),), Result(event.read, True, ticket.ref, "NOTE"))


def say(ticket: Ticket, event: Asks, scene: Scene) -> Decision:
    """A question on a ticket that is over: passed on as it is, without opening the ticket again."""
    return answer(ticket, Answers(event.by, event.read, event.text), scene)


def hold_of_final(ticket: Ticket, event: Holds, scene: Scene) -> Decision:
    """A ticket that is over has no reminders to hold."""
    return refuse_line(ticket, event.by, event.read, "HOLD", "decided")


def hold(ticket: Ticket, event: Holds, scene: Scene) -> Decision:
    """No reminders until the ticket changes."""
    held = replace(ticket, hold=True)
    return Decision(
        held, (Unschedule(STAFF_TIMERS),), (Note("held", event.by),), Result(event.read, True, ticket.ref, "HOLD")
    )
