"""Replies of members of the staff: whether they decide, and what the member hears of it."""

import re
from collections.abc import Sequence
from datetime import timedelta

from mailbot.core.base.address import fold_case, same_address
from mailbot.core.desk.effects import DecisionResult, Facts, Send
from mailbot.core.desk.events import HistoryNote
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import Ticket
from mailbot.core.inbound import decision_grammar
from mailbot.core.inbound.decision_word import ConfirmationWord
from mailbot.core.inbound.purpose import Purpose
from mailbot.process.decision_lines import Decisions, ask_anew
from mailbot.process.outcome import Outcome
from mailbot.process.received_mail import ReceivedMail
from mailbot.process.unit_of_work import UnitOfWork
from storage import keys as key_rows
from storage import mail_counts

#: Kinds of mails to members that decided nothing.
UNDECIDED = (MailKind.NOT_UNDERSTOOD, MailKind.ALREADY_DECIDED)
#: Why a line that was understood came too late.
LATE = frozenset({"decided", "changed"})
#: Reasons for a dead key that a member can see; any other reason is shown as "decided".
DEATHS = frozenset({"changed", "expired", "used", "cancelled", "closed"})

#: What Outlook calls the pictures in a signature.
_PICTURE = re.compile(r"(?:image\d{3}|outlook-\w+)\.\w{3,4}", re.IGNORECASE)


def staff_reply(work: UnitOfWork, mail: ReceivedMail) -> Outcome:
    """Decide what a reply with a staff key decides, or answer why it does not, or only record it.

    The order is a security property: the right member, no forgery, a live key, a question to the member himself, and
    only then the words.
    """
    thread, sender = mail.thread, mail.sender
    member = work.staff(thread.address)
    if member is None or not same_address(sender.address, thread.address):
        return _refused(work, mail, f"the decision key of {thread.address} was used by {sender.address}")
    if sender.verdict == "refused":
        return _refused(work, mail, f"a decision in the name of {member} came from an unverified sender")
    if not thread.live:
        return _too_late(work, mail, member)
    if thread.purpose is Purpose.CONFIRM_DECISION:
        return _confirmed_again(work, mail, member)
    if not (_trusted(work, mail) and mail.clear):
        return _ask_member(work, mail, member)
    return _decide(work, mail, member, mail.own)


def keyless_decision(work: UnitOfWork, mail: ReceivedMail, member: str) -> Outcome:
    """Words of a decision without a key: recorded, staff are alerted once, and the member learns what is missing."""
    mentioned = mail.thread.found.refs_mentioned
    for ref in mentioned:
        _record(work, mail, ref, "decision_refused", f"a decision of {member} came without a key")
    work.alert(f"keyless:{fold_case(member)}:{work.today}", work.desk.say("alert.keyless", member=member))
    if _may_answer(work, mail, member):
        facts = Facts(results=(DecisionResult(mail.own, False, why="no_key"),), why="no_key")
        ticket = work.ticket(mentioned[0]) if len(mentioned) == 1 else None
        answered = Send(MailKind.NOT_UNDERSTOOD, member, facts)
        if ticket is not None:
            work.send(answered, mail.in_thread(ticket))
        else:
            work.send(answered, answers=mail.message.message_id)
    return Outcome.DECISION_WITHOUT_KEY


def _trusted(work: UnitOfWork, mail: ReceivedMail) -> bool:
    """Whether the mail itself proves its sender as far as the configuration demands of staff."""
    return mail.sender.verdict == "verified" or work.desk.config.identity.staff == "key"


def _decide(work: UnitOfWork, mail: ReceivedMail, member: str, own: str) -> Outcome:
    results = Decisions(work, member, mail.thread.refs).carry_out(own, mail.refs)
    done = any(result.done for result in results)
    if done or _may_answer(work, mail, member):
        _tell(work, mail, member, results)
    return Outcome.DECISION if done else Outcome.DECISION_NOT_UNDERSTOOD


def _tell(work: UnitOfWork, mail: ReceivedMail, member: str, results: Sequence[DecisionResult]) -> None:
    """Tell the member what became of each line; where none was understood, with a key to try again.

    Where every line came too late the member hears only that, once for each ticket.
    """
    if results and all(result.ref and result.why in LATE for result in results):
        for ref, why in {result.ref: result.why for result in results}.items():
            ticket = work.ticket(ref)
            if ticket is not None:
                _already(work, member, ticket, why)
        return
    ticket = _one_ticket(work, mail)
    if any(result.done for result in results):
        files = _kept_back(work, mail) if any(result.sent for result in results) else ()
        work.send(Send(MailKind.RECEIPT, member, Facts(results=tuple(results), lines=files)), ticket)
        return
    facts = Facts(results=tuple(results), why=results[0].why if results else "")
    covers = () if ticket else mail.thread.refs
    purpose = Purpose.DECISION if ticket else Purpose.DIGEST
    work.send(Send(MailKind.NOT_UNDERSTOOD, member, facts, purpose, covers=covers), ticket)


def _kept_back(work: UnitOfWork, mail: ReceivedMail) -> tuple[str, ...]:
    """The names of files that came with words for the customer, which only the words reach; no signature's pictures."""
    return tuple(work.blotted(name) for name in mail.message.file_names if not _PICTURE.fullmatch(name))


def _one_ticket(work: UnitOfWork, mail: ReceivedMail) -> Ticket | None:
    """The ticket of a mail that is about one; None for a digest of several."""
    return work.ticket(mail.refs[0]) if len(mail.refs) == 1 else None


def _already(work: UnitOfWork, member: str, ticket: Ticket, why: str) -> None:
    """It is settled, and by whom; with a key for words to the customer when nothing waits any more."""
    by = _decider(work, ticket) if why == "decided" else ""
    purpose = None if ticket.waits else Purpose.DECISION
    work.send(Send(MailKind.ALREADY_DECIDED, member, Facts(why=why, decided_by=by), purpose), ticket)


def _may_answer(work: UnitOfWork, mail: ReceivedMail, member: str) -> bool:
    """Whether a mail that decides nothing is answered: within a budget, since a program may be answering ours."""
    sent = mail_counts.count_since(work.session, fold_case(member), work.now - timedelta(days=1), UNDECIDED)
    if sent < work.desk.config.limits.replies_per_sender_per_day:
        return True
    for ref in mail.refs:
        _record(work, mail, ref, "decision_unanswered", f"{sent} mails of {member} since yesterday decided nothing")
    work.alert(f"undecided:{fold_case(member)}:{work.today}", work.desk.say("alert.undecided", member=member))
    return False


def _confirmed_again(work: UnitOfWork, mail: ReceivedMail, member: str) -> Outcome:
    """The member who was asked to confirm the decision that was read does so."""
    if mail.clear and decision_grammar.confirmation_word(mail.own) is ConfirmationWord.CONFIRM:
        key_rows.kill(work.session, mail.thread.digest, work.now, "used")
        return _decide(work, mail, member, mail.thread.payload)
    if _trusted(work, mail) and mail.clear:
        return _decide(work, mail, member, mail.own)
    return _ask_member(work, mail, member)


def _ask_member(work: UnitOfWork, mail: ReceivedMail, member: str) -> Outcome:
    """Ask the member alone, with a fresh key: there is no verdict, or not every program shows the same words."""
    if not _may_answer(work, mail, member):
        return Outcome.DECISION_NOT_ANSWERED
    decisions = Decisions(work, member, mail.thread.refs)
    if not any(isinstance(line, decision_grammar.DecisionLine) for line in decisions.read(mail.own, mail.refs)):
        _tell(work, mail, member, decisions.carry_out(mail.own, mail.refs))
        return Outcome.DECISION_NOT_UNDERSTOOD
    facts = Facts(text=mail.own, why="unclear" if _trusted(work, mail) else "unverified_member")
    covers = mail.thread.refs  # as shown in the mail that the member answers
    send = Send(MailKind.NOT_UNDERSTOOD, member, facts, Purpose.CONFIRM_DECISION, mail.own, covers)
    work.send(send, _one_ticket(work, mail))
    return Outcome.DECISION_TO_BE_CONFIRMED


def _too_late(work: UnitOfWork, mail: ReceivedMail, member: str) -> Outcome:
    """A dead key from its own member: say why it is dead, and ask again about what still waits."""
    answered = _may_answer(work, mail, member)
    why = mail.thread.dead_why if mail.thread.dead_why in DEATHS else "decided"
    own = f"{mail.own} {mail.thread.payload}".upper()
    named = tuple(ref for ref in mail.refs if re.search(rf"{re.escape(ref)}\b", own))
    for ref in named or mail.refs:  # a digest lists many
        ticket = work.ticket(ref)
        if ticket is None:
            continue
        _record(work, mail, ref, "decision_late", why)
        if not answered:
            continue
        _already(work, member, ticket, why)
        if ticket.waits and not same_address(member, ticket.sender):
            version = next(version for name, version, _ in mail.thread.refs if name == ref)
            ask_anew(work, ticket, member, version)
    return Outcome.DECISION_LATE


def _decider(work: UnitOfWork, ticket: Ticket) -> str:
    """Who decided last."""
    deciders = [line.by for line in work.history(ticket) if line.kind in ("approved", "rejected", "answered")]
    return deciders[-1] if deciders else ""


def _refused(work: UnitOfWork, mail: ReceivedMail, why: str) -> Outcome:
    """Nothing changes; the ticket's history records it, and staff are alerted once."""
    for ref in mail.refs:
        _record(work, mail, ref, "decision_refused", why)
    work.alert(f"decision:{mail.thread.digest}", why)  # not by sender: an attacker chooses the address
    return Outcome.DECISION_REFUSED


def _record(work: UnitOfWork, mail: ReceivedMail, ref: str, kind: str, why: str) -> None:
    """Add a line to the ticket's history, if there is such a ticket."""
    ticket = work.ticket(ref)
    if ticket is not None:
        work.note(ticket, HistoryNote(kind, mail.sender.address, why))
