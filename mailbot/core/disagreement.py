"""Where a re-activation's logs contradict its form, the ledger, its arrival or each other, in plain sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Literal

from mailbot.core.masking import clean
from mailbot.core.statement import Statement
from mailbot.core.statuslog import Findings

FOREIGN_MAX = 20
#: Log times are local and arrivals are not: less than two days apart is no disagreement.
_FRESH = timedelta(days=2)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_REASON_WORDS = MappingProxyType(
    {"token_change": "token change", "expired": "expired licence", "unreachable": "licence server unreachable"}
)
#: What the ledger may hold where an installation reports a status; (status, reason) before status alone.
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
    """What the form says. ``new_token`` is None where the reason asks for none."""

    reason: Literal["expired", "token_change", "other"]
    old_token: str | None
    new_token: str | None = None
    customer_name: str | None = None


@dataclass(frozen=True)
class LedgerClaim:
    """What the ledger says: ``status`` of the old token (None: unknown there), the customer it is registered for, and
    which of ``Findings.all_tokens`` belong to other customers.
    """  # noqa: D205 - one thought

    status: str | None = None
    customer_name: str | None = None
    other_customer_tokens: frozenset[str] = frozenset()


def disagreements(findings: Findings, form: FormClaim, ledger: LedgerClaim, received_on: date) -> Iterator[str]:
    """Every disagreement, a sentence each. ``received_on`` is the day of arrival in the desk's time zone."""
    yield from _within_form(form, ledger)
    if findings.said is not None:
        yield from _against_form(findings.said, form, received_on)
        yield from _against_ledger(findings.said, form, ledger)
    if findings.said is not None or findings.all_tokens:
        yield from _tokens(findings, form)
    for token in sorted(ledger.other_customer_tokens & findings.all_tokens)[:FOREIGN_MAX]:
        yield f"The token {token} in the log belongs to another customer."
    yield from _age(findings, received_on)
    log, file = findings.from_log, findings.from_file
    if log is not None and file is not None and not file.goes_on(log):
        yield f"The log says {_status(log)}, the status file says {_status(file)}."
    yield from findings.odd


def _within_form(form: FormClaim, ledger: LedgerClaim) -> Iterator[str]:
    if form.old_token and form.new_token:
        if form.old_token == form.new_token:
            yield "The form gives the same token as the old and as the new one."
        elif form.old_token.lower() == form.new_token.lower():
            yield "The form's old and new token differ only in upper and lower case."
    if form.customer_name and ledger.customer_name and _plain(form.customer_name) != _plain(ledger.customer_name):
        names = (clean(name[:150]) for name in (form.customer_name, ledger.customer_name))
        yield "The form names the customer {}, the ledger {}.".format(*names)


def _against_form(said: Statement, form: FormClaim, received_on: date) -> Iterator[str]:
    if said.status == "active":
        yield "The log says that the licence is active."
    elif said.status in ("inactive", "deactivated"):
        yield f"The log says that the licence is {said.status}."
    found = reason_of(said)
    if found and said.status != "active" and found != form.reason and form.reason != "other":
        yield f"The form says {word_of(form.reason)}, the log says {word_of(found)}."
    if form.reason == "expired" and said.expires_at and said.expires_at[:10] > received_on.isoformat():
        yield f"The form says expired licence, by the log it expires on {day_of(said.expires_at)}."


def _against_ledger(said: Statement, form: FormClaim, ledger: LedgerClaim) -> Iterator[str]:
    if ledger.status == "replaced":
        yield "By the ledger the old token was replaced already."
        return
    if said.token != form.old_token or ledger.status is None:
        return  # the ledger was asked about the old token, the log speaks of another
    agreeing = _AGREEING.get((said.status or "", said.reason), _AGREEING.get((said.status or "", None)))
    if agreeing is not None and ledger.status not in agreeing:
        yield f"The log says {_status(said)}, the ledger says {ledger.status}."


def _tokens(findings: Findings, form: FormClaim) -> Iterator[str]:
    if findings.tokens_cut:
        yield "The log names more tokens than can be compared."
        return
    said = findings.said
    swapped = said is not None and (said.token, said.previous_token) == (form.old_token, form.new_token)
    if swapped and form.old_token and form.new_token and form.old_token != form.new_token:
        yield "By the log the form gives old and new token the other way round."
    for which, token in (("old", form.old_token), ("new", form.new_token)):
        if token and token not in findings.all_tokens:
            yield f"The {which} token of the form, {token}, is not in the log."


def _age(findings: Findings, received_on: date) -> Iterator[str]:
    if findings.last_at is None:
        return
    last = date.fromisoformat(findings.last_at[:10])
    days = abs((received_on - last).days)
    if received_on - last >= _FRESH:
        yield f"The log ends on {day_of(findings.last_at)}, {days} days before the mail came."
    elif last - received_on >= _FRESH:
        yield f"The log ends on {day_of(findings.last_at)}, {days} days after the mail came."


def _status(said: Statement) -> str:
    return f"{said.status}{in_brackets(said.reason)}"


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def reason_of(said: Statement) -> str | None:
    """Trial mode is what comes after the grace period of an expired licence (seed), where nothing else is said."""
    return said.reason or ("expired" if said.status == "trial" else None)


def in_brackets(reason: str | None) -> str:
    """`` (token change)``, or nothing where no reason is known."""
    return f" ({word_of(reason)})" if reason else ""


def word_of(reason: str | None) -> str:
    """A reason in words."""
    return _REASON_WORDS.get(reason or "", (reason or "").replace("_", " "))


def day_of(at: str) -> str:
    """The day of an ISO 8601 time, ``3 November 2026``."""
    return f"{int(at[8:10])} {_MONTHS[int(at[5:7]) - 1]} {int(at[:4])}"
