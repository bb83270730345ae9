"""What the logs of a re-activation mean for it: one sentence, its proof, every disagreement."""

import json
from datetime import date
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.logs.diagnosis import PROOF_MAX, Diagnosis, FormClaim, LedgerClaim, diagnose
from mailbot.core.logs.findings import read_logs
from mailbot.core.logs.unpack import open_logs

NEW, OLD = "A1B2C3D4E5F6", "F6E5D4C3B2A1"
RECEIVED = date(2026, 11, 6)
Reason = Literal["expired", "token_change", "other"]
MOVED = FormClaim("token_change", OLD, NEW, "Example S.p.A.")


def line(day: int, what: str, token: str = NEW) -> str:
    return f"[2026-11-{day:02} 08:15:00] [WARN] license - [LICENSE:CHECK] token={token} {what}\n"


GRACE = f"previousToken={OLD} status=grace reason=token_change"
LOG = line(3, f"{GRACE} daysLeft=10") + line(6, f"{GRACE} daysLeft=7")
STATUS = json.dumps(
    {
        "schema": "license-status/1",
        "token": NEW,
        "previousToken": OLD,
        "version": "3.58.0",
        "status": "grace",
        "reason": "token_change",
        "expiresAt": "2026-12-31T23:59:59+00:00",
        "grace": {"startedAt": "2026-11-03T07:15:00+00:00", "daysLeft": 7},
        "lastContactAt": "2026-11-02T07:00:00+00:00",
        "generatedAt": "2026-11-06T07:20:00+00:00",
        "region": "eu",
    },
    indent=1,
)


def diagnosis(
    *files: str | bytes,
    form: FormClaim = MOVED,
    ledger: LedgerClaim = LedgerClaim(),  # noqa: B008 - frozen
    received: date = RECEIVED,
) -> Diagnosis:
    given = [(f"{number}.log", file.encode() if isinstance(file, str) else file) for number, file in enumerate(files)]
    logs, unreadable = open_logs(given)
    return diagnose(read_logs(logs), unreadable, form, ledger, received)


def form(reason: Reason, token: str = NEW) -> FormClaim:
    return FormClaim(reason, token)


def moved(old: str, new: str) -> FormClaim:
    return FormClaim("token_change", old, new, "Example S.p.A.")


def test_a_token_change_as_the_form_has_it() -> None:
    told = diagnosis(LOG)
    assert (
        told.sentence
        == f"The log confirms a token change from {OLD} to {NEW} on 3 November 2026 or before; 7 days of grace are left."
    )
    assert told.disagreements == ()
    assert (told.status, told.reason, told.days_left, told.since) == ("grace", "token_change", 7, "2026-11-03T08:15:00")
    assert (told.tokens, told.previous_tokens, told.files) == ((NEW,), (OLD,), ("0.log",))
    assert (told.first_at, told.last_at) == ("2026-11-03T08:15:00", "2026-11-06T08:15:00")
    assert told.since_or_before
    assert [(proof.file, proof.line, proof.proves) for proof in told.proof] == [
        ("0.log", 1, ("since",)),
        ("0.log", 2, ("status", "token", "previous_token", "reason", "days_left")),
    ]


def test_a_day_is_proven_only_where_the_log_holds_the_state_before() -> None:
    told = diagnosis(line(1, "status=active", OLD) + LOG)
    assert (
        told.sentence
        == f"The log confirms a token change from {OLD} to {NEW} on 3 November 2026; 7 days of grace are left."
    )
    assert (told.since, told.since_or_before) == ("2026-11-03T08:15:00", False)


def test_a_status_file_tells_more() -> None:
    told = diagnosis(STATUS)
    assert told.sentence.startswith("The licence status confirms a token change")
    assert (told.version, told.expires_at, told.last_contact, told.unknown) == (
        "3.58.0",
        "2026-12-31T23:59:59+00:00",
        "2026-11-02T07:00:00+00:00",
        {"region": "eu"},
    )
    assert [(proof.text, *proof.proves) for proof in told.proof] == [
        (f'"token": "{NEW}",', "token"),
        (f'"previousToken": "{OLD}",', "previous_token"),
        ('"version": "3.58.0",', "version"),
        ('"status": "grace",', "status"),
        ('"reason": "token_change",', "reason"),
        ('"expiresAt": "2026-12-31T23:59:59+00:00",', "expires_at"),
        ('"startedAt": "2026-11-03T07:15:00+00:00",', "since"),
        ('"daysLeft": 7', "days_left"),
        ('"lastContactAt": "2026-11-02T07:00:00+00:00",', "last_contact"),
    ]
    assert (told.first_at, told.last_at) == ("2026-11-06T07:20:00", "2026-11-06T07:20:00")


@pytest.mark.parametrize(
    ("what", "reason", "sentence"),
    [
        (
            "status=grace reason=expired daysLeft=1",
            "expired",
            (
                "The log confirms that the licence {} has expired and its grace period began on 6 November 2026 or before; "
                "1 day of grace is left."
            ),
        ),
        (
            "status=grace reason=unreachable daysLeft=0",
            "other",
            (
                "The log shows that the licence {} has been in a grace period since 6 November 2026 or before "
                "because it cannot reach the licence server; no days of grace are left."
            ),
        ),
        (
            "status=grace reason=unpaid",
            "other",
            "The log shows that the licence {} has been in a grace period since 6 November 2026 or before (unpaid).",
        ),
        (
            "status=trial",
            "expired",
            "The log confirms that the licence {} has been in trial mode since 6 November 2026 or before.",
        ),
        (
            "status=active",
            "other",
            "The log shows that the licence {} has been active since 6 November 2026 or before.",
        ),
        (
            "status=deactivated",
            "expired",
            "The log shows that the licence {} has been deactivated since 6 November 2026 or before.",
        ),
    ],
)
def test_one_plain_sentence(what: str, reason: Reason, sentence: str) -> None:
    assert diagnosis(line(6, what), form=form(reason)).sentence == sentence.format(NEW)


def test_a_sentence_without_token_and_time() -> None:
    assert diagnosis("[LICENSE:CHECK] status=active").sentence == "The log shows that the licence is active."


def test_a_log_without_the_licence_says_so() -> None:
    told = diagnosis("[2026-11-06 08:15:00] [INFO] motion - started\n")
    assert told.sentence == "The log says nothing about the licence."
    assert told.readable
    assert told.disagreements == ()


def test_nothing_attached_is_not_unreadable() -> None:
    told = diagnosis()
    assert (told.sentence, told.readable) == ("The request came without a log.", True)


def test_a_picture_that_claims_to_be_a_log_is_unreadable() -> None:
    told = diagnosis(b"\x89PNG\r\n\x1a\n")
    assert (told.readable, told.unreadable) == (False, ("0.log: it is a picture, not a log",))


def test_only_unreadable_attachments_are_a_problem() -> None:
    told = diagnosis(b"%PDF-1.7")
    assert (told.sentence, told.readable) == ("None of the attachments could be read.", False)
    assert told.unreadable == ("0.log: it is a document, not a log",)
    both = diagnosis(b"%PDF-1.7", LOG)
    assert both.readable
    assert both.unreadable == told.unreadable


@pytest.mark.parametrize(
    ("log", "claim", "sentence"),
    [
        (LOG, moved("OTHER-TOKEN", NEW), "The old token in the form, OTHER-TOKEN, is not in the log."),
        (LOG, moved(OLD, "OTHER-TOKEN"), "The new token in the form, OTHER-TOKEN, is not in the log."),
        (LOG, moved(NEW, OLD), "According to the log, the form has swapped the old and the new token."),
        (LOG, moved(OLD, OLD), "The form gives the same token as old and as new token."),
        (LOG, form("expired"), "The form says expired licence, but the log says token change."),
        (
            line(6, "status=trial"),
            form("token_change"),
            "The form says token change, but the log says expired licence.",
        ),
        (line(6, "status=active"), form("expired"), "The log says that the licence is active."),
        (line(6, "status=inactive"), form("expired"), "The log says that the licence is inactive."),
        (
            line(6, "status=grace reason=expired expiresAt=2027-01-31"),
            form("expired"),
            "The form says expired licence, but according to the log it expires on 31 January 2027.",
        ),
    ],
)
def test_each_disagreement_with_the_form(log: str, claim: FormClaim, sentence: str) -> None:
    assert diagnosis(log, form=claim).disagreements == (sentence,)


@pytest.mark.parametrize(
    ("log", "ledger", "sentence"),
    [
        (LOG, LedgerClaim("replaced"), "According to the ledger, the old token has already been replaced."),
        (
            LOG,
            LedgerClaim(customer_name="Beispiel"),
            "The form names the customer Example S.p.A., but the ledger names Beispiel.",
        ),
        (
            LOG,
            LedgerClaim(other_customer_tokens=frozenset({OLD, "NOT-IN-LOG"})),
            f"The token {OLD} in the log belongs to another customer.",
        ),
    ],
)
def test_each_disagreement_with_the_ledger(log: str, ledger: LedgerClaim, sentence: str) -> None:
    assert diagnosis(log, ledger=ledger).disagreements == (sentence,)


def test_a_status_that_the_ledger_contradicts() -> None:
    told = diagnosis(line(6, "status=trial"), form=form("expired"), ledger=LedgerClaim("active"))
    assert told.disagreements == ("The log says trial, but the ledger says active.",)


@pytest.mark.parametrize(
    ("received", "sentence"),
    [
        (date(2026, 11, 18), "The log ends on 6 November 2026, 12 days before the mail arrived."),
        (date(2026, 11, 1), "The log ends on 6 November 2026, 5 days after the mail arrived."),
    ],
)
def test_each_disagreement_with_the_arrival(received: date, sentence: str) -> None:
    assert diagnosis(LOG, received=received).disagreements == (sentence,)


@pytest.mark.parametrize(
    ("log", "claim", "ledger"),
    [
        (LOG, MOVED, LedgerClaim("active", "example  s.p.a.")),
        (line(6, "status=trial"), form("expired"), LedgerClaim("expired")),
        (line(6, "status=grace reason=expired"), form("expired"), LedgerClaim("expired")),
        (line(6, "status=grace reason=unreachable"), form("other"), LedgerClaim("active")),
        (line(6, "status=grace reason=token_change"), form("other"), LedgerClaim()),
    ],
)
def test_what_fits_is_no_disagreement(log: str, claim: FormClaim, ledger: LedgerClaim) -> None:
    assert diagnosis(log, form=claim, ledger=ledger).disagreements == ()
    assert diagnosis(log, form=claim, ledger=ledger, received=date(2026, 11, 7)).disagreements == ()


def test_log_and_status_file_that_contradict_each_other() -> None:
    told = diagnosis(line(6, "status=active"), STATUS)
    assert told.disagreements == ("The log says active, but the status file says grace (token change).",)
    assert told.sentence.startswith("The licence status confirms")
    assert {proof.file for proof in told.proof} == {"0.log", "1.log"}


def test_all_disagreements_come_at_once() -> None:
    claim = FormClaim("expired", "OTHER-TOKEN", None, "Other")
    told = diagnosis(
        LOG, form=claim, ledger=LedgerClaim("active", "Example", frozenset({NEW})), received=date(2026, 12, 1)
    )
    assert len(told.disagreements) == 5


def test_the_proof_is_masked_and_a_handful_of_lines() -> None:
    tail = " ip=10.0.0.1 user=mario mail=m@kunde.example password=geheim"
    text = "".join(
        line(day, f"previousToken=TOKEN-{day:04} status=grace reason=token_change{tail}") for day in range(1, 9)
    )
    told = diagnosis(
        text, STATUS, ledger=LedgerClaim(other_customer_tokens=frozenset(f"TOKEN-{n:04}" for n in range(9)))
    )
    assert len(told.proof) == PROOF_MAX
    shown = " ".join(proof.text for proof in told.proof)
    assert NEW in shown
    assert not any(private in shown for private in ("10.0.0.1", "mario", "kunde", "geheim"))


def test_a_diagnosis_survives_being_stored() -> None:
    told = diagnosis(LOG, STATUS, b"%PDF-1.7")
    assert Diagnosis.model_validate_json(told.model_dump_json()) == told


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_mutated_log_still_gives_a_sentence(data: st.DataObject) -> None:
    text = bytearray((LOG + STATUS).encode())
    for _ in range(data.draw(st.integers(1, 12))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    told = diagnosis(bytes(text), ledger=LedgerClaim("active", "x", frozenset({NEW, OLD})))
    assert told.sentence.endswith(".")
    assert all(len(proof.text) <= 300 and "\n" not in proof.text for proof in told.proof)
