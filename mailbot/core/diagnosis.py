"""What a re-activation's logs mean for it: one sentence, the lines that prove it, every disagreement. Staff decide.

It never refuses: ``readable`` alone tells the caller that nothing attached could be read.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict

from mailbot.core.archive import Unreadable
from mailbot.core.disagreement import FormClaim, LedgerClaim, day_of, disagreements, in_brackets, reason_of
from mailbot.core.masking import mask
from mailbot.core.statement import Line, Statement
from mailbot.core.statuslog import Findings

__all__ = ["Diagnosis", "FormClaim", "LedgerClaim", "Proof", "diagnose"]

PROOF_MAX = 5
_TOKENS_SHOWN = 20


class Proof(BaseModel):
    """A line that proves a statement: ``line`` counts from 1, ``text`` is masked."""

    model_config = ConfigDict(frozen=True)

    file: str
    line: int
    text: str


class Diagnosis(BaseModel):
    """What staff are told. Times are ISO 8601: ``first_at`` and ``last_at`` local without zone, others as written.

    ``days_left`` are days of grace as of ``last_at``. ``unknown`` holds keys of the status file that have no meaning
    here, masked. Everything in it may be shown to staff as it is.
    """

    model_config = ConfigDict(frozen=True)

    sentence: str
    tokens: tuple[str, ...] = ()
    previous_tokens: tuple[str, ...] = ()
    status: str | None = None
    reason: str | None = None
    since: str | None = None
    days_left: int | None = None
    expires_at: str | None = None
    version: str | None = None
    last_contact: str | None = None
    first_at: str | None = None
    last_at: str | None = None
    files: tuple[str, ...] = ()
    proof: tuple[Proof, ...] = ()
    disagreements: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    unknown: dict[str, str] = {}

    @property
    def readable(self) -> bool:
        """False only if something was attached and nothing of it could be read."""
        return bool(self.files) or not self.unreadable


def diagnose(
    findings: Findings, unreadable: Sequence[Unreadable], form: FormClaim, ledger: LedgerClaim, received_on: date
) -> Diagnosis:
    """The Diagnosis of ``findings`` against form, ledger and the day of arrival (in the desk's time zone)."""
    said = findings.said
    since = _since(findings)
    return Diagnosis(
        sentence=_sentence(findings, form, since, bool(unreadable)),
        tokens=tuple(findings.tokens)[-_TOKENS_SHOWN:],
        previous_tokens=tuple(findings.previous_tokens)[-_TOKENS_SHOWN:],
        status=said.status if said else None,
        reason=said.reason if said else None,
        since=since,
        days_left=said.days_left if said else None,
        expires_at=said.expires_at if said else None,
        version=said.version if said else None,
        last_contact=said.last_contact if said else None,
        first_at=findings.first_at,
        last_at=findings.last_at,
        files=findings.files,
        proof=_proof(findings, form, ledger),
        disagreements=tuple(disagreements(findings, form, ledger, received_on)),
        unreadable=tuple(f"{file.name}: {file.why}" for file in unreadable),
        unknown=dict(findings.unknown),
    )


def _since(findings: Findings) -> str | None:
    """Since when the state lasts: what says so itself, else the first log line of it."""
    said, first = findings.said, findings.first
    if said is None:
        return None
    return said.since or (first.at if first and not first.from_file else None)


# The sentence


def _sentence(findings: Findings, form: FormClaim, since: str | None, unreadable: bool) -> str:
    if not findings.files:
        return "Nothing that was attached could be read." if unreadable else "No log came with this request."
    said = findings.said
    if said is None:
        if findings.all_tokens:
            return "The log names the licence, but not its status."
        return "Nothing in this log speaks of the licence."
    by_log = not said.from_file or (findings.from_log is not None and findings.from_log.goes_on(said))
    source = "The log" if by_log else "The licence status"
    return f"{source} {_verb(said, form)} {_state(said, since)}{_left(said)}."


def _verb(said: Statement, form: FormClaim) -> str:
    return "confirms" if said.status in ("grace", "trial") and reason_of(said) == form.reason else "shows"


def _state(said: Statement, since: str | None) -> str:
    licence = f"that the licence {said.token}" if said.token else "that the licence"
    day = day_of(since) if since else ""
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


def _left(said: Statement) -> str:
    if said.days_left is None or said.status != "grace":
        return ""
    if said.days_left <= 0:
        return "; no day of grace is left"
    return "; 1 day of grace is left" if said.days_left == 1 else f"; {said.days_left} days of grace are left"


# Proof


def _proof(findings: Findings, form: FormClaim, ledger: LedgerClaim) -> tuple[Proof, ...]:
    """The lines behind the sentence first, then those behind the disagreements, each line once, in reading order."""
    lines = list(dict.fromkeys(_telling(findings, form, ledger)))[:PROOF_MAX]
    kept = findings.all_tokens | {form.old_token or "", form.new_token or ""}
    order = {file: index for index, file in enumerate(findings.files)}
    lines.sort(key=lambda line: (order.get(line.file, 0), line.number))
    return tuple(Proof(file=line.file, line=line.number, text=mask(line.text, kept)) for line in lines)


def _telling(findings: Findings, form: FormClaim, ledger: LedgerClaim) -> Iterator[Line]:
    said, first = findings.said, findings.first
    if said is not None:
        yield said.line
        if first is not None:
            yield first.line
    for token in sorted(ledger.other_customer_tokens & findings.all_tokens):
        yield _where(findings, token)
    if findings.from_log is not None and findings.from_file is not None:
        yield findings.from_log.line
        yield findings.from_file.line
    if said is not None:
        yield from said.lines
        if said.previous_token in findings.previous_tokens:
            yield findings.previous_tokens[said.previous_token]
    for claimed in (form.old_token, form.new_token):
        if claimed in findings.all_tokens:
            yield _where(findings, claimed)


def _where(findings: Findings, token: str) -> Line:
    return findings.tokens.get(token) or findings.previous_tokens[token]
