"""From an effect to finished mails in the outbox: who gets one, with which key, in which thread, within which budget."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from mailbot.core.base.address import domain, fold_case, matches, same
from mailbot.core.desk.effects import Audience, Facts, Send
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import Ticket
from mailbot.core.inbound import reply_keys as keywords
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.ledger.licence import Licence
from mailbot.core.outbound.compose import Envelope, compose
from mailbot.core.outbound.draft import Draft
from mailbot.core.outbound.readership import Reader, readable, reader_of
from mailbot.environment import Desk
from mailbot.ids import Stream
from mailbot.process.reply_budget import Cap, reached
from storage import alerts, due, keys, mail_counts, outbox, tickets

#: The due thing that tells staff what was collected since the last alert.
ALERTS = "alerts"
ALERT_EVERY = timedelta(hours=1)
#: So many incidents stand in one mail; the others follow an hour later.
MOST_ALERTS = 500
#: Mails whose bounce would only make noise.
NULL_PATH = frozenset({MailKind.HELP, MailKind.NOT_UNDERSTOOD, MailKind.CAP})
#: ``neutral`` leaves so long after its mail was begun with, whatever was written besides: how many contacts are asked, and
#: whether there are any, must not show in when it comes.
HUSH = timedelta(seconds=3)
#: A thread is named by its newest mails; the References field stays short.
THREAD = 12


@dataclass
class Post:
    """Writes mails for one piece of work, in its transaction. ``withheld`` are those for which no budget was left."""

    desk: Desk
    session: Session
    now: datetime
    random: Stream
    licence: Callable[[str], Licence | None]
    inbox_id: int | None = None
    withheld: list[str] = field(default_factory=list)

    def send(self, send: Send, ticket: Ticket | None, *, reply_to_mail: str | None = None) -> Ticket | None:
        """One mail for each address of the audience, in the outbox; the ticket comes back with its threads grown."""
        licence, new_licence = (self.licence(token) if token else None for token in _tokens(ticket))
        for address in self._addresses(send.to, ticket, licence):
            reader = reader_of(send, address, licence, new_licence)
            said = readable(send, ticket, reader)
            if said is None:
                continue
            cap = reached(self.desk, self.session, send.kind, address, self.now)
            if cap is None:
                ticket = self._one(said, reader, ticket, licence, new_licence, reply_to_mail)
            else:
                self._withhold(cap, send.kind, address, ticket)
        return ticket

    def _addresses(self, to: Audience | str, ticket: Ticket | None, licence: Licence | None) -> list[str]:
        staff = [member.address for member in self.desk.config.staff]
        match to:
            case Audience.STAFF:
                return staff
            case Audience.DECIDERS:
                return [a for a in staff if ticket is None or not same(a, ticket.sender)]
            case Audience.CUSTOMER | Audience.OUTCOME if ticket is not None:
                return _customers(Audience(to), ticket, licence)
            case _:
                return [str(to)]

    def _withhold(self, cap: Cap, kind: MailKind, address: str, ticket: Ticket | None) -> None:
        """A budget is used up: one notice a day to a person who writes too much, and lines for the operator."""
        self.withheld.append(f"{kind} to {address}")
        day, today = self.now - timedelta(days=1), self.now.astimezone(self.desk.config.zone).date()
        wrote = ticket is None or same(address, ticket.sender)
        if cap is Cap.SENDER and wrote and mail_counts.count_since(self.session, address, day, (MailKind.CAP,)) == 0:
            self._one(Send(MailKind.CAP, address), Reader(address, staff=False), ticket)
        if ticket is not None:
            detail = {"kind": kind.value, "to": address, "budget": cap.value}
            tickets.add_event(
                self.session, number=ticket.number, at=self.now, kind="withheld", by="mailbot", detail=detail
            )
        match cap:
            case Cap.SENDER:
                self.alert(f"cap:{fold_case(address)}:{today}", self.desk.say("alert.cap_sender", address=address))
            case Cap.DOMAIN:
                self.alert(
                    f"cap:@{domain(address)}:{today}",
                    self.desk.say("alert.cap_domain", domain=domain(address)),
                )
            case Cap.UNKNOWN:
                self.alert(
                    f"cap:unknown:{self.now:%Y-%m-%d %H}",
                    self.desk.say("alert.cap_unknown"),
                )

    def alert(self, incident: str, text: str) -> None:
        """Tell staff once per incident, in at most one mail an hour; the log has it always."""
        self.desk.log.alert(text=text)
        if not alerts.note(self.session, incident, text, self.now):
            return
        last = alerts.last_told(self.session)
        if last is None or self.now - last >= ALERT_EVERY:
            self.tell()
        else:
            due.add(self.session, kind=ALERTS, due_at=last + ALERT_EVERY, made_at=self.now)

    def tell(self) -> None:
        """One mail to staff with everything that they have not been told of."""
        rows = alerts.untold(self.session, MOST_ALERTS)
        if not rows:
            return
        text = "\n".join(row.text for row in rows)
        self.send(Send(MailKind.ALERT, Audience.STAFF, Facts(text=text)), None)
        alerts.mark_told(self.session, rows, self.now)
        if alerts.untold(self.session, 1):
            due.add(self.session, kind=ALERTS, due_at=self.now + ALERT_EVERY, made_at=self.now)

    def _one(
        self,
        send: Send,
        reader: Reader,
        ticket: Ticket | None,
        licence: Licence | None = None,
        new_licence: Licence | None = None,
        reply_to_mail: str | None = None,
    ) -> Ticket | None:
        address = reader.address
        envelope = self._envelope(send, address, ticket, reply_to_mail)
        facts = send.facts if send.facts.by or not ticket else replace(send.facts, by=self._name(address))
        draft = Draft(
            send=replace(send, to=address, facts=facts),
            reader=reader,
            envelope=envelope,
            letterhead=self.desk.letterhead,
            catalogue=self.desk.catalogue,
            ticket=ticket,
            licence=licence,
            new_licence=new_licence,
        )
        raw = compose(self.desk.wording.render(draft), envelope, self.desk.letterhead)
        outbox.put(
            self.session,
            message_id=envelope.message_id,
            kind=send.kind.value,
            ref=ticket.ref if ticket else None,
            recipient=fold_case(address),
            envelope_from="" if envelope.null_path else self.desk.config.mailbot.address,
            raw=raw,
            composed_at=self.now,
            not_before=self.now + HUSH if send.kind is MailKind.NEUTRAL else self.now,
            inbox_id=self.inbox_id,
        )
        self.desk.log.composed(
            message_id=envelope.message_id, kind=send.kind.value, recipient=address, ref=ticket.ref if ticket else None
        )
        return joined(ticket, address, envelope.message_id) if ticket else None

    def _name(self, address: str) -> str:
        return next((m.name for m in self.desk.config.staff if same(m.address, address)), "")

    def _envelope(self, send: Send, address: str, ticket: Ticket | None, reply_to_mail: str | None) -> Envelope:
        settings = self.desk.config
        ref = ticket.ref if ticket else (keywords.DIGEST if send.purpose else None)
        key = self._key(send, send.purpose, address, ticket) if send.purpose else None
        tagged = key if key and not settings.smtp.sub_addressing else None
        thread = ticket.threads.get(fold_case(address), ()) if ticket else ((reply_to_mail,) if reply_to_mail else ())
        return Envelope(
            message_id=keywords.message_id(ref, key, self.random(20), domain(settings.mailbot.address)),
            to=address,
            reply_to=keywords.reply_address(settings.mailbot.address, ref or "", key, settings.smtp.sub_addressing)
            if key
            else None,
            key=key,
            tag=keywords.subject_tag(ref, tagged, settings.smtp.sub_addressing) if ref else None,
            in_reply_to=thread[-1] if thread else None,
            references=thread,
            date=self.now,
            null_path=send.kind in NULL_PATH,
        )

    def _key(self, send: Send, purpose: Purpose, address: str, ticket: Ticket | None) -> str:
        """A fresh key for this mail alone; only its hash is kept for recognising it."""
        key = keywords.make(self.random(20))
        shown = (ticket,) if ticket else send.facts.tickets
        covered = send.covers or tuple((t.ref, t.version, t.licence_revision) for t in shown)
        lives = timedelta(days=self.desk.config.timers.key_days)
        keys.add(
            self.session,
            digest=keywords.digest(key),
            purpose=purpose.value,
            ref=ticket.ref if ticket else None,
            refs=covered,
            version=ticket.version if ticket else 0,
            licence_revision=ticket.licence_revision if ticket else 0,
            address=fold_case(address),
            made_at=self.now,
            expires_at=None if purpose is Purpose.CUSTOMER else self.now + lives,
            payload={"text": send.payload},
        )
        return key


def _tokens(ticket: Ticket | None) -> tuple[str | None, str | None]:
    return (ticket.token, ticket.new_token) if ticket else (None, None)


def joined(ticket: Ticket, address: str, message_id: str) -> Ticket:
    """The ticket with one more mail in the thread with that address."""
    thread = (*ticket.threads.get(fold_case(address), ()), message_id)[-THREAD:]
    return ticket.model_copy(update={"threads": {**ticket.threads, fold_case(address): thread}})


def _customers(to: Audience, ticket: Ticket, licence: Licence | None) -> list[str]:
    """The sender; the customer e-mail where it is a contact; for a partner's outcome the plain contacts."""
    contacts = licence.contacts if licence else ()
    people = [ticket.sender]
    other = ticket.customer_email
    if other and any(matches(other, contact) for contact in contacts):
        people.append(other)
    if to is Audience.OUTCOME and ticket.sender_is_partner:
        people += [contact for contact in contacts if not contact.startswith("@")]
    return list({fold_case(a): a for a in people}.values())
