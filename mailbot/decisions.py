"""Decision lines become events of their tickets, each with its own result. Whether they may count: ``replies``."""

from collections.abc import Iterable, Sequence

from mailbot.core import decision, events, keys
from mailbot.core.address import same
from mailbot.core.effects import Facts, Purpose, Result, Send
from mailbot.core.say import item_names
from mailbot.core.ticket import Ticket
from mailbot.work import Work

#: A ticket as its approval mail showed it: reference, request version, licence revision.
Covered = tuple[str, int, int]
#: Words that change what is asked; the others only speak, and may come at any time.
BINDING = frozenset({"APPROVE", "REJECT"})


class Decisions:
    """Carries out the decisions of one mail or command."""

    def __init__(self, work: Work, by: str, covered: Sequence[Covered] | None) -> None:
        self.work = work
        self.by = by
        self.covered = {ref: (version, revision) for ref, version, revision in covered} if covered is not None else None

    def carry_out(self, own: str, refs: Sequence[str]) -> list[Result]:
        """The result of each decision line in ``own``; ``refs`` are the tickets that it may be about."""
        tickets = {ref: ticket for ref in refs if (ticket := self.work.ticket(ref))}
        names = {
            ref: item_names(ticket.open_items, self.work.desk.catalogue, self.work.desk.wording)
            for ref, ticket in tickets.items()
        }
        lines = decision.read(own, self.work.desk.config.mailbot.ticket_prefix, names)
        good = [line for line in lines if isinstance(line, decision.Line)]
        void = decision.contradictions(good)
        results: list[Result] = []
        for line in lines:
            if isinstance(line, decision.NotUnderstood):
                results.append(Result(line.read, False, refs[0] if len(refs) == 1 else "", why=line.why))
            else:
                results += self._line(line, line.refs or tuple(tickets)[:1], void)
        return results

    def _line(self, line: decision.Line, refs: Iterable[str], void: frozenset[str]) -> list[Result]:
        return [self._about(line, ref, contradicted=bool({ref, ""} & void)) for ref in refs]

    def _about(self, line: decision.Line, ref: str, *, contradicted: bool) -> Result:
        ticket = self.work.ticket(ref)
        if ticket is None:
            return Result(line.read, False, ref, line.word, why="no_such_ticket")
        why = "contradiction" if contradicted else self._hindrance(ticket, line)
        if why:
            return Result(line.read, False, ref, line.word, line.items, why)
        made = self.work.apply(ticket, self._event(line))
        self._follow(made.ticket)
        return made.result or Result(line.read, False, ref, line.word, why="decided")

    def _hindrance(self, ticket: Ticket, line: decision.Line) -> str:
        """Why this line may not touch that ticket, "" when nothing is in its way."""
        if same(self.by, ticket.sender):
            return "own_request"
        if line.word != "NOTE" and any(self.work.key_is_live(word) for word in keys.holds_key(line.text)):
            return "holds_key"
        if line.word in BINDING and self._changed(ticket):
            self.ask_again(ticket)
            return "changed"
        return ""

    def _changed(self, ticket: Ticket) -> bool:
        """Whether request or licence are not what the decision's mail showed."""
        if self.covered is None or ticket.final:
            return False
        version, revision = self.covered[ticket.ref]
        return ticket.version != version or ticket.licence_revision != revision or self.ledger_moved(ticket)

    def _follow(self, ticket: Ticket) -> None:
        """What a line of this mail changed does not make its next line late."""
        if self.covered is not None:
            self.covered[ticket.ref] = (ticket.version, ticket.licence_revision)

    def ledger_moved(self, ticket: Ticket) -> bool:
        """Whether somebody else's change has come upon the ticket's licence since its items were worked out."""
        licence = self.work.licence(ticket.token) if ticket.token else None
        return licence is not None and licence.revision != ticket.licence_revision

    def ask_again(self, ticket: Ticket) -> None:
        """New approval mails for a ticket that still waits; the old keys are dead."""
        if ticket.open_items:
            self.work.reopen_question(ticket)

    def _event(self, line: decision.Line) -> events.Event:
        match line.word:
            case "APPROVE":
                return events.Approved(self.by, line.read, line.items, line.until)
            case "REJECT":
                return events.Rejected(self.by, line.read, line.text, line.items)
            case "ASK":
                return events.Asks(self.by, line.read, line.text)
            case "ANSWER":
                return events.Answers(self.by, line.read, line.text)
            case "NOTE":
                return events.Notes(self.by, line.read, line.text)
            case _:
                return events.Holds(self.by, line.read)


def receipt(work: Work, member: str, results: list[Result], refs: Sequence[str]) -> None:
    """Tell the member what became of each line; where none counted, with a key to try again.

    Where all of it came too late, because request or licence had changed, he hears just that.
    """
    ticket = work.ticket(refs[0]) if len(refs) == 1 else None
    understood = any(result.done for result in results)
    if ticket is not None and results and all(result.why == "changed" for result in results):
        work.perform(ticket, (Send("already-decided", member, Facts(why="changed")),))  # the new approval mail is sent
        return
    facts = Facts(results=tuple(results), why=results[0].why if results and not understood else "")
    if ticket is not None:
        purpose = None if understood else Purpose.DECISION
        work.perform(ticket, (Send("receipt" if understood else "not-understood", member, facts, purpose),))
    else:
        work.perform(None, (Send("receipt" if understood else "not-understood", member, facts),))
