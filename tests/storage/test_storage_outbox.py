"""The outbox: bytes and Message-ID fixed once, each mail leased to one deliverer, every attempt written down."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from storage import inbox, mail_counts, outbox, people, queue
from storage.engine import Store

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def put(
    s: Session,
    name: str,
    *,
    due_at: datetime = NOON,
    recipient: str = "Jo@Example.com",
    kind: str = "outcome",
    ref: str | None = None,
    inbox_id: int | None = None,
) -> outbox.Outbox:
    return outbox.put(
        s,
        outbox.FinishedMail(
            message_id=f"<{name}@desk>",
            kind=kind,
            ref=ref,
            recipient=recipient,
            envelope_from="desk@example.com",
            raw=name.encode(),
            composed_at=due_at,
            not_before=due_at,
            inbox_id=inbox_id,
        ),
    )


def claim(s: Session, now: datetime = NOON, limit: int = 10) -> list[bytes]:
    return [raw for _, raw in outbox.claim(s, now, limit, now + MINUTE)]


def test_mails_are_claimed_in_the_order_in_which_they_were_queued(store: Store) -> None:
    with store.write() as s:
        put(s, "1", due_at=NOON)
        put(s, "2", due_at=NOON - MINUTE)
        put(s, "3", due_at=NOON + MINUTE)
    with store.write() as s:
        assert claim(s, limit=1) == [b"1"]
        assert claim(s) == [b"2"]
        assert claim(s) == []  # leased, or not due


def test_a_lease_ends_with_its_time_or_when_it_is_given_back(store: Store) -> None:
    with store.write() as s:
        row = put(s, "1")
        assert claim(s) == [b"1"]
        assert claim(s, NOON + timedelta(seconds=59)) == []
        assert claim(s, NOON + timedelta(seconds=60)) == [b"1"]
        outbox.release(s, [row.id])
        assert (claim(s), row.attempts, outbox.deliveries(s, row.id)) == ([b"1"], 0, [])
        queue.release_all(s, outbox.Outbox)
        assert claim(s) == [b"1"]


def test_the_same_message_id_cannot_be_queued_twice(store: Store) -> None:
    with store.write() as s:
        put(s, "1")
    with pytest.raises(IntegrityError), store.write() as s:
        put(s, "1")
    with store.read() as s:
        assert len(outbox.listing(s)) == 1


def test_each_attempt_is_written_down(store: Store) -> None:
    with store.write() as s:
        row = put(s, "1")
        outbox.deferred(s, row.id, NOON, "450 later", NOON + MINUTE)
        assert (row.state, row.not_before, claim(s)) == ("queued", NOON + MINUTE, [])
        outbox.unknown(s, row.id, NOON + MINUTE, "lost", NOON + 2 * MINUTE)
        assert (row.state, claim(s, NOON + 2 * MINUTE)) == ("unknown", [b"1"])
        outbox.deferred(s, row.id, NOON + 2 * MINUTE, "no connection", NOON + 3 * MINUTE)
        assert row.state == "unknown"  # that it may have arrived stays visible
        assert claim(s, NOON + 3 * MINUTE) == [b"1"]
        outbox.delivered(s, row.id, NOON + 3 * MINUTE, "250 ok")
    with store.read() as s:
        found = outbox.by_message_id(s, "<1@desk>")
        assert found is not None
        assert (found.state, found.sent_at, found.attempts, found.last_result) == (
            "sent",
            NOON + 3 * MINUTE,
            4,
            "250 ok",
        )
        assert (found.lease_until, found.recipient) == (None, "Jo@Example.com")
        results = [(one.at, one.result, one.reply) for one in outbox.deliveries(s, found.id)]
        assert results[0] == (NOON, "deferred", "450 later")
        assert [result for _, result, _ in results] == ["deferred", "unknown", "deferred", "sent"]


def test_a_refused_mail_is_not_tried_again_by_itself(store: Store) -> None:
    with store.write() as s:
        row = put(s, "1")
        outbox.refused(s, row.id, NOON, "550 no such user")
        assert (row.state, row.attempts, claim(s, NOON + MINUTE), outbox.next_due(s)) == ("refused", 1, [], None)


def test_a_delivery_report_counts_once(store: Store) -> None:
    with store.write() as s:
        row = put(s, "1")
        outbox.delivered(s, row.id, NOON, "250 ok")
        assert outbox.undelivered(s, row.id, NOON + MINUTE, "550 mailbox full")
        assert not outbox.undelivered(s, row.id, NOON + 2 * MINUTE, "550 mailbox full")
        assert (row.state, row.attempts, row.last_result) == ("undelivered", 1, "550 mailbox full")
        assert [one.result for one in outbox.deliveries(s, row.id)] == ["sent", "undelivered"]


def test_the_next_moment_at_which_something_can_be_claimed(store: Store) -> None:
    with store.write() as s:
        assert outbox.next_due(s) is None
        put(s, "late", due_at=NOON + 5 * MINUTE)
        assert outbox.next_due(s) == NOON + 5 * MINUTE
        row = put(s, "early", due_at=NOON)
        assert outbox.next_due(s) == NOON
        claim(s)
        assert outbox.next_due(s) == NOON + MINUTE  # the end of the lease
        outbox.delivered(s, row.id, NOON, "250")
        assert outbox.next_due(s) == NOON + 5 * MINUTE


def test_what_did_not_go_out_can_be_retried(store: Store) -> None:
    with store.write() as s:
        row = put(s, "1")
        outbox.refused(s, row.id, NOON, "550")
        assert outbox.retry(s, row.id, NOON + MINUTE)
        assert (row.state, row.attempts, row.not_before) == ("queued", 0, NOON + MINUTE)
        assert claim(s, NOON + MINUTE) == [b"1"]
        outbox.delivered(s, row.id, NOON + MINUTE, "250")
        assert not outbox.retry(s, row.id, NOON)
        assert not outbox.retry(s, 99, NOON)


def test_what_was_sent_can_be_sent_again_the_same(store: Store) -> None:
    with store.write() as s:
        row = put(s, "1")
        assert not outbox.resend(s, row.id, NOON)
        outbox.delivered(s, row.id, NOON, "250")
        assert outbox.resend(s, row.id, NOON + MINUTE)
        ((again, raw),) = outbox.claim(s, NOON + MINUTE, 10, NOON + 2 * MINUTE)
        assert (again.message_id, raw, outbox.raw(s, row.id)) == ("<1@desk>", b"1", b"1")


def test_what_is_given_up_never_goes_out(store: Store) -> None:
    with store.write() as s:
        row, sent = put(s, "1"), put(s, "2")
        outbox.delivered(s, sent.id, NOON, "250")
        assert outbox.drop(s, row.id)
        assert not outbox.drop(s, row.id)
        assert not outbox.drop(s, sent.id)
        assert claim(s, NOON + MINUTE) == []
        assert outbox.counts(s) == {"dropped": 1, "sent": 1}


def test_lists_are_newest_first(store: Store) -> None:
    with store.write() as s:
        first, second = put(s, "1", ref="LIC-1"), put(s, "2", ref="LIC-2")
        outbox.delivered(s, first.id, NOON, "250")
        assert outbox.listing(s) == [second, first]
        assert outbox.listing(s, ref="LIC-1") == [first]
        assert outbox.listing(s, state="queued") == [second]
        assert outbox.listing(s, state="queued", ref="LIC-1") == []
        assert outbox.get(s, first.id) == first
        assert outbox.get(s, 99) is None


def test_mails_of_one_cause_know_their_place(store: Store) -> None:
    with store.write() as s:
        cause, _ = inbox.keep(s, b"in", "ab", NOON, NOON, "imap")
        places = [put(s, name, inbox_id=cause.id).position for name in ("1", "2")]
        assert (places, put(s, "3").position) == ([0, 1], 0)


def test_replies_are_counted_per_address_domain_and_overall(store: Store) -> None:
    with store.write() as s:
        put(s, "1", recipient="jo@EXAMPLE.com", kind="help", due_at=NOON)
        put(s, "2", recipient="Jo@example.com", kind="status", due_at=NOON + MINUTE)
        put(s, "3", recipient="al@example.com", kind="help", due_at=NOON + MINUTE)
        put(s, "4", recipient="al@sub.example.com", kind="help", due_at=NOON + MINUTE)
        put(s, "5", recipient="JO@example.com", kind="outcome", due_at=NOON + MINUTE)
        budgeted = ("help", "status")
        assert mail_counts.count_since(s, "JO@example.com", NOON, budgeted) == 2
        assert mail_counts.count_since(s, "jo@example.com", NOON + timedelta(seconds=1), budgeted) == 1
        assert mail_counts.count_since(s, "@Example.com", NOON, budgeted) == 3
        assert mail_counts.count_unknown_since(s, NOON, budgeted) == 4
        assert mail_counts.count_unknown_since(s, NOON, ()) == 0
        assert mail_counts.count_unknown_since(s, NOON, budgeted, "@example.com") == 3
        assert mail_counts.count_unknown_since(s, NOON, budgeted, but=["jo@example.com", "@sub.example.com"]) == 1
        people.add_contact(s, "A1B2C3D4", "@example.com", NOON, False)
        assert mail_counts.count_unknown_since(s, NOON, budgeted) == 4
        people.mark_known(s, "A1B2C3D4")
        assert mail_counts.count_unknown_since(s, NOON, budgeted) == 1
