"""Compares the logs of a re-activation with form and ledger, for mails and for ``mailbot diagnose`` alike."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import SEATS
from mailbot.core.form.reader import read_forms
from mailbot.core.form.request import Action, Request, RequestKind
from mailbot.core.form.validation import validate
from mailbot.core.ledger.licence import Licence
from mailbot.core.logs.diagnosis import Diagnosis, FormClaim, LedgerClaim, diagnose
from mailbot.core.logs.disagreement import plain_name
from mailbot.core.logs.findings import Findings, read_logs
from mailbot.core.logs.log_sources import Source, each_once
from mailbot.core.logs.statement import plain_key
from mailbot.core.logs.status_json import NOTHING_SAID, Terms
from mailbot.core.logs.unpack import open_logs
from mailbot.core.mail.message import Message

#: At most this many licences of other tokens are looked up; a log can name two thousand.
_LOOKED_UP = 200

LicenceOf = Callable[[str], Licence | None]
#: Which of some tokens are in the ledger, in one query.
InLedger = Callable[[frozenset[str]], Iterable[str]]


def examine(
    sources: Sequence[Source],
    form: FormClaim,
    licence_of: LicenceOf,
    received_on: date | None,
    keep: Iterable[str] = (),
    in_ledger: InLedger = frozenset,
    earlier: Sequence[Source] = (),
) -> Diagnosis:
    """What the logs say, compared with the form and with today's ledger (``licence_of`` a token).

    ``earlier`` are sources from the ticket's previous mails. ``in_ledger`` may filter tokens before their licences are
    looked up. ``received_on`` is the day of arrival in the desk's time zone; None if no mail came. ``keep`` are the
    customer's own addresses, which are not masked. Once anything could be read, only files of ``sources`` are reported
    as unreadable.
    """
    logs, unreadable = open_logs(each_once([*sources, *earlier]))
    findings = read_logs(logs)
    ledger = _ledger(findings, form, licence_of, in_ledger)
    told = [file for file in unreadable if logs and file.attachment >= len(sources)]
    return diagnose(findings, [file for file in unreadable if file not in told], form, ledger, received_on, keep, told)


def claim_of(request: Request) -> FormClaim:
    """What a re-activation form claims."""
    reasons: dict[Action | None, Literal["expired", "token_change"]] = {
        Action.EXPIRED: "expired",
        Action.TOKEN_CHANGE: "token_change",
    }
    return FormClaim(
        reason=reasons.get(request.action, "other"),
        old_token=request.old_token,
        new_token=request.new_token,
        customer_name=request.customer_name,
    )


def claim_in(message: Message, catalogue: Catalogue) -> FormClaim:
    """What the first re-activation form in a mail or its attached mails claims; an empty claim if there is none."""
    for text in (message.text, *(attached.text for attached in message.attached)):
        for reading in read_forms(text, message.subject):
            request, _ = validate(reading, catalogue, attachments=True, default_name=message.sender_name)
            if request.request is RequestKind.REACTIVATE:
                return claim_of(request)
    return FormClaim()


def arrival_of(message: Message) -> datetime | None:
    """When a mail arrived: by its topmost Received field, else by Date; None if neither is readable."""
    received = message.field("received") or ""
    for value in (received.rpartition(";")[2], message.date or ""):
        try:
            return parsedate_to_datetime(value.strip())
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _ledger(findings: Findings, form: FormClaim, licence_of: LicenceOf, in_ledger: InLedger) -> LedgerClaim:
    old = licence_of(form.old_token) if form.old_token else None
    new = licence_of(form.new_token) if form.new_token else None
    customer = (old.customer_name if old else None) or form.customer_name
    foreign = findings.all_tokens - {form.old_token, form.new_token}
    others = (licence_of(token) for token in sorted(in_ledger(foreign))[:_LOOKED_UP])
    known = [other for other in others if other is not None and (old is None or other.replaced_by != old.token)]
    own = frozenset(other.token for other in known if _same(other.customer_name, customer))
    return LedgerClaim(
        status=old.status if old else None,
        customer_name=old.customer_name if old else None,
        other_customer_tokens=frozenset(other.token for other in known) - own,
        other_own_tokens=own,
        expires_on=(old.expires_on or old.demo_ends) if old else None,
        terms=_terms(old) if old else NOTHING_SAID,
        new_status=new.status if new and not new.is_demo_of(old) else None,
    )


def _same(one: str | None, other: str | None) -> bool:
    return bool(one and other) and plain_name(one or "") == plain_name(other or "")


def _terms(licence: Licence) -> Terms:
    return Terms(
        plan=plain_key(licence.plan) if licence.plan else None,
        seats=tuple((plain_key(seat), getattr(licence, seat)) for seat in SEATS),
        addons=frozenset(plain_key(key) for key in licence.addons),
        plugins=frozenset(plain_key(key) for key in licence.plugins),
    )
