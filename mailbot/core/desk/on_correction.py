"""Corrected lines on a ticket: what is open is asked for anew, what is decided stays."""

from mailbot.core.base.frozen import replace
from mailbot.core.desk.context import Scene
from mailbot.core.desk.effects import Audience, Facts, Send, Unschedule, VoidKeys
from mailbot.core.desk.events import Changed, Decision, Judged, Note
from mailbot.core.desk.grant import renewed
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.on_request import (
    CUSTOMER_TIMERS,
    STAFF_TIMERS,
    customer_timers,
    go_on,
    incomplete,
    neutral,
    with_form,
)
from mailbot.core.desk.ticket import Item, Ticket
from mailbot.core.form.fields import FIELDS
from mailbot.core.form.gathering import PROSE
from mailbot.core.form.which_form import TWICE
from mailbot.core.inbound.purpose import Purpose


def change(ticket: Ticket, event: Changed, scene: Scene) -> Decision:
    """A corrected form: open items are asked for anew, what is decided stays as it is."""
    kept = tuple(item for item in ticket.items if not item.open)
    decided = {item.item for item in kept}
    after = with_form(ticket, event.judged)
    licence = scene.ledger.licence(after.token)  # as it is, with what this ticket changed already
    after = replace(after, licence_revision=licence.bound_revision if licence else 0)
    items = kept + tuple(item for item in after.items if item.item not in decided)
    after = replace(after, items=tuple(sorted(items, key=lambda item: item.item.place)))
    if _asks_the_same(ticket, after):  # the date of a request is that of its items
        before = replace(after, items=ticket.items, received_at=ticket.received_at)
        after = renewed(before, scene)
    changed = _changed(ticket, after.items, event.judged)
    after = replace(after, version=ticket.version + 1)
    void = VoidKeys((Purpose.DECISION, Purpose.AGAIN, Purpose.CONFIRM), "changed")
    notes = (Note("changed", event.by, ", ".join(changed)),)
    shown = Facts(changed=changed if ticket.items else (), replaced=_replaced(ticket, event.judged))
    return go_on(after, event.judged, scene, notes, (void, Unschedule(CUSTOMER_TIMERS + STAFF_TIMERS)), shown)


def _asks_the_same(before: Ticket, after: Ticket) -> bool:
    """Whether a correction of a valid request leaves what is asked for as it was."""
    if before.problems or after.problems:
        return False
    one, other = (
        (t.request, t.action, t.token, t.new_token, [(item.item, item.to) for item in t.items]) for t in (before, after)
    )
    return one == other


def _replaced(ticket: Ticket, judged: Judged) -> tuple[tuple[str, str, str], ...]:
    """Field by field what a correction replaced: what was stored and what is stored now, "" for nothing."""
    before, after = ticket.fields, judged.fields
    keys = [key for key in {**before, **after} if key in FIELDS and before.get(key) != after.get(key)]
    return tuple((key, _said(before.get(key)), _said(after.get(key))) for key in keys)


def _said(value: str | None) -> str:
    return " ".join((value or "").replace(TWICE, " / ").split())


def _changed(ticket: Ticket, items: tuple[Item, ...], judged: Judged) -> tuple[str, ...]:
    """The items and fields that differ from what was asked before; words beside the form are comments."""
    fields = [
        "comments" if key == PROSE else key for key in judged.fields if judged.fields[key] != ticket.fields.get(key)
    ]
    fields += ["log"] if judged.log_mails != ticket.log_mails else []
    if not ticket.items:
        return tuple(dict.fromkeys(fields))
    before = {item.item: item.to for item in ticket.items}
    after = {item.item: item.to for item in items}
    differing = [key for key in {**before, **after} if before.get(key) != after.get(key) or key not in before]
    return tuple(dict.fromkeys([*differing, *fields]))


def change_denied(ticket: Ticket, event: Changed, scene: Scene) -> Decision:
    """Corrected lines on what a contact refused: staff read them, the requester hears what he would hear without that."""
    faults = tuple(problem for problem in event.judged.problems if not problem.from_ledger)
    shown = Facts(replaced=_replaced(ticket, event.judged))
    after = with_form(ticket, event.judged)
    ticket = replace(after, state=ticket.state, items=ticket.items, problems=faults, neutral=True)
    told = Send(
        MailKind.COMMENT, Audience.STAFF, Facts(text=event.text, by=event.by, why="final_ticket"), Purpose.DECISION
    )
    effects, notes = (Unschedule(CUSTOMER_TIMERS), told), (Note("commented", event.by, "final_ticket"),)
    if faults:
        return incomplete(ticket, event.judged, scene, notes, effects, shown)
    return Decision(ticket, (*effects, neutral(ticket), *customer_timers(scene)), notes)
