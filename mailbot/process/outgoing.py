"""From a letter to finished mails in the outbox: who gets one, with which key, in which thread, within which budget."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never

from mailbot.core.base.address import domain_of, fold_case, matches_pattern, same_address
from mailbot.core.base.frozen import replace
from mailbot.core.desk.effects import Audience, Send
from mailbot.core.desk.mail_kind import MailKind
from mailbot.core.desk.ticket import Ticket
from mailbot.core.inbound import reply_keys
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.ledger.licence import Licence
from mailbot.core.outbound.compose import Envelope, compose
from mailbot.core.outbound.draft import Draft
from mailbot.core.outbound.readership import Reader, readable, reader_of
from mailbot.ids import Stream
from mailbot.process import staff_alerts
from mailbot.process.reply_budget import Cap, reached
from mailbot.process.transaction import Transaction
from storage import keys, mail_counts, outbox

#: Mails whose bounce would only make noise.
NULL_PATH = frozenset({MailKind.HELP, MailKind.NOT_UNDERSTOOD, MailKind.CAP})
#: Delay of a ``neutral`` mail after its mail was begun: when it comes must not show how many contacts are asked, and
#: whether there are any.
HUSH = timedelta(seconds=3)
#: Most Message-IDs in a References field: the newest ones name the thread.
THREAD = 12


@dataclass(frozen=True)
class Letter:
    """A mail that was decided and is yet to be composed, with ticket and licences as they stood at the decision.

    ``answers``: the Message-ID that a letter without a ticket answers. ``void``: why its key is dead from the start,
    because a later decision of the same work ended it.
    """

    send: Send
    ticket: Ticket | None = None
    licence: Licence | None = None
    new_licence: Licence | None = None
    answers: str | None = None
    void: str = ""


@dataclass(frozen=True)
class Withheld:
    """A mail that was not sent because a budget is used up."""

    kind: MailKind
    address: str
    cap: Cap
    ticket: Ticket | None


@dataclass
class Composer:
    """Composes the letters of one unit of work, with a source of random bytes of its own."""

    transaction: Transaction
    random: Stream
    withheld: list[Withheld] = field(default_factory=list)

    def write(self, letter: Letter) -> Ticket | None:
        """Put one mail for each address of the audience into the outbox. Returns the ticket with its threads grown."""
        ticket = letter.ticket
        for address in self._addresses(letter):
            reader = reader_of(letter.send, address, letter.licence, letter.new_licence)
            said = readable(letter.send, ticket, reader)
            if said is None:
                continue
            cap = reached(self.transaction, said.kind, address)
            if cap is None:
                ticket = self._put(replace(letter, send=said, ticket=ticket), reader)
            else:
                self._withhold(Withheld(said.kind, address, cap, ticket))
        return ticket

    def _addresses(self, letter: Letter) -> list[str]:
        staff = [member.address for member in self.transaction.desk.config.staff]
        to, ticket = letter.send.to, letter.ticket
        if not isinstance(to, Audience):
            return [to]
        match to:
            case Audience.STAFF:
                return staff
            case Audience.DECIDERS:
                return [a for a in staff if ticket is None or not same_address(a, ticket.sender)]
            case Audience.CUSTOMER | Audience.OUTCOME:
                return [] if ticket is None else _customers(to, ticket, letter.licence)
            case _:
                assert_never(to)

    def _withhold(self, mail: Withheld) -> None:
        """One notice a day to a person who writes too much, and an alert for the operator."""
        self.withheld.append(mail)
        session, now = self.transaction.session, self.transaction.now
        wrote = mail.ticket is None or same_address(mail.address, mail.ticket.sender)
        told = mail_counts.count_since(session, mail.address, now - timedelta(days=1), (MailKind.CAP,))
        if mail.cap is Cap.SENDER and wrote and told == 0:
            notice = Letter(Send(MailKind.CAP, mail.address), mail.ticket)
            self._put(notice, Reader(mail.address, staff=False))
        alert = staff_alerts.raise_alert(self.transaction, *self._incident(mail))
        if alert is not None:
            self.write(Letter(alert))

    def _incident(self, mail: Withheld) -> tuple[str, str]:
        """The key and the text of the alert about a budget that is used up."""
        today, address, say = self.transaction.today, mail.address, self.transaction.desk.say
        match mail.cap:
            case Cap.SENDER:
                text = say("alert.cap_sender", address=address)
                return f"cap:{fold_case(address)}:{today}", text
            case Cap.DOMAIN:
                text = say("alert.cap_domain", domain=domain_of(address))
                return f"cap:@{domain_of(address)}:{today}", text
            case Cap.UNKNOWN:
                return f"cap:unknown:{self.transaction.now:%Y-%m-%d %H}", say("alert.cap_unknown")
            case _:
                assert_never(mail.cap)

    def _put(self, letter: Letter, reader: Reader) -> Ticket | None:
        """Compose the mail for one reader and put it into the outbox."""
        desk, now = self.transaction.desk, self.transaction.now
        send, ticket, address = letter.send, letter.ticket, reader.address
        envelope = self._envelope(letter, address)
        facts = send.facts if send.facts.by or not ticket else replace(send.facts, by=self._member_name(address))
        draft = Draft(
            send=replace(send, to=address, facts=facts),
            reader=reader,
            envelope=envelope,
            letterhead=desk.letterhead,
            catalogue=desk.catalogue,
            ticket=ticket,
            licence=letter.licence,
            new_licence=letter.new_licence,
        )
        raw = compose(desk.wording.render(draft), envelope, desk.letterhead)
        outbox.put(
            self.transaction.session,
            outbox.FinishedMail(
                message_id=envelope.message_id,
                kind=send.kind.value,
                ref=ticket.ref if ticket else None,
                recipient=fold_case(address),
                envelope_from="" if envelope.null_path else desk.config.mailbot.address,
                raw=raw,
                composed_at=now,
                not_before=now + HUSH if send.kind is MailKind.NEUTRAL else now,
                inbox_id=self.transaction.inbox_id,
            ),
        )
        ref = ticket.ref if ticket else None
        desk.log.composed(message_id=envelope.message_id, kind=send.kind.value, recipient=address, ref=ref)
        return joined(ticket, address, envelope.message_id) if ticket else None

    def _member_name(self, address: str) -> str:
        return next((m.name for m in self.transaction.desk.config.staff if same_address(m.address, address)), "")

    def _envelope(self, letter: Letter, address: str) -> Envelope:
        config, send, ticket = self.transaction.desk.config, letter.send, letter.ticket
        desk, sub_addressing = config.mailbot.address, config.smtp.sub_addressing
        ref = ticket.ref if ticket else (reply_keys.DIGEST_REF if send.purpose else None)
        key = self._key(letter, send.purpose, address) if send.purpose else None
        thread = _thread(letter, address)
        return Envelope(
            message_id=reply_keys.message_id(ref, key, self.random(20), domain_of(desk)),
            to=address,
            reply_to=reply_keys.reply_address(desk, ref or "", key, sub_addressing) if key else None,
            key=key,
            tag=reply_keys.subject_tag(ref, None if sub_addressing else key, sub_addressing) if ref else None,
            in_reply_to=thread[-1] if thread else None,
            references=thread,
            date=self.transaction.now,
            null_path=send.kind in NULL_PATH,
        )

    def _key(self, letter: Letter, purpose: Purpose, address: str) -> str:
        """A fresh key for this mail alone; only its hash is stored."""
        now, ticket = self.transaction.now, letter.ticket
        key = reply_keys.make_key(self.random(20))
        shown = (ticket,) if ticket else letter.send.facts.tickets
        covered = letter.send.covers or tuple((t.ref, t.version, t.licence_revision) for t in shown)
        lives = timedelta(days=self.transaction.desk.config.timers.key_days)
        digest = reply_keys.key_digest(key)
        keys.add(
            self.transaction.session,
            keys.NewKey(
                digest=digest,
                purpose=purpose.value,
                ref=ticket.ref if ticket else None,
                refs=covered,
                version=ticket.version if ticket else 0,
                licence_revision=ticket.licence_revision if ticket else 0,
                address=fold_case(address),
                made_at=now,
                expires_at=None if purpose is Purpose.CUSTOMER else now + lives,
                payload={"text": letter.send.payload},
            ),
        )
        if letter.void:
            keys.kill(self.transaction.session, digest, now, letter.void)
        return key


def joined(ticket: Ticket, address: str, message_id: str | None) -> Ticket:
    """The ticket with one more mail in the thread with that address; unchanged when the mail has no usable Message-ID."""
    if message_id is None:
        return ticket
    thread = (*ticket.threads.get(fold_case(address), ()), message_id)[-THREAD:]
    return replace(ticket, threads={**ticket.threads, fold_case(address): thread})


def _thread(letter: Letter, address: str) -> tuple[str, ...]:
    """The Message-IDs that were exchanged with that address, oldest first."""
    if letter.ticket is not None:
        return letter.ticket.threads.get(fold_case(address), ())
    return (letter.answers,) if letter.answers else ()


def _customers(to: Audience, ticket: Ticket, licence: Licence | None) -> list[str]:
    """The sender; the customer e-mail where it is a contact; for a partner's outcome the plain contacts."""
    contacts = licence.contacts if licence else ()
    people = [ticket.sender]
    other = ticket.customer_email
    if other and any(matches_pattern(other, contact) for contact in contacts):
        people.append(other)
    if to is Audience.OUTCOME and ticket.sender_is_partner:
        people += [contact for contact in contacts if not contact.startswith("@")]
    return list({fold_case(a): a for a in people}.values())
