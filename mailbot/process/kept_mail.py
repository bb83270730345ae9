"""One kept mail, or one due thing, is one transaction: read this file from top to bottom to know what the desk does."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from mailbot.core.base.address import fold_case, matches
from mailbot.core.desk.authorisation import Sender
from mailbot.core.desk.effects import Facts, Send
from mailbot.core.desk.events import Commented, Undelivered
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import OPEN, State
from mailbot.core.form.blank_form import blank
from mailbot.core.form.reader import Reading
from mailbot.core.inbound.decision_grammar import begins
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
    understand,
)
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.mail import bounce
from mailbot.core.mail.auth_results import verdict
from mailbot.core.mail.message import Message, parse
from mailbot.environment import Desk
from mailbot.maillog import mask_token
from mailbot.process import digest
from mailbot.process.customer_replies import Reply, customer
from mailbot.process.form_requests import Requests
from mailbot.process.mail_thread import in_own_words, thread_of
from mailbot.process.outgoing import joined
from mailbot.process.staff_replies import keyless, staff
from mailbot.process.unit_of_work import Work
from storage import inbox, outbox, people, tickets

#: Of two copies of one mail, by the verdict on the sender.
WEIGHTS = {"refused": 0, "unverified": 1, "verified": 2}
FULL_WEIGHT = 2
#: Of so many forms in an automatic mail staff read what they are.
_MOST_TOLD = 5


@dataclass(frozen=True)
class Handled:
    """What a mail came to: its final ``state`` in the inbox, what it was, and why it is in quarantine, if it is.

    ``refs`` are the tickets to which something happened because of it.
    """

    state: inbox.InboxState
    intake: str
    reason: str | None = None
    refs: tuple[str, ...] = ()

    @property
    def ref(self) -> str | None:
        """Those tickets in one line, None when there are none."""
        return ", ".join(self.refs) or None


def handle(desk: Desk, session: Session, inbox_id: int, now: datetime) -> Handled:
    """Handle one kept mail inside the caller's transaction; everything that follows from it is written with it."""
    kept = inbox.get(session, inbox_id)
    if kept is None or kept.state != inbox.InboxState.KEPT:  # another process was faster
        return Handled(kept.state if kept else inbox.InboxState.DROPPED, "handled already")
    message = parse(inbox.raw(session, inbox_id))
    work = Work(desk, session, now, f"mail:{kept.sha256}", inbox_id, message.message_id or f"sha256:{kept.sha256}")
    mail = Mail(work, message, kept.received_at)
    handled = _duplicate(mail, message, inbox_id) or mail.handle()
    handled = replace(handled, refs=tuple(work.refs))
    inbox.mark(
        session,
        inbox_id,
        handled.state,
        at=now,
        intake=handled.intake,
        ref=handled.ref,
        reason=handled.reason,
        message_id=message.message_id,
        sender=message.sender,
        body_sha256=message.body_sha256,
    )
    desk.log.understood(inbox_id=inbox_id, sender=message.sender, intake=handled.intake, ref=handled.ref)
    return handled


def _duplicate(mail: "Mail", message: Message, inbox_id: int) -> Handled | None:
    """The same ``message`` again has no second effect; the same Message-ID with other words is shown to staff.

    A copy that counted for less, such as a forged one that was faster, does not stand in the way of the true mail.
    """
    work = mail.work
    if message.message_id is None:
        return None
    for other in inbox.by_message_id(work.session, message.message_id):
        if other.id == inbox_id or other.state == inbox.InboxState.KEPT:
            continue
        if other.sender == message.sender and other.body_sha256 == message.body_sha256:
            if mail.weight() > _weight_of(work, other):
                continue
            return Handled(inbox.InboxState.DUPLICATE, f"same as mail {other.id}")
        work.alert(f"same-id:{message.message_id}", work.desk.say("alert.same_id", id=inbox_id, other=other.id))
        return Handled(
            inbox.InboxState.QUARANTINED, "same Message-ID", f"the Message-ID of mail {other.id}, with other words"
        )
    return None


def _weight_of(work: Work, other: inbox.Inbox) -> int:
    """The ``weight`` of a mail that was handled; one whose bytes are gone had it all."""
    raw = inbox.raw_if_kept(work.session, other.id)
    return FULL_WEIGHT if raw is None else Mail(work, parse(raw), other.received_at).weight()


def _in_short(form: Reading) -> str:
    """What a form asks for, and for whom, as the log may have it too."""
    said = form.values
    token = mask_token(said.get("token") or said.get("old_token"))
    return ", ".join(
        word for word in (said.get("request"), said.get("action"), token, said.get("customer_name")) if word
    )


class Mail:
    """A message in its thread."""

    def __init__(self, work: Work, message: Message, received_at: datetime) -> None:
        self.work = work
        self.desk = work.desk
        self.received_at = received_at
        self.thread = thread_of(work, message, received_at)
        self.message = in_own_words(work, message, self.thread)

    def handle(self) -> Handled:
        """Understand it and do what it asks."""
        match intake := self._understood():
            case Unusable():
                return Handled(inbox.InboxState.QUARANTINED, "unusable", intake.why)
            case Ours():
                return Handled(inbox.InboxState.HANDLED, "our own mail")
            case SetAside():
                return Handled(inbox.InboxState.HANDLED, "marked as spam")
            case Bounced():
                return self._bounced(intake.report)
            case Automatic():
                return self._automatic(intake)
            case _:
                what = self._written(intake)
                return Handled(inbox.InboxState.HANDLED, what + digest.WITHHELD if self.work.post.withheld else what)

    def _understood(self) -> Intake:
        config = self.desk.config
        return understand(self.message, self.thread, config.mailbot.address, config.imap.spam_header)

    def weight(self) -> int:
        """How much its word counts, up to ``FULL_WEIGHT``; in a customer's thread the key makes up for a missing verdict."""
        intake = self._understood()
        if isinstance(intake, Unusable | Ours | SetAside | Bounced | Automatic):
            return 0
        found = self._sender().verdict
        return FULL_WEIGHT if isinstance(intake, CustomerReply) and found != "refused" else WEIGHTS[found]

    def _sender(self) -> Sender:
        address = self.message.sender or ""
        identity = self.desk.config.identity
        found = verdict(self.message, identity.authserv_id)
        return Sender(
            address=address,
            verdict=found.value,
            verified=found == "verified" or (identity.customers == "trust" and found != "refused"),
            known=people.known(self.work.session, fold_case(address)) or self._is_partner(address),
            partner=self._is_partner(address),
        )

    def _is_partner(self, address: str) -> bool:
        return any(matches(address, pattern) for pattern in self.desk.config.identity.partners)

    def _bounced(self, report: bounce.DeliveryReport) -> Handled:
        """A report that one of our own mails did not arrive marks it; any other is only kept."""
        if not report.failed:
            return Handled(inbox.InboxState.HANDLED, f"delivery report: {report.action}")
        for message_id in report.original_ids:
            row = outbox.by_message_id(self.work.session, message_id)
            if row is None or row.id is None:
                continue
            outbox.undelivered(self.work.session, row.id, self.work.now, report.diagnostic or report.status)
            ticket = self.work.ticket(row.ref) if row.ref else None
            if ticket is not None:
                self.work.apply(ticket, Undelivered(row.recipient, row.kind, report.diagnostic))
            else:
                text = self.desk.say("alert.undelivered", kind=row.kind, recipient=row.recipient)
                self.work.alert(f"undelivered:{message_id}", text)
            return Handled(inbox.InboxState.HANDLED, "delivery report")
        return Handled(inbox.InboxState.HANDLED, "delivery report on no mail of ours")

    def _automatic(self, intake: Automatic) -> Handled:
        """Never answered; a form in it is shown to staff."""
        if intake.readings and self.thread.purpose is None:
            told = "; ".join(_in_short(read) for read in intake.readings[:_MOST_TOLD])
            self.work.alert(
                f"automatic:{self.message.sha256}",
                self.desk.say(
                    "alert.automatic",
                    sender=self.message.sender or self.desk.say("alert.nobody"),
                    why=intake.why,
                    id=self.work.inbox_id,
                    forms=self.work.blotted(told)[:500],
                ),
            )
        return Handled(inbox.InboxState.HANDLED, f"automatic: {intake.why}")

    def _written(self, intake: Intake) -> str:
        """A mail that a person wrote."""
        sender = self._sender()
        trusted = (sender.verified and sender.verdict == "verified") or self.desk.config.identity.staff == "key"
        reply = Reply(self.work, self.message, self.thread, sender, trusted, self.received_at)
        if isinstance(intake, StaffReply):
            return staff(reply)
        if isinstance(intake, CustomerReply):
            return customer(reply)
        if sender.verdict == "refused":
            return "refused sender"
        member = self.work.staff(sender.address)
        if member and isinstance(intake, Quoting | Prose) and begins(reply.own, self.desk.config.mailbot.ticket_prefix):
            return keyless(reply, member)
        requests = Requests(self.work, self.message, sender, self.received_at)
        match intake:
            case Forms():
                requests.open(intake.readings)
                return "form"
            case HelpCommand():
                self._answer(Send(MailKind.HELP, sender.address))
                return "help"
            case FormCommand() if not intake.wordless or sender.verified or sender.known:
                text = blank(intake.request, self.desk.catalogue, intake.action)
                self._answer(Send(MailKind.FORM, sender.address, Facts(form=text, form_key=intake.request)))
                return "form asked"
            case StatusCommand():
                return self._status(intake, sender)
            case Quoting():
                return self._quoting(intake, sender)
            case Prose():
                return self._prose(intake, requests, sender)
            case Stray() | _:
                return "stray"

    def _answer(self, send: Send) -> None:
        self.work.post.send(send, None, reply_to_mail=self.message.message_id)

    def _status(self, intake: StatusCommand, sender: Sender) -> str:
        """The sender's open tickets and, when verified, the licences on which that address is a contact.

        Where there is one ticket, the mail has its key: a reply to it may act.
        """
        if not (sender.verified or sender.known):
            return "status of a stranger"
        rows = tickets.of_sender(self.work.session, fold_case(sender.address), (*OPEN, State.CANCELLED))
        mine = [ticket for row in rows if (ticket := self.work.ticket(row.ref)) and not ticket.as_seen.final]
        tokens = (
            {c.token for c in people.tokens_of_address(self.work.session, fold_case(sender.address))}
            if sender.verified
            else set()
        )
        licences = tuple(found for token in sorted(tokens) if (found := self.work.licence(token)))
        shown = tuple(ticket.as_seen for ticket in mine)
        facts = Facts(tickets=shown, licences=licences, why="cancel" if intake.cancel and mine else "")
        if len(mine) == 1 and self.message.message_id:
            ticket = joined(mine[0], sender.address, self.message.message_id)
            self.work.perform(ticket, (Send(MailKind.STATUS, sender.address, facts, Purpose.CUSTOMER),))
        else:
            self._answer(Send(MailKind.STATUS, sender.address, facts))
        return "status"

    def _quoting(self, intake: Quoting, sender: Sender) -> str:
        """Whoever names a ticket without its key is heard by staff, and changes nothing."""
        ticket = self.work.ticket(intake.ref)
        if ticket is None:
            return "stray"
        words = (self.message.text.strip()[:5000], *self.message.file_names)
        text, *files = (self.work.blotted(part) for part in words)
        self.work.apply(ticket, Commented(sender.address, text, "quoting", files=tuple(files)))
        return "comment without key"

    def _prose(self, intake: Prose, requests: Requests, sender: Sender) -> str:
        """Words of a verified or known sender are a question; anybody else's stand in the digest."""
        if not (sender.verified or sender.known):
            return "words of a stranger"
        requests.ask(intake.text)
        self._answer(Send(MailKind.HELP, sender.address))
        return "question"
