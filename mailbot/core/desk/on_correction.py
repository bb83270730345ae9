"""How a correction changes a ticket: open items are requested again, decided ones stay."""

from mailbot.core.base.frozen import replace
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.effects import Audience, Facts, Send, Unschedule, VoidKeys
from mailbot.core.desk.events import Changed, Decision, HistoryNote, JudgedForm
from mailbot.core.desk.grant import refreshed
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.on_request import (
    CUSTOMER_TIMERS,
    STAFF_TIMERS,
    customer_timers,
    incomplete,
    neutral_mail,
    proceed,
    with_form,
)
from mailbot.core.desk.ticket import Item, Ticket
from mailbot.core.form.fields import FIELDS
from mailbot.core.form.request import PROSE_KEY, VALUE_SEPARATOR
from mailbot.core.inbound.purpose import Purpose


def correct(ticket: Ticket, event: Changed, context: DecisionContext) -> Decision:
    """A corrected form: open items are requested again, decided ones stay."""
    kept = tuple(item for item in ticket.items if not item.open)
    decided = {item.item for item in kept}
    after = with_form(ticket, event.judged)
    licence = context.ledger.licence(after.token)  # includes what this ticket has changed already
    after = replace(after, licence_revision=licence.bound_revision if licence else 0)
    items = kept + tuple(item for item in after.items if item.item not in decided)
    after = replace(after, items=tuple(sorted(items, key=lambda item: item.item.place)))
    if _asks_the_same(ticket, after):  # the date of the request stays while its items do
        before = replace(after, items=ticket.items, received_at=ticket.received_at)
        after = refreshed(before, context)
    changed = _changed(ticket, after.items, event.judged)
    after = replace(after, version=ticket.version + 1)
    void = VoidKeys((Purpose.DECISION, Purpose.CONFIRM_DECISION, Purpose.CONFIRM), "changed")
    notes = (HistoryNote("changed", event.by, ", ".join(changed)),)
    shown = Facts(changed=changed if ticket.items else (), replaced=_replaced(ticket, event.judged))
    return proceed(after, event.judged, context, notes, (void, Unschedule(CUSTOMER_TIMERS + STAFF_TIMERS)), shown)


def _asks_the_same(before: Ticket, after: Ticket) -> bool:
    """Whether a correction of a valid request requests the same items."""
    if before.problems or after.problems:
        return False
    one, other = (
        (t.request, t.action, t.token, t.new_token, [(item.item, item.to) for item in t.items]) for t in (before, after)
    )
    return one == other


def _replaced(ticket: Ticket, judged: JudgedForm) -> tuple[tuple[str, str, str], ...]:
    """For each field that the correction replaced: key, old and new value ("" for none)."""
    before, after = ticket.fields, judged.form.fields
    keys = [key for key in {**before, **after} if key in FIELDS and before.get(key) != after.get(key)]
    return tuple((key, _said(before.get(key)), _said(after.get(key))) for key in keys)


def _said(value: str | None) -> str:
    return " ".join((value or "").replace(VALUE_SEPARATOR, " / ").split())


def _changed(ticket: Ticket, items: tuple[Item, ...], judged: JudgedForm) -> tuple[str, ...]:
    """The items and fields that differ from before. Text around the form counts as comments."""
    fields = [
        "comments" if key == PROSE_KEY else key
        for key in judged.form.fields
        if judged.form.fields[key] != ticket.fields.get(key)
    ]
    fields += ["log"] if judged.form.log_mails != ticket.log_mails else []
    if not ticket.items:
        return tuple(dict.fromkeys(fields))
    before = {item.item: item.to for item in ticket.items}
    after = {item.item: item.to for item in items}
    differing = [key for key in {**before, **after} if before.get(key) != after.get(key) or key not in before]
    return tuple(dict.fromkeys([*differing, *fields]))


def correct_denied(ticket: Ticket, event: Changed, context: DecisionContext) -> Decision:
    """A correction of a denied request: a comment for staff; the requester gets the answer as if nobody had denied it."""
    faults = tuple(problem for problem in event.judged.form.problems if not problem.from_ledger)
    shown = Facts(replaced=_replaced(ticket, event.judged))
    after = with_form(ticket, event.judged)
    ticket = replace(after, state=ticket.state, items=ticket.items, problems=faults, neutral=True)
    told = Send(
        MailKind.COMMENT, Audience.STAFF, Facts(text=event.text, by=event.by, why="final_ticket"), Purpose.DECISION
    )
    effects, notes = (Unschedule(CUSTOMER_TIMERS), told), (HistoryNote("commented", event.by, "final_ticket"),)
    if faults:
        return incomplete(ticket, event.judged, context, notes, effects, shown)
    return Decision(ticket, (*effects, neutral_mail(ticket), *customer_timers(context)), notes)
