"""Replies with a key of the customer's side: whether they may act, and what they do. A reply that may not is a comment."""

from mailbot.core.base.address import matches_pattern, same_address
from mailbot.core.desk.disclosure import Viewer, is_over_for_requester, shown_to
from mailbot.core.desk.effects import Facts, Send
from mailbot.core.desk.events import Commented, Denied, EmailConfirmed, StatusAsked, Withdrawn
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import ITEM_FIELDS, State, Ticket, settled_fields
from mailbot.core.form import blank_form, corrections, reader
from mailbot.core.form.problem import Code
from mailbot.core.form.quotes import split_interleaved
from mailbot.core.form.request import Reading
from mailbot.core.form.validation import validate
from mailbot.core.inbound import decision_grammar
from mailbot.core.inbound.decision_word import ConfirmationWord
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.logs.log_sources import sources_of
from mailbot.process import form_requests, mapping
from mailbot.process.outcome import Outcome
from mailbot.process.received_mail import ReceivedMail
from mailbot.process.unit_of_work import UnitOfWork
from storage import keys as key_rows

#: Words that a customer's reply may consist of.
CANCEL, STATUS, HELP = "cancel", "status", "help"


def customer_reply(work: UnitOfWork, mail: ReceivedMail) -> Outcome:
    """Do what a reply with a key of the customer's side asks."""
    ticket = work.ticket(mail.refs[0]) if mail.refs else None
    if ticket is None:
        return Outcome.TICKET_UNKNOWN
    ticket = mail.in_thread(ticket)
    if mail.thread.purpose in (Purpose.CONFIRM, Purpose.CONFIRM_EMAIL):
        return _challenge(work, mail, ticket)
    if mail.sender.verdict == "refused" or not _may_act(work, mail, ticket):
        _comment(work, mail, ticket, "wrong_sender", acts=False)
        return Outcome.STRANGERS_COMMENT
    if is_over_for_requester(ticket):
        return _on_final(work, mail, ticket)
    return _act(work, mail, ticket)


def _may_act(work: UnitOfWork, mail: ReceivedMail, ticket: Ticket) -> bool:
    """Whether the writer is the ticket's sender, or a contact of its licence."""
    if same_address(mail.sender.address, ticket.sender):
        return True
    licence = work.licence(ticket.token) if ticket.token else None
    return licence is not None and any(matches_pattern(mail.sender.address, contact) for contact in licence.contacts)


def _challenge(work: UnitOfWork, mail: ReceivedMail, ticket: Ticket) -> Outcome:
    """CONFIRM or NO, from the address that was asked; anything else leaves the key alive."""
    address, thread = mail.sender.address, mail.thread
    asked = same_address(address, thread.address) and mail.sender.verdict != "refused"
    word = decision_grammar.confirmation_word(mail.own) if mail.clear else None
    if not asked or word is None or not thread.live:
        _comment(work, mail, ticket, "wrong_sender" if not asked else "asked", acts=False)
        return Outcome.COMMENT
    key_rows.kill(work.session, thread.digest, work.now, "used")
    if thread.purpose is Purpose.CONFIRM_EMAIL:
        if word is not ConfirmationWord.CONFIRM:
            return Outcome.ADDRESS_REFUSED
        work.apply(ticket, EmailConfirmed(address))
        return Outcome.ADDRESS_CONFIRMED
    if word is ConfirmationWord.NO:
        work.apply(ticket, Denied(address))
        return Outcome.DENIED
    form_requests.take_confirmation(work, ticket, address)
    return Outcome.CONFIRMED


def _first_word(own: str) -> str:
    first = next((line for line in own.splitlines() if line.strip()), "")
    return " ".join(first.lower().strip(" .!").split())


def _answered(work: UnitOfWork, mail: ReceivedMail, ticket: Ticket) -> Outcome | None:
    """Answer ``status`` and ``help``, whatever became of the ticket; None when the reply is neither."""
    word = _first_word(mail.said)
    if word == STATUS:
        work.apply(ticket, StatusAsked(mail.sender.address))
        return Outcome.STATUS
    if word == HELP:
        work.send(Send(MailKind.HELP, mail.sender.address), ticket)
        return Outcome.HELP
    return None


def _act(work: UnitOfWork, mail: ReceivedMail, ticket: Ticket) -> Outcome:
    """Words for the desk, corrected lines, a late file; anything else is a comment for staff."""
    if _first_word(mail.said) == CANCEL:
        work.apply(ticket, Withdrawn(mail.sender.address))
        return Outcome.WITHDRAWN
    if answered := _answered(work, mail, ticket):
        return answered
    own, quoted = split_interleaved(mail.message.text, (mail.marker,))
    read = reader.read_fields(own)
    edited = corrections.read_edited_quote(quoted, _sent_text(work, mail, ticket))
    return _correct(work, mail, ticket, edited, read)


def _correct(work: UnitOfWork, mail: ReceivedMail, ticket: Ticket, edited: Reading, read: Reading) -> Outcome:
    """Corrected lines change what is open; for settled items the customer learns how to send a new request."""
    said = {**edited.values, **read.values}
    differing = {field for field, value in said.items() if ticket.fields.get(field) != value}
    over = settled_fields(ticket)
    late = tuple(sorted(differing & over & ITEM_FIELDS))
    log = ticket.request is form_requests.WITH_LOG and bool(sources_of(mail.message))
    changes = (differing - over) or log or _nearly_said(work, ticket, read)
    if changes and _open_to_change(ticket):
        ticket = form_requests.correct_ticket(work, mail, ticket, edited.without(over), read.without(over))
        outcome = Outcome.CORRECTED
    elif late and not read.prose:
        outcome = Outcome.SETTLED_ALREADY
    else:
        ticket = _comment(work, mail, ticket, "reply", acts=True)
        outcome = Outcome.COMMENT
        if mail.message.attachments and any(problem.field == "log" for problem in ticket.problems):
            # A picture, say: the log is still missing, and the customer must hear so.
            form_requests.correct_ticket(work, mail, ticket, edited, read)
    if late:
        _offer_anew(work, mail, ticket, late)
    return outcome


def _offer_anew(work: UnitOfWork, mail: ReceivedMail, ticket: Ticket, fields: tuple[str, ...]) -> None:
    """A reply does not change what is settled: name the form that asks for it."""
    facts = Facts(why="settled", changed=fields, tickets=(shown_to(Viewer.REQUESTER, ticket),))
    purpose = None if ticket.final else Purpose.CUSTOMER
    work.send(Send(MailKind.STATUS, mail.sender.address, facts, purpose), ticket)


def _sent_text(work: UnitOfWork, mail: ReceivedMail, ticket: Ticket) -> str:
    """The text of the mail that is answered, as it was sent; where that is gone the ticket's form as it is now."""
    sent = mapping.sent_text(work.session, mail.message.in_reply_to, ticket.ref)
    if sent is not None:
        return sent
    stored = corrections.merge_correction(ticket.fields, None, None)
    request, _ = validate(stored, work.desk.catalogue, attachments=True)
    return blank_form.render_filled(request, stored.values, ticket.problems)


def _nearly_said(work: UnitOfWork, ticket: Ticket, read: Reading) -> bool:
    """Whether a line of the reply is nearly labelled as something that is still missing."""
    if not (ticket.problems and read.near):
        return False
    merged = corrections.merge_correction(ticket.fields, None, read)
    _, problems = validate(merged, work.desk.catalogue, attachments=True)
    return any(problem.code is Code.NEAR_LABEL for problem in problems)


def _open_to_change(ticket: Ticket) -> bool:
    undecided = ticket.problems or ticket.token_doubt or not ticket.items or any(item.open for item in ticket.items)
    return bool(undecided or ticket.state is State.DENIED)


def _on_final(work: UnitOfWork, mail: ReceivedMail, ticket: Ticket) -> Outcome:
    """On a ticket that is over status and help are answered, a new form opens a new ticket, the rest is a comment."""
    if answered := _answered(work, mail, ticket):
        return answered
    readings = tuple(read for read in reader.read_forms(mail.said, "") if read.request_line)
    if readings:
        form_requests.open_tickets(work, mail, readings, linked=ticket.ref)
        return Outcome.NEW_FORM
    _comment(work, mail, ticket, "final_ticket", acts=False)
    return Outcome.COMMENT


def _comment(work: UnitOfWork, mail: ReceivedMail, ticket: Ticket, why: str, *, acts: bool) -> Ticket:
    """Give the reply to staff, without the live keys in it. The ticket's sender is notified of a stranger's reply.

    Returns the ticket after it.
    """
    address = mail.sender.address
    text, *files = (work.blotted(words) for words in (mail.said, *mail.message.file_names))
    ticket = work.apply(ticket, Commented(address, text.strip(), why, acts, tuple(files))).ticket
    stranger = why == "wrong_sender" and mail.thread.live and not same_address(address, ticket.sender)
    if stranger and mail.thread.purpose is Purpose.CUSTOMER:  # a sender must not hear of a contact who was asked
        facts = Facts(why="wrong_sender", tickets=(shown_to(Viewer.REQUESTER, ticket),))
        work.send(Send(MailKind.STATUS, ticket.sender, facts, Purpose.CUSTOMER), ticket)
    return ticket
