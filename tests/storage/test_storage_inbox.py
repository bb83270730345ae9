"""The inbox: every mail once, handled in the order of arrival, and what became of it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import NoResultFound
from sqlmodel import Session

from storage import inbox, queue
from storage.engine import Store

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def keep(s: Session, name: str, at: datetime = NOON, source: str = "imap", uid: int | None = None) -> inbox.Inbox:
    place = inbox.Place("INBOX", uid, 7) if uid else None
    return inbox.keep(s, name.encode(), f"sha-{name}", at, NOON, source, place)[0]


def test_a_mail_is_kept_once_by_its_bytes(store: Store) -> None:
    raw = bytes(range(256))
    with store.write() as s:
        first, new = inbox.keep(
            s, raw, "ab12", NOON, NOON + MINUTE, "imap", inbox.Place("INBOX", 4294967295, 4294967295)
        )
        assert new
    with store.write() as s:
        again, new = inbox.keep(
            s, b"", "ab12", NOON + MINUTE, NOON + 2 * MINUTE, "imap", inbox.Place("INBOX", 4294967295, 4294967295)
        )
        assert not new
        assert again.id == first.id
    with store.read() as s:
        row = inbox.get(s, first.id)
        assert row is not None
        assert inbox.raw(s, row.id) == raw
        assert (row.received_at, row.kept_at, row.size, row.state, row.attempts) == (
            NOON,
            NOON + MINUTE,
            256,
            "kept",
            0,
        )
        assert inbox.by_sha256(s, "ab12") == row
        assert inbox.by_sha256(s, "ab13") is None
        assert inbox.get(s, 99) is None


def test_a_mail_that_is_seen_elsewhere_is_remembered_there(store: Store) -> None:
    with store.write() as s:
        row = keep(s, "a", uid=5)
        inbox.mark(s, row.id, "handled", at=NOON)
        inbox.moved(s, [row.id])
    with store.write() as s:
        inbox.keep(s, b"a", "sha-a", NOON, NOON, "imap", inbox.Place("INBOX", 6, 7))
        (found,) = inbox.unmoved(s)  # this copy has to leave, too
        assert (found.id, found.folder, found.uidvalidity, found.uid) == (row.id, "INBOX", 7, 6)


def test_a_mail_that_was_injected_and_then_arrives_leaves_its_folder(store: Store) -> None:
    with store.write() as s:
        inbox.mark(s, keep(s, "a", source="inject").id, "handled", at=NOON)
        assert inbox.unmoved(s) == []
        keep(s, "a", uid=5)
        assert [row.uid for row in inbox.unmoved(s)] == [5]
        keep(s, "a", source="inject")
        assert [row.uid for row in inbox.unmoved(s)] == [5]


def test_the_next_mail_is_the_one_that_arrived_first(store: Store) -> None:
    with store.write() as s:
        late, early, tie = keep(s, "late", NOON + MINUTE), keep(s, "early", NOON), keep(s, "tie", NOON)
        order: list[int] = []
        while row := inbox.next_kept(s, NOON):
            order.append(row.id)
            inbox.mark(s, row.id, "handled", at=NOON)
        assert order == [early.id, tie.id, late.id]


def test_a_mail_in_hand_is_nobody_elses_until_its_lease_is_over(store: Store) -> None:
    with store.write() as s:
        first, second = keep(s, "1"), keep(s, "2")
        assert inbox.claim(s, first.id, NOON, NOON + MINUTE) == 1
        assert inbox.claim(s, first.id, NOON, NOON + MINUTE) is None
        assert inbox.next_kept(s, NOON) == second
        assert inbox.next_kept(s, NOON + MINUTE) == first
        assert inbox.claim(s, first.id, NOON + MINUTE, NOON + 2 * MINUTE) == 2
        queue.release_all(s, inbox.Inbox)
        assert inbox.next_kept(s, NOON + MINUTE) == first
        inbox.mark(s, first.id, "handled", at=NOON)
        assert inbox.claim(s, first.id, NOON + 9 * MINUTE, NOON + 10 * MINUTE) is None


def test_a_mail_that_failed_waits_for_its_next_try(store: Store) -> None:
    with store.write() as s:
        bad, good = keep(s, "1"), keep(s, "2", NOON + MINUTE)
        inbox.claim(s, bad.id, NOON, NOON + MINUTE)
        assert inbox.next_kept(s, NOON, failed=True) is None  # in hand still
        inbox.defer(s, bad.id, "bug", NOON + 5 * MINUTE)
        assert inbox.next_kept(s, NOON) == good
        assert inbox.next_kept(s, NOON, failed=True) == bad
        assert inbox.next_kept(s, NOON + 5 * MINUTE) == bad
        assert inbox.next_kept(s, NOON + 5 * MINUTE, failed=True) is None


def test_attempts_are_counted_and_survive(store: Store) -> None:
    with store.write() as s:
        row = keep(s, "a")
        assert inbox.claim(s, row.id, NOON, NOON) == 1
    with store.write() as s:
        assert inbox.claim(s, row.id, NOON + MINUTE, NOON + MINUTE) == 2
        assert s.get_one(inbox.Inbox, row.id).attempted_at == NOON + MINUTE


def test_marking_notes_what_was_found_and_leaves_the_rest(store: Store) -> None:
    with store.write() as s:
        row = keep(s, "a")
        inbox.mark(
            s,
            row.id,
            "quarantined",
            at=NOON,
            reason="two From",
            facts=inbox.MailFacts(message_id="<1@b.c>", sender="Jo@B.c", body_sha256="cd"),
        )
        inbox.mark(s, row.id, "handled", at=NOON + MINUTE, facts=inbox.MailFacts(intake="request", ref="LIC-1"))
    with store.read() as s:
        found = s.get_one(inbox.Inbox, row.id)
        assert (found.state, found.handled_at, found.intake, found.ref) == (
            "handled",
            NOON + MINUTE,
            "request",
            "LIC-1",
        )
        assert (found.last_result, found.message_id, found.sender) == ("two From", "<1@b.c>", "Jo@B.c")
        assert [one.id for one in inbox.by_message_id(s, "<1@b.c>")] == [row.id]
        assert inbox.by_message_id(s, "<1@B.c>") == []


def test_what_is_final_and_still_on_the_server_is_listed_until_it_is_moved(store: Store) -> None:
    with store.write() as s:
        _, done, bad, local = (
            keep(s, "1", uid=1),
            keep(s, "2", uid=2),
            keep(s, "3", uid=3),
            keep(s, "4", source="web"),
        )
        inbox.mark(s, done.id, "handled", at=NOON)
        inbox.mark(s, bad.id, "quarantined", at=NOON)
        inbox.mark(s, local.id, "handled", at=NOON)
        assert inbox.unmoved(s) == [done, bad]
        inbox.moved(s, [done.id])
        assert inbox.unmoved(s) == [bad]
        inbox.moved(s, [])


def test_each_mail_is_moved_by_one_process(store: Store) -> None:
    """Two who move a mail at the same time may make two copies of it (Dovecot did, of 95 of 100 mails)."""

    def claimed(at: datetime, uidvalidity: int = 7) -> list[int]:
        with store.write() as s:
            return [row.uid or 0 for row in inbox.claim_moves(s, "INBOX", uidvalidity, at, at + 10 * MINUTE)]

    with store.write() as s:
        ids = [keep(s, str(uid), uid=uid).id for uid in (1, 2, 3)]
        for number in ids[:2]:
            inbox.mark(s, number, "handled", at=NOON)
    assert claimed(NOON, 8) == []
    assert claimed(NOON) == [1, 2]
    assert claimed(NOON) == []
    with store.write() as s:
        inbox.moved(s, ids[:1])
        inbox.release_moves(s, ids[1:2])
    assert claimed(NOON + MINUTE) == [2]
    assert claimed(NOON + 10 * MINUTE) == []
    assert claimed(NOON + 11 * MINUTE) == [2]  # whoever had it was killed


def test_quarantine_can_be_retried_or_dropped_and_nothing_else(store: Store) -> None:
    with store.write() as s:
        kept, bad = keep(s, "1"), keep(s, "2")
        inbox.claim(s, bad.id, NOON, NOON)
        inbox.mark(s, bad.id, "quarantined", at=NOON, reason="bug")
        assert not inbox.retry(s, kept.id)
        assert not inbox.drop(s, kept.id)
        assert not inbox.retry(s, 99)
        assert inbox.retry(s, bad.id)
        assert (bad.state, bad.attempts, bad.last_result, bad.handled_at) == ("kept", 0, None, None)
        inbox.mark(s, bad.id, "quarantined", at=NOON, reason="bug again")
        assert inbox.drop(s, bad.id)
        assert not inbox.drop(s, bad.id)
        assert (bad.state, inbox.raw(s, bad.id)) == ("dropped", b"2")


def test_lists_are_newest_first_and_counted_by_state(store: Store) -> None:
    with store.write() as s:
        assert inbox.counts(s) == {}
        first, second, third = keep(s, "1"), keep(s, "2"), keep(s, "3")
        inbox.mark(s, second.id, "handled", at=NOON)
        assert inbox.listing(s) == [third, second, first]
        assert inbox.listing(s, limit=1) == [third]
        assert inbox.listing(s, state="kept") == [third, first]
        assert inbox.counts(s) == {"kept": 2, "handled": 1}


def test_bytes_that_are_too_old_go_and_the_mail_is_still_known(store: Store) -> None:
    with store.write() as s:
        waits, quarantined, done = (keep(s, name) for name in ("waits", "quarantined", "done"))
        inbox.mark(s, quarantined.id, inbox.InboxState.QUARANTINED, at=NOON)
        inbox.mark(s, done.id, inbox.InboxState.HANDLED, at=NOON)
        inbox.forget_raws(s, NOON)
        assert inbox.raw(s, done.id) == b"done"
        inbox.forget_raws(s, NOON + MINUTE)
        assert (inbox.raw(s, waits.id), inbox.raw(s, quarantined.id)) == (b"waits", b"quarantined")
        assert inbox.oldest_raw(s) == NOON
    with store.write() as s:
        with pytest.raises(NoResultFound):
            inbox.raw(s, done.id)
        assert not inbox.keep(s, b"done", "sha-done", NOON, NOON, "imap")[1]
