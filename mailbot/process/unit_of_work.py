"""One piece of work in one transaction: tickets and ledger in, decided events applied, their effects written down.

Whatever happens here is undone together when anything fails; nothing leaves the machine.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from sqlmodel import Session

from mailbot.core.base.address import fold_case
from mailbot.core.desk.context import Scene
from mailbot.core.desk.effects import (
    AddContact,
    AlertStaff,
    Audience,
    ChangeLicence,
    Effect,
    Facts,
    MarkKnown,
    MovePeople,
    Schedule,
    Send,
    SetName,
    Unschedule,
    VoidKeys,
)
from mailbot.core.desk.events import Decision, Event
from mailbot.core.desk.grant import renewed
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.on_licence_server import ANSWERS, held
from mailbot.core.desk.ticket import Ticket
from mailbot.core.desk.transitions import decide
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.inbound.reply_keys import digest
from mailbot.core.inbound.reply_keys import holds_key as find_keys
from mailbot.core.ledger.licence import Ledger, Licence
from mailbot.environment import Desk
from mailbot.process import mapping
from mailbot.process.outgoing import Post
from storage import due, keys, licence_posts, licences, people, tickets


@dataclass
class Work:
    """The unit of work: ``label`` names it (a kept mail or a due thing), ``inbox_id`` the kept mail, if there is one."""

    desk: Desk
    session: Session
    now: datetime
    label: str
    inbox_id: int | None = None
    mail: str | None = None
    #: The tickets to which something happened, in order.
    refs: list[str] = field(default_factory=list)
    _licences: dict[str, Licence | None] = field(default_factory=dict)
    #: The approval mails that wait for the end of ``together``; None outside of it.
    _asking: list[tuple[str, Send]] | None = None
    _saved: dict[str, tuple[Ticket, tickets.TicketRow]] = field(default_factory=dict)

    @cached_property
    def post(self) -> Post:
        """Writes this work's mails, with a source of random bytes of its own."""
        return Post(self.desk, self.session, self.now, self.desk.ids.stream(self.label), self.licence, self.inbox_id)

    def scene(self, *tokens: str | None, demo_elsewhere: bool = False, on: date | None = None) -> Scene:
        """The moment and the ledger's licences of those tokens (as they stand ``on`` that day), for a judgement."""
        read = self.licence if on is None else lambda token: mapping.load_licence(self.session, token, on)
        found = {token: licence for token in tokens if token and (licence := read(token))}
        ledger = Ledger(found, demo_elsewhere)
        return Scene(self.now, self.desk.config.zone, self.desk.catalogue, ledger, self.desk.timers, self.mail)

    def licence(self, token: str) -> Licence | None:
        """The licence as it stands now; read once, and again after a change of this work's own."""
        if token not in self._licences:
            self._licences[token] = mapping.load_licence(self.session, token, self.today)
        return self._licences[token]

    @property
    def today(self) -> date:
        """The business date of now."""
        return self.now.astimezone(self.desk.config.zone).date()

    def ticket(self, ref: str) -> Ticket | None:
        """The ticket of that reference, any case; what is open in it is told as it would be today."""
        saved = self._saved.get(ref.upper())
        found = saved[0] if saved else mapping.load_ticket(self.session, ref)
        return renewed(found, self.scene(found.token)) if found else None

    def save(self, ticket: Ticket) -> None:
        """Write the ticket as it is now, unless just that is written."""
        saved = self._saved.get(ticket.ref)
        if saved is None or saved[0] is not ticket:
            self._saved[ticket.ref] = ticket, mapping.save_ticket(self.session, ticket, self.now)

    def new_ticket(self, sender: str, verdict: str, received_at: datetime, **known: Any) -> Ticket:
        """A ticket with a fresh number that nothing has happened to yet."""
        number = tickets.next_number(self.session)
        ref = f"{self.desk.config.mailbot.ticket_prefix}-{number}"
        return Ticket(
            ref=ref,
            number=number,
            request="unknown",
            sender=sender,
            sender_verdict=verdict,
            received_at=received_at,
            **known,
        )

    def apply(self, ticket: Ticket, event: Event, scene: Scene | None = None) -> Decision:
        """Let the event happen to the ticket: the new ticket is saved, its effects are written, its history goes on."""
        scene = scene or self.scene(ticket.token, ticket.new_token)
        decision = decide(ticket, event, scene)
        if self.desk.config.licence_server is not None:
            decision = held(ticket, decision, scene)
        after = decision.ticket
        if after.ref not in self.refs:
            self.refs.append(after.ref)
        self.save(after)
        for note in decision.notes:
            tickets.add_event(
                self.session,
                number=after.number,
                at=self.now,
                kind=note.kind,
                by=note.by,
                mail=self.mail,
                detail=note.detail,
            )
        after = self.perform(after, decision.effects)
        return Decision(after, decision.effects, decision.notes, decision.result)

    def perform(self, ticket: Ticket | None, effects: Iterable[Effect]) -> Ticket:
        """Write down what follows: ledger, people and dates first, so that the mails speak of the new state."""
        effects = tuple(effects)
        for effect in effects:
            if not isinstance(effect, Send):
                self._note(ticket, effect)
                self._licences.clear()
        if ticket is not None and any(isinstance(effect, ChangeLicence) for effect in effects):
            ticket = self._follow_ledger(ticket)
        for effect in effects:
            if not isinstance(effect, Send):
                continue
            if self._asking is not None and effect.kind == "approval" and ticket is not None:
                self._asking.append((ticket.ref, effect))
            else:
                ticket = self.post.send(effect, ticket)
        if ticket is not None:
            self.save(ticket)
        return ticket  # type: ignore[return-value]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Staff are asked about what is judged within at its end: no key is bound to a licence that the next form changes."""
        asking: list[tuple[str, Send]] = []
        self._asking = asking
        yield
        self._asking = None
        for ref, approval in asking:
            ticket = self.ticket(ref)
            if ticket is not None:
                self.perform(self._follow_ledger(ticket), (approval,))

    def _follow_ledger(self, ticket: Ticket) -> Ticket:
        """The ticket's own changes do not void its own keys."""
        licence = self.licence(ticket.token) if ticket.token else None
        if licence is None:
            return ticket
        keys.follow(self.session, ticket.ref, licence.bound_revision)
        return ticket.model_copy(update={"licence_revision": licence.bound_revision})

    def _note(self, ticket: Ticket | None, effect: Effect) -> None:
        match effect:
            case ChangeLicence():
                self._change(ticket, effect)
            case AddContact():
                people.add_contact(self.session, effect.token, effect.address, self.now, effect.known)
            case SetName():
                people.set_name(self.session, effect.token, effect.name)
            case MarkKnown():
                people.mark_known(self.session, effect.token)
            case MovePeople():
                people.move(self.session, effect.old, effect.new)
            case Schedule():
                self._remember(ticket, effect)
            case Unschedule():
                for kind in effect.kinds:
                    due.drop(self.session, kind=kind, ref=ticket.ref if ticket else None, at=self.now)
            case VoidKeys():
                ref = ticket.ref if ticket else ""
                keys.kill_of_ticket(self.session, ref, tuple(effect.purposes), self.now, effect.why)
            case AlertStaff():
                self.alert(effect.incident, effect.text)

    def _change(self, ticket: Ticket | None, change: ChangeLicence) -> None:
        asks = self.desk.config.licence_server is not None and change.kind not in ANSWERS
        revision = licences.append(
            self.session,
            token=change.token,
            at=self.now,
            effective=change.effective,
            kind=change.kind,
            changes=change.changes,
            ticket=change.ticket or (ticket.ref if ticket else None),
            mail=self.mail,
            rule=change.rule,
            decider=change.decider,
            catalogue_version=self.desk.catalogue.version,
            why=change.why,
            asked_on=change.asked_on,
            pending=asks,
        )
        if asks:
            licence_posts.add(self.session, change.token, revision, self.now)

    def _remember(self, ticket: Ticket | None, effect: Schedule) -> None:
        due.add(
            self.session,
            kind=effect.kind,
            due_at=effect.at.astimezone(UTC),
            made_at=self.now,
            ref=ticket.ref if ticket else None,
            token=effect.token,
            payload={"text": effect.payload},
        )

    def alert(self, incident: str, text: str) -> None:
        """Tell staff once per incident, in at most one mail an hour; the log has it always."""
        self.post.alert(incident, text)

    def reopen_question(self, ticket: Ticket) -> None:
        """Ask staff anew about a ticket whose licence was changed by somebody else: old keys die."""
        licence = self.licence(ticket.token) if ticket.token else None
        update = {"version": ticket.version + 1, "licence_revision": licence.bound_revision if licence else 0}
        void = VoidKeys((Purpose.DECISION, Purpose.AGAIN), "changed")
        shown = mapping.load_ticket(self.session, ticket.ref) or ticket  # as the last mail about it had it
        moved = tuple(i.item for i in ticket.items if i.open and (was := shown.item(i.item)) and was.from_ != i.from_)
        approval = Send(
            MailKind.APPROVAL, Audience.DECIDERS, Facts(why="licence_changed", changed=moved), Purpose.DECISION
        )
        self.perform(ticket.model_copy(update=update), (void, approval))

    def key_is_live(self, word: str) -> bool:
        """Whether a word that looks like a key is one that still opens something."""
        row = keys.find(self.session, digest(word))
        return row is not None and row.dead_at is None

    def blotted(self, text: str) -> str:
        """``text`` without the live keys in it: nobody gets a key of somebody else's mail through the desk."""
        for word in find_keys(text):
            if self.key_is_live(word):
                text = text.replace(word, "[key]")
        return text

    def staff(self, address: str) -> str | None:
        """The member's own spelling of an address, None for anybody else."""
        mine = (m.address for m in self.desk.config.staff)
        return next((m for m in mine if fold_case(m) == fold_case(address)), None)
