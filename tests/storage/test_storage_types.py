"""What may be kept, and that it comes back as it went in, on both databases alike."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from storage import alerts, due, inbox, people
from storage.engine import Store
from storage.types import INDEXED_BYTES, clean, cut, domain_pattern, folded

NOON = datetime(2026, 11, 3, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 3, 12, 0),  # noqa: DTZ001 - what is refused
        datetime(2026, 11, 3, 12, 0, tzinfo=timezone(timedelta(hours=1))),
        datetime(2026, 7, 3, 12, 0, tzinfo=ZoneInfo("Europe/London")),
    ],
    ids=["naive", "+01:00", "summer"],
)
def test_only_aware_utc_can_be_kept(store: Store, moment: datetime) -> None:
    with pytest.raises(StatementError, match="must be aware and in UTC"), store.write() as s:
        alerts.note(s, "key", "text", moment)


def test_only_aware_utc_can_be_asked_for(store: Store) -> None:
    with store.read() as s, pytest.raises(StatementError, match="must be aware and in UTC"):
        due.next(s, NOON.replace(tzinfo=None))


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("UTC"), timezone(timedelta(0), "GMT")], ids=str)
def test_moments_come_back_in_utc_to_the_microsecond(store: Store, zone: timezone) -> None:
    with store.write() as s:
        alerts.note(s, "key", "text", NOON.replace(tzinfo=zone))
    with store.read() as s:
        at = s.get_one(alerts.Incident, "key").at
    assert (at, at.tzinfo) == (NOON, UTC)


def test_moments_are_compared_as_moments(store: Store) -> None:
    early = datetime(999, 1, 1, tzinfo=UTC)  # a year of three digits
    with store.write() as s:
        due.add(s, "late", NOON, NOON)
        due.add(s, "early", early, NOON)
    with store.read() as s:
        assert [row.kind for row in due.open_(s)] == ["early", "late"]
        assert due.next_at(s) == early


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Zoë 🦆 <zoe@example.com>", "Zoë 🦆 <zoe@example.com>"),
        ("a\0b", "a\ufffdb"),
        ("caf\udce9", "caf\ufffd"),
        ("é\0\ud83d", "é\ufffd\ufffd"),
    ],
    ids=["letters", "nul", "bad byte", "half a pair"],
)
def test_text_of_a_mail_can_always_be_kept(store: Store, written: str, kept: str) -> None:
    with store.write() as s:
        people.set_name(s, "A1B2C3D4", written)
    with store.read() as s:
        assert people.name(s, "A1B2C3D4") == kept
        assert people.tokens_named(s, written) == ["A1B2C3D4"]


def test_long_text_is_found_by_itself_and_by_what_was_kept(store: Store) -> None:
    long = "<" + "é0" * 50_000 + "@example.com>"
    with store.write() as s:
        row, _ = inbox.keep(s, b"mail", "00", NOON, NOON, "inject")
        inbox.mark(s, row.id, "handled", at=NOON, facts=inbox.MailFacts(message_id=long))
    with store.read() as s:
        kept = inbox.by_message_id(s, long)[0].message_id
        assert kept is not None
        assert len(kept.encode()) <= INDEXED_BYTES
        assert len(inbox.by_message_id(s, kept)) == 1
        assert inbox.by_message_id(s, long.replace("@example.com", "@example.org")) == []


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(st.characters(codec=None), max_size=INDEXED_BYTES * 2))
def test_cut_text_fits_and_is_cut_once(text: str) -> None:
    kept = cut(clean(text))
    assert len(kept.encode()) <= INDEXED_BYTES
    assert cut(clean(kept)) == kept


def test_json_keeps_order_and_hostile_text_and_knows_nothing_from_null(store: Store) -> None:
    payload = {"z": 1, "a": ["\0", "\ud800", "é", None, True, 2**70], "": {}}
    with store.write() as s:
        due.add(s, "some", NOON, NOON, payload=payload)
        due.add(s, "none", NOON, NOON)
    with store.read() as s:
        some, none = due.open_(s)
        null = s.connection().exec_driver_sql("SELECT kind FROM due WHERE payload IS NULL").scalars().all()
    assert some.payload == payload
    assert list(some.payload) == ["z", "a", ""]
    assert (none.payload, null) == (None, ["none"])


def test_what_is_no_json_is_refused(store: Store) -> None:
    with pytest.raises((StatementError, ValueError)), store.write() as s:  # whichever layer sees it first
        due.add(s, "nan", NOON, NOON, payload=float("nan"))


@pytest.mark.parametrize(
    ("address", "expected"),
    [("Jo@Example.COM", "jo@example.com"), ("İ@example.com", "İ@example.com"), ("STRASSE@ß.de", "strasse@ß.de")],
)
def test_addresses_fold_by_ascii_alone(address: str, expected: str) -> None:
    assert folded(address) == expected


@pytest.mark.parametrize(
    ("address", "pattern"),
    [
        ("Jo@Example.com", "@example.com"),
        ('"a@b"@example.com', "@example.com"),
        ("@example.com", None),
        ("jo@", None),
        ("jo", None),
        ("", None),
    ],
)
def test_the_pattern_of_a_domain(address: str, pattern: str | None) -> None:
    assert domain_pattern(address) == pattern
