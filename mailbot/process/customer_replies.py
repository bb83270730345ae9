"""Replies with a key of the customer's side: whether they may act, and what they then do. What may not act is a comment."""

from dataclasses import dataclass
from datetime import datetime

from mailbot.core.base.address import matches, same
from mailbot.core.desk.authorisation import Sender
from mailbot.core.desk.effects import Facts, Send
from mailbot.core.desk.events import Commented, Denied, EmailConfirmed, StatusAsked, Withdrawn
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import ITEM_FIELDS, Ticket, settled_fields
from mailbot.core.form import blank_form, reader
from mailbot.core.form.problem import Code
from mailbot.core.form.quotes import own_lines_anywhere, own_text
from mailbot.core.form.validation import validate
from mailbot.core.inbound import decision_grammar
from mailbot.core.inbound.intake import Thread
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.logs.log_sources import sources_of
from mailbot.core.mail.message import Message
from mailbot.process import mapping
from mailbot.process.form_requests import WITH_LOG, Requests
from mailbot.process.outgoing import joined
from mailbot.process.unit_of_work import Work
from storage import keys as key_rows

#: Words a customer's reply may consist of.
CANCEL, STATUS, HELP = "cancel", "status", "help"


@dataclass(frozen=True)
class Reply:
    """A reply in its thread. ``trusted``: the mail itself proves its sender as far as the configuration demands."""

    work: Work
    message: Message
    thread: Thread
    sender: Sender
    trusted: bool
    received_at: datetime

    @property
    def own(self) -> str:
        """The writer's own words, up to the first sign of a quote."""
        return own_text(self.message.text, (self.work.desk.wording.marker,)).own

    @property
    def said(self) -> str:
        """The writer's own words wherever they stand, also below and between what is quoted: they confirm nothing."""
        return own_lines_anywhere(self.message.text, (self.work.desk.wording.marker,))[0].strip()

    @property
    def clear(self) -> bool:
        """Whether the own words are the same in every mail program: hidden by no style that only some follow."""
        surely = self.message.text_surely
        return surely is None or own_text(surely, (self.work.desk.wording.marker,)).own == self.own

    @property
    def refs(self) -> tuple[str, ...]:
        """The tickets that the key is about."""
        return tuple(ref for ref, _, _ in self.thread.refs)


def customer(reply: Reply) -> str:
    """A reply with a key of the customer's side. Returns what it came to."""
    work, thread = reply.work, reply.thread
    ticket = work.ticket(reply.refs[0]) if reply.refs else None
    if ticket is None:
        return "ticket unknown"
    ticket = in_thread(reply, ticket)
    if thread.purpose in (Purpose.CONFIRM, Purpose.EMAIL):
        return _challenge(reply, ticket)
    if reply.sender.verdict == "refused" or not _may_act(reply, ticket):
        _comment(reply, ticket, "wrong_sender", acts=False)
        return "comment of a stranger"
    if ticket.as_seen.final:
        return _on_final(reply, ticket)
    return _act(reply, ticket)


def in_thread(reply: Reply, ticket: Ticket) -> Ticket:
    """The ticket with this mail in its writer's thread: what is sent next answers it."""
    if reply.message.message_id is None:
        return ticket
    return joined(ticket, reply.sender.address, reply.message.message_id)


def _may_act(reply: Reply, ticket: Ticket) -> bool:
    """The ticket's sender, or a contact of its licence."""
    if same(reply.sender.address, ticket.sender):
        return True
    licence = reply.work.licence(ticket.token) if ticket.token else None
    return licence is not None and any(matches(reply.sender.address, contact) for contact in licence.contacts)


def _challenge(reply: Reply, ticket: Ticket) -> str:
    """CONFIRM or NO, from the address that was asked; anything else leaves the key alive."""
    asked = same(reply.sender.address, reply.thread.address) and reply.sender.verdict != "refused"
    word = decision_grammar.confirmation_word(reply.own) if reply.clear else None
    if not asked or word is None or not reply.thread.live:
        _comment(reply, ticket, "wrong_sender" if not asked else "asked", acts=False)
        return "comment"
    key_rows.kill(reply.work.session, reply.thread.digest, reply.work.now, "used")
    if reply.thread.purpose is Purpose.EMAIL:
        if word == "CONFIRM":
            reply.work.apply(ticket, EmailConfirmed(reply.sender.address))
        return "address confirmed" if word == "CONFIRM" else "address refused"
    if word == "NO":
        reply.work.apply(ticket, Denied(reply.sender.address))
        return "denied"
    Requests(reply.work, reply.message, reply.sender, ticket.received_at).confirm(ticket, reply.sender.address)
    return "confirmed"


def _first_word(own: str) -> str:
    first = next((line for line in own.splitlines() if line.strip()), "")
    return " ".join(first.lower().strip(" .!").split())


def _asked_for(reply: Reply, ticket: Ticket) -> str:
    """``status`` and ``help`` are answered whatever became of the ticket; "" when it is neither."""
    word = _first_word(reply.said)
    if word == STATUS:
        reply.work.apply(ticket, StatusAsked(reply.sender.address))
    elif word == HELP:
        reply.work.perform(ticket, (Send(MailKind.HELP, reply.sender.address),))
    return word if word in (STATUS, HELP) else ""


def _act(reply: Reply, ticket: Ticket) -> str:
    """Words for the desk, corrected lines, a late file; else a comment for staff."""
    if _first_word(reply.said) == CANCEL:
        reply.work.apply(ticket, Withdrawn(reply.sender.address))
        return "withdrawn"
    if answered := _asked_for(reply, ticket):
        return answered
    own, quoted = own_lines_anywhere(reply.message.text, (reply.work.desk.wording.marker,))
    read = reader.read_fields(own)
    edited = reader.read_quoted(quoted, _sent_text(reply, ticket))
    return _correct(reply, ticket, edited, read)


def _correct(reply: Reply, ticket: Ticket, edited: reader.Reading, read: reader.Reading) -> str:
    """Corrected lines change what is open; what is settled is answered with the way to ask for it anew."""
    said = {**edited.values, **read.values}
    differing = {field for field, value in said.items() if ticket.fields.get(field) != value}
    over = settled_fields(ticket)
    late = tuple(sorted(differing & over & ITEM_FIELDS))
    log = ticket.request == WITH_LOG and bool(sources_of(reply.message))
    change = (differing - over) or log or _nearly_said(reply, ticket, read)
    requests = Requests(reply.work, reply.message, reply.sender, reply.received_at)
    if change and _open_to_change(ticket):
        ticket = requests.change(ticket, edited.without(over), read.without(over), reply.own).ticket
        what = "corrected"
    elif late and not read.prose:
        what = "settled already"
    else:
        ticket = _comment(reply, ticket, "reply", acts=True)
        what = "comment"
        if reply.message.attachments and any(problem.field == "log" for problem in ticket.problems):
            requests.change(
                ticket, edited, read, reply.own
            )  # a picture, say: the log is still missing, and that is told
    if late:
        _offer_anew(reply, ticket, late)
    return what


def _offer_anew(reply: Reply, ticket: Ticket, fields: tuple[str, ...]) -> None:
    """What was settled already is not changed by a reply: which form asks for it."""
    facts = Facts(why="settled", changed=fields, tickets=(ticket,))
    purpose = None if ticket.final else Purpose.CUSTOMER
    reply.work.perform(ticket, (Send(MailKind.STATUS, reply.sender.address, facts, purpose),))


def _sent_text(reply: Reply, ticket: Ticket) -> str:
    """The text of our mail that is answered, as it was sent; where that is gone the ticket's form as it stands."""
    sent = mapping.sent_text(reply.work.session, reply.message.in_reply_to, ticket.ref)
    if sent is not None:
        return sent
    stored = reader.merge(ticket.fields, None, None)
    request, _ = validate(stored, reply.work.desk.catalogue, attachments=True)
    return blank_form.filled_form(request, stored.values, ticket.problems)


def _nearly_said(reply: Reply, ticket: Ticket, read: reader.Reading) -> bool:
    """Whether a line of the reply is nearly labelled as something that is still missing."""
    if not (ticket.problems and read.near):
        return False
    merged = reader.merge(ticket.fields, None, read)
    _, problems = validate(merged, reply.work.desk.catalogue, attachments=True)
    return any(problem.code is Code.NEAR_LABEL for problem in problems)


def _open_to_change(ticket: Ticket) -> bool:
    undecided = ticket.problems or ticket.token_doubt or not ticket.items or any(item.open for item in ticket.items)
    return bool(undecided or ticket.denied_unseen)


def _on_final(reply: Reply, ticket: Ticket) -> str:
    """On a ticket that is over: status and help are answered, a new form opens a new ticket, the rest is a comment."""
    if answered := _asked_for(reply, ticket):
        return answered
    readings = [read for read in reader.read_forms(reply.said, "") if read.request_line]
    if readings:
        Requests(reply.work, reply.message, reply.sender, reply.received_at).open(tuple(readings), linked=ticket.ref)
        return "new form"
    _comment(reply, ticket, "final_ticket", acts=False)
    return "comment"


def _comment(reply: Reply, ticket: Ticket, why: str, *, acts: bool) -> Ticket:
    """For staff; live keys in it are blotted out. A stranger's is told to the ticket's sender, who must send it himself."""
    text, *files = (reply.work.blotted(words) for words in (reply.said, *reply.message.file_names))
    event = Commented(reply.sender.address, text.strip(), why, acts, tuple(files))
    ticket = reply.work.apply(ticket, event).ticket
    stranger = why == "wrong_sender" and reply.thread.live and not same(reply.sender.address, ticket.sender)
    if stranger and reply.thread.purpose is Purpose.CUSTOMER:  # of a contact who was asked the sender must not hear
        facts = Facts(why="wrong_sender", tickets=(ticket.as_seen,))
        return reply.work.perform(ticket, (Send(MailKind.STATUS, ticket.sender, facts, Purpose.CUSTOMER),))
    return ticket
