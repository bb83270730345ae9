"""What each kind of mail leads to: the cases, in the order that keeps the desk safe.

``inbound.intake`` tells the kinds apart by the mail alone, in this order: unusable, our own, delivery report, automatic,
spam, no one sender, staff key, customer key, command, form, words. Here the sender's verdict joins in.
"""

from typing import assert_never

from mailbot.core.base.address import fold_case
from mailbot.core.desk.disclosure import Viewer, is_over_for_requester, shown_to
from mailbot.core.desk.effects import Facts, Send
from mailbot.core.desk.events import Commented, Undelivered
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import OPEN, State
from mailbot.core.form.blank_form import render_blank
from mailbot.core.form.request import Reading
from mailbot.core.inbound.decision_grammar import begins_decision
from mailbot.core.inbound.intake import (
    Automatic,
    Bounced,
    CustomerReply,
    FormCommand,
    Forms,
    HelpCommand,
    Intake,
    Ours,
    Prose,
    Quoting,
    SetAside,
    StaffReply,
    StatusCommand,
    Stray,
    Unusable,
)
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.mail.bounce import DeliveryReport
from mailbot.maillog import mask_token
from mailbot.process import form_requests
from mailbot.process.customer_replies import customer_reply
from mailbot.process.outcome import Handled, Outcome
from mailbot.process.received_mail import ReceivedMail
from mailbot.process.staff_replies import keyless_decision, staff_reply
from mailbot.process.unit_of_work import UnitOfWork
from storage import outbox, people, tickets
from storage.inbox import InboxState

#: Most forms of an auto-submitted mail that are summarised in the alert.
_MOST_FORMS = 5
#: Maximum length of the words of a comment without a key, and of an alert's summary, in characters.
_COMMENT, _SUMMARY = 5000, 500

#: What a person wrote without a key.
_Keyless = HelpCommand | FormCommand | StatusCommand | Forms | Quoting | Prose | Stray


def judge_and_decide(work: UnitOfWork, mail: ReceivedMail, intake: Intake) -> Handled:
    """Do what the mail asks, as the first case that applies. The order is a security property, so keep it."""
    match intake:
        case Unusable():  # first: nothing in it can be trusted, not even who wrote it
            return Handled(InboxState.QUARANTINED, Outcome.UNUSABLE, reason=intake.why)
        case Ours():  # before all that could be answered: the desk must not talk to itself
            return Handled(InboxState.HANDLED, Outcome.OURS)
        case Bounced():  # before the keys: a report quotes our mail with its key, and must not act as a reply
            return _delivery_report(work, intake.report)
        case Automatic():  # before the keys: an absence note returns them, but no person wrote it
            return _automatic(work, mail, intake)
        case SetAside():  # after what is never answered, before everything that is: the border calls it spam
            return Handled(InboxState.HANDLED, Outcome.SPAM)
        case StaffReply():  # a key outranks what the words look like: a decision is never read as a form
            return Handled(InboxState.HANDLED, staff_reply(work, mail))
        case CustomerReply():  # before the verdict: the key shows a refused sender's words to staff, as a comment
            return Handled(InboxState.HANDLED, customer_reply(work, mail))
        case HelpCommand() | FormCommand() | StatusCommand() | Forms() | Quoting() | Prose() | Stray():
            return Handled(InboxState.HANDLED, _without_key(work, mail, intake))
        case _:
            assert_never(intake)


def _without_key(work: UnitOfWork, mail: ReceivedMail, intake: _Keyless) -> Outcome:
    """A mail that a person wrote, with no key to prove where it belongs."""
    sender = mail.sender
    if sender.verdict == "refused":  # a forged sender is neither answered nor obeyed, whatever the mail asks
        return Outcome.REFUSED_SENDER
    member = work.staff(sender.address)
    prefix = work.desk.config.mailbot.ticket_prefix
    if (
        member and isinstance(intake, Quoting | Prose) and begins_decision(mail.own, prefix)
    ):  # before words become a question
        return keyless_decision(work, mail, member)
    match intake:
        case Forms():
            form_requests.open_tickets(work, mail, intake.readings)
            return Outcome.FORM
        case HelpCommand():
            _answer(work, mail, Send(MailKind.HELP, sender.address))
            return Outcome.HELP
        case FormCommand():
            return _blank_form(work, mail, intake)
        case StatusCommand():
            return _status(work, mail, intake)
        case Quoting():
            return _quoting(work, mail, intake)
        case Prose():
            return _question(work, mail, intake)
        case Stray():
            return Outcome.STRAY
        case _:
            assert_never(intake)


def _delivery_report(work: UnitOfWork, report: DeliveryReport) -> Handled:
    """A report that one of our own mails did not arrive marks that mail; any other report is only kept."""
    if not report.failed:
        return Handled(InboxState.HANDLED, Outcome.DELIVERY_REPORT, report.action)
    for message_id in report.original_ids:
        row = outbox.by_message_id(work.session, message_id)
        if row is None or row.id is None:
            continue
        outbox.undelivered(work.session, row.id, work.now, report.diagnostic or report.status)
        ticket = work.ticket(row.ref) if row.ref else None
        if ticket is not None:
            work.apply(ticket, Undelivered(row.recipient, row.kind, report.diagnostic))
        else:
            text = work.desk.say("alert.undelivered", kind=row.kind, recipient=row.recipient)
            work.alert(f"undelivered:{message_id}", text)
        return Handled(InboxState.HANDLED, Outcome.DELIVERY_REPORT)
    return Handled(InboxState.HANDLED, Outcome.FOREIGN_REPORT)


def _automatic(work: UnitOfWork, mail: ReceivedMail, intake: Automatic) -> Handled:
    """Never answered; staff are alerted if it contains a form."""
    if intake.readings and mail.thread.purpose is None:
        summary = "; ".join(_in_short(read) for read in intake.readings[:_MOST_FORMS])
        text = work.desk.say(
            "alert.automatic",
            sender=mail.message.sender or work.desk.say("alert.nobody"),
            why=intake.why,
            id=work.inbox_id,
            forms=work.blotted(summary)[:_SUMMARY],
        )
        work.alert(f"automatic:{mail.message.sha256}", text)
    return Handled(InboxState.HANDLED, Outcome.AUTOMATIC, intake.why)


def _in_short(form: Reading) -> str:
    """What a form asks for, and for whom, as the log may show it too."""
    said = form.values
    token = mask_token(said.get("token") or said.get("old_token"))
    words = (said.get("request"), said.get("action"), token, said.get("customer_name"))
    return ", ".join(word for word in words if word)


def _answer(work: UnitOfWork, mail: ReceivedMail, send: Send) -> None:
    """An answer that belongs to no ticket."""
    work.send(send, answers=mail.message.message_id)


def _blank_form(work: UnitOfWork, mail: ReceivedMail, intake: FormCommand) -> Outcome:
    """The form that is asked for; without a word in the mail only for a sender who is verified or known."""
    if intake.wordless and not (mail.sender.verified or mail.sender.known):
        return Outcome.STRAY
    text = render_blank(intake.request, work.desk.catalogue, intake.action)
    _answer(work, mail, Send(MailKind.FORM, mail.sender.address, Facts(form=text, form_key=intake.request)))
    return Outcome.FORM_ASKED


def _status(work: UnitOfWork, mail: ReceivedMail, intake: StatusCommand) -> Outcome:
    """The sender's open tickets and, when verified, the licences on which that address is a contact.

    If there is one ticket, the mail has its key: a reply to it may act.
    """
    sender = mail.sender
    if not (sender.verified or sender.known):
        return Outcome.STRANGERS_STATUS
    rows = tickets.of_sender(work.session, fold_case(sender.address), (*OPEN, State.DENIED))
    mine = [ticket for row in rows if (ticket := work.ticket(row.ref)) and not is_over_for_requester(ticket)]
    contacts = people.tokens_of_address(work.session, fold_case(sender.address)) if sender.verified else []
    tokens = sorted({contact.token for contact in contacts})
    licences = tuple(found for token in tokens if (found := work.licence(token)))
    shown = tuple(shown_to(Viewer.REQUESTER, ticket) for ticket in mine)
    facts = Facts(tickets=shown, licences=licences, why="cancel" if intake.cancel and mine else "")
    if len(mine) == 1 and mail.message.message_id:
        work.send(Send(MailKind.STATUS, sender.address, facts, Purpose.CUSTOMER), mail.in_thread(mine[0]))
    else:
        _answer(work, mail, Send(MailKind.STATUS, sender.address, facts))
    return Outcome.STATUS


def _quoting(work: UnitOfWork, mail: ReceivedMail, intake: Quoting) -> Outcome:
    """A sender who names a ticket without its key is heard by staff, and changes nothing."""
    ticket = work.ticket(intake.ref)
    if ticket is None:
        return Outcome.STRAY
    words = (mail.message.text.strip()[:_COMMENT], *mail.message.file_names)
    text, *files = (work.blotted(part) for part in words)
    work.apply(ticket, Commented(mail.sender.address, text, "quoting", files=tuple(files)))
    return Outcome.COMMENT_WITHOUT_KEY


def _question(work: UnitOfWork, mail: ReceivedMail, intake: Prose) -> Outcome:
    """Words of a verified or known sender are a question for staff; the digest lists those of others."""
    if not (mail.sender.verified or mail.sender.known):
        return Outcome.STRANGERS_WORDS
    form_requests.open_question(work, mail, intake.text)
    _answer(work, mail, Send(MailKind.HELP, mail.sender.address))
    return Outcome.QUESTION
