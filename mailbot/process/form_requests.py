"""From forms to tickets: what was read is checked, judged on the ledger of this moment, and becomes events."""

from datetime import datetime

from mailbot.core.base.address import fold_case, same
from mailbot.core.base.frozen import replace
from mailbot.core.desk import log_review
from mailbot.core.desk.authorisation import Sender
from mailbot.core.desk.disclosure import is_over_for_requester
from mailbot.core.desk.events import Changed, Confirmed, Decision, Event, Judged, Opened, StatusAsked
from mailbot.core.desk.judgement import judge, question
from mailbot.core.desk.ticket import OPEN, State, Ticket
from mailbot.core.form import blank_form, corrections
from mailbot.core.form.forwarded import original_sender
from mailbot.core.form.problem import Code, Problem
from mailbot.core.form.request import Reading, Request
from mailbot.core.form.request_kinds import RequestKind
from mailbot.core.form.validation import validate
from mailbot.core.inbound.purpose import Purpose
from mailbot.core.logs import diagnosis
from mailbot.core.logs.log_sources import Source, sources_of
from mailbot.core.mail.message import Message, parse
from mailbot.process import mapping
from mailbot.process.outgoing import joined
from mailbot.process.unit_of_work import Work
from storage import inbox, licences, tickets
from storage import keys as key_rows

#: Requests that come with a log.
WITH_LOG = RequestKind.REACTIVATE


class Requests:
    """Handles the forms of one message."""

    def __init__(self, work: Work, message: Message, sender: Sender, received_at: datetime) -> None:
        self.work = work
        self.message = message
        self.sender = sender
        self.received_at = received_at

    def open(self, readings: tuple[Reading, ...], linked: str | None = None, note: str = "") -> list[Decision]:
        """A ticket for each form, linked with each other, judged in order on what the one before left."""
        decisions = []
        refs: list[str] = [linked] if linked else []
        with self.work.together():
            for read in readings:
                earlier = self._same_form(read)
                if earlier is not None:
                    decisions.append(self._again(earlier))
                    continue
                ticket = self._ticket(tuple(refs))
                decisions.append(self._apply(ticket, Opened(self._judged(read, ticket), note)))
                refs.append(ticket.ref)
        for ref in refs:
            if others := tuple(other for other in refs if other != ref):
                self._link(ref, others)
        return decisions

    def ask(self, text: str) -> Decision:
        """Prose of somebody who may ask: a question for staff; the same one again is answered with how it stands."""
        text = self.work.blotted(text.strip())
        fields = {"request": RequestKind.INFORMATION.value, "question": text}
        same = self._same_form(Reading(fields))
        if same is not None:
            return self.work.apply(same, StatusAsked(self.sender.address))
        request = question(text, self.message.sender_name, self.sender.address, self.work.desk.catalogue)
        ticket = self._ticket(())
        judged = self._judge(request, (), fields, ticket, "")
        return self._apply(ticket, Opened(judged))

    def change(self, ticket: Ticket, quoted: Reading | None, own: Reading, text: str) -> Decision:
        """Corrected lines of a reply, on the ticket's stored values."""
        merged = corrections.merge_correction(ticket.fields, quoted, own)
        judged = self._judged(merged, ticket)
        return self._apply(ticket, Changed(judged, self.sender.address, text))

    def confirm(self, ticket: Ticket, by: str) -> Decision:
        """A challenge was answered with CONFIRM: the stored form is judged anew."""
        stored = corrections.merge_correction(ticket.fields, None, None)
        requester = Sender(ticket.sender, ticket.sender_verdict, False, ticket.sender_known, ticket.sender_is_partner)
        other = Requests(self.work, self.message, requester, ticket.received_at)
        judged = other._judged(stored, ticket, confirmed=True)
        return self._apply(ticket, Confirmed(judged, by))

    def _apply(self, ticket: Ticket, event: Event) -> Decision:
        judged: Judged = event.judged  # type: ignore[union-attr]
        request = judged.request
        tokens = (request.token, request.old_token, request.new_token, request.motion_token)
        return self.work.apply(ticket, event, self.work.scene(*tokens))

    def _ticket(self, linked: tuple[str, ...]) -> Ticket:
        ticket = self.work.new_ticket(
            self.sender.address,
            self.sender.verdict,
            self.received_at,
            sender_name=self.message.sender_name,
            subject=self.message.subject,
            files=tuple(map(self.work.blotted, self.message.file_names)),
            forwarded_from=", ".join(dict.fromkeys(m.sender for m in self.message.attached if m.sender))
            or original_sender(self.message.text, self.message.subject),
            sender_known=self.sender.known,
            linked=linked,
        )
        return joined(ticket, self.sender.address, self.message.message_id) if self.message.message_id else ticket

    def _judged(self, read: Reading, ticket: Ticket, *, confirmed: bool = False) -> Judged:
        """Check the form, read the log, look at the ledger."""
        catalogue = self.work.desk.catalogue
        values = {field: self.work.blotted(value) for field, value in read.values.items()}
        read = replace(read, values=values, prose=self.work.blotted(read.prose))
        files = () if confirmed else sources_of(self.message)
        earlier, day = self._earlier_logs(ticket)
        has_log = bool(files or earlier or (ticket.diagnosis and ticket.diagnosis.files))
        request, problems = validate(read, catalogue, attachments=has_log, default_name=self.message.sender_name)
        found = None
        if request.request is WITH_LOG and (files or earlier):
            found, fault = self._diagnose(request, files, earlier, self.received_at if files or not day else day)
            problems += fault
        elif request.request is WITH_LOG:
            found = ticket.diagnosis  # the mails with the logs are gone
        form = blank_form.render_filled(request, read.values, problems)
        return self._judge(request, problems, read.stored, ticket, form, found, bool(files), confirmed=confirmed)

    def _judge(
        self,
        request: Request,
        problems: tuple[Problem, ...],
        fields: dict[str, str],
        ticket: Ticket,
        form: str,
        found: diagnosis.Diagnosis | None = None,
        new_log: bool = False,
        *,
        confirmed: bool = False,
    ) -> Judged:
        token = request.token or request.old_token
        demo = request.request is RequestKind.ACTIVATE and bool(request.demo)
        elsewhere = demo and mapping.had_demo_elsewhere(
            self.work.session, token, request.customer_name, request.customer_email or self.sender.address
        )
        scene = self.work.scene(token, request.new_token, request.motion_token, demo_elsewhere=elsewhere)
        return judge(
            request,
            problems,
            fields,
            self.sender,
            scene,
            received_at=self.received_at,
            diagnosis=found,
            log_mails=(*ticket.log_mails, self.work.inbox_id) if new_log and self.work.inbox_id else ticket.log_mails,
            form=form,
            always_confirm=self.work.desk.config.identity.customers == "confirm",
            confirmed=confirmed,
            ref=ticket.ref,
        )

    def _earlier_logs(self, ticket: Ticket) -> tuple[tuple[Source, ...], datetime | None]:
        """What came with the ticket's mails before this one, the last mail first, as far as they are kept; when that came."""
        rows = [row for number in reversed(ticket.log_mails) if (row := inbox.get(self.work.session, number))]
        raws = [(row, raw) for row in rows if (raw := inbox.raw_if_kept(self.work.session, row.id)) is not None]
        sources = tuple(source for _, raw in raws for source in sources_of(parse(raw)))
        return sources, raws[0][0].received_at if raws else None

    def _diagnose(
        self, request: Request, files: tuple[Source, ...], earlier: tuple[Source, ...], received_at: datetime
    ) -> tuple[diagnosis.Diagnosis, tuple[Problem, ...]]:
        """What the logs say, against form and ledger; a fault only where nothing attached could be read."""
        day = received_at.astimezone(self.work.desk.config.zone).date()
        own = [address for address in (self.sender.address, request.customer_email) if address]
        told = log_review.examine(
            files, log_review.claim_of(request), self.work.licence, day, own, self._in_ledger, earlier
        )
        if told.readable:
            return told, ()
        read, instead = "; ".join(told.unreadable), "; ".join(told.send_instead)
        return told, (Problem(field="log", code=Code.ATTACHMENT_UNREADABLE, read=read, expected=instead),)

    def _in_ledger(self, tokens: frozenset[str]) -> set[str]:
        return licences.of_ledger(self.work.session, tokens)

    def _again(self, ticket: Ticket) -> Decision:
        """The same form is answered with how it stands; proved to be from whoever was asked to confirm it, it is his word."""
        address = self.sender.address
        asked = any(
            row.purpose == Purpose.CONFIRM and same(row.address, address)
            for row in key_rows.live_of_ticket(self.work.session, ticket.ref)
        )
        if asked and self.sender.verified and self.work.desk.config.identity.customers != "confirm":
            return self.confirm(ticket, address)
        return self.work.apply(ticket, StatusAsked(address))

    def _same_form(self, read: Reading) -> Ticket | None:
        """A ticket of this sender that was opened by the same form, and that is open as far as he may know."""
        fields, sender = mapping.form_digest(read.stored), fold_case(self.sender.address)
        for states in (OPEN, (State.DENIED,)):
            row = tickets.same_form(self.work.session, sender, fields, states)
            ticket = mapping.of_row(row) if row else None
            if ticket is not None and not is_over_for_requester(ticket):
                return ticket
        return None

    def _link(self, ref: str, others: tuple[str, ...]) -> None:
        ticket = self.work.ticket(ref)
        if ticket is not None and set(others) - set(ticket.linked):
            linked = tuple(dict.fromkeys((*ticket.linked, *others)))
            self.work.save(replace(ticket, linked=linked))
