"""What the four queues share: back-off, leases, and which of their rows are ready."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import StatementError
from sqlmodel import Session, col, select

from storage import due, inbox, licence_posts, outbox, queue
from storage.engine import Store
from storage.queue import Queued, back_off

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def kept(s: Session) -> Queued:
    return inbox.keep(s, b"mail", "sha", NOON, NOON, "imap")[0]


def composed(s: Session) -> Queued:
    return outbox.put(s, outbox.FinishedMail(message_id="<1@desk>", kind="help", ref=None, recipient="jo@example.com", envelope_from="", raw=b"mail", composed_at=NOON, not_before=NOON))  # fmt: skip


def posted(s: Session) -> Queued:
    return licence_posts.add(s, "A1B2C3D4", 1, NOON)


def remembered(s: Session) -> Queued:
    return s.get_one(due.Due, due.add(s, "digest", NOON, NOON))


@pytest.mark.parametrize(
    ("failures", "longest", "seconds"), [(1, None, 5), (2, None, 60), (3, None, 600), (99, None, 600), (3, 90, 90)]
)
def test_the_last_delay_of_a_back_off_repeats_up_to_its_cap(failures: int, longest: float | None, seconds: int) -> None:
    assert back_off((5, 60, 600), failures, longest) == timedelta(seconds=seconds)


@pytest.mark.parametrize("add", [kept, composed, posted, remembered])
def test_a_row_is_ready_when_no_process_holds_it_and_its_back_off_is_over(
    store: Store, add: Callable[[Session], Queued]
) -> None:
    with store.write() as s:
        row = add(s)
        table = type(row)

        def ready(now: datetime) -> bool:
            return s.exec(select(col(table.id)).where(queue.ready(table)), params={"now": now}).first() is not None

        assert ready(NOON)
        queue.lease(s, [row], NOON + MINUTE)
        assert (ready(NOON), ready(NOON + MINUTE)) == (False, True)
        queue.release(s, table, [row.id])
        assert ready(NOON)
        queue.lease(s, [row], NOON + MINUTE)
        queue.release_all(s, inbox.Inbox, outbox.Outbox, licence_posts.LicencePost, due.Due)
        assert ready(NOON)
        queue.lease(s, [row], NOON + 9 * MINUTE)
        queue.defer(s, row, "bug", NOON + 2 * MINUTE)
        assert (ready(NOON + MINUTE), ready(NOON + 2 * MINUTE), row.last_result) == (False, True, "bug")
        queue.finish(s, row)
        assert (row.lease_until, row.last_result) == (None, "bug")


def test_only_the_first_waiting_post_of_a_licence_can_be_claimed(store: Store) -> None:
    with store.write() as s:
        first = licence_posts.add(s, "A1B2C3D4", 1, NOON)
        second = licence_posts.add(s, "A1B2C3D4", 2, NOON)
        other = licence_posts.add(s, "B1B2C3D4", 1, NOON)
        assert [licence_posts.claim(s, NOON, NOON + MINUTE) for _ in range(3)] == [first, other, None]
        licence_posts.defer(s, first.id, "503", NOON + 5 * MINUTE)
        assert licence_posts.claim(s, NOON + 4 * MINUTE, NOON + 5 * MINUTE) == other
        assert licence_posts.count_waiting(s) == 3
        assert licence_posts.settle(s, first.id, licence_posts.PostState.ACCEPTED, NOON, "200")
        assert not licence_posts.settle(s, first.id, licence_posts.PostState.REFUSED, NOON, "422")
        assert licence_posts.claim(s, NOON, NOON + MINUTE) == second
        assert [row.attempts for row in licence_posts.listing(s)] == [1, 1, 2]


def test_a_state_that_does_not_exist_is_refused(store: Store) -> None:
    with pytest.raises((StatementError, ValueError)), store.write() as s:
        inbox.mark(s, kept(s).id, "lost", at=NOON)  # type: ignore[arg-type]
