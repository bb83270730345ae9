"""From the mailbox into the database and, after handling, from its folder into another: the IMAP thread's two jobs."""

from mailbot.desk import Desk
from mailbot.handling import keep, keep_oversized
from mailbot.imap import ImapSettings, Mailbox
from storage import inbox

#: States that are final and where the mail goes; anything else stays where it is.
FINAL = ("handled", "duplicate", "dropped", "quarantined")


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


def take_in(desk: Desk, mailbox: Mailbox, known: set[int]) -> int:
    """Keep every mail of the folder that is not in ``known`` yet. Returns how many were new to the database."""
    new = 0
    settings = desk.config.imap
    for arrived in mailbox.fetch([uid for uid in mailbox.uids() if uid not in known]):
        hints = {"folder": settings.folder, "uid": arrived.uid, "uidvalidity": arrived.uidvalidity}
        if arrived.whole:
            desk.log.fetched(uid=arrived.uid, size=arrived.size)
            inbox_id, fresh = keep(desk, arrived.raw, arrived.received_at, "imap", **hints)
            new += fresh
            if not fresh:
                desk.log.known(inbox_id=inbox_id, uid=arrived.uid)
        else:
            desk.log.oversized(uid=arrived.uid, size=arrived.size)
            keep_oversized(desk, arrived.raw, arrived.received_at, arrived.size, **hints)
        known.add(arrived.uid)
    return new


def put_away(desk: Desk, mailbox: Mailbox, known: set[int]) -> int:
    """Move what is in a final state out of the folder; only after its transaction. Returns how many were moved.

    A UID counts only in the folder and under the UIDVALIDITY where it was seen; elsewhere it may be another mail's.
    """
    with desk.store.read() as session:
        here = (desk.config.imap.folder, mailbox.uidvalidity)
        rows = [r for r in inbox.unmoved(session) if r.uid is not None and (r.folder, r.uidvalidity) == here]
    moved = 0
    for folder, quarantined in ((desk.config.imap.done_folder, False), (desk.config.imap.quarantine_folder, True)):
        mine = [row for row in rows if (row.state == "quarantined") is quarantined]
        if not mine:
            continue
        uids = [int(row.uid or 0) for row in mine]
        mailbox.move(uids, folder)
        desk.log.moved(uids=uids, folder=folder)
        with desk.store.write() as session:
            inbox.moved(session, [row.id for row in mine])
        known.difference_update(uids)
        moved += len(uids)
    return moved
