"""Replies of members of the staff: whether they decide, and what the member hears of it."""

import re
from collections.abc import Sequence
from datetime import timedelta

from mailbot.core.base.address import fold_case, same
from mailbot.core.desk.effects import Facts, Result, Send
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import Ticket
from mailbot.core.inbound import decision_grammar
from mailbot.core.inbound.purpose import Purpose
from mailbot.process.customer_replies import Reply, in_thread
from mailbot.process.decision_lines import Decisions, ask_anew
from mailbot.process.unit_of_work import Work
from storage import keys as key_rows
from storage import mail_counts, tickets

#: Answers to members that decided nothing.
UNDECIDED = (MailKind.NOT_UNDERSTOOD, MailKind.ALREADY_DECIDED)
#: Why a line that was understood came too late; the member hears just that, and who was faster.
LATE = frozenset({"decided", "changed"})
#: Why a key died, where a member is told so; of any other death he hears that it is decided.
DEATHS = frozenset({"changed", "expired", "used", "cancelled", "closed"})

#: What Outlook calls the pictures in a signature.
_PICTURE = re.compile(r"(?:image\d{3}|outlook-\w+)\.\w{3,4}", re.IGNORECASE)


def staff(reply: Reply) -> str:
    """A reply with a staff key: decided, answered with why not, or recorded. Returns what it came to."""
    work, thread, sender = reply.work, reply.thread, reply.sender
    member = work.staff(thread.address)
    if member is None or not same(sender.address, thread.address):
        return _refused(reply, f"the decision key of {thread.address} was used by {sender.address}")
    if sender.verdict == "refused":
        return _refused(reply, f"a decision in the name of {member} came from an unverified sender")
    if not thread.live:
        return _too_late(reply, member)
    if thread.purpose is Purpose.AGAIN:
        return _confirmed_again(reply, member)
    if not (reply.trusted and reply.clear):
        return _ask_member(reply, member)
    return _decide(reply, member, reply.own)


def keyless(reply: Reply, member: str) -> str:
    """Words of a decision without the key of a mail: recorded, staff are told once, the member hears what is missing."""
    mentioned = reply.thread.found.refs_mentioned
    for ref in mentioned:
        _record(reply, ref, "decision_refused", f"a decision of {member} came without a key")
    reply.work.alert(
        f"keyless:{fold_case(member)}:{reply.work.today}", reply.work.desk.say("alert.keyless", member=member)
    )
    if _may_answer(reply, member):
        facts = Facts(results=(Result(reply.own, False, why="no_key"),), why="no_key")
        ticket = reply.work.ticket(mentioned[0]) if len(mentioned) == 1 else None
        if ticket is not None:
            reply.work.perform(in_thread(reply, ticket), (Send(MailKind.NOT_UNDERSTOOD, member, facts),))
        else:
            reply.work.post.send(
                Send(MailKind.NOT_UNDERSTOOD, member, facts), None, reply_to_mail=reply.message.message_id
            )
    return "decision without key"


def _decide(reply: Reply, member: str, own: str) -> str:
    results = Decisions(reply.work, member, reply.thread.refs).carry_out(own, reply.refs)
    done = any(result.done for result in results)
    if done or _may_answer(reply, member):
        _tell(reply, member, results)
    return "decision" if done else "decision not understood"


def _tell(reply: Reply, member: str, results: Sequence[Result]) -> None:
    """What became of each line; where none was understood, with a key to try again.

    Where all of it came too late the member hears just that, of each ticket.
    """
    if results and all(result.ref and result.why in LATE for result in results):
        for ref, why in {result.ref: result.why for result in results}.items():
            ticket = reply.work.ticket(ref)
            if ticket is not None:
                _already(reply.work, member, ticket, why)
        return
    ticket = _one_ticket(reply)
    if any(result.done for result in results):
        facts = Facts(results=tuple(results), lines=_kept_back(reply) if any(result.sent for result in results) else ())
        reply.work.perform(ticket, (Send(MailKind.RECEIPT, member, facts),))
        return
    facts = Facts(results=tuple(results), why=results[0].why if results else "")
    covers = () if ticket else reply.thread.refs
    purpose = Purpose.DECISION if ticket else Purpose.DIGEST
    reply.work.perform(ticket, (Send(MailKind.NOT_UNDERSTOOD, member, facts, purpose, covers=covers),))


def _kept_back(reply: Reply) -> tuple[str, ...]:
    """The files that came with words for the customer: only words go on to him. Pictures of a signature are none."""
    return tuple(reply.work.blotted(name) for name in reply.message.file_names if not _PICTURE.fullmatch(name))


def _one_ticket(reply: Reply) -> Ticket | None:
    """The ticket of a mail that is about one; None for a digest of several."""
    return reply.work.ticket(reply.refs[0]) if len(reply.refs) == 1 else None


def _already(work: Work, member: str, ticket: Ticket, why: str) -> None:
    """It is settled, and by whom; where nothing waits any more, with a key for words to the customer."""
    by = _decider(work, ticket) if why == "decided" else ""
    purpose = None if ticket.waits else Purpose.DECISION
    work.perform(ticket, (Send(MailKind.ALREADY_DECIDED, member, Facts(why=why, decided_by=by), purpose),))


def _may_answer(reply: Reply, member: str) -> bool:
    """Whether a mail that decides nothing is answered: not without end, for a program may be answering ours."""
    work = reply.work
    sent = mail_counts.count_since(work.session, fold_case(member), work.now - timedelta(days=1), UNDECIDED)
    if sent < work.desk.config.limits.replies_per_sender_per_day:
        return True
    for ref in reply.refs:
        _record(reply, ref, "decision_unanswered", f"{sent} mails of {member} since yesterday decided nothing")
    work.alert(f"undecided:{fold_case(member)}:{work.today}", work.desk.say("alert.undecided", member=member))
    return False


def _confirmed_again(reply: Reply, member: str) -> str:
    """The member who was asked whether he wrote what was read confirms it."""
    if not reply.clear or decision_grammar.confirmation_word(reply.own) != "CONFIRM":
        return _decide(reply, member, reply.own) if reply.trusted and reply.clear else _ask_member(reply, member)
    key_rows.kill(reply.work.session, reply.thread.digest, reply.work.now, "used")
    return _decide(reply, member, reply.thread.payload)


def _ask_member(reply: Reply, member: str) -> str:
    """Without a verdict, or where not everybody sees the same words, the member alone is asked, with a fresh key."""
    if not _may_answer(reply, member):
        return "decision not answered"
    decisions = Decisions(reply.work, member, reply.thread.refs)
    if not any(isinstance(line, decision_grammar.DecisionLine) for line in decisions.read(reply.own, reply.refs)):
        _tell(reply, member, decisions.carry_out(reply.own, reply.refs))
        return "decision not understood"
    ticket = _one_ticket(reply)
    facts = Facts(text=reply.own, why="unclear" if reply.trusted else "unverified_member")
    covers = reply.thread.refs  # as the mail that he answers showed them
    reply.work.perform(ticket, (Send(MailKind.NOT_UNDERSTOOD, member, facts, Purpose.AGAIN, reply.own, covers),))
    return "decision to be confirmed"


def _too_late(reply: Reply, member: str) -> str:
    """A dead key from its own member: told who decided, or that it changed or expired; with a new mail if it waits."""
    answered = _may_answer(reply, member)
    why = reply.thread.dead_why if reply.thread.dead_why in DEATHS else "decided"
    own = f"{reply.own} {reply.thread.payload}".upper()
    named = tuple(ref for ref in reply.refs if re.search(rf"{re.escape(ref)}\b", own))
    for ref in named or reply.refs:  # a digest lists many
        ticket = reply.work.ticket(ref)
        if ticket is None:
            continue
        _record(reply, ref, "decision_late", why)
        if not answered:
            continue
        _already(reply.work, member, ticket, why)
        if ticket.waits and not same(member, ticket.sender):
            version = next(version for name, version, _ in reply.thread.refs if name == ref)
            ask_anew(reply.work, ticket, member, version)
    return "decision too late"


def _decider(work: Work, ticket: Ticket) -> str:
    """Who decided last."""
    events = [e for e in tickets.events(work.session, ticket.number) if e.kind in ("approved", "rejected", "answered")]
    return events[-1].by if events else ""


def _refused(reply: Reply, why: str) -> str:
    """Nothing changes; the ticket's history has it, staff are told once."""
    for ref in reply.refs:
        _record(reply, ref, "decision_refused", why)
    reply.work.alert(f"decision:{reply.thread.digest}", why)  # not by sender: he chooses his address
    return "decision refused"


def _record(reply: Reply, ref: str, kind: str, why: str) -> None:
    """A line in the ticket's history, if there is such a ticket."""
    ticket = reply.work.ticket(ref)
    if ticket is not None:
        tickets.add_event(
            reply.work.session,
            number=ticket.number,
            at=reply.work.now,
            kind=kind,
            by=reply.sender.address,
            mail=reply.work.mail,
            detail=why,
        )
