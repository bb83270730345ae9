"""How a form enters a ticket: opened, confirmed or denied, and what is granted at once. Corrected: ``changing``."""

from datetime import date, timedelta

from mailbot.core.base.address import matches_pattern, same_address
from mailbot.core.base.frozen import replace
from mailbot.core.catalogue.item_kinds import ItemKey, ItemKind
from mailbot.core.desk.context import Scene
from mailbot.core.desk.due_kind import DueKind
from mailbot.core.desk.effects import (
    AddContact,
    Audience,
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
from mailbot.core.desk.events import Confirmed, Decision, Denied, EmailConfirmed, Judged, Note, Opened
from mailbot.core.desk.grant import grant
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import GRANTED, Ending, Item, ItemStatus, Route, Ticket, with_state
from mailbot.core.form.request_kinds import Action, RequestKind
from mailbot.core.inbound.purpose import Purpose

#: Due things that wait for the customer, and those that wait for staff.
CUSTOMER_TIMERS = (DueKind.CUSTOMER_REMINDER, DueKind.CLOSE)
STAFF_TIMERS = (DueKind.STAFF_REMINDER,)


def with_form(ticket: Ticket, judged: Judged) -> Ticket:
    """The ticket with everything that the form says, and nothing decided yet."""
    request, stands = judged.request, judged.standing
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
        problems=judged.problems,
        diagnosis=judged.diagnosis,
        log_mails=judged.log_mails,
        fields=judged.fields,
        received_at=judged.received_at,
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
        neutral=stands.neutral and not judged.problems,
    )


def open_ticket(ticket: Ticket, event: Opened, scene: Scene) -> Decision:
    """A new ticket from a form."""
    ticket = with_form(ticket, event.judged)
    notes = (Note("opened", ticket.sender, event.note),)
    return go_on(ticket, event.judged, scene, notes)


def confirm(ticket: Ticket, event: Confirmed, scene: Scene) -> Decision:
    """One of those asked said yes: the request goes on as if it had needed no asking."""
    before = ticket.received_at
    ticket = replace(with_form(ticket, event.judged), confirmed_by=event.by, received_at=before)
    notes = (Note("confirmed", event.by),)
    return go_on(
        ticket, event.judged, scene, notes, (VoidKeys((Purpose.CONFIRM,), "confirmed"), Unschedule(CUSTOMER_TIMERS))
    )


def deny(ticket: Ticket, event: Denied, scene: Scene) -> Decision:
    """One of those asked said no: cancelled, staff are told."""
    items = tuple(i.over(ItemStatus.CANCELLED) if i.open else i for i in ticket.items)
    ticket = with_state(replace(ticket, items=items, ending=Ending.DENIED if ticket.neutral else Ending.CANCELLED))
    told = Send(MailKind.COMMENT, Audience.STAFF, Facts(by=event.by, why="denied"), Purpose.DECISION)
    notes = (Note("denied", event.by),)
    if not ticket.neutral:
        return Decision(
            ticket, (VoidKeys(tuple(Purpose), "cancelled"), told, Unschedule(CUSTOMER_TIMERS + STAFF_TIMERS)), notes
        )
    # For the requester all goes on as with a token that does not exist: his key lives, his reminder comes, and the closing.
    others = tuple(purpose for purpose in Purpose if purpose is not Purpose.CUSTOMER)
    return Decision(ticket, (VoidKeys(others, "cancelled"), told, Unschedule(STAFF_TIMERS)), notes)


def confirm_email(ticket: Ticket, event: EmailConfirmed, scene: Scene) -> Decision:
    """The other customer address wants these mails: it becomes a contact."""
    effects: tuple[Effect, ...] = (VoidKeys((Purpose.EMAIL,), "confirmed"),)
    if ticket.token:
        effects += (AddContact(ticket.token, event.by),)
    return Decision(ticket, effects, (Note("email_confirmed", event.by),))


def go_on(
    ticket: Ticket,
    judged: Judged,
    scene: Scene,
    notes: tuple[Note, ...],
    effects: tuple[Effect, ...] = (),
    shown: Facts = Facts(),  # noqa: B008 - frozen
) -> Decision:
    """The one way onward: problems, else the challenge, else what is granted and what waits for staff."""
    if ticket.problems:
        return incomplete(with_state(ticket), judged, scene, notes, effects, shown)
    if ticket.token_doubt or not ticket.released:
        return _challenged(with_state(ticket), judged, scene, notes, effects)
    return _released(ticket, judged, scene, notes, effects, shown)


def incomplete(
    ticket: Ticket, judged: Judged, scene: Scene, notes: tuple[Note, ...], effects: tuple[Effect, ...], shown: Facts
) -> Decision:
    """Everything that is wrong, told at once; the ticket waits for its correction."""
    quiet = not (ticket.sender_known or ticket.sender_is_contact or ticket.sender_verdict == "verified")
    to: Audience | str = Audience.CUSTOMER
    if _ledger_is_not_his(ticket):  # what the ledger says is told to the contact who agreed, and he corrects it
        to, quiet = ticket.confirmed_by or ticket.sender, False
        ticket = replace(ticket, neutral=True)
    mail = Send(
        MailKind.INCOMPLETE, to, Facts(form=judged.form, quiet=quiet, replaced=shown.replaced), Purpose.CUSTOMER
    )
    faults = ", ".join(f"{p.field}: {p.code}" for p in ticket.problems)
    return Decision(ticket, (*effects, mail, *customer_timers(scene)), (*notes, Note("incomplete", "mailbot", faults)))


def _ledger_is_not_his(ticket: Ticket) -> bool:
    """Whether a contact agreed to a stranger's request, and the ledger has something against it."""
    stranger = not (ticket.sender_is_contact or ticket.sender_is_partner)
    agreed = ticket.confirmed_by is not None and not same_address(ticket.confirmed_by, ticket.sender)
    return stranger and agreed and any(problem.from_ledger for problem in ticket.problems)


def _challenged(
    ticket: Ticket, judged: Judged, scene: Scene, notes: tuple[Note, ...], effects: tuple[Effect, ...]
) -> Decision:
    mails = [
        Send(MailKind.CONFIRM_YOU, address, Facts(by=ticket.sender), Purpose.CONFIRM) for address in ticket.challenged
    ]
    if judged.standing.neutral:
        mails.append(neutral(ticket))
    told = Note("challenged", "mailbot", ", ".join(ticket.challenged) or "token unknown")
    return Decision(ticket, (*effects, *mails, *customer_timers(scene)), (*notes, told))


def neutral(ticket: Ticket) -> Send:
    """The words for whoever may not know what the ledger says."""
    return Send(MailKind.NEUTRAL, ticket.sender, Facts(quiet=True), Purpose.CUSTOMER)


def customer_timers(scene: Scene) -> tuple[Schedule, ...]:
    """The reminder and the closing of a ticket that waits for its customer."""
    return (
        Schedule(DueKind.CUSTOMER_REMINDER, scene.in_days(scene.timers.customer_reminder_days)),
        Schedule(DueKind.CLOSE, scene.in_days(scene.timers.close_after_days)),
    )


def staff_timer(scene: Scene) -> Schedule:
    """The reminder of a ticket that waits for staff."""
    return Schedule(DueKind.STAFF_REMINDER, scene.in_hours(scene.timers.staff_reminder_hours))


def _released(
    ticket: Ticket,
    judged: Judged,
    scene: Scene,
    notes: tuple[Note, ...],
    effects: tuple[Effect, ...],
    shown: Facts,
) -> Decision:
    """Grant what the rules allow, ask staff for the rest, and tell everybody."""
    at_once = frozenset(i.item for i in ticket.items if i.open and i.route is Route.AUTOMATIC)
    ticket = replace(ticket, items=tuple(_waiting(i) if i.open else i for i in ticket.items))
    if at_once:
        ticket, made = granted(ticket, at_once, scene, "mailbot")
        effects += made
    ticket = with_state(ticket)
    waiting = bool(ticket.open_items) or ticket.is_question
    mails: tuple[Effect, ...] = ()
    if judged.standing.neutral:
        mails += (neutral(ticket),)
    elif waiting:
        facts = Facts(replaced=shown.replaced)
        mails += (Send(MailKind.CONFIRMATION, Audience.CUSTOMER, facts, Purpose.CUSTOMER),)
    else:
        mails += (outcome(ticket, Facts(replaced=shown.replaced)),)
    mails += plugin_mail(ticket, at_once)
    if waiting:
        mails += (
            Send(MailKind.APPROVAL, Audience.DECIDERS, Facts(changed=shown.changed), Purpose.DECISION),
            staff_timer(scene),
        )
    return Decision(ticket, effects + mails, notes + granted_notes(ticket, at_once, "mailbot"))


def _waiting(item: Item) -> Item:
    return replace(item, status=ItemStatus.WAITING_STAFF)


def outcome(ticket: Ticket, facts: Facts = Facts()) -> Send:  # noqa: B008 - frozen
    """The mail that tells the customer how it ended; while something lies ahead a reply can still withdraw it."""
    return Send(MailKind.OUTCOME, Audience.OUTCOME, facts, None if ticket.final else Purpose.CUSTOMER)


def granted(
    ticket: Ticket, keys: frozenset[ItemKey], scene: Scene, decider: str, until: date | None = None
) -> tuple[Ticket, tuple[Effect, ...]]:
    """Those items granted, with the ledger's changes, the people and the dates that follow."""
    made = grant(ticket, keys, scene, decider, until)
    ticket = replace(ticket, items=made.items)
    effects: tuple[Effect, ...] = made.changes
    effects += _people(ticket, keys, scene, by_staff=decider != "mailbot")
    return ticket, effects + dates(ticket, keys, scene)


def dates(ticket: Ticket, keys: frozenset[ItemKey], scene: Scene) -> tuple[Schedule, ...]:
    """What follows on a date from granting those items today: the days of the scheduled ones, a demo's warnings."""
    mine = (i for i in ticket.items if i.item in keys and i.status is ItemStatus.SCHEDULED)
    days = sorted({i.effective for i in mine if i.effective})
    found = tuple(Schedule(DueKind.DAY, scene.start_of(day), payload=day.isoformat()) for day in days)
    if ticket.action is not Action.DEMO or ItemKey.PLAN not in keys:
        return found
    ends = scene.today + timedelta(days=scene.catalogue.demo.days)
    warned = (scene.morning_of(ends - timedelta(days=left)) for left in scene.catalogue.demo.warn_days)
    return found + tuple(Schedule(DueKind.DEMO_WARNING, at, token=ticket.token) for at in warned)


def _people(ticket: Ticket, keys: frozenset[ItemKey], scene: Scene, *, by_staff: bool) -> tuple[Effect, ...]:
    """An activation makes its sender a contact; a staff decision makes the licence's contacts known."""
    people: tuple[Effect, ...] = ()
    token = ticket.token
    if token is None:
        return ()
    if ticket.request is RequestKind.ACTIVATE and ItemKey.PLAN in keys:
        people += (AddContact(token, ticket.sender), SetName(token, ticket.customer_name or ""))
        licence, other = scene.ledger.licence(token), ticket.customer_email
        contacts = (ticket.sender, *(licence.contacts if licence else ()))
        if other and not any(matches_pattern(other, contact) for contact in contacts):
            people += (Send(MailKind.CONFIRM_YOU, other, Facts(by=ticket.sender, why="email"), Purpose.EMAIL),)
    if ItemKey.TOKEN in keys and ticket.new_token:
        people += (MovePeople(token, ticket.new_token),)
        token = ticket.new_token
    return (*people, MarkKnown(token)) if by_staff and ticket.action is not Action.DEMO else people


def plugin_mail(ticket: Ticket, keys: frozenset[ItemKey]) -> tuple[Effect, ...]:
    """The links of the plugins granted just now, in a mail of their own; implied ones come with those that imply them."""
    mine = tuple(i.item for i in _granted_now(ticket, keys) if i.item.kind is ItemKind.PLUGIN and i.to)
    return (Send(MailKind.PLUGINS, Audience.OUTCOME, Facts(items=mine)),) if mine else ()


def _granted_now(ticket: Ticket, keys: frozenset[ItemKey]) -> tuple[Item, ...]:
    """The items of those keys that were granted, and the implied ones that came or leave with them."""
    causes = keys & _causes(ticket)
    held = (i for i in ticket.items if i.status in GRANTED)
    return tuple(i for i in held if i.item in keys or (causes and i.route is Route.IMPLIED))


def _causes(ticket: Ticket) -> frozenset[ItemKey]:
    return frozenset(i.item for i in ticket.items if i.item.kind in (ItemKind.PLAN, ItemKind.ADDON))


def granted_notes(ticket: Ticket, keys: frozenset[ItemKey], by: str) -> tuple[Note, ...]:
    """One line of history for what was applied and one for each day on which something will be."""
    notes = []
    for status, kind in ((ItemStatus.APPLIED, "applied"), (ItemStatus.SCHEDULED, "scheduled")):
        named = [i.item for i in _granted_now(ticket, keys) if i.status is status]
        if named:
            notes.append(Note(kind, by, ", ".join(named)))
    return tuple(notes)
