"""One unit of work: the decisions of a mail, a due thing or a command, collected until all of them are known.

Tickets, history and letters stay in memory; events of the ledger, people, due things and dead keys are rows of the open
transaction at once, since the next decision is judged on them. ``compose`` then turns the letters into mails, ``write``
writes each ticket once. When anything fails the caller's transaction undoes all of it; nothing leaves the machine.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from types import TracebackType
from typing import Any

from mailbot.core.base.address import fold_case, same_address
from mailbot.core.base.frozen import replace
from mailbot.core.desk.context import DecisionContext
from mailbot.core.desk.disclosure import is_over_for_requester
from mailbot.core.desk.effects import AlertStaff, Audience, ChangeLicence, Effect, Facts, Send, VoidKeys
from mailbot.core.desk.events import Decision, Event, HistoryNote
from mailbot.core.desk.grant import refreshed
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.on_licence_server import await_licence_server
from mailbot.core.desk.ticket import OPEN, State, Ticket
from mailbot.core.desk.transitions import decide
from mailbot.core.form.request import RequestKind
from mailbot.core.inbound import reply_keys
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.ledger.licence import Ledger, Licence
from mailbot.process import mapping, staff_alerts
from mailbot.process.effect_rows import write_effect
from mailbot.process.outgoing import Composer, Letter
from mailbot.process.transaction import Transaction
from storage import keys, tickets


@dataclass
class _Held:
    """A ticket in memory: the row it came from (None: it is new), and whether it must be written."""

    ticket: Ticket
    row: tickets.TicketRow | None
    changed: bool = False


@dataclass(frozen=True)
class HistoryLine:
    """A line of a ticket's history that is yet to be written."""

    number: int
    kind: str
    by: str
    detail: Any
    mail: str | None


@dataclass
class UnitOfWork(Transaction, AbstractContextManager["UnitOfWork"]):
    """Used as a context manager, it composes and writes at the end of the block, unless that failed."""

    #: The tickets to which something happened, in order.
    refs: list[str] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    #: Whether a mail was not sent because a budget is used up; known after ``compose``.
    withheld: bool = False
    _lines: list[HistoryLine] = field(default_factory=list)
    _held: dict[str, _Held] = field(default_factory=dict)
    _licences: dict[str, Licence | None] = field(default_factory=dict)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Compose and write, unless the block failed."""
        if error is None:
            self.compose()
            self.write()

    # What is known

    def context(self, *tokens: str | None, demo_elsewhere: bool = False, on: date | None = None) -> DecisionContext:
        """The moment and the licences of those tokens (as they stand ``on`` that day), to judge by."""
        read = self.licence if on is None else lambda token: mapping.load_licence(self.session, token, on)
        found = {token: licence for token in tokens if token and (licence := read(token))}
        ledger = Ledger(found, demo_elsewhere)
        return DecisionContext(
            self.now, self.desk.config.zone, self.desk.catalogue, ledger, self.desk.timers, self.mail
        )

    def licence(self, token: str) -> Licence | None:
        """The current licence; read once, and again after a change by this work."""
        if token not in self._licences:
            self._licences[token] = mapping.load_licence(self.session, token, self.today)
        return self._licences[token]

    def ticket(self, ref: str) -> Ticket | None:
        """The ticket of that reference (any case); its open items are judged again as of today."""
        found = self._hold(ref)
        return refreshed(found.ticket, self.context(found.ticket.token)) if found else None

    def same_form(self, sender: str, fields: dict[str, str]) -> Ticket | None:
        """The newest ticket that ``sender`` opened with these values, if it is open as far as the sender may know."""
        digest = mapping.form_digest(fields)
        for states in (OPEN, (State.DENIED,)):
            mine = [
                await_licence_server.ticket
                for await_licence_server in self._held.values()
                if same_address(await_licence_server.ticket.sender, sender)
            ]
            found = [t for t in mine if t.state in states and mapping.form_digest(t.fields) == digest]
            row = tickets.same_form(self.session, fold_case(sender), digest, states)
            if row is not None and row.ref not in self._held:
                found.append(mapping.of_row(row))
            newest = max(found, key=lambda ticket: ticket.number, default=None)
            if newest is not None and not is_over_for_requester(newest):
                return newest
        return None

    def history(self, ticket: Ticket) -> list[tickets.TicketEventRow | HistoryLine]:
        """What happened to the ticket, oldest first, with what this work adds."""
        return [
            *tickets.events(self.session, ticket.number),
            *(line for line in self._lines if line.number == ticket.number),
        ]

    def key_is_live(self, word: str) -> bool:
        """Whether a word that looks like a key still opens something."""
        row = keys.find(self.session, reply_keys.key_digest(word))
        return row is not None and row.dead_at is None

    def blotted(self, text: str) -> str:
        """``text`` without its live keys, so that the desk never passes on the key of another person's mail."""
        for word in reply_keys.keys_in(text):
            if self.key_is_live(word):
                text = text.replace(word, "[key]")
        return text

    def staff(self, address: str) -> str | None:
        """The member's own spelling of an address, None for anybody else."""
        return next((m.address for m in self.desk.config.staff if same_address(m.address, address)), None)

    # What happens

    def new_ticket(self, sender: str, verdict: str, received_at: datetime, **known: Any) -> Ticket:
        """A ticket with a fresh number, to which nothing has happened yet."""
        number = tickets.next_number(self.session)
        ticket = Ticket(
            ref=f"{self.desk.config.mailbot.ticket_prefix}-{number}",
            number=number,
            request=RequestKind.UNKNOWN,
            sender=sender,
            sender_verdict=verdict,
            received_at=received_at,
            **known,
        )
        self._held[ticket.ref] = _Held(ticket, None)
        return ticket

    def apply(self, ticket: Ticket, event: Event, context: DecisionContext | None = None) -> Decision:
        """Let the event happen to the ticket, and send the mails that follow."""
        decision = self.take(ticket, event, context)
        for effect in decision.effects:
            if isinstance(effect, Send):
                self.send(effect, decision.ticket)
        return decision

    def take(self, ticket: Ticket, event: Event, context: DecisionContext | None = None) -> Decision:
        """Let the event happen to the ticket. The mails that follow are left to the caller."""
        context = context or self.context(ticket.token, ticket.new_token)
        decision = decide(ticket, event, context)
        if self.desk.config.licence_server is not None:
            decision = await_licence_server(ticket, decision, context)
        after = decision.ticket
        if after.ref not in self.refs:
            self.refs.append(after.ref)
        for note in decision.notes:
            self.note(after, note)
        return replace(decision, ticket=self._perform(after, decision.effects))

    def put(self, ticket: Ticket) -> None:
        """The ticket as it is from now on."""
        found = self._hold(ticket.ref)
        if found is not None and found.ticket is not ticket:
            found.ticket, found.changed = ticket, True

    def note(self, ticket: Ticket, note: HistoryNote) -> None:
        """Add a line to the ticket's history."""
        self._lines.append(HistoryLine(ticket.number, note.kind, note.by, note.detail, self.mail))

    def send(self, send: Send, ticket: Ticket | None = None, answers: str | None = None) -> None:
        """Have a mail composed at the end, about the ticket as it is now; without one it ``answers`` a Message-ID."""
        if ticket is None:
            self.letters.append(Letter(send, answers=answers))
            return
        self.put(ticket)
        licence, new_licence = (self.licence(t) if t else None for t in (ticket.token, ticket.new_token))
        self.letters.append(Letter(send, ticket, licence, new_licence))

    def alert(self, incident: str, text: str) -> None:
        """Tell staff once per incident, in at most one mail an hour; the log always has it."""
        mail = staff_alerts.raise_alert(self, incident, text)
        if mail is not None:
            self.send(mail)

    def follow_ledger(self, ticket: Ticket) -> Ticket:
        """The ticket on its licence as it is now: the ticket's own changes do not void its own keys."""
        licence = self.licence(ticket.token) if ticket.token else None
        if licence is None:
            return ticket
        keys.follow(self.session, ticket.ref, licence.bound_revision)
        return replace(ticket, licence_revision=licence.bound_revision)

    def reopen_question(self, ticket: Ticket) -> None:
        """Ask staff again about a ticket whose licence changed in the meantime; the old keys die."""
        licence = self.licence(ticket.token) if ticket.token else None
        found = self._hold(ticket.ref)
        shown = found.ticket if found else ticket  # as the last mail about it showed it
        moved = tuple(i.item for i in ticket.items if i.open and (was := shown.item(i.item)) and was.from_ != i.from_)
        revision = licence.bound_revision if licence else 0
        ticket = replace(ticket, version=ticket.version + 1, licence_revision=revision)
        asked = self._perform(ticket, (VoidKeys((Purpose.DECISION, Purpose.CONFIRM_DECISION), "changed"),))
        facts = Facts(why="licence_changed", changed=moved)
        self.send(Send(MailKind.APPROVAL, Audience.DECIDERS, facts, Purpose.DECISION), asked)

    # How it ends

    def compose(self) -> None:
        """Turn the letters into mails in the outbox, in their order; each mail grows the thread of the next."""
        composer = Composer(self, self.desk.ids.stream(self.label))
        letters, self.letters = self.letters, []
        for letter in letters:
            composer.write(letter) if letter.ticket is None else self._compose(composer, letter, letter.ticket)
        for mail in composer.withheld:
            if mail.ticket is not None:
                detail = {"kind": mail.kind.value, "to": mail.address, "budget": mail.cap.value}
                self._lines.append(HistoryLine(mail.ticket.number, "withheld", "mailbot", detail, None))
        self.withheld = self.withheld or bool(composer.withheld)

    def write(self) -> None:
        """Write each ticket that changed, once, and the new lines of the histories."""
        for found in self._held.values():
            if found.changed:
                found.row = mapping.save_ticket(self.session, found.ticket, self.now, found.row)
                found.changed = False
        lines, self._lines = self._lines, []
        for line in lines:
            tickets.add_event(self.session, line.number, self.now, line.kind, line.by, line.mail, line.detail)

    def _compose(self, composer: Composer, letter: Letter, then: Ticket) -> None:
        """Compose a letter about a ticket as it was ``then``, in its thread and on its licence as they are now."""
        now = self._held[then.ref].ticket
        shown = replace(then, threads=now.threads, licence_revision=now.licence_revision)
        grown = composer.write(replace(letter, ticket=shown))
        if grown is not None and grown.threads != now.threads:
            self.put(replace(now, threads=grown.threads))

    def _hold(self, ref: str) -> _Held | None:
        """The ticket in memory, read when it is first asked for."""
        ref = ref.upper()
        if ref not in self._held and (row := tickets.load(self.session, ref)) is not None:
            self._held[ref] = _Held(mapping.of_row(row), row)
        return self._held.get(ref)

    def _perform(self, ticket: Ticket, effects: Sequence[Effect]) -> Ticket:
        """Write down what follows, but for the mails. Returns the ticket as it is after it."""
        for effect in effects:
            if not isinstance(effect, Send):
                self._record(ticket.ref, effect)
                self._licences.clear()
        if any(isinstance(effect, ChangeLicence) for effect in effects):
            ticket = self.follow_ledger(ticket)
        self.put(ticket)
        return ticket

    def _record(self, ref: str, effect: Effect) -> None:
        if isinstance(effect, Send):
            return
        if isinstance(effect, AlertStaff):
            self.alert(effect.incident, effect.text)
        elif isinstance(effect, VoidKeys):
            keys.kill_of_ticket(self.session, ref, tuple(effect.purposes), self.now, effect.why)
            self.letters = [_void(letter, ref, effect) for letter in self.letters]
        else:
            write_effect(self, ref, effect)


def _void(letter: Letter, ref: str, effect: VoidKeys) -> Letter:
    """The letter, its key dead from the start if it is one of those that end."""
    doomed = letter.ticket is not None and letter.ticket.ref == ref and letter.send.purpose in effect.purposes
    return replace(letter, void=letter.void or effect.why) if doomed else letter
