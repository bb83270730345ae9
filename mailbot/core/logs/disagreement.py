"""Contradictions between the logs of a re-activation and its form, the ledger, its arrival, or each other, in sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Literal

from mailbot.core.logs.findings import Findings
from mailbot.core.logs.masking import visible_characters
from mailbot.core.logs.statement import Statement
from mailbot.core.logs.status_json import NOTHING_SAID, Terms

FOREIGN_MAX = 20
_OTHERS_MAX = 5
#: Log times are local, arrival times are not: less than two days apart is no disagreement.
_FRESH = timedelta(days=2)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_REASON_WORDS = MappingProxyType(
    {"token_change": "token change", "expired": "expired licence", "unreachable": "licence server unreachable"}
)
#: Statuses of the ledger that agree with a reported (status, reason), or with the status alone (None).
_AGREEING: Mapping[tuple[str, str | None], frozenset[str]] = MappingProxyType(
    {
        ("active", None): frozenset({"active", "demo"}),
        ("grace", "expired"): frozenset({"expired"}),
        ("grace", "unreachable"): frozenset({"active", "demo"}),
        ("trial", None): frozenset({"expired", "deactivated"}),
        ("inactive", None): frozenset({"expired", "deactivated"}),
        ("deactivated", None): frozenset({"deactivated"}),
    }
)


@dataclass(frozen=True)
class FormClaim:
    """The claims of the form. ``reason`` is None without a form."""

    reason: Literal["expired", "token_change", "other"] | None = None
    old_token: str | None = None
    new_token: str | None = None
    customer_name: str | None = None


@dataclass(frozen=True)
class LedgerClaim:
    """What the ledger says about the old token (``status`` None: not in the ledger), its customer, and the new token.

    ``other_customer_tokens``, ``other_own_tokens``: tokens of ``findings.all_tokens`` that belong to other customers, or
    to other licences of this one.
    """

    status: str | None = None
    customer_name: str | None = None
    other_customer_tokens: frozenset[str] = frozenset()
    other_own_tokens: frozenset[str] = frozenset()
    expires_on: date | None = None
    terms: Terms = NOTHING_SAID
    new_status: str | None = None


def disagreements(findings: Findings, form: FormClaim, ledger: LedgerClaim, received_on: date | None) -> Iterator[str]:
    """Yields a sentence for each disagreement about the main installation of ``findings``.

    ``received_on``: the day of arrival in the desk's time zone; None if nothing came by mail.
    """
    main = findings.main
    yield from _within_form(form, ledger)
    if main is not None:
        yield from _against_form(main.said, form, received_on)
        yield from _against_ledger(main.said, form, ledger)
        if form.old_token in main.tokens:
            yield from _of_terms(main.said, main.terms, ledger)
    if main is not None or findings.all_tokens:
        yield from _tokens(findings, form)
    yield from _foreign(findings, ledger)
    yield from _age(findings, received_on)
    if main is not None and main.from_log and main.from_file and not main.from_file.goes_on(main.from_log):
        yield f"The log says {_status(main.from_log)}, but the status file says {_status(main.from_file)}."
    yield from findings.odd


def _within_form(form: FormClaim, ledger: LedgerClaim) -> Iterator[str]:
    if form.old_token and form.new_token:
        if form.old_token == form.new_token:
            yield "The form gives the same token as old and as new token."
        elif form.old_token.lower() == form.new_token.lower():
            yield "The old and new token in the form differ only in upper and lower case."
    if (
        form.customer_name
        and ledger.customer_name
        and plain_name(form.customer_name) != plain_name(ledger.customer_name)
    ):
        names = (visible_characters(name[:150]) for name in (form.customer_name, ledger.customer_name))
        yield "The form names the customer {}, but the ledger names {}.".format(*names)
    if ledger.new_status and form.new_token != form.old_token:
        yield f"The new token in the form, {form.new_token}, is already in the ledger ({ledger.new_status})."


def _against_form(said: Statement, form: FormClaim, received_on: date | None) -> Iterator[str]:
    if form.reason is None:
        return
    if said.status == "active":
        yield "The log says that the licence is active."
    elif said.status in ("inactive", "deactivated"):
        yield f"The log says that the licence is {said.status}."
    found = reason_of(said)
    if found and said.status != "active" and found != form.reason and form.reason != "other":
        yield f"The form says {word_of(form.reason)}, but the log says {word_of(found)}."
    if form.reason == "expired" and said.expires_at and received_on and said.expires_at[:10] > received_on.isoformat():
        yield f"The form says expired licence, but according to the log it expires on {written_day(said.expires_at)}."


def _against_ledger(said: Statement, form: FormClaim, ledger: LedgerClaim) -> Iterator[str]:
    if ledger.status == "replaced":
        yield "According to the ledger, the old token has already been replaced."
        return
    if said.token != form.old_token or ledger.status is None:
        return  # the ledger was asked about the old token, the log is about another
    agreeing = _AGREEING.get((said.status or "", said.reason), _AGREEING.get((said.status or "", None)))
    if agreeing is not None and ledger.status not in agreeing:
        yield f"The log says {_status(said)}, but the ledger says {ledger.status}."


def _of_terms(said: Statement, terms: Terms, ledger: LedgerClaim) -> Iterator[str]:
    """Differences in the contract. Seats that only one side names are not compared."""
    if said.expires_at and ledger.expires_on and abs(_day(said.expires_at) - ledger.expires_on) > timedelta(days=1):
        yield f"According to the log it expires on {written_day(said.expires_at)}, according to the ledger on {written_day(ledger.expires_on.isoformat())}."
    theirs = ledger.terms
    if terms.plan and theirs.plan and terms.plan != theirs.plan:
        yield "The plan in the status file differs from the ledger."
    known = dict(theirs.seats)
    for seat, limit in terms.seats:
        if known.get(seat, limit) != limit:
            yield f"The status file says {limit} {seat}, but the ledger says {known[seat]}."
    for what, here, there in (("add-ons", terms.addons, theirs.addons), ("plugins", terms.plugins, theirs.plugins)):
        if here is not None and there is not None and here != there:
            yield f"The {what} in the status file differ from the ledger."


def _tokens(findings: Findings, form: FormClaim) -> Iterator[str]:
    if findings.tokens_cut:
        yield "The log names more tokens than can be compared."
        return
    said = findings.main.said if findings.main else None
    old, new = form.old_token, form.new_token
    swapped = said is not None and old != new and (said.token, said.previous_token) == (old, new)
    if swapped and old and new:
        yield "According to the log, the form has swapped the old and the new token."
    for which, token in (("old", old), ("new", new)):
        if token and token not in findings.all_tokens:
            yield f"The {which} token in the form, {token}, is not in the log."
    if said is None or swapped or old == new:
        return
    if new and said.token and new != said.token and new in findings.all_tokens:
        yield f"According to the log the token is now {said.token}, but the new token in the form is {new}."
    elif (
        new == said.token and old and said.previous_token and old != said.previous_token and old in findings.all_tokens
    ):
        yield f"According to the log the token before {new} was {said.previous_token}, but the old token in the form is {old}."


def _foreign(findings: Findings, ledger: LedgerClaim) -> Iterator[str]:
    for token in sorted(ledger.other_customer_tokens & findings.all_tokens)[:FOREIGN_MAX]:
        yield f"The token {token} in the log belongs to another customer."
    for token in sorted(ledger.other_own_tokens & findings.all_tokens)[:FOREIGN_MAX]:
        yield f"The token {token} in the log belongs to another licence of this customer."
    for other in findings.installations[:-1][-_OTHERS_MAX:]:
        name = f"the licence {other.said.token}" if other.said.token else "a licence without a token"
        last = f", last on {written_day(other.said.at)}" if other.said.at else ""
        yield f"The log is also about {name}: {_status(other.said)}{last}."


def _age(findings: Findings, received_on: date | None) -> Iterator[str]:
    if findings.last_at is None or received_on is None or findings.skewed:
        return
    last = _day(findings.last_at)
    days = abs((received_on - last).days)
    if is_old(findings.last_at, received_on):
        yield f"The log ends on {written_day(findings.last_at)}, {days} days before the mail arrived."
    elif last - received_on >= _FRESH:
        yield f"The log ends on {written_day(findings.last_at)}, {days} days after the mail arrived."


def is_old(at: str, received_on: date) -> bool:
    """Whether the time ``at`` of a log is two days or more before the mail."""
    return received_on - _day(at) >= _FRESH


def _day(at: str) -> date:
    return date.fromisoformat(at[:10])


def _status(said: Statement) -> str:
    return f"{said.status}{in_brackets(said.reason)}"


def plain_name(name: str) -> str:
    """A customer's name for comparison, ignoring case and spaces."""
    return " ".join(name.casefold().split())


def reason_of(said: Statement) -> str | None:
    """The stated reason; "expired" for trial mode without one, which follows the grace period of an expired licence (seed)."""
    return said.reason or ("expired" if said.status == "trial" else None)


def in_brackets(reason: str | None) -> str:
    """The reason as " (token change)", or "" without one."""
    return f" ({word_of(reason)})" if reason else ""


def word_of(reason: str | None) -> str:
    """The reason in words."""
    return _REASON_WORDS.get(reason or "", (reason or "").replace("_", " "))


def written_day(at: str) -> str:
    """The day of an ISO 8601 time, as "3 November 2026"."""
    return f"{int(at[8:10])} {_MONTHS[int(at[5:7]) - 1]} {int(at[:4])}"
