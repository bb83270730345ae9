"""From the mailbox into the database and, after handling, from its folder into another: the IMAP thread's two jobs."""

import functools
from collections.abc import Callable, Collection
from datetime import timedelta

from sqlmodel import Session

from mailbot.config.settings import Config
from mailbot.environment import Desk
from mailbot.servers.imap import Arrived, ImapSettings, Mailbox
from mailbot.service.runner import Arrival, Runs, here, keep_all, keep_oversized, skip
from storage import inbox
from storage.faults import StoreError

#: How long mails being moved are reserved for the process that moves them.
MOVING = timedelta(minutes=10)


def imap_settings(config: Config) -> ImapSettings:
    """The mailbox as it is configured."""
    imap = config.imap
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
        max_bytes=config.limits.raw_mb * 1_000_000,
    )


def take_in(desk: Desk, mailbox: Mailbox, known: set[int], run: Runs = here) -> int:
    """Keep every mail of the folder that is not in ``known`` yet. Returns how many were new to the database."""
    new = 0
    for mails in mailbox.fetch([uid for uid in mailbox.uids() if uid not in known]):
        new += run(functools.partial(_keep, desk, mails))
        known.update(arrived.uid for arrived in mails)
    return new


def _keep(desk: Desk, mails: list[Arrived]) -> int:
    """Keep the mails, the whole ones in one commit. Returns how many were new."""
    whole = [arrived for arrived in mails if arrived.whole]
    for arrived in whole:
        desk.log.fetched(uid=arrived.uid, size=arrived.size)
    new = _keep_whole(desk, whole) if whole else 0
    for arrived in mails:
        if not arrived.whole:
            desk.log.oversized(uid=arrived.uid, size=arrived.size)
            keep_oversized(desk, _arrival(desk, arrived), arrived.size)
    return new


def _keep_whole(desk: Desk, mails: list[Arrived]) -> int:
    """Keep the mails in one commit; if that fails, each in its own. One that cannot be kept stays in the folder."""
    try:
        kept = keep_all(desk, [_arrival(desk, arrived) for arrived in mails], "imap")
    except StoreError:
        raise
    except Exception as error:
        if len(mails) > 1:
            return sum(_keep_whole(desk, [arrived]) for arrived in mails)
        skip(desk, f"mail of UIDVALIDITY {mails[0].uidvalidity}, UID", mails[0].uid, error)
        return 0
    for arrived, (inbox_id, new) in zip(mails, kept, strict=True):
        if not new:
            desk.log.known(inbox_id=inbox_id, uid=arrived.uid)
    return sum(new for _, new in kept)


def _arrival(desk: Desk, arrived: Arrived) -> Arrival:
    place = inbox.Place(desk.config.imap.folder, arrived.uid, arrived.uidvalidity)
    return Arrival(arrived.raw, arrived.received_at, place)


def put_away(desk: Desk, mailbox: Mailbox, known: set[int], run: Runs = here) -> int:
    """Move what is in a final state out of the folder; only after its transaction. Returns how many were moved.

    A UID counts only in the folder and under the UIDVALIDITY where it was seen; elsewhere it may be another mail's.
    """
    rows = run(functools.partial(_claimed, desk, mailbox.uidvalidity))
    left = {row.id for row in rows}
    try:
        for folder, quarantined in ((desk.config.imap.done_folder, False), (desk.config.imap.quarantine_folder, True)):
            mine = [row for row in rows if (row.state == inbox.InboxState.QUARANTINED) is quarantined]
            if mine:
                uids = [int(row.uid or 0) for row in mine]
                mailbox.move(uids, folder)
                desk.log.moved(uids=uids, folder=folder)
                run(functools.partial(_write, desk, inbox.moved, [row.id for row in mine]))
                known.difference_update(uids)
                left.difference_update(row.id for row in mine)
    finally:
        if left:
            run(functools.partial(_write, desk, inbox.release_moves, left))
    return len(rows)


def _claimed(desk: Desk, uidvalidity: int) -> list[inbox.Inbox]:
    place = (desk.config.imap.folder, uidvalidity)
    with desk.store.read() as session:
        if all((row.folder, row.uidvalidity) != place for row in inbox.unmoved(session)):
            return []
    now = desk.clock()
    with desk.store.write() as session:
        return inbox.claim_moves(session, *place, now, now + MOVING)


def _write(desk: Desk, what: Callable[[Session, Collection[int]], None], ids: Collection[int]) -> None:
    with desk.store.write() as session:
        what(session, ids)
