"""The diagnosis of a re-activation's logs for staff: one sentence, the lines that prove it, every disagreement.

It never refuses a request; ``readable`` tells the caller whether anything attached could be read.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict

from mailbot.core.logs.disagreement import (
    FormClaim,
    LedgerClaim,
    disagreements,
    in_brackets,
    is_old,
    reason_of,
    written_day,
)
from mailbot.core.logs.findings import Findings, Installation
from mailbot.core.logs.masking import redact
from mailbot.core.logs.statement import PROVEN, LogExcerpt, Statement
from mailbot.core.logs.unpack import Unreadable

__all__ = ["Diagnosis", "FormClaim", "LedgerClaim", "Proof", "diagnose"]

PROOF_MAX = 12
_TOKENS_SHOWN = 20


class Proof(BaseModel):
    """A line that proves something: ``line`` counts from 1, ``text`` is redacted.

    ``proves``: the fields of the diagnosis that it states; empty for a line behind a disagreement.
    """

    model_config = ConfigDict(frozen=True)

    file: str
    line: int
    text: str
    proves: tuple[str, ...] = ()


class Diagnosis(BaseModel):
    """The diagnosis, redacted and ready to show to staff. Times are ISO 8601; ``first_at``, ``last_at`` local without zone.

    ``token``: of the installation in ``sentence``; ``tokens``: all in the logs. ``since``: first statement of the state;
    with ``since_or_before`` the logs do not reach back to its beginning. ``days_left``: days of grace as of ``last_at``.
    ``changes``: token changes in words, oldest first. ``unknown``: unknown keys of the status file. ``unreadable``: each
    file with the reason; ``send_instead``: what the customer should send instead.
    """

    model_config = ConfigDict(frozen=True)

    sentence: str
    token: str | None = None
    previous_token: str | None = None
    tokens: tuple[str, ...] = ()
    previous_tokens: tuple[str, ...] = ()
    status: str | None = None
    reason: str | None = None
    since: str | None = None
    since_or_before: bool = False
    days_left: int | None = None
    expires_at: str | None = None
    version: str | None = None
    last_contact: str | None = None
    first_at: str | None = None
    last_at: str | None = None
    files: tuple[str, ...] = ()
    proof: tuple[Proof, ...] = ()
    disagreements: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    send_instead: tuple[str, ...] = ()
    unknown: dict[str, str] = {}

    @property
    def readable(self) -> bool:
        """False only if something was attached and none of it could be read."""
        return bool(self.files) or not self.unreadable


def diagnose(
    findings: Findings,
    unreadable: Sequence[Unreadable],
    form: FormClaim,
    ledger: LedgerClaim,
    received_on: date | None,
    keep: Iterable[str] = (),
    told: Sequence[Unreadable] = (),
) -> Diagnosis:
    """Compares ``findings`` with the form, the ledger and the day of arrival (in the desk's time zone; None: no mail).

    ``keep``: the customer's own mail addresses, which stay readable. ``told``: unreadable files that the customer already
    knows about.
    """
    findings = findings.about((form.new_token, form.old_token))
    main = findings.main
    said = findings.said
    since, before = _since(main)
    own = frozenset(token for token in (form.old_token, form.new_token) if token)
    return Diagnosis(
        sentence=mask_tokens(_sentence(findings, form, received_on, unreadable=bool(unreadable)), findings, own),
        token=redact(said.token, own) if said and said.token else None,
        previous_token=redact(said.previous_token, own) if said and said.previous_token else None,
        tokens=_shown(findings.tokens, own),
        previous_tokens=_shown(findings.previous_tokens, own),
        status=said.status if said else None,
        reason=said.reason if said else None,
        since=since,
        since_or_before=before,
        days_left=said.days_left if said else None,
        expires_at=said.expires_at if said else None,
        version=said.version if said else None,
        last_contact=said.last_contact if said else None,
        first_at=findings.first_at,
        last_at=findings.last_at,
        files=findings.files,
        proof=_proof(findings, form, ledger, keep),
        disagreements=tuple(
            mask_tokens(sentence, findings, own) for sentence in disagreements(findings, form, ledger, received_on)
        ),
        changes=tuple(mask_tokens(change, findings, own) for change in _changes(findings)),
        unreadable=tuple(f"{file.name}: {file.why}" for file in (*unreadable, *told)),
        send_instead=tuple(dict.fromkeys(file.instead for file in unreadable)),
        unknown=dict(findings.unknown),
    )


def _since(main: Installation | None) -> tuple[str | None, bool]:
    """When the state began, as stated or by its first log line, and whether it may have begun earlier."""
    if main is None:
        return None, False
    if main.said.since:
        return main.said.since, False
    if main.skewed or main.first.from_file:
        return None, False
    return main.first.at, main.first.at is not None and not main.begun


def _changes(findings: Findings) -> Iterator[str]:
    tokens = findings.main.tokens if findings.main else frozenset()
    told = [one for one in findings.changes if one.token in tokens and one.token != one.previous_token]
    for one in sorted(told[:_TOKENS_SHOWN], key=lambda one: (one.at or "")[:19]):
        day = f", first logged on {written_day(one.at)}" if one.at else ""
        yield f"from {one.previous_token} to {one.token}{day}"


# Tokens are shown, unless they look like an address or a secret.


def _shown(tokens: Iterable[str], own: frozenset[str]) -> tuple[str, ...]:
    return tuple(redact(token, own) for token in list(tokens)[-_TOKENS_SHOWN:])


def mask_tokens(sentence: str, findings: Findings, own: frozenset[str]) -> str:
    """``sentence`` with those tokens of the log redacted that look like an address or a secret."""
    for token in findings.all_tokens - own:
        if token in sentence and (masked := redact(token)) != token:
            sentence = sentence.replace(token, masked)
    return sentence


# The sentence


def _sentence(findings: Findings, form: FormClaim, received_on: date | None, *, unreadable: bool) -> str:
    if not findings.files:
        return "None of the attachments could be read." if unreadable else "The request came without a log."
    main = findings.main
    if main is None:
        if findings.all_tokens:
            return "The log names the licence but not its status."
        return "The log says nothing about the licence."
    said = main.said
    by_log = not said.from_file or (main.from_log is not None and main.from_log.goes_on(said))
    source = "The log" if by_log else "The licence status"
    return f"{source} {_verb(said, form)} {_state(said, *_since(main))}{_left(said, None if main.skewed else received_on)}."


def _verb(said: Statement, form: FormClaim) -> str:
    claimed = form.reason is not None and reason_of(said) == form.reason
    return "confirms" if claimed and said.status in ("grace", "trial") else "shows"


def _state(said: Statement, since: str | None, before: bool) -> str:
    licence = f"that the licence {said.token}" if said.token else "that the licence"
    day = written_day(since) + (" or before" if before else "") if since else ""
    been = f"has been {{}} since {day}".format if day else "is {}".format
    match said.status, said.reason:
        case "grace", "token_change":
            old = f" from {said.previous_token}" if said.previous_token else ""
            new = f" to {said.token}" if said.token else ""
            return f"a token change{old}{new}" + (f" on {day}" if day else "")
        case "grace", "expired":
            return f"{licence} has expired" + (f" and its grace period began on {day}" if day else "")
        case "grace", "unreachable":
            return f"{licence} {been('in a grace period')} because it cannot reach the licence server"
        case "grace", reason:
            return f"{licence} {been('in a grace period')}{in_brackets(reason)}"
        case "trial", reason:
            return f"{licence} {been('in trial mode')}{in_brackets(reason)}"
        case status, _:
            return f"{licence} {been(status)}"


def _left(said: Statement, received_on: date | None) -> str:
    """The days of grace left; in the past tense for an old log."""
    if said.days_left is None or said.status != "grace":
        return ""
    old = said.at is not None and received_on is not None and is_old(said.at, received_on)
    is_, are, on = ("was", "were", f" on {written_day(said.at or '')}") if old else ("is", "are", "")
    if said.days_left <= 0:
        return f"; no days of grace {are} left{on}"
    return (
        f"; 1 day of grace {is_} left{on}"
        if said.days_left == 1
        else f"; {said.days_left} days of grace {are} left{on}"
    )


# Proof


def _proof(findings: Findings, form: FormClaim, ledger: LedgerClaim, keep: Iterable[str]) -> tuple[Proof, ...]:
    """At most PROOF_MAX lines, in reading order: those behind the statements first, then those behind disagreements."""
    proves: dict[LogExcerpt, list[str]] = {}
    for name, line in _evidence(findings, form, ledger):
        if line in proves or len(proves) < PROOF_MAX:
            proves.setdefault(line, []).append(name)
    own = {token for token in (form.old_token, form.new_token) if token}
    kept = own | {token for token in findings.all_tokens if redact(token) == token} | set(keep)
    order = {file: index for index, file in enumerate(findings.files)}
    lines = sorted(proves, key=lambda line: (order.get(line.file, 0), line.number))
    return tuple(
        Proof(
            file=line.file,
            line=line.number,
            text=redact(line.text, kept),
            proves=tuple(dict.fromkeys(name for name in proves[line] if name)),
        )
        for line in lines
    )


def _evidence(findings: Findings, form: FormClaim, ledger: LedgerClaim) -> Iterator[tuple[str, LogExcerpt]]:
    """Yields (field of the diagnosis or "", line), the most important first."""
    main = findings.main
    if main is not None:
        said = main.said
        yield from ((name, said.where[name]) for name in ("status",) if name in said.where)
        if said.since is None and _since(main)[0] is not None:
            yield "since", main.first.line
    for token in sorted((ledger.other_customer_tokens | ledger.other_own_tokens) & findings.all_tokens):
        yield "", _where(findings, token)
    if main is not None:
        if main.from_log is not None and main.from_file is not None:
            yield "", main.from_log.line
            yield "", main.from_file.line
        yield from ((name, said.where[name]) for name in PROVEN if name in said.where)
    for other in findings.installations[:-1][-2:]:
        yield "", other.said.line
    for claimed in (form.old_token, form.new_token):
        if claimed in findings.all_tokens:
            yield "", _where(findings, claimed)


def _where(findings: Findings, token: str) -> LogExcerpt:
    return findings.tokens.get(token) or findings.previous_tokens[token]
