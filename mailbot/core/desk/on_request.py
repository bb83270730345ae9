"""How a form enters a ticket: opened, confirmed, denied, granted at once. Corrections: ``desk.on_correction``."""

from datetime import timedelta

from mailbot.core.base.address import matches_pattern, same_address
from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import ItemKey, ItemKind
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.effects import (
    AddContact,
    Audience,
    DueKind,
    Effect,
    Facts,
    MarkKnown,
    MovePeople,
    Schedule,
    Send,
    SetName,
    Unschedule,
    VoidKeys,
)
from mailbot.core.desk.events import Confirmed, Decision, Denied, EmailConfirmed, HistoryNote, JudgedForm, Opened
from mailbot.core.desk.grant import grant_items
from mailbot.core.desk.licence_changes import Grant
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import GRANTED, Ending, Item, ItemStatus, Route, Ticket, with_state
from mailbot.core.form.request import Action, RequestKind
from mailbot.core.inbound.purpose import Purpose

#: Due things of a ticket that waits for its customer, and of one that waits for staff.
CUSTOMER_TIMERS = (DueKind.CUSTOMER_REMINDER, DueKind.CLOSE)
STAFF_TIMERS = (DueKind.STAFF_REMINDER,)


def with_form(ticket: Ticket, judged: JudgedForm) -> Ticket:
    """The ticket with everything that the form says; nothing is decided yet."""
    form, stands = judged.form, judged.standing
    request = form.request
    return replace(
        ticket,
        request=request.request,
        action=request.action,
        product=request.product,
        token=request.token or request.old_token,
        new_token=request.new_token or request.motion_token,
        customer_name=request.customer_name,
        customer_email=request.customer_email or ticket.sender,
        comments=request.comments,
        reason=request.reason,
        question=request.question,
        description=request.description,
        items=judged.items,
        problems=form.problems,
        diagnosis=form.diagnosis,
        log_mails=form.log_mails,
        fields=form.fields,
        received_at=form.received_at,
        agreement_version=judged.agreement_version if request.accept else None,
        catalogue_version=judged.catalogue_version,
        licence_revision=judged.licence.bound_revision if judged.licence else 0,
        sender_is_contact=stands.is_contact,
        sender_is_partner=stands.is_partner,
        challenged=stands.challenged,
        released=stands.released,
        token_doubt=stands.token_doubt,
        asked=False,
        hold=False,
        neutral=stands.neutral and not form.problems,
    )


def open_ticket(ticket: Ticket, event: Opened, context: DecisionContext) -> Decision:
    """A new ticket from a form."""
    ticket = with_form(ticket, event.judged)
    notes = (HistoryNote("opened", ticket.sender, event.note),)
    return proceed(ticket, event.judged, context, notes)


def confirm_request(ticket: Ticket, event: Confirmed, context: DecisionContext) -> Decision:
    """A contact confirmed: the request proceeds as if no confirmation had been needed."""
    before = ticket.received_at
    ticket = replace(with_form(ticket, event.judged), confirmed_by=event.by, received_at=before)
    notes = (HistoryNote("confirmed", event.by),)
    return proceed(
        ticket, event.judged, context, notes, (VoidKeys((Purpose.CONFIRM,), "confirmed"), Unschedule(CUSTOMER_TIMERS))
    )


def deny(ticket: Ticket, event: Denied, context: DecisionContext) -> Decision:
    """A contact said NO: the request is cancelled and staff are told; a requester in the neutral view is not."""
    items = tuple(i.over(ItemStatus.CANCELLED) if i.open else i for i in ticket.items)
    ticket = with_state(replace(ticket, items=items, ending=Ending.DENIED if ticket.neutral else Ending.CANCELLED))
    told = Send(MailKind.COMMENT, Audience.STAFF, Facts(by=event.by, why="denied"), Purpose.DECISION)
    notes = (HistoryNote("denied", event.by),)
    if not ticket.neutral:
        return Decision(
            ticket, (VoidKeys(tuple(Purpose), "cancelled"), told, Unschedule(CUSTOMER_TIMERS + STAFF_TIMERS)), notes
        )
    # The requester's key, reminder and closing stay, as for a token that does not exist.
    others = tuple(purpose for purpose in Purpose if purpose is not Purpose.CUSTOMER)
    return Decision(ticket, (VoidKeys(others, "cancelled"), told, Unschedule(STAFF_TIMERS)), notes)


def confirm_email(ticket: Ticket, event: EmailConfirmed, context: DecisionContext) -> Decision:
    """The other customer address becomes a contact."""
    effects: tuple[Effect, ...] = (VoidKeys((Purpose.CONFIRM_EMAIL,), "confirmed"),)
    if ticket.token:
        effects += (AddContact(ticket.token, event.by),)
    return Decision(ticket, effects, (HistoryNote("email_confirmed", event.by),))


def proceed(
    ticket: Ticket,
    judged: JudgedForm,
    context: DecisionContext,
    notes: tuple[HistoryNote, ...],
    effects: tuple[Effect, ...] = (),
    shown: Facts = Facts(),  # noqa: B008 - frozen
) -> Decision:
    """The next step of a form: tell its problems, or ask for confirmation, or grant items and ask staff for the rest."""
    if ticket.problems:
        return incomplete(with_state(ticket), judged, context, notes, effects, shown)
    if ticket.token_doubt or not ticket.released:
        return _challenged(with_state(ticket), judged, context, notes, effects)
    return _released(ticket, judged, context, notes, effects, shown)


def incomplete(
    ticket: Ticket,
    judged: JudgedForm,
    context: DecisionContext,
    notes: tuple[HistoryNote, ...],
    effects: tuple[Effect, ...],
    shown: Facts,
) -> Decision:
    """Tells all problems at once; the ticket waits for a correction."""
    quiet = not (ticket.sender_known or ticket.sender_is_contact or ticket.sender_verdict == "verified")
    to: Audience | str = Audience.CUSTOMER
    if _only_contact_reads_problems(ticket):  # the contact who confirmed is told what the ledger says, and corrects it
        to, quiet = ticket.confirmed_by or ticket.sender, False
        ticket = replace(ticket, neutral=True)
    mail = Send(
        MailKind.INCOMPLETE, to, Facts(form=judged.form.filled, quiet=quiet, replaced=shown.replaced), Purpose.CUSTOMER
    )
    faults = ", ".join(f"{p.field}: {p.code}" for p in ticket.problems)
    return Decision(
        ticket, (*effects, mail, *customer_timers(context)), (*notes, HistoryNote("incomplete", "mailbot", faults))
    )


def _only_contact_reads_problems(ticket: Ticket) -> bool:
    """Whether a contact confirmed a stranger's request in which the ledger shows problems."""
    stranger = not (ticket.sender_is_contact or ticket.sender_is_partner)
    agreed = ticket.confirmed_by is not None and not same_address(ticket.confirmed_by, ticket.sender)
    return stranger and agreed and any(problem.from_ledger for problem in ticket.problems)


def _challenged(
    ticket: Ticket,
    judged: JudgedForm,
    context: DecisionContext,
    notes: tuple[HistoryNote, ...],
    effects: tuple[Effect, ...],
) -> Decision:
    mails = [
        Send(MailKind.CONFIRM_YOU, address, Facts(by=ticket.sender), Purpose.CONFIRM) for address in ticket.challenged
    ]
    if judged.standing.neutral:
        mails.append(neutral_mail(ticket))
    told = HistoryNote("challenged", "mailbot", ", ".join(ticket.challenged) or "token unknown")
    return Decision(ticket, (*effects, *mails, *customer_timers(context)), (*notes, told))


def neutral_mail(ticket: Ticket) -> Send:
    """The mail for a requester who may not know what the ledger says."""
    return Send(MailKind.NEUTRAL, ticket.sender, Facts(quiet=True), Purpose.CUSTOMER)


def customer_timers(context: DecisionContext) -> tuple[Schedule, ...]:
    """Reminder and closing of a ticket that waits for its customer."""
    return (
        Schedule(DueKind.CUSTOMER_REMINDER, context.in_days(context.timers.customer_reminder_days)),
        Schedule(DueKind.CLOSE, context.in_days(context.timers.close_after_days)),
    )


def staff_timer(context: DecisionContext) -> Schedule:
    """The reminder of a ticket that waits for staff."""
    return Schedule(DueKind.STAFF_REMINDER, context.in_hours(context.timers.staff_reminder_hours))


def _released(
    ticket: Ticket,
    judged: JudgedForm,
    context: DecisionContext,
    notes: tuple[HistoryNote, ...],
    effects: tuple[Effect, ...],
    shown: Facts,
) -> Decision:
    """Grants what the rules allow, asks staff for the rest, and tells the customer."""
    at_once = frozenset(i.item for i in ticket.items if i.open and i.route is Route.AUTOMATIC)
    ticket = replace(ticket, items=tuple(_waiting(i) if i.open else i for i in ticket.items))
    if at_once:
        ticket, made = with_granted(Grant(ticket, context, "mailbot"), at_once)
        effects += made
    ticket = with_state(ticket)
    waiting = bool(ticket.open_items) or ticket.is_question
    mails: tuple[Effect, ...] = ()
    if judged.standing.neutral:
        mails += (neutral_mail(ticket),)
    elif waiting:
        facts = Facts(replaced=shown.replaced)
        mails += (Send(MailKind.CONFIRMATION, Audience.CUSTOMER, facts, Purpose.CUSTOMER),)
    else:
        mails += (outcome_mail(ticket, Facts(replaced=shown.replaced)),)
    mails += plugin_mail(ticket, at_once)
    if waiting:
        mails += (
            Send(MailKind.APPROVAL, Audience.DECIDERS, Facts(changed=shown.changed), Purpose.DECISION),
            staff_timer(context),
        )
    return Decision(ticket, effects + mails, notes + notes_of_granted(ticket, at_once, "mailbot"))


def _waiting(item: Item) -> Item:
    return replace(item, status=ItemStatus.WAITING_STAFF)


def outcome_mail(ticket: Ticket, facts: Facts = Facts()) -> Send:  # noqa: B008 - frozen
    """The mail about the outcome. While something is scheduled, a reply can still withdraw it."""
    return Send(MailKind.OUTCOME, Audience.OUTCOME, facts, None if ticket.final else Purpose.CUSTOMER)


def with_granted(grant: Grant, keys: frozenset[ItemKey]) -> tuple[Ticket, tuple[Effect, ...]]:
    """The ticket with those items granted, and the ledger changes, changes of people and due things that follow."""
    made = grant_items(grant, keys)
    ticket = replace(grant.ticket, items=made.items)
    effects: tuple[Effect, ...] = made.changes
    effects += _people(ticket, keys, grant.context, by_staff=grant.decider != "mailbot")
    return ticket, effects + due_things(ticket, keys, grant.context)


def due_things(ticket: Ticket, keys: frozenset[ItemKey], context: DecisionContext) -> tuple[Schedule, ...]:
    """Due things of items granted today: the effective days of scheduled ones, and a demo's warnings."""
    mine = (i for i in ticket.items if i.item in keys and i.status is ItemStatus.SCHEDULED)
    days = sorted({i.effective for i in mine if i.effective})
    found = tuple(Schedule(DueKind.DAY, context.start_of(day), payload=day.isoformat()) for day in days)
    if ticket.action is not Action.DEMO or ItemKey.PLAN not in keys:
        return found
    ends = context.today + timedelta(days=context.catalogue.demo.days)
    warned = (context.morning_of(ends - timedelta(days=left)) for left in context.catalogue.demo.warn_days)
    return found + tuple(Schedule(DueKind.DEMO_WARNING, at, token=ticket.token) for at in warned)


def _people(
    ticket: Ticket, keys: frozenset[ItemKey], context: DecisionContext, *, by_staff: bool
) -> tuple[Effect, ...]:
    """Changes of people: an activation's sender becomes a contact, a staff decision makes contacts known."""
    people: tuple[Effect, ...] = ()
    token = ticket.token
    if token is None:
        return ()
    if ticket.request is RequestKind.ACTIVATE and ItemKey.PLAN in keys:
        people += (AddContact(token, ticket.sender), SetName(token, ticket.customer_name or ""))
        licence, other = context.ledger.licence(token), ticket.customer_email
        contacts = (ticket.sender, *(licence.contacts if licence else ()))
        if other and not any(matches_pattern(other, contact) for contact in contacts):
            people += (Send(MailKind.CONFIRM_YOU, other, Facts(by=ticket.sender, why="email"), Purpose.CONFIRM_EMAIL),)
    if ItemKey.TOKEN in keys and ticket.new_token:
        people += (MovePeople(token, ticket.new_token),)
        token = ticket.new_token
    return (*people, MarkKnown(token)) if by_staff and ticket.action is not Action.DEMO else people


def plugin_mail(ticket: Ticket, keys: frozenset[ItemKey]) -> tuple[Effect, ...]:
    """A mail with the links of plugins that were just granted or implied; no mail if there are none."""
    mine = tuple(i.item for i in _granted_now(ticket, keys) if i.item.kind is ItemKind.PLUGIN and i.to)
    return (Send(MailKind.PLUGINS, Audience.OUTCOME, Facts(items=mine)),) if mine else ()


def _granted_now(ticket: Ticket, keys: frozenset[ItemKey]) -> tuple[Item, ...]:
    """The granted items among those keys, and the implied ones that follow from them."""
    causes = keys & _causes(ticket)
    held = (i for i in ticket.items if i.status in GRANTED)
    return tuple(i for i in held if i.item in keys or (causes and i.route is Route.IMPLIED))


def _causes(ticket: Ticket) -> frozenset[ItemKey]:
    return frozenset(i.item for i in ticket.items if i.item.kind in (ItemKind.PLAN, ItemKind.ADDON))


def notes_of_granted(ticket: Ticket, keys: frozenset[ItemKey], by: str) -> tuple[HistoryNote, ...]:
    """A line of history for the items that were applied, and one for those that were scheduled."""
    notes = []
    for status, kind in ((ItemStatus.APPLIED, "applied"), (ItemStatus.SCHEDULED, "scheduled")):
        named = [i.item for i in _granted_now(ticket, keys) if i.status is status]
        if named:
            notes.append(HistoryNote(kind, by, ", ".join(named)))
    return tuple(notes)
