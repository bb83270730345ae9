"""What a mail says about its ticket, as far as its reader may see it (see ``readership``)."""

from mailbot.core.base.address import same_address
from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import ItemKey, ItemKind
from mailbot.core.desk.ticket import GRANTED, Item, ItemStatus, Route, State, Ticket
from mailbot.core.form import blank_form
from mailbot.core.form.fields import field_label
from mailbot.core.form.problem import Problem
from mailbot.core.form.request import RequestKind
from mailbot.core.ledger.licence import Licence
from mailbot.core.ledger.period import decrease_day, next_period
from mailbot.core.outbound.draft import Draft
from mailbot.core.outbound.text_layout import quoted_lines
from mailbot.core.outbound.view_records import Rows, StaffView, TicketView
from mailbot.core.outbound.words.item_rows import BillingDays, item_groups, title, told_state
from mailbot.core.outbound.words.licence_rows import history, log_view, requester, terms
from mailbot.core.outbound.words.phrases import Phrases
from mailbot.core.outbound.words.sentences import problem_sentence

#: Granted items, even where the licence server has not answered yet.
_PROMISED = (*GRANTED, ItemStatus.APPLYING)
#: Characters of a corrected value that are shown.
_SHOWN = 120
#: The dates of a licence that lie ahead.
_DATES = ("demo_ends", "expires_on", "renews_on")


def ticket_view(draft: Draft, ticket: Ticket, phrases: Phrases) -> TicketView:
    """The view of the draft's ticket, every text in which is harmless already, as the reader may see it."""
    reader, facts = draft.reader, draft.send.facts
    sight = reader.sees(ticket)
    ticket = sight.ticket
    if sight.neutral:
        draft = replace(draft, licence=None)
    reads = sight.licence_data
    due = tuple(item for item in sight.items if item.item in facts.items)
    days = _billing_days(draft, ticket)
    current = draft.new_licence if draft.new_licence and _moved(ticket) else draft.licence
    return TicketView(
        ref=ticket.ref,
        request=ticket.request,
        action=ticket.action or "",
        title=title(ticket, phrases),
        state=told_state(ticket, reader, phrases),
        customer=ticket.customer_name or ticket.sender,
        sender=ticket.sender,
        requested_by="" if same_address(reader.address, ticket.sender) else ticket.sender,
        token=ticket.token or "",
        token_start=(ticket.token or "")[:4],
        new_token=ticket.new_token or "",
        question=quoted_lines(ticket.question or "", fields=reader.staff),
        is_question=ticket.is_question,
        awaits_decision=ticket.waits,
        awaits_answer=ticket.asked,
        is_applying=ticket.state is State.APPLYING,
        partly_granted=any(item.status in GRANTED for item in ticket.items),
        token_doubt=ticket.token_doubt,
        activated=_activated(ticket),
        has_ai=any(_is_ai(item, phrases) for item in ticket.items),
        ending=ending(ticket),
        opening=_opening(ticket, reads, phrases),
        items=item_groups(sight.items, reads, facts.changed, days, phrases),
        due_names=phrases.listed(phrases.item(item.item) for item in due),
        due_items=item_groups(due, reads, (), days, phrases),
        dates=terms(current, phrases, only=_DATES) if current and reads else (),
        problems=tuple((field_label(p.field), _problem(p, told, draft, phrases)) for p, told in sight.problems),
        lacks_fields=any(problem.field != "log" for problem in ticket.problems),
        correction=blank_form.correction_lines(ticket.problems),
        replaced=() if facts.quiet or (not reads and not ticket.problems) else _replaced(draft, phrases),
        send_instead=ticket.diagnosis.send_instead if ticket.diagnosis else (),
        challenge=_challenge(draft, ticket),
        staff=_staff_view(draft, ticket, phrases) if reader.staff else None,
    )


def _staff_view(draft: Draft, ticket: Ticket, phrases: Phrases) -> StaffView:
    licence, new_licence = draft.licence, draft.new_licence
    return StaffView(
        requester=requester(ticket, phrases),
        comments=quoted_lines(ticket.comments or "", fields=True),
        description=quoted_lines(ticket.description or "", fields=True),
        log=log_view(ticket.diagnosis, phrases) if ticket.diagnosis else None,
        licence=terms(licence, phrases) if licence else (),
        new_licence=terms(new_licence, phrases) if new_licence else (),
        history=history(licence, phrases) if licence else (),
    )


def _billing_days(draft: Draft, ticket: Ticket) -> BillingDays:
    """The days of the billing sentences; the next period is unknown where the billing frequency is about to change."""
    licence = draft.licence
    asked_on = ticket.received_at.astimezone(draft.letterhead.zone).date()
    if licence is None or ticket.item(ItemKey.BILLING) or _billing_changes(licence):
        return BillingDays(asked_on, ticket.activated_on)
    lower = next_period(licence.billing, licence.renewal, decrease_day(asked_on))
    return BillingDays(asked_on, ticket.activated_on, lower)


def _billing_changes(licence: Licence) -> bool:
    return any(line.item in ("billing", "renews_on", "status") for line in licence.scheduled)


def ending(ticket: Ticket) -> str:
    """How the items ended.

    ``applied``, ``scheduled``, ``mixed`` (some applied, some scheduled), ``partly`` (some granted, some refused),
    ``refused``, ``cancelled``, or ``open``. Implied items count only where there are no others.
    """
    statuses = {item.status for item in ticket.items if item.route is not Route.IMPLIED} or {
        i.status for i in ticket.items
    }
    granted, refused = statuses & set(_PROMISED), ItemStatus.REFUSED in statuses
    if statuses & {None, ItemStatus.WAITING_STAFF} or not statuses:
        return "open"
    if refused:
        return "partly" if granted else "refused"
    if not granted:
        return "cancelled"
    if granted == {ItemStatus.SCHEDULED}:
        return "scheduled"
    return "mixed" if ItemStatus.SCHEDULED in granted else "applied"


def _opening(ticket: Ticket, reads: bool, phrases: Phrases) -> str:
    """The first sentence of an outcome: one of the request's own where there is one, else that of its ending."""
    found = ending(ticket)
    if not reads:
        return phrases.say(f"outcome_private.{found}")
    own = f"outcome.{ticket.request}_{ticket.action}_{found}"
    return phrases.say(own if phrases.has(own) else f"outcome.{found}", ref=ticket.ref)


def _replaced(draft: Draft, phrases: Phrases) -> Rows:
    """What a correction replaced: (field, "before -> now")."""
    nothing = phrases.say("none")

    def shown(text: str) -> str:
        return nothing if not text else text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."

    replaced = draft.send.facts.replaced
    return tuple((field_label(key), f"{shown(before)} -> {shown(now)}") for key, before, now in replaced)


def _problem(problem: Problem, told: bool, draft: Draft, phrases: Phrases) -> str:
    if not told:
        return phrases.say("problem.private")
    return problem_sentence(problem, phrases.words, quiet=draft.send.facts.quiet)


def _challenge(draft: Draft, ticket: Ticket) -> str:
    """What the reader is asked to confirm: an address, a question, their own request, or another person's."""
    if draft.send.facts.why == "email":
        return "email"
    if ticket.is_question:
        return "question"
    if not same_address(draft.reader.address, ticket.sender):
        return "contact"
    return "himself" if draft.reader.licences else "new"


def _activated(ticket: Ticket) -> bool:
    """Whether the ticket has given the customer a licence that can now be applied on the server."""
    plan = ticket.item(ItemKey.PLAN)
    return ticket.request is RequestKind.ACTIVATE and plan is not None and plan.status is ItemStatus.APPLIED


def _moved(ticket: Ticket) -> bool:
    token = ticket.item(ItemKey.TOKEN)
    return token is not None and token.status is ItemStatus.APPLIED


def _is_ai(item: Item, phrases: Phrases) -> bool:
    """Whether the item is a granted add-on that is billed by usage too."""
    addon = phrases.catalogue.addons.get(item.item.key) if item.item.kind is ItemKind.ADDON else None
    return bool(addon and addon.ai and item.to and item.status in _PROMISED)
