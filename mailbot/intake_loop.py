"""From the mailbox into the database and, after handling, from its folder into another: the IMAP thread's two jobs."""

import functools
from collections.abc import Callable

from sqlmodel import Session

from mailbot.desk import Desk
from mailbot.handling import LEASE, Arrival, Runs, here, keep_all, keep_oversized
from mailbot.imap import Arrived, ImapSettings, Mailbox
from storage import inbox

#: So many mails are claimed at once: few enough that they are moved long before the claim ends.
_AT_ONCE = 500


def imap_settings(desk: Desk) -> ImapSettings:
    """The mailbox as it is configured."""
    imap = desk.config.imap
    return ImapSettings(
        host=imap.host,
        port=imap.port,
        security=imap.security,
        username=imap.username,
        password=imap.password.get_secret_value(),
        folder=imap.folder,
        done_folder=imap.done_folder,
        quarantine_folder=imap.quarantine_folder,
        poll_seconds=imap.poll_seconds,
        max_bytes=desk.config.limits.raw_mb * 1_000_000,
    )


def take_in(desk: Desk, mailbox: Mailbox, known: set[int], run: Runs = here) -> int:
    """Keep every mail of the folder that is not in ``known`` yet. Returns how many were new to the database."""
    new = 0
    for mails in mailbox.fetch([uid for uid in mailbox.uids() if uid not in known]):
        new += run(functools.partial(_keep, desk, mails))
        known.update(arrived.uid for arrived in mails)
    return new


def _keep(desk: Desk, mails: list[Arrived]) -> int:
    """What was fetched at once is one commit; how many were new."""
    whole = [arrived for arrived in mails if arrived.whole]
    for arrived in whole:
        desk.log.fetched(uid=arrived.uid, size=arrived.size)
    kept = keep_all(desk, [_arrival(desk, arrived) for arrived in whole], "imap") if whole else []
    for arrived, (inbox_id, new) in zip(whole, kept, strict=True):
        if not new:
            desk.log.known(inbox_id=inbox_id, uid=arrived.uid)
    for arrived in mails:
        if not arrived.whole:
            desk.log.oversized(uid=arrived.uid, size=arrived.size)
            keep_oversized(desk, _arrival(desk, arrived), arrived.size)
    return sum(new for _, new in kept)


def _arrival(desk: Desk, arrived: Arrived) -> Arrival:
    hints = {"folder": desk.config.imap.folder, "uid": arrived.uid, "uidvalidity": arrived.uidvalidity}
    return Arrival(arrived.raw, arrived.received_at, hints)


def put_away(desk: Desk, mailbox: Mailbox, known: set[int], run: Runs = here) -> int:
    """Move what is in a final state out of the folder; only after its transaction. Returns how many were moved.

    A UID counts only in the folder and under the UIDVALIDITY where it was seen; elsewhere it may be another mail's.
    MOVE is no claim (two sessions that move one mail at once make two of it): the row is.
    """
    count = 0
    while rows := run(functools.partial(_claimed, desk, (desk.config.imap.folder, mailbox.uidvalidity))):
        uids = {row.id: row.uid for row in rows if row.uid}
        try:
            _move(desk, mailbox, rows)
        except BaseException:
            run(functools.partial(_written, desk, inbox.unclaim_move, uids))
            raise
        run(functools.partial(_written, desk, inbox.moved, uids))
        known.difference_update(uids.values())
        count += len(uids)
    return count


def _move(desk: Desk, mailbox: Mailbox, rows: list[inbox.Inbox]) -> None:
    for folder, quarantined in ((desk.config.imap.done_folder, False), (desk.config.imap.quarantine_folder, True)):
        uids = [row.uid for row in rows if row.uid and (row.state == inbox.QUARANTINED) is quarantined]
        if uids:
            mailbox.move(uids, folder)
            desk.log.moved(uids=uids, folder=folder)


def _claimed(desk: Desk, place: tuple[str, int]) -> list[inbox.Inbox]:
    """Mails to move that no other process is moving; with nothing to move, nothing is written."""
    now = desk.clock()
    with desk.store.read() as session:
        there = [row for row in inbox.unmoved(session) if (row.folder, row.uidvalidity) == place and row.uid]
    lying = [row.id for row in there if row.lease_until is None or row.lease_until <= now]
    if not lying:
        return []
    with desk.store.write() as session:
        return inbox.claim_move(session, lying[:_AT_ONCE], now, now + LEASE)


def _written(desk: Desk, act: Callable[[Session, dict[int, int]], None], uids: dict[int, int]) -> None:
    with desk.store.write() as session:
        act(session, uids)
