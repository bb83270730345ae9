"""Decision lines become events of their tickets, each with its own result; ``process.staff_replies`` lets them through."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from mailbot.core.base.address import same_address
from mailbot.core.desk import events
from mailbot.core.desk.effects import DecisionResult, Facts, Send
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import State, Ticket
from mailbot.core.inbound import decision_grammar, reply_keys
from mailbot.core.inbound.contradictions import contradicted_refs
from mailbot.core.inbound.decision_word import DecisionWord
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.outbound.words.sentences import item_names
from mailbot.process.unit_of_work import UnitOfWork

#: A ticket as its approval mail showed it: reference, request version, licence revision.
Covered = tuple[str, int, int]


class Decisions:
    """Carries out the decisions of one mail or command."""

    def __init__(self, work: UnitOfWork, by: str, covered: Sequence[Covered] | None) -> None:
        self.work = work
        self.by = by
        self.covered = {ref: (version, revision) for ref, version, revision in covered} if covered is not None else None
        #: For each licence that lines of this mail changed: the revisions before those changes, and the one after them.
        self.moved: dict[str, tuple[frozenset[int], int]] = {}

    def read(
        self, own: str, refs: Sequence[str]
    ) -> tuple[decision_grammar.DecisionLine | decision_grammar.NotUnderstood, ...]:
        """The decision lines in ``own``, which may be about any of the tickets ``refs``."""
        desk = self.work.desk
        names = {
            ref: item_names(ticket.open_items, desk.catalogue, desk.wording)
            for ref in refs
            if (ticket := self.work.ticket(ref))
        }
        return decision_grammar.read_decisions(own, desk.config.mailbot.ticket_prefix, names)

    def carry_out(self, own: str, refs: Sequence[str]) -> list[DecisionResult]:
        """Carry out each decision line in ``own``, which may be about any of the tickets ``refs``; their results."""
        lines = self.read(own, refs)
        good = [line for line in lines if isinstance(line, decision_grammar.DecisionLine)]
        void = contradicted_refs(good)
        results: list[DecisionResult] = []
        for line in lines:
            about = line.refs or (tuple(refs) if len(refs) == 1 else ())
            if isinstance(line, decision_grammar.NotUnderstood):
                results += [
                    DecisionResult(line.read, False, ref, why=self._unread(line, ref)) for ref in about or ("",)
                ]
            else:
                results += self._line(line, about, void)
        return results

    def _unread(self, line: decision_grammar.NotUnderstood, ref: str) -> str:
        """Why a line was not understood: an item that it names may be decided already."""
        ticket = self.work.ticket(ref) if line.why == "unknown_words" and ref else None
        over = ticket is not None and not ticket.waits and ticket.state is not State.WAITING_CONFIRMATION
        return "decided" if over and line.read.upper().startswith(DecisionWord.APPROVE) else line.why

    def _line(
        self, line: decision_grammar.DecisionLine, refs: Iterable[str], void: frozenset[str]
    ) -> list[DecisionResult]:
        return [self._about(line, ref, contradicted=bool({ref, ""} & void)) for ref in refs]

    def _about(self, line: decision_grammar.DecisionLine, ref: str, *, contradicted: bool) -> DecisionResult:
        ticket = self.work.ticket(ref)
        if ticket is None:
            return DecisionResult(line.read, False, ref, line.word, why="no_such_ticket")
        why = "contradiction" if contradicted else self._hindrance(ticket, line)
        if why:
            return DecisionResult(line.read, False, ref, line.word, line.items, why)
        made = self.work.apply(ticket, self._event(line))
        self._follow(ticket, made.ticket)
        return made.result or DecisionResult(line.read, False, ref, line.word, why="decided")

    def _hindrance(self, ticket: Ticket, line: decision_grammar.DecisionLine) -> str:
        """Why this line may not touch that ticket, "" when it may."""
        if same_address(self.by, ticket.sender):
            return "own_request"
        if line.word.goes_to_customer and any(self.work.key_is_live(word) for word in reply_keys.keys_in(line.text)):
            return "holds_key"
        if line.word.is_binding and self._changed(ticket):
            self._ask_again(ticket)
            return "changed"
        return ""

    def _changed(self, ticket: Ticket) -> bool:
        """Whether request or licence differ from what the approval mail showed."""
        if self.covered is None or not ticket.waits:
            return False
        version, revision = self.covered[ticket.ref]
        return ticket.version != version or ticket.licence_revision != revision or self.ledger_moved(ticket)

    def _follow(self, before: Ticket, after: Ticket) -> None:
        """A change by one line of a mail does not make its next line late, not even about another ticket of the licence."""
        if self.covered is None:
            return
        self.covered[after.ref] = (after.version, after.licence_revision)
        if after.token and after.licence_revision != before.licence_revision:
            left, _ = self.moved.get(after.token, (frozenset(), 0))
            self.moved[after.token] = left | {before.licence_revision}, after.licence_revision

    def ledger_moved(self, ticket: Ticket) -> bool:
        """Whether somebody else changed the ticket's licence since its items were judged."""
        licence = self.work.licence(ticket.token) if ticket.token else None
        if licence is None or licence.bound_revision == ticket.licence_revision:
            return False
        left, reached = self.moved.get(licence.token, (frozenset(), 0))
        return not (ticket.licence_revision in left and licence.bound_revision == reached)

    def _ask_again(self, ticket: Ticket) -> None:
        """Send new approval mails to all, or, when only the request changed, to this member alone."""
        if self.ledger_moved(ticket):
            self.work.reopen_question(ticket)
        elif self.covered is not None:
            ask_anew(self.work, ticket, self.by, self.covered[ticket.ref][0])

    def _event(self, line: decision_grammar.DecisionLine) -> events.Event:
        match line.word:
            case DecisionWord.APPROVE:
                return events.Approved(self.by, line.read, line.items, line.until)
            case DecisionWord.REJECT:
                return events.Rejected(self.by, line.read, line.text, line.items)
            case DecisionWord.ASK:
                return events.QuestionAsked(self.by, line.read, line.text)
            case DecisionWord.ANSWER:
                return events.AnswerGiven(self.by, line.read, line.text)
            case DecisionWord.NOTE:
                return events.NoteTaken(self.by, line.read, line.text)
            case DecisionWord.HOLD:
                return events.PutOnHold(self.by, line.read)
            case _:
                assert_never(line.word)


def ask_anew(work: UnitOfWork, ticket: Ticket, member: str, version: int) -> None:
    """A new approval mail for that member; it marks what the customer changed since ``version`` of the request."""
    changes = [line for line in work.history(ticket) if line.kind == "changed"]
    recent = changes[-(ticket.version - version) :] if ticket.version > version else []
    changed = tuple(dict.fromkeys(key for line in recent for key in str(line.detail).split(", ") if key))
    work.send(Send(MailKind.APPROVAL, member, Facts(changed=changed), Purpose.DECISION), ticket)
