"""From the mailbox into the database and, after handling, from its folder into another: the IMAP thread's two jobs."""

import functools

from mailbot.desk import Desk
from mailbot.handling import Arrival, Runs, here, keep_all, keep_oversized
from mailbot.imap import Arrived, ImapSettings, Mailbox
from storage import inbox


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
    """
    place = (desk.config.imap.folder, mailbox.uidvalidity)
    rows = [row for row in run(functools.partial(_unmoved, desk)) if (row.folder, row.uidvalidity) == place and row.uid]
    moved = 0
    for folder, quarantined in ((desk.config.imap.done_folder, False), (desk.config.imap.quarantine_folder, True)):
        mine = [row for row in rows if (row.state == inbox.QUARANTINED) is quarantined]
        if not mine:
            continue
        uids = [int(row.uid or 0) for row in mine]
        mailbox.move(uids, folder)
        desk.log.moved(uids=uids, folder=folder)
        run(functools.partial(_moved, desk, [row.id for row in mine]))
        known.difference_update(uids)
        moved += len(uids)
    return moved


def _unmoved(desk: Desk) -> list[inbox.Inbox]:
    with desk.store.read() as session:
        return inbox.unmoved(session)


def _moved(desk: Desk, ids: list[int]) -> None:
    with desk.store.write() as session:
        inbox.moved(session, ids)
