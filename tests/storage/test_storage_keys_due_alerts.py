"""Keys that die once, due things that are one however often they are added, alerts that do not flood."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from storage import alerts, due, keys
from storage.engine import Store

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def key(s: Session, digest: str, **changed: Any) -> keys.KeyRow:
    values: dict[str, Any] = {"purpose": "decision", "address": "boss@example.com", "made_at": NOON, "ref": "LIC-1"}
    return keys.add(s, keys.NewKey(digest=digest, **values | changed))


def test_a_key_comes_back_with_all_that_it_is_bound_to(store: Store) -> None:
    with store.write() as s:
        key(s, "aa", version=2, licence_revision=3, expires_at=NOON + MINUTE, payload={"text": "APPROVE"})
        key(s, "bb", purpose="digest", ref=None, refs=[("LIC-1", 2, 3), ["LIC-2", 1, None]])
    with store.read() as s:
        row, digest = keys.find(s, "aa"), keys.find(s, "bb")
        assert row is not None
        assert digest is not None
        assert (row.purpose, row.ref, row.version, row.licence_revision) == ("decision", "LIC-1", 2, 3)
        assert (row.expires_at, row.payload, row.refs, row.dead_at) == (NOON + MINUTE, {"text": "APPROVE"}, [], None)
        assert (digest.ref, digest.refs) == (None, [["LIC-1", 2, 3], ["LIC-2", 1, None]])
        assert keys.find(s, "AA") is None


def test_a_digest_is_taken_once(store: Store) -> None:
    with store.write() as s:
        key(s, "aa")
    with pytest.raises(IntegrityError), store.write() as s:
        key(s, "aa")


def test_a_key_dies_once_and_its_first_reason_stays(store: Store) -> None:
    with store.write() as s:
        row = key(s, "aa")
        assert keys.kill(s, "aa", NOON, "decided")
        assert not keys.kill(s, "aa", NOON + MINUTE, "expired")
        assert not keys.kill(s, "bb", NOON, "decided")
        assert (row.dead_at, row.dead_why) == (NOON, "decided")
        assert keys.find(s, "aa") == row  # the dead are still answered


def test_what_only_time_ended_can_still_end_for_another_reason(store: Store) -> None:
    with store.write() as s:
        key(s, "aa", expires_at=NOON)
        key(s, "bb", expires_at=NOON + MINUTE)
        key(s, "cc", purpose="customer")
        keys.expire(s, NOON)
        assert keys.next_expiry(s) == NOON + MINUTE
        assert keys.kill_of_ticket(s, "LIC-1", ("decision",), NOON + MINUTE, "changed") == 2
        assert keys.next_expiry(s) is None


def test_a_ticket_that_changes_ends_its_keys_of_those_purposes(store: Store) -> None:
    with store.write() as s:
        key(s, "aa")
        key(s, "bb", purpose="decision-confirm", made_at=NOON - MINUTE)
        key(s, "cc", purpose="customer")
        key(s, "dd", ref="LIC-2")
        keys.kill(s, "aa", NOON, "decided")
        assert keys.kill_of_ticket(s, "LIC-1", ("decision", "decision-confirm"), NOON + MINUTE, "changed") == 1
        assert [row.digest for row in keys.live_of_ticket(s, "LIC-1")] == ["cc"]
        assert [row.digest for row in keys.live_of_ticket(s, "LIC-2")] == ["dd"]
        used = keys.find(s, "aa")
        assert used is not None
        assert used.dead_why == "decided"


def test_due_things_come_in_order_of_time(store: Store) -> None:
    with store.write() as s:
        assert (due.next(s, NOON), due.next_at(s), due.open_(s)) == (None, None, [])
        late = due.add(s, "digest", NOON + MINUTE, NOON)
        early = due.add(s, "change", NOON, NOON, ref="LIC-1", token="A1B2C3D4", payload={"item": "agents"})
        tie = due.add(s, "reminder", NOON, NOON, ref="LIC-1")
        assert [row.id for row in due.open_(s)] == [early, tie, late]
        assert [row.id for row in due.open_(s, "digest")] == [late]
        assert due.next_at(s) == NOON
        assert due.next(s, NOON - MINUTE) is None
        for one in (early, tie):
            assert due.next(s, NOON).id == one
            due.done(s, one, NOON)
        assert (due.next(s, NOON), due.next_at(s)) == (None, NOON + MINUTE)


def test_a_thing_that_failed_waits_for_its_next_try_and_lets_others_pass(store: Store) -> None:
    with store.write() as s:
        bad, good = due.add(s, "digest", NOON, NOON), due.add(s, "close", NOON + MINUTE, NOON)
        assert due.defer(s, bad, "bug", lambda tries: NOON + 5 * tries * MINUTE).attempts == 1
        assert due.next(s, NOON + MINUTE).id == good
        assert due.next(s, NOON + 5 * MINUTE).id == bad
        assert [row.id for row in due.failing(s)] == [due.get(s, bad).id] == [bad]
        due.done(s, bad, NOON)
        assert (due.failing(s), due.get(s, bad)) == ([], None)


def test_the_same_thing_added_twice_is_one(store: Store) -> None:
    with store.write() as s:
        first = due.add(s, "digest", NOON, NOON, payload=1)
    with store.write() as s:
        assert due.add(s, "digest", NOON, NOON + MINUTE, payload=2) == first
        due.add(s, "digest", NOON + MINUTE, NOON)
        due.add(s, "digest", NOON, NOON, ref="LIC-1")
        due.add(s, "digest", NOON, NOON, token="LIC-1")
        assert [(row.ref, row.token, row.payload) for row in due.open_(s)] == [
            (None, None, 2),
            ("LIC-1", None, None),
            (None, "LIC-1", None),
            (None, None, None),
        ]


def test_a_dropped_thing_can_come_back_a_done_one_cannot(store: Store) -> None:
    with store.write() as s:
        added = due.add(s, "reminder", NOON, NOON, ref="LIC-1")
        (row,) = due.open_(s)
        assert due.drop(s, ref="LIC-1", at=NOON) == 1
        assert (due.open_(s), row.dropped_at) == ([], NOON)
        assert due.add(s, "reminder", NOON, NOON, ref="LIC-1") == added
        assert due.open_(s) == [row]
        due.done(s, row.id, NOON)
        due.add(s, "reminder", NOON, NOON, ref="LIC-1", payload=1)
        assert (due.open_(s), row.payload) == ([], None)


def test_dropping_takes_what_matches_all_that_is_named(store: Store) -> None:
    with store.write() as s:
        due.add(s, "reminder", NOON, NOON, ref="LIC-1", token="A1B2C3D4")
        due.add(s, "change", NOON, NOON, ref="LIC-1", token="A1B2C3D4")
        due.add(s, "change", NOON, NOON, ref="LIC-2", token="A1B2C3D4")
        assert due.drop(s, kind="change", ref="LIC-2", token="B1B2C3D4", at=NOON) == 0
        assert due.drop(s, kind="change", ref="LIC-1", at=NOON) == 1
        assert due.drop(s, token="A1B2C3D4", at=NOON) == 2
        with pytest.raises(ValueError, match="nothing drops everything"):
            due.drop(s, at=NOON)


def test_an_incident_is_noted_once_and_told_once(store: Store) -> None:
    with store.write() as s:
        assert alerts.note(s, "forged LIC-1", "first words", NOON)
    with store.write() as s:
        assert not alerts.note(s, "forged LIC-1", "other words", NOON + 999 * MINUTE)
        assert alerts.note(s, "forged LIC-2", "second", NOON + MINUTE)
        assert alerts.last_told(s) is None
        assert [(row.text, row.at) for row in alerts.untold(s, 9)] == [("first words", NOON), ("second", NOON + MINUTE)]
        alerts.mark_told(s, alerts.untold(s, 1), NOON + 2 * MINUTE)
        assert [row.text for row in alerts.untold(s, 9)] == ["second"]
        assert alerts.last_told(s) == NOON + 2 * MINUTE
        assert not alerts.note(s, "forged LIC-1", "again", NOON + 999 * MINUTE)
