"""The ledger and the people beside it: events by revision, names and contacts that can be found and erased."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from storage import licences, people
from storage.engine import Store

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def append(s: Session, token: str, **changed: Any) -> int:
    values: dict[str, Any] = {
        "at": NOON,
        "effective": date(2026, 12, 1),
        "kind": "increase",
        "changes": {"agents": 10},
        "catalogue_version": "1",
    }
    return licences.append(s, licences.NewEvent(token=token, **values | changed))


def test_revisions_count_per_token(store: Store) -> None:
    with store.write() as s:
        assert [append(s, token) for token in ("A1B2C3D4", "B1B2C3D4", "A1B2C3D4", "a1b2c3d4")] == [1, 1, 2, 1]
    with store.write() as s:
        assert append(s, "A1B2C3D4") == 3


def test_an_event_comes_back_as_it_was_written(store: Store) -> None:
    whole = {
        "ticket": "LIC-1",
        "mail": "<1@b.c>",
        "rule": "increase",
        "decider": "boss@example.com",
        "why": "asked by phone",
    }
    with store.write() as s:
        append(s, "A1B2C3D4", **whole)
        append(s, "A1B2C3D4", at=NOON + MINUTE, changes=[])
    with store.read() as s:
        first, second = licences.events(s, "A1B2C3D4")
        assert {name: getattr(first, name) for name in whole} == whole
        assert (first.at, first.effective, first.changes, first.kind) == (
            NOON,
            date(2026, 12, 1),
            {"agents": 10},
            "increase",
        )
        assert (second.ticket, second.why, second.changes) == (None, None, [])


def test_the_ledger_is_asked_by_token_ticket_and_time(store: Store) -> None:
    with store.write() as s:
        assert (licences.last_at(s), licences.tokens(s), licences.events(s, "A1B2C3D4")) == (None, [], [])
        append(s, "b1b2c3d4", ticket="LIC-1", at=NOON + MINUTE)
        append(s, "B1B2C3D4", ticket="LIC-1")
        append(s, "A1B2C3D4", ticket="LIC-2")
        append(s, "A1B2C3D4")
        assert licences.tokens(s) == ["A1B2C3D4", "B1B2C3D4", "b1b2c3d4"]
        assert [row.token for row in licences.all_events(s)] == ["b1b2c3d4", "B1B2C3D4", "A1B2C3D4", "A1B2C3D4"]
        assert [row.token for row in licences.events_of_ticket(s, "LIC-1")] == ["b1b2c3d4", "B1B2C3D4"]
        assert licences.last_at(s) == NOON + MINUTE


def test_a_revision_exists_once(store: Store) -> None:
    with store.write() as s:
        append(s, "A1B2C3D4")
        (row,) = licences.events(s, "A1B2C3D4")
    with pytest.raises(IntegrityError), store.write() as s:
        s.add(licences.LicenceEventRow(**row.model_dump() | {"id": None}))


def test_a_row_of_the_ledger_cannot_be_changed_or_deleted(store: Store) -> None:
    with store.write() as s:
        append(s, "A1B2C3D4")
    with pytest.raises(DBAPIError, match="append-only"), store.write() as s:
        licences.events(s, "A1B2C3D4")[0].changes = {"agents": 1000}
    with pytest.raises(DBAPIError, match="append-only"), store.write() as s:
        s.delete(licences.events(s, "A1B2C3D4")[0])
    with store.read() as s:
        assert [row.changes for row in licences.events(s, "A1B2C3D4")] == [{"agents": 10}]


def test_customers_are_found_by_name_ignoring_case(store: Store) -> None:
    with store.write() as s:
        people.set_name(s, "B1B2C3D4", "Straße & Söhne")
        people.set_name(s, "A1B2C3D4", "STRASSE & SÖHNE")
        people.set_name(s, "C1B2C3D4", "Old name")
        people.set_name(s, "C1B2C3D4", "Someone else")
        assert people.tokens_named(s, "strasse & söhne") == ["A1B2C3D4", "B1B2C3D4"]
        assert people.tokens_named(s, "old name") == []
        assert (people.name(s, "C1B2C3D4"), people.name(s, "none")) == ("Someone else", None)


def test_a_contact_is_one_whatever_its_case_and_known_for_good(store: Store) -> None:
    with store.write() as s:
        people.add_contact(s, "A1B2C3D4", "Jo@Example.com", NOON, makes_known=False)
        assert not people.known(s, "jo@example.com")
        people.add_contact(s, "A1B2C3D4", "jo@EXAMPLE.com", NOON + MINUTE, makes_known=True)
        people.add_contact(s, "A1B2C3D4", "jo@example.com", NOON + MINUTE, makes_known=False)
    with store.read() as s:
        (row,) = people.contacts(s, "A1B2C3D4")
        assert (row.address, row.since, row.makes_known) == ("Jo@Example.com", NOON, True)
        assert people.known(s, "JO@example.com")


def test_a_pattern_stands_for_all_of_exactly_its_domain(store: Store) -> None:
    with store.write() as s:
        people.add_contact(s, "B1B2C3D4", "@Example.com", NOON, makes_known=True)
        people.add_contact(s, "A1B2C3D4", "jo@example.com", NOON, makes_known=False)
        assert [row.token for row in people.tokens_of_address(s, "Jo@example.COM")] == ["A1B2C3D4", "B1B2C3D4"]
        assert [row.token for row in people.tokens_of_address(s, "al@example.com")] == ["B1B2C3D4"]
        assert people.known(s, "al@example.com")
        for stranger in ("al@sub.example.com", "al@badexample.com", "@example.com", "example.com", "", "al@exam%"):
            assert not people.known(s, stranger)
            assert people.tokens_of_address(s, stranger) == []


def test_a_decision_makes_all_contacts_of_a_licence_known(store: Store) -> None:
    with store.write() as s:
        people.add_contact(s, "A1B2C3D4", "jo@example.com", NOON, makes_known=False)
        people.add_contact(s, "B1B2C3D4", "al@example.com", NOON, makes_known=False)
        people.mark_known(s, "A1B2C3D4")
        assert people.known(s, "jo@example.com")
        assert not people.known(s, "al@example.com")
        assert people.contacts(s, "A1B2C3D4")[0].makes_known


def test_contacts_are_listed_oldest_first_and_can_be_removed(store: Store) -> None:
    with store.write() as s:
        people.add_contact(s, "A1B2C3D4", "b@example.com", NOON + MINUTE, makes_known=True)
        people.add_contact(s, "A1B2C3D4", "c@example.com", NOON, makes_known=True)
        people.add_contact(s, "B1B2C3D4", "c@example.com", NOON, makes_known=False)
        assert [row.address for row in people.contacts(s, "A1B2C3D4")] == ["c@example.com", "b@example.com"]
        people.replace_contacts(s, {"A1B2C3D4": []}, NOON, set())
        assert people.contacts(s, "A1B2C3D4") == []
        assert [row.token for row in people.tokens_of_address(s, "c@example.com")] == ["B1B2C3D4"]
        people.add_contact(s, "A1B2C3D4", "c@example.com", NOON, makes_known=False)  # anew
        assert not people.known(s, "c@example.com")


def test_a_licence_that_moves_takes_its_people_along(store: Store) -> None:
    with store.write() as s:
        people.set_name(s, "OLD12345", "Example Ltd")
        people.set_name(s, "NEW12345", "example, demo")
        people.add_contact(s, "OLD12345", "Jo@example.com", NOON, makes_known=True)
        people.add_contact(s, "NEW12345", "jo@example.com", NOON + MINUTE, makes_known=False)
        people.add_contact(s, "NEW12345", "al@example.com", NOON, makes_known=False)
        people.move(s, "OLD12345", "NEW12345")
        assert people.name(s, "NEW12345") == "Example Ltd"
        found = [(row.folded, row.makes_known) for row in people.contacts(s, "NEW12345")]
        assert found == [("al@example.com", False), ("jo@example.com", True)]
        assert len(people.contacts(s, "OLD12345")) == 1
        people.move(s, "NOBODY12", "NEW12345")
        assert people.name(s, "NEW12345") == "Example Ltd"


def test_many_rows_at_once_are_as_if_written_one_by_one(store: Store) -> None:
    row = {
        "at": NOON, "effective": date(2026, 12, 1), "kind": "import", "changes": {"agents": 10}, "rule": "import",
        "catalogue_version": "1",
    }  # fmt: skip
    with store.write() as s:
        licences.append_many(s, [{"token": f"TOKEN{n:04}", "revision": 1, **row} for n in range(1200)])
        licences.append_many(s, [])
        people.set_names(s, {f"TOKEN{n:04}": f"Customer {n}" for n in range(1200)})
        people.replace_contacts(s, {f"TOKEN{n:04}": [f"A{n}@b.c", "@b.c"] for n in range(1200)}, NOON, {"TOKEN0000"})
    with store.write() as s:
        people.set_names(s, {"TOKEN0001": "Other", "TOKEN9999": "New"})
        people.replace_contacts(s, {"TOKEN0001": ["a1@b.c"], "TOKEN9999": ["x@y.z"]}, NOON + MINUTE, {"TOKEN9999"})
    with store.read() as s:
        assert (len(licences.tokens(s)), licences.events(s, "TOKEN1199")[0].changes) == (1200, {"agents": 10})
        assert (people.names(s)["TOKEN0001"], people.names(s)["TOKEN9999"]) == ("Other", "New")
        kept = people.contacts(s, "TOKEN0001")
        assert [(c.address, c.since) for c in kept] == [("A1@b.c", NOON)]
        assert people.all_contacts(s)["TOKEN0002"] == ("@b.c", "A2@b.c")
        assert people.known(s, "a0@b.c")
        assert people.known(s, "x@y.z")
    with pytest.raises(IntegrityError), store.write() as s:
        licences.append_many(s, [{"token": "TOKEN0001", "revision": 1, **row}])


def test_the_price_list_of_a_moment(store: Store) -> None:
    from storage import price_lists

    with store.write() as s:
        assert price_lists.in_force(s, NOON) is None
        for n in range(3):
            price_lists.add(
                s, since=NOON + n * MINUTE, catalogue_version=str(n), currency="EUR", amounts={"agents": str(n)}, unbilled=[]
            )  # fmt: skip
    with store.read() as s:
        found = [price_lists.in_force(s, NOON + n * MINUTE).catalogue_version for n in (-9, 0, 1, 2, 3, 99)]
        assert found == ["0", "0", "0", "1", "2", "2"]
        assert price_lists.latest(s).catalogue_version == "2"
        assert price_lists.changed(s) is None
    for statement in ("UPDATE price_list SET currency = 'USD'", "DELETE FROM price_list"):
        with pytest.raises(DBAPIError, match="append-only"), store.write() as s:
            s.connection().exec_driver_sql(statement)


def test_many_licences_are_asked_for_at_once(store: Store) -> None:
    with store.write() as s:
        for token in ("A1B2C3D4", "B1B2C3D4", "A1B2C3D4", "C1B2C3D4"):
            append(s, token)
        people.set_name(s, "A1B2C3D4", "Acme")
        people.add_contact(s, "A1B2C3D4", "jo@example.com", NOON + MINUTE, False)
        people.add_contact(s, "A1B2C3D4", "al@example.com", NOON, False)
    with store.read() as s:
        many = [f"X{number:07}" for number in range(2000)]
        assert licences.of_ledger(s, ["A1B2C3D4", "b1b2c3d4", *many]) == {"A1B2C3D4"}
        found = licences.events_of_tokens(s, ["A1B2C3D4", "C1B2C3D4"])
        assert [(row.token, row.revision) for row in found] == [("A1B2C3D4", 1), ("A1B2C3D4", 2), ("C1B2C3D4", 1)]
        assert people.names(s) == {"A1B2C3D4": "Acme"}
        assert people.all_contacts(s) == {"A1B2C3D4": ("al@example.com", "jo@example.com")}
