"""Compares diagnoses with the truth from ``loggen``. Each statement is right, missed or wrong."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mailbot.core.desk.log_review import examine
from mailbot.core.logs.diagnosis import Diagnosis
from mailbot.core.logs.log_sources import sources_in
from mailbot.core.logs.masking import redact
from mailbot.core.logs.unpack import open_logs
from tests.support import loggen
from tests.support.loggen import ANY, OneOf, Scenario, World

#: Statements that are compared by their values.
PLAIN = (
    *("status", "reason", "token", "previous_token", "days_left", "expires_at", "version", "last_contact"),
    *("first_at", "last_at", "tokens", "previous_tokens", "unknown"),
)


@dataclass(frozen=True)
class Verdict:
    """The verdict on one statement of one scenario."""

    scenario: str
    statement: str
    verdict: str  # right, missed, wrong
    detail: str = ""


def judged(make: Callable[[World], Scenario], number: int) -> Iterator[Verdict]:
    """The verdicts on all statements of the scenario."""
    known = loggen.scenario(make, number)
    diagnosis = told(known)
    for statement, verdict, detail in verdicts(known, diagnosis):
        yield Verdict(known.name, statement, verdict, f"{make.__name__} {number}: {detail}")
    for verdict, detail in _proof(known, diagnosis):
        yield Verdict(known.name, "proof", verdict, f"{make.__name__} {number}: {detail}")


def told(known: Scenario) -> Diagnosis:
    """The diagnosis of a scenario."""
    sources = [source for name, data in known.files for source in sources_in(name, data)]
    ledger = {licence.token: licence for licence in known.ledger}
    return examine(sources, known.form, ledger.get, known.received_on)


def table(runs: int) -> tuple[dict[str, Counter[str]], list[Verdict]]:
    """Counts the right, missed and wrong statements per scenario over ``runs`` runs. Also returns the wrong ones."""
    counts: dict[str, Counter[str]] = {}
    wrong = []
    for make in loggen.SCENARIOS:
        for number in range(runs):
            for one in judged(make, number):
                counts.setdefault(one.scenario, Counter())[one.verdict] += 1
                if one.verdict == "wrong":
                    wrong.append(one)
    return counts, wrong


def verdicts(known: Scenario, told: Diagnosis) -> Iterator[tuple[str, str, str]]:
    for name in PLAIN:
        value: object = getattr(told, name)
        value = frozenset(value) if isinstance(value, tuple) else value
        yield from _plain(name, known.truth.get(name), value or None if name != "days_left" else value)
    yield from _since(known, told)
    if known.sentence is not None:
        yield "sentence", "right" if told.sentence.startswith(known.sentence) else "wrong", told.sentence
    for expected in known.disagreements:
        found = any(sentence.startswith(expected) for sentence in told.disagreements)
        yield "disagreement", "right" if found else "missed", expected
    for sentence in told.disagreements:
        if not sentence.startswith(known.disagreements or ("\0",)):
            yield "disagreement", "wrong", sentence


def _plain(name: str, truth: object, value: object) -> Iterator[tuple[str, str, str]]:
    if truth is ANY or (value is None and not truth and truth != 0):
        return
    right = value in truth.values if isinstance(truth, OneOf) else value == truth
    yield (
        name,
        "right" if right and value is not None else "missed" if value is None else "wrong",
        f"{value} for {truth}",
    )


def _since(known: Scenario, told: Diagnosis) -> Iterator[tuple[str, str, str]]:
    truth, said = known.truth.get("since"), told.since
    detail = f"{said}{' or before' if told.since_or_before else ''} for {truth}, known: {known.since_known}"
    if said is None:
        if truth is not None:
            yield "since", "missed", detail
    elif truth is None:
        yield "since", "wrong", detail
    elif known.since_known:
        early = told.since_or_before and said >= str(truth)
        yield "since", "missed" if early else "right" if said == truth else "wrong", detail
    else:
        yield "since", "right" if told.since_or_before and said == truth else "wrong", detail


def _proof(known: Scenario, told: Diagnosis) -> Iterator[tuple[str, str]]:
    """Checks that each proof line is at its given place and contains the values that it proves."""
    logs, _ = open_logs([source for name, data in known.files for source in sources_in(name, data)])
    lines = {log.name: list(log.lines()) for log in logs}
    for proof in told.proof:
        there = lines[proof.file][proof.line - 1].lstrip("> ")
        if not redact(there).endswith(proof.text):  # the proof joins a line that the mail wrapped
            there = " ".join(line.lstrip("> ") for line in lines[proof.file][proof.line - 1 : proof.line + 4])
        yield "right" if proof.text in redact(there) else "wrong", f"{proof.text} for {there}"
        for name in proof.proves:
            value = str(getattr(told, name))
            inside = value in there or value.replace("T", " ") in there
            yield "right" if inside else "wrong", f"{name} {value} in {there}"
    unproven = {name for name in (*PLAIN[:8], "since") if getattr(told, name) is not None}
    for name in sorted(unproven - {name for proof in told.proof for name in proof.proves}):
        yield "missed", f"{name} has no line"
