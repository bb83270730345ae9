"""From forms to tickets: what was read is checked, judged on the ledger of this moment, and becomes events."""

from dataclasses import dataclass
from datetime import datetime

from mailbot.core.base.address import same_address
from mailbot.core.base.frozen import replace
from mailbot.core.desk import log_review
from mailbot.core.desk.authorisation import Sender
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.effects import Send
from mailbot.core.desk.events import Changed, Confirmed, Decision, JudgedForm, Opened, StatusAsked, SubmittedForm
from mailbot.core.desk.judgement import judge, question
from mailbot.core.desk.ticket import Ticket
from mailbot.core.form import blank_form, corrections
from mailbot.core.form.forwarded import original_sender
from mailbot.core.form.problem import Code, Problem
from mailbot.core.form.request import Reading, Request, RequestKind
from mailbot.core.form.validation import validate
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.logs.diagnosis import Diagnosis
from mailbot.core.logs.log_sources import Source, sources_of
from mailbot.core.mail.message import parse
from mailbot.process import mapping
from mailbot.process.received_mail import ReceivedMail
from mailbot.process.unit_of_work import UnitOfWork
from storage import inbox, licences
from storage import keys as key_rows

#: The request that comes with a log.
WITH_LOG = RequestKind.REACTIVATE


@dataclass(frozen=True)
class Requester:
    """Who asks, since when, and with which logs. ``confirmed``: an authorised person has confirmed the request."""

    sender: Sender
    name: str
    received_at: datetime
    logs: tuple[Source, ...] = ()
    confirmed: bool = False


def requester_of(mail: ReceivedMail) -> Requester:
    """The writer of a mail with a form."""
    return Requester(mail.sender, mail.message.sender_name, mail.received_at, sources_of(mail.message))


def _opener_of(ticket: Ticket) -> Requester:
    """The sender of the mail that opened the ticket, whose request is confirmed now."""
    sender = Sender(ticket.sender, ticket.sender_verdict, False, ticket.sender_known, ticket.sender_is_partner)
    return Requester(sender, ticket.sender_name, ticket.received_at, confirmed=True)


def open_tickets(
    work: UnitOfWork, mail: ReceivedMail, readings: tuple[Reading, ...], linked: str | None = None
) -> None:
    """A ticket for each form, linked with each other; each form is judged on what the one before left.

    Staff are asked when all are judged: no key is bound to a licence that the next form changes.
    """
    refs = [linked] if linked else []
    approvals: list[tuple[str, Send]] = []
    for read in readings:
        earlier = work.same_form(mail.sender.address, read.stored)
        if earlier is not None:
            approvals += _again(work, mail, earlier)
            continue
        ticket = _new_ticket(work, mail, tuple(refs))
        judged = _judged(work, requester_of(mail), read, ticket)
        approvals += _without_approvals(work, work.take(ticket, Opened(judged), _context(work, judged)))
        refs.append(ticket.ref)
    for ref, approval in approvals:
        if (asked := work.ticket(ref)) is not None:
            work.send(approval, work.follow_ledger(asked))
    for ref in refs:
        _link(work, ref, tuple(other for other in refs if other != ref))


def open_question(work: UnitOfWork, mail: ReceivedMail, text: str) -> None:
    """Prose of a sender who may ask: a question for staff; a repeated question is answered with its status."""
    text = work.blotted(text.strip())
    fields = {"request": RequestKind.INFORMATION.value, "question": text}
    earlier = work.same_form(mail.sender.address, fields)
    if earlier is not None:
        work.apply(earlier, StatusAsked(mail.sender.address))
        return
    request = question(text, mail.message.sender_name, mail.sender.address, work.desk.catalogue)
    ticket = _new_ticket(work, mail, ())
    requester = Requester(mail.sender, mail.message.sender_name, mail.received_at)
    judged = _on_ledger(work, requester, _Checked(request, (), fields), ticket)
    work.apply(ticket, Opened(judged), _context(work, judged))


def correct_ticket(
    work: UnitOfWork, mail: ReceivedMail, ticket: Ticket, quoted: Reading | None, own: Reading
) -> Ticket:
    """Corrected lines of a reply, on the ticket's stored values. Returns the ticket after it."""
    judged = _judged(work, requester_of(mail), corrections.merge_correction(ticket.fields, quoted, own), ticket)
    event = Changed(judged, mail.sender.address, mail.own)
    return work.apply(ticket, event, _context(work, judged)).ticket


def take_confirmation(work: UnitOfWork, ticket: Ticket, by: str) -> None:
    """A challenge was answered with CONFIRM: the stored form is judged again."""
    event = _confirmation(work, ticket, by)
    work.apply(ticket, event, _context(work, event.judged))


def _confirmation(work: UnitOfWork, ticket: Ticket, by: str) -> Confirmed:
    return Confirmed(
        _judged(work, _opener_of(ticket), corrections.merge_correction(ticket.fields, None, None), ticket), by
    )


def _without_approvals(work: UnitOfWork, decision: Decision) -> list[tuple[str, Send]]:
    """Send the mails of the decision but for those that ask staff, which come back with their ticket."""
    approvals = []
    for effect in decision.effects:
        if isinstance(effect, Send) and effect.kind == "approval":
            approvals.append((decision.ticket.ref, effect))
        elif isinstance(effect, Send):
            work.send(effect, decision.ticket)
    return approvals


def _again(work: UnitOfWork, mail: ReceivedMail, ticket: Ticket) -> list[tuple[str, Send]]:
    """A repeated form is answered with its status; if it provably comes from an address that was asked, it confirms."""
    address = mail.sender.address
    asked = any(
        row.purpose == Purpose.CONFIRM and same_address(row.address, address)
        for row in key_rows.live_of_ticket(work.session, ticket.ref)
    )
    if asked and mail.sender.verified and work.desk.config.identity.customers != "confirm":
        event = _confirmation(work, ticket, address)
        return _without_approvals(work, work.take(ticket, event, _context(work, event.judged)))
    work.apply(ticket, StatusAsked(address))
    return []


def _context(work: UnitOfWork, judged: JudgedForm) -> DecisionContext:
    """The licences that the request is about."""
    request = judged.form.request
    return work.context(request.token, request.old_token, request.new_token, request.motion_token)


def _new_ticket(work: UnitOfWork, mail: ReceivedMail, linked: tuple[str, ...]) -> Ticket:
    message = mail.message
    attached = dict.fromkeys(inner.sender for inner in message.attached if inner.sender)
    ticket = work.new_ticket(
        mail.sender.address,
        mail.sender.verdict,
        mail.received_at,
        sender_name=message.sender_name,
        subject=message.subject,
        files=tuple(map(work.blotted, message.file_names)),
        forwarded_from=", ".join(attached) or original_sender(message.text, message.subject),
        sender_known=mail.sender.known,
        linked=linked,
    )
    return mail.in_thread(ticket)


def _link(work: UnitOfWork, ref: str, others: tuple[str, ...]) -> None:
    ticket = work.ticket(ref)
    if ticket is not None and set(others) - set(ticket.linked):
        work.put(replace(ticket, linked=tuple(dict.fromkeys((*ticket.linked, *others)))))


@dataclass(frozen=True)
class _Checked:
    """A form checked without the ledger: request, problems, the values to store, and the form filled in."""

    request: Request
    problems: tuple[Problem, ...]
    fields: dict[str, str]
    form: str = ""
    diagnosis: Diagnosis | None = None


def _judged(work: UnitOfWork, requester: Requester, read: Reading, ticket: Ticket) -> JudgedForm:
    """Check the form, read the log, look at the ledger."""
    values = {field: work.blotted(value) for field, value in read.values.items()}
    read = replace(read, values=values, prose=work.blotted(read.prose))
    earlier, day = _earlier_logs(work, ticket)
    has_log = bool(requester.logs or earlier or (ticket.diagnosis and ticket.diagnosis.files))
    request, problems = validate(read, work.desk.catalogue, attachments=has_log, default_name=requester.name)
    found = None
    if request.request is WITH_LOG and (requester.logs or earlier):
        dated = requester if requester.logs or not day else replace(requester, received_at=day)
        found, fault = _diagnose(work, dated, request, earlier)
        problems += fault
    elif request.request is WITH_LOG:
        found = ticket.diagnosis  # the mails with the logs are gone
    form = blank_form.render_filled(request, read.values, problems)
    return _on_ledger(work, requester, _Checked(request, problems, read.stored, form, found), ticket)


def _on_ledger(work: UnitOfWork, requester: Requester, checked: _Checked, ticket: Ticket) -> JudgedForm:
    """Judge a checked form on the ledger."""
    request, sender = checked.request, requester.sender
    token = request.token or request.old_token
    elsewhere = bool(request.request is RequestKind.ACTIVATE and request.demo) and mapping.had_demo_elsewhere(
        work.session, token, request.customer_name, request.customer_email or sender.address
    )
    here = (work.inbox_id,) if requester.logs and work.inbox_id else ()
    form = SubmittedForm(
        request=request,
        problems=checked.problems,
        fields=checked.fields,
        received_at=requester.received_at,
        filled=checked.form,
        diagnosis=checked.diagnosis,
        log_mails=(*ticket.log_mails, *here),
        always_confirm=work.desk.config.identity.customers == "confirm",
        confirmed=requester.confirmed,
        ref=ticket.ref,
    )
    context = work.context(token, request.new_token, request.motion_token, demo_elsewhere=elsewhere)
    return judge(form, sender, context)


def _earlier_logs(work: UnitOfWork, ticket: Ticket) -> tuple[tuple[Source, ...], datetime | None]:
    """The logs of the ticket's earlier mails, the last mail first, as far as they are kept, and when that mail came."""
    rows = [row for number in reversed(ticket.log_mails) if (row := inbox.get(work.session, number))]
    raws = [(row, raw) for row in rows if (raw := inbox.raw_if_kept(work.session, row.id)) is not None]
    sources = tuple(source for _, raw in raws for source in sources_of(parse(raw)))
    return sources, raws[0][0].received_at if raws else None


def _diagnose(
    work: UnitOfWork, requester: Requester, request: Request, earlier: tuple[Source, ...]
) -> tuple[Diagnosis, tuple[Problem, ...]]:
    """What the logs say, against form and ledger; a problem only where nothing attached could be read."""
    day = requester.received_at.astimezone(work.desk.config.zone).date()
    own = [address for address in (requester.sender.address, request.customer_email) if address]

    def in_ledger(tokens: frozenset[str]) -> set[str]:
        return licences.of_ledger(work.session, tokens)

    found = log_review.examine(requester.logs, log_review.claim_of(request), work.licence, day, own, in_ledger, earlier)
    if found.readable:
        return found, ()
    read, instead = "; ".join(found.unreadable), "; ".join(found.send_instead)
    return found, (Problem(field="log", code=Code.ATTACHMENT_UNREADABLE, read=read, expected=instead),)
