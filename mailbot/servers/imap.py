"""The mailbox on the IMAP server: lists UIDs, fetches mails, moves them, waits for new ones.

For one thread only. After an ``ImapError``, ``shutdown`` the object and ``open`` a new one. Which mails to fetch and
where to move them is decided in ``service.mailbox_loop``; connecting and logging in is in ``servers.imap_connection``.
"""

import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from imapclient import DELETED, IMAPClient

from mailbot.maillog import MailLog
from mailbot.servers.imap_connection import (
    ImapError,
    ImapSettings,
    announced_count,
    as_imap_error,
    connect,
    disconnect,
    ensure_folder,
    idle_until_news,
    wait_readable,
)
from mailbot.servers.imap_mail import HEADER_MAX, Arrived, header_block, internal_date, size_batches, uid_chunks

__all__ = ["Arrived", "ImapError", "ImapSettings", "Mailbox"]

#: Seconds of one IDLE: routers forget idle connections, and servers close them after 30 minutes.
_IDLE_MAX = 300
#: UIDs per SEARCH: imaplib accepts lines of up to 1,000,000 bytes.
_SEARCH_WINDOW = 50_000
#: Bytes of bodies held in memory at once, unless a single mail is larger.
_BATCH = 8 * 2**20
_HEADER_ONLY = (f"BODY.PEEK[HEADER]<0.{HEADER_MAX}>", b"BODY[HEADER]<0>")
#: Optional capabilities, and what happens without them.
_OPTIONAL = {
    "IDLE": "so the folder is checked every poll_seconds",
    "MOVE": "so mails are copied and then deleted",
    "UIDPLUS": "so all deleted mails are expunged together",
}

_Answers = dict[int, dict[bytes, Any]]


class Mailbox:
    """A connection with the folder selected. ``uidvalidity`` is the folder's (RFC 3501 section 2.3.1.1)."""

    def __init__(self, client: IMAPClient, settings: ImapSettings, log: MailLog) -> None:
        self._client, self._settings, self._log = client, settings, log
        self._exists = self._next = 0
        self._unreadable: set[int] = set()
        self._open = True
        self.uidvalidity = 0

    @classmethod
    def open(cls, settings: ImapSettings, log: MailLog) -> "Mailbox":
        """Connect, log in, create missing folders and select the folder.

        Raises:
            ImapError: if any of it fails; the connection is closed.
            ValueError: security "plain" with another machine.
        """
        mailbox = cls(connect(settings), settings, log)
        try:
            mailbox._select()
        except BaseException:
            disconnect(mailbox._client)
            raise
        log.connected(server=settings.server)
        return mailbox

    def _select(self) -> None:
        for folder in self._settings.folders:
            if ensure_folder(self._client, folder):
                self._log.created(folder=folder, watched=folder == self._settings.folder)
        with as_imap_error(f"cannot open the folder {self._settings.folder!r}"):
            status = self._client.select_folder(self._settings.folder)
            self._exists, self._next = status[b"EXISTS"], status.get(b"UIDNEXT", 0)
            self.uidvalidity = status.get(b"UIDVALIDITY", 0)

    @property
    def supports_idle(self) -> bool:
        """Whether the server announces new mail (RFC 2177)."""
        with as_imap_error("cannot ask for the server's capabilities"):
            return bool(self._client.has_capability("IDLE"))

    def uids(self) -> list[int]:
        """The UIDs of all mails in the folder, ascending."""
        with as_imap_error(f"cannot list the folder {self._settings.folder!r}"):
            self._client.noop()  # a server may search only among the mails that it has announced
            announced_count(self._client)  # what is announced from here on may be missing from the list
            return sorted({uid for criteria, low in self._windows() for uid in self._search(criteria) if uid >= low})

    def _windows(self) -> Iterator[tuple[list[str], int]]:
        """(criteria, first UID) of searches that together find all mails, each with an answer that imaplib accepts."""
        starts = range(1, max(self._next, 2), _SEARCH_WINDOW) if self._exists > _SEARCH_WINDOW else range(1, 2)
        for start in starts[:-1]:
            yield ["UID", f"{start}:{start + _SEARCH_WINDOW - 1}"], start
        yield ["UID", f"{starts[-1]}:*"], starts[-1]  # * matches the last mail, even one before the start

    def _search(self, criteria: list[str]) -> list[int]:
        return list(self._client.search(criteria, charset=None))

    def _present(self, uids: Sequence[int]) -> list[int]:
        return sorted(set(self._search(["UID", ",".join(map(str, uids))])) & set(uids))

    def fetch(self, uids: Iterable[int], batch: int = _BATCH) -> Iterator[list[Arrived]]:
        """The mails with these UIDs, in this order, in lists of about ``batch`` bytes. They are not marked as seen.

        Mails that are gone are left out. A mail that the server lists but does not return is left out with an alert, so
        that it does not block the others.
        """
        for some in uid_chunks([uid for uid in uids if uid not in self._unreadable]):
            facts = self._ask(some, ["RFC822.SIZE", "INTERNALDATE"], b"RFC822.SIZE")
            with as_imap_error("cannot read the sizes of mails"):
                sizes = {uid: int(facts[uid][b"RFC822.SIZE"]) for uid in some if uid in facts}
            for part in size_batches(sizes, self._settings.max_bytes, batch):
                whole = sizes[part[0]] <= self._settings.max_bytes
                item, key = ("BODY.PEEK[]", b"BODY[]") if whole else _HEADER_ONLY
                bodies = self._ask(part, [item], key)
                yield [
                    self._arrived(uid, sizes[uid], facts[uid].get(b"INTERNALDATE"), bodies[uid][key], whole)
                    for uid in part
                    if uid in bodies
                ]

    def _arrived(self, uid: int, size: int, date: datetime | None, raw: bytes, whole: bool) -> Arrived:
        if len(raw) > self._settings.max_bytes and whole:  # RFC822.SIZE was wrong
            raw, whole = header_block(raw), False
        return Arrived(uid, self.uidvalidity, internal_date(date), size, raw, whole)

    def _ask(self, uids: list[int], items: list[str], key: bytes, retry: bool = True) -> _Answers:
        """The answers for those mails that contain ``key``.

        Some servers drop the connection over a mail that they cannot read: then each mail is fetched alone.
        """
        try:
            with as_imap_error("cannot fetch mails"):
                return self._answers(uids, items, key)
        except ImapError as error:
            self._reconnect(str(error))
            if len(uids) > 1 or retry:
                return {uid: answer for one in uids for uid, answer in self._ask([one], items, key, False).items()}
            self._give_up(uids[0], str(error))
            return {}

    def _reconnect(self, why: str) -> None:
        self.shutdown(why)
        before, self._client, self._open = self.uidvalidity, connect(self._settings), True
        self._select()
        self._log.connected(server=self._settings.server)
        if self.uidvalidity != before:
            raise ImapError(f"the folder {self._settings.folder!r} was recreated in the meantime")

    def _give_up(self, uid: int, why: str) -> None:
        self._unreadable.add(uid)
        self._log.alert(text=f"the server does not return the mail with UID {uid} in {self._settings.folder!r}: {why}")

    def _answers(self, uids: list[int], items: list[str], key: bytes) -> _Answers:
        answers = {uid: answer for uid, answer in self._try(uids, items).items() if answer.get(key) is not None}
        missing = [uid for uid in uids if uid not in answers]
        if missing:
            self._client.noop()  # only now must the server announce what is gone
            for uid in self._present(missing):
                self._give_up(uid, "no bytes")
        return answers

    def _try(self, uids: list[int], items: list[str]) -> _Answers:
        try:
            return dict(self._client.fetch(uids, items))
        except IMAPClient.AbortError:
            raise
        except IMAPClient.Error:  # some are gone (RFC 5530, EXPUNGEISSUED), or one cannot be read
            if len(uids) == 1:
                return {}
            return {uid: answer for one in uids for uid, answer in self._try([one], items).items()}

    def move(self, uids: Iterable[int], folder: str) -> None:
        """Move the mails to ``folder``. Mails that are gone are skipped, so that a move can be repeated."""
        for some in uid_chunks(sorted(set(uids))):
            with as_imap_error(f"cannot move mails to {folder!r}"):
                present = self._present(some)
                try:
                    self._transfer(present, folder)
                except IMAPClient.AbortError:
                    raise
                except IMAPClient.Error:  # the folder may have been deleted
                    ensure_folder(self._client, folder)
                    self._transfer(present, folder)

    def _transfer(self, uids: list[int], folder: str) -> None:
        if not uids:
            return
        if self._client.has_capability("MOVE"):
            self._client.move(uids, folder)
            return
        self._client.copy(uids, folder)
        self._client.add_flags(uids, DELETED, silent=True)
        if self._client.has_capability("UIDPLUS"):
            self._client.uid_expunge(uids)
            return
        # EXPUNGE removes every mail marked as deleted; those marked by others may not have been handled yet.
        others = sorted(set(self._search(["DELETED"])) - set(uids))
        self._client.remove_flags(others, DELETED, silent=True)
        self._client.expunge()
        self._client.add_flags(others, DELETED, silent=True)

    def wait(self, seconds: float, wake: socket.socket | int) -> bool:
        """Wait for new mail or until ``wake`` is readable (it is not read); returns whether either happened.

        Waits at most ``seconds`` and 5 minutes; without IDLE at most ``poll_seconds``. List the folder afterwards in any
        case: servers do not announce every mail.
        """
        idle = self.supports_idle
        seconds = max(0.0, min(seconds, _IDLE_MAX if idle else self._settings.poll_seconds))
        self._log.idle(seconds=seconds)
        count = 0
        if idle:
            with as_imap_error("the connection broke while waiting for mail"):
                count = idle_until_news(self._client, seconds, wake)
        if count:
            self._log.noticed(count=count)
        return bool(count) or wait_readable((wake,), 0 if idle else seconds)

    def check(self) -> list[str]:
        """The lines of ``mailbot check`` about this server."""
        settings, lines = self._settings, []
        with as_imap_error("cannot ask for the server's capabilities"):
            lines.append(f"{settings.server} ({settings.security}), logged in as {settings.username}")
            for capability, without in _OPTIONAL.items():
                has = self._client.has_capability(capability)
                lines.append(f"{capability}: yes" if has else f"{capability}: no, {without}")
            for folder in settings.folders:
                count = self._client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"]
                lines.append(f"folder {folder}: {count} mail{'' if count == 1 else 's'}")
        return lines

    def close(self) -> None:
        """Log out and close the connection; never fails."""
        with suppress(ImapError), as_imap_error("cannot log out"):
            self._client.logout()
        disconnect(self._client)
        if self._open:
            self._open = False
            self._log.disconnected(server=self._settings.server)

    def shutdown(self, why: str) -> None:
        """Close the connection without logging out, for a server that no longer answers; never fails."""
        disconnect(self._client)
        if self._open:
            self._open = False
            self._log.lost(server=self._settings.server, why=why)
