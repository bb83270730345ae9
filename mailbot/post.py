"""From an effect to finished mails in the outbox: who gets one, with which key, in which thread, within which budget."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from mailbot.core import keys as keywords
from mailbot.core import view
from mailbot.core.address import domain, fold, matches, same
from mailbot.core.compose import Envelope, compose
from mailbot.core.effects import Audience, Purpose, Send
from mailbot.core.ticket import Ticket
from storage import keys, outbox

if TYPE_CHECKING:
    from mailbot.core.licence import Licence
    from mailbot.work import Work

#: Answers that anybody can provoke, so that they are counted; owed mails (outcome, plugins, decisions) never are.
BUDGETED = ("incomplete", "neutral", "confirmation", "confirm-you", "help", "form", "status", "cap")
#: Mails whose bounce would only make noise.
NULL_PATH = frozenset({"help", "form", "not-understood", "cap"})
#: A thread is named by its newest mails; the References field stays short.
THREAD = 12


class Post:
    """Writes mails for one piece of work."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.desk = work.desk

    def send(self, send: Send, ticket: Ticket | None, *, reply_to_mail: str | None = None) -> Ticket | None:
        """One mail for each address of the audience, in the outbox; the ticket comes back with its threads grown."""
        licence = self.work.licence(ticket.token) if ticket and ticket.token else None
        for address in self._addresses(send.to, ticket, licence):
            if self._within_budget(send.kind, address):
                ticket = self._one(send, address, ticket, licence, reply_to_mail)
            else:
                self._cap(address, ticket)
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

    def _within_budget(self, kind: str, address: str) -> bool:
        if kind not in BUDGETED or kind == "cap":
            return True
        limits, now = self.desk.config.limits, self.work.now
        day = outbox.count_since(self.work.session, fold(address), now - timedelta(days=1), BUDGETED)
        hour = outbox.count_all_since(
            self.work.session, now - timedelta(hours=1), ("neutral", "confirm-you", "help", "form")
        )
        open_to_all = kind in ("neutral", "confirm-you", "help", "form")
        return day < limits.replies_per_sender_per_day and (
            not open_to_all or hour < limits.replies_to_unknown_per_hour
        )

    def _cap(self, address: str, ticket: Ticket | None) -> None:
        """One notice at the cap to the person, and one line for the operator."""
        day = self.work.now - timedelta(days=1)
        if outbox.count_since(self.work.session, fold(address), day, ("cap",)) == 0:
            self._one(Send("cap", address), address, ticket, None, None)
        self.work.alert(
            f"cap:{fold(address)}:{self.work.today}", f"reply budget used up for {address}; no more answers today"
        )

    def _one(
        self, send: Send, address: str, ticket: Ticket | None, licence: Licence | None, reply_to_mail: str | None
    ) -> Ticket | None:
        envelope = self._envelope(send, address, ticket, reply_to_mail)
        facts = send.facts if send.facts.by or not ticket else replace(send.facts, by=self._name(address))
        shown = ticket.as_seen if ticket and same(address, ticket.sender) else ticket
        licence = licence if shown is ticket else None
        context = view.context(
            replace(send, to=address, facts=facts), shown, licence, self.desk.catalogue, self.desk.letterhead,
            self.desk.wording, envelope,
        )  # fmt: skip
        raw = compose(send.kind, envelope, context, self.desk.wording, self.desk.letterhead)
        outbox.put(
            self.work.session,
            message_id=envelope.message_id,
            kind=send.kind,
            ref=ticket.ref if ticket else None,
            recipient=fold(address),
            envelope_from="" if envelope.null_path else self.desk.config.mailbot.address,
            raw=raw,
            composed_at=self.work.now,
            due_at=self.work.now,
            inbox_id=self.work.inbox_id,
        )
        self.desk.log.composed(
            message_id=envelope.message_id, kind=send.kind, recipient=address, ref=ticket.ref if ticket else None
        )
        return joined(ticket, address, envelope.message_id) if ticket else None

    def _name(self, address: str) -> str:
        return next((m.name for m in self.desk.config.staff if same(m.address, address)), "")

    def _envelope(self, send: Send, address: str, ticket: Ticket | None, reply_to_mail: str | None) -> Envelope:
        settings = self.desk.config
        ref = ticket.ref if ticket else ("digest" if send.purpose is Purpose.DIGEST else None)
        key = self._key(send, send.purpose, address, ticket) if send.purpose else None
        tagged = key if key and not settings.smtp.sub_addressing else None
        thread = ticket.threads.get(fold(address), ()) if ticket else ((reply_to_mail,) if reply_to_mail else ())
        return Envelope(
            message_id=keywords.message_id(ref, key, self.work.random(20), domain(settings.mailbot.address)),
            to=address,
            reply_to=keywords.reply_address(settings.mailbot.address, ref or "", key, settings.smtp.sub_addressing)
            if key
            else None,
            key=key,
            tag=keywords.subject_tag(ref, tagged, settings.smtp.sub_addressing) if ref else None,
            in_reply_to=thread[-1] if thread else None,
            references=thread,
            date=self.work.now,
            null_path=send.kind in NULL_PATH,
        )

    def _key(self, send: Send, purpose: Purpose, address: str, ticket: Ticket | None) -> str:
        """A fresh key for this mail alone; only its hash is kept for recognising it."""
        key = keywords.make(self.work.random(20))
        covered = (ticket,) if ticket else send.facts.tickets
        lives = timedelta(days=self.desk.config.timers.key_days)
        keys.add(
            self.work.session,
            digest=keywords.digest(key),
            purpose=purpose.value,
            ref=ticket.ref if ticket else None,
            refs=[[t.ref, t.version, t.licence_revision] for t in covered],
            version=ticket.version if ticket else 0,
            licence_revision=ticket.licence_revision if ticket else 0,
            address=fold(address),
            made_at=self.work.now,
            expires_at=None if purpose is Purpose.CUSTOMER else self.work.now + lives,
            payload={"text": send.payload},
        )
        return key


def joined(ticket: Ticket, address: str, message_id: str) -> Ticket:
    """The ticket with one more mail in the thread with that address."""
    thread = (*ticket.threads.get(fold(address), ()), message_id)[-THREAD:]
    return ticket.model_copy(update={"threads": {**ticket.threads, fold(address): thread}})


def _customers(to: Audience, ticket: Ticket, licence: Licence | None) -> list[str]:
    """The sender; the customer e-mail where it is a contact; for a partner's outcome the plain contacts."""
    contacts = licence.contacts if licence else ()
    people = [ticket.sender]
    other = ticket.customer_email
    if other and any(matches(other, contact) for contact in contacts):
        people.append(other)
    if to is Audience.OUTCOME and ticket.sender_is_partner:
        people += [contact for contact in contacts if not contact.startswith("@")]
    return list({fold(a): a for a in people}.values())
