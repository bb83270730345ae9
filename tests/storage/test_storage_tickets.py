"""Tickets: numbers without gaps, one writer wins, and their events in order."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from storage import tickets
from storage.engine import Store

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def save(s: Session, number: int, expected: int | None = None, **changed: Any) -> tickets.TicketRow:
    values: dict[str, Any] = {
        "ref": f"LIC-{number}",
        "state": "waiting_staff",
        "request": "modify",
        "action": "add",
        "token": "A1B2C3D4",
        "sender": "Jo@Example.com",
        "opened_at": NOON,
        "updated_at": NOON,
        "version": 1,
        "form_sha256": "ab",
        "body": {"items": []},
    }
    return tickets.save(s, tickets.StoredTicket(number=number, **values | changed), expected_version=expected)


def test_a_ticket_comes_back_as_it_was_saved(store: Store) -> None:
    body = {"sender": "Jo@Example.com", "items": [{"item": "agents", "from": 5, "to": 10}]}
    with store.write() as s:
        assert save(s, tickets.next_number(s), body=body, action=None, token=None).row_version == 1
    with store.read() as s:
        row = tickets.load(s, "LIC-1")
        assert row is not None
        assert (row.number, row.state, row.body, row.action, row.token) == (1, "waiting_staff", body, None, None)
        assert (row.opened_at, row.version, row.row_version) == (NOON, 1, 1)
        assert tickets.load(s, "lic-1") is None


def test_numbers_go_up_without_gaps_also_within_one_transaction(store: Store) -> None:
    with store.write() as s:
        assert [tickets.next_number(s), tickets.next_number(s)] == [1, 2]
    with pytest.raises(ZeroDivisionError), store.write() as s:
        print(tickets.next_number(s) / 0)
    with store.write() as s:
        assert tickets.next_number(s) == 3
        save(s, 7)  # restored or imported
        assert tickets.next_number(s) == 8


def test_two_threads_never_get_the_same_number(store: Store) -> None:
    given: list[int] = []

    def opening() -> None:
        for _ in range(10):
            with store.write() as s:
                number = tickets.next_number(s)
                save(s, number)
            given.append(number)

    threads = [threading.Thread(target=opening) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 21))


def test_of_two_writers_the_second_is_told(store: Store) -> None:
    with store.write() as s:
        save(s, 1)
    with store.read() as s:
        mine, theirs = tickets.load(s, "LIC-1"), tickets.load(s, "LIC-1")
    assert mine is not None
    assert theirs is not None
    with store.write() as s:
        after = save(s, 1, theirs.row_version, state="done", updated_at=NOON + MINUTE)
        assert (after.row_version, after.state, after.updated_at) == (2, "done", NOON + MINUTE)
    with pytest.raises(tickets.StaleRow, match="LIC-1"), store.write() as s:
        save(s, 1, mine.row_version, state="rejected")
    with store.read() as s:
        row = tickets.load(s, "LIC-1")
        assert row is not None
        assert (row.state, row.row_version) == ("done", 2)


def test_a_row_that_was_loaded_shows_what_was_saved_over_it(store: Store) -> None:
    with store.write() as s:
        save(s, 1)
    with store.write() as s:
        row = tickets.load(s, "LIC-1")
        save(s, 1, 1, state="done", body={"items": [1]})
        assert row is not None
        assert (row.state, row.body, row.row_version) == ("done", {"items": [1]}, 2)


def test_a_new_ticket_takes_no_number_and_no_reference_of_another(store: Store) -> None:
    with store.write() as s:
        save(s, 1)
    for number, ref in ((1, "LIC-9"), (9, "LIC-1")):
        with pytest.raises(tickets.StaleRow, match="already"), store.write() as s:
            save(s, number, ref=ref)
    with pytest.raises(tickets.StaleRow), store.write() as s:
        save(s, 2, 1)  # there is none to change


def test_lists_are_newest_first_and_narrowed_by_state(store: Store) -> None:
    with store.write() as s:
        save(s, 1, state="done")
        save(s, 2, sender="al@example.com", updated_at=NOON + MINUTE)
        save(s, 3, token="B1B2C3D4")
        save(s, 4, token="b1b2c3d4", sender="JO@EXAMPLE.COM")

        def numbers(rows: list[tickets.TicketRow]) -> list[int]:
            return [row.number for row in rows]

        assert numbers(tickets.listing(s)) == [4, 3, 2, 1]
        assert numbers(tickets.listing(s, limit=2)) == [4, 3]
        assert numbers(tickets.listing(s, ["done", "closed"])) == [1]
        assert numbers(tickets.listing(s, [])) == []
        assert numbers(tickets.of_sender(s, "jo@example.com", ["waiting_staff"])) == [4, 3]
        assert numbers(tickets.of_sender(s, "jo@example.com")) == [4, 3, 1]
        assert numbers(tickets.waiting(s, ["waiting_staff"])) == [3, 4, 2]  # the longest first


def test_events_are_kept_in_order(store: Store) -> None:
    with store.write() as s:
        save(s, 1)
        save(s, 2)
        tickets.add_event(s, 1, NOON, "opened", "jo@example.com", "<1@b.c>", {"items": ["agents"]})
        tickets.add_event(s, 2, NOON, "opened", "al@example.com")
        tickets.add_event(s, 1, NOON - MINUTE, "note", "operator", None, "by phone")
    with store.read() as s:
        found = [(row.at, row.kind, row.by, row.mail, row.detail) for row in tickets.events(s, 1)]
        assert tickets.histories(s) == {1: tickets.events(s, 1), 2: tickets.events(s, 2)}
        assert tickets.histories(s, ["done"]) == {}
    assert found == [
        (NOON, "opened", "jo@example.com", "<1@b.c>", {"items": ["agents"]}),
        (NOON - MINUTE, "note", "operator", None, "by phone"),
    ]


def test_the_same_form_of_the_same_sender_is_found_while_its_ticket_is_open(store: Store) -> None:
    with store.write() as s:
        save(s, 1, state="done")
        assert tickets.same_form(s, "jo@example.com", "ab", ["waiting_staff"]) is None
        save(s, 2)
        save(s, 3, form_sha256="cd")
        save(s, 4, sender="al@example.com")
        found = tickets.same_form(s, "Jo@example.com", "ab", ["waiting_staff"])
        assert found is not None
        assert found.number == 2
