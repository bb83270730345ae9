"""The mailbox on the IMAP server: what lies in it, the bytes of a mail, moving mails away, waiting for new ones.

To be used by one thread. Nothing is decided here: which mails to fetch and where they go is the service's affair. After
an ImapError the object is of no more use: ``shutdown`` it and ``open`` a new one. The connection: ``imap_connection``.
"""

import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imapclient import DELETED, IMAPClient

from mailbot.maillog import MailLog
from mailbot.servers.imap_connection import (
    ImapError,
    ImapSettings,
    announced_count,
    as_imap_error,
    connect,
    drop,
    ensure_folder,
    news,
    readable,
)

__all__ = ["Arrived", "ImapError", "ImapSettings", "Mailbox"]

#: IDLE is begun anew after so many seconds: routers forget silent connections, servers end them after 30 minutes.
_SLICE = 300
#: So many mails in one command: its line stays short of what servers take (RFC 7162 section 4 speaks of 8192).
_AT_ONCE = 200
#: So many mails in one answer to SEARCH: imaplib takes lines of up to 1,000,000 bytes.
_WINDOW = 50_000
#: Bytes of bodies held in memory at once, unless a single mail is larger.
_BATCH = 8 * 2**20
#: Of an oversized mail, at most so many bytes of header.
_HEADER = 256 * 2**10
_HEADER_ONLY = (f"BODY.PEEK[HEADER]<0.{_HEADER}>", b"BODY[HEADER]<0>")
_WISHES = {
    "IDLE": "so the folder is checked every poll_seconds",
    "MOVE": "so mails are copied and then deleted",
    "UIDPLUS": "so all deleted mails are expunged together",
}

_Answers = dict[int, dict[bytes, Any]]


@dataclass(frozen=True)
class Arrived:
    """A mail as it lies on the server: ``received_at`` is its INTERNALDATE, ``size`` what the server says.

    Not ``whole``: larger than ``max_bytes``, ``raw`` is only its header block, cut at 256 KiB.
    """

    uid: int
    uidvalidity: int
    received_at: datetime
    size: int
    raw: bytes
    whole: bool


class Mailbox:
    """An open connection with the folder selected. ``uidvalidity`` is that of the folder (RFC 3501 section 2.3.1.1)."""

    def __init__(self, client: IMAPClient, settings: ImapSettings, log: MailLog) -> None:
        self._client, self._settings, self._log = client, settings, log
        self._exists = self._next = 0
        self._unreadable: set[int] = set()
        self._open = True
        self.uidvalidity = 0

    @classmethod
    def open(cls, settings: ImapSettings, log: MailLog) -> "Mailbox":
        """Connects, logs in, creates missing folders and selects the folder.

        Raises:
            ImapError: when any of it fails; nothing stays open.
            ValueError: ``plain`` to another machine.
        """
        mailbox = cls(connect(settings), settings, log)
        try:
            mailbox._select()
        except BaseException:
            drop(mailbox._client)
            raise
        log.connected(server=settings.server)
        return mailbox

    def _select(self) -> None:
        for folder in self._settings.folders:
            if ensure_folder(self._client, folder):
                self._log.created(folder=folder, watched=folder == self._settings.folder)
        with as_imap_error(f"cannot open the folder {self._settings.folder!r}"):
            said = self._client.select_folder(self._settings.folder)
            self._exists, self._next = said[b"EXISTS"], said.get(b"UIDNEXT", 0)
            self.uidvalidity = said.get(b"UIDVALIDITY", 0)

    @property
    def supports_idle(self) -> bool:
        """Whether the server tells of new mail by itself (RFC 2177)."""
        with as_imap_error("cannot ask for the server's capabilities"):
            return bool(self._client.has_capability("IDLE"))

    def uids(self) -> list[int]:
        """The UIDs of all mails in the folder, ascending."""
        with as_imap_error(f"cannot list the folder {self._settings.folder!r}"):
            self._client.noop()  # servers may search in what they have told us of, and tell us afterwards
            announced_count(self._client)  # what is told from now on may not be in the list
            return sorted({uid for criteria, low in self._windows() for uid in self._search(criteria) if uid >= low})

    def _windows(self) -> Iterator[tuple[list[str], int]]:
        """Searches that together find all mails, none of them more than an answer may hold."""
        starts = range(1, max(self._next, 2), _WINDOW) if self._exists > _WINDOW else range(1, 2)
        for start in starts[:-1]:
            yield ["UID", f"{start}:{start + _WINDOW - 1}"], start
        yield ["UID", f"{starts[-1]}:*"], starts[-1]  # * is the last mail, even one before the start

    def _search(self, criteria: list[str]) -> list[int]:
        return list(self._client.search(criteria, charset=None))

    def _present(self, uids: Sequence[int]) -> list[int]:
        return sorted(set(self._search(["UID", ",".join(map(str, uids))])) & set(uids))

    def fetch(self, uids: Iterable[int], batch: int = _BATCH) -> Iterator[list[Arrived]]:
        """The mails of these UIDs, in this order, as they come from the server; those that are gone are left out.

        About ``batch`` bytes are fetched at once; mails are not marked as seen. One that
        lies there but that the server does not give is left out with an alert, so that it never blocks the next.
        """
        for some in _chunks([uid for uid in uids if uid not in self._unreadable]):
            facts = self._ask(some, ["RFC822.SIZE", "INTERNALDATE"], b"RFC822.SIZE")
            with as_imap_error("cannot read the sizes of mails"):
                sizes = {uid: int(facts[uid][b"RFC822.SIZE"]) for uid in some if uid in facts}
            for part in _parts(sizes, self._settings.max_bytes, batch):
                whole = sizes[part[0]] <= self._settings.max_bytes
                item, key = ("BODY.PEEK[]", b"BODY[]") if whole else _HEADER_ONLY
                bodies = self._ask(part, [item], key)
                yield [
                    self._arrived(uid, sizes[uid], facts[uid].get(b"INTERNALDATE"), bodies[uid][key], whole)
                    for uid in part
                    if uid in bodies
                ]

    def _arrived(self, uid: int, size: int, date: datetime | None, raw: bytes, whole: bool) -> Arrived:
        if len(raw) > self._settings.max_bytes and whole:  # the server's word on sizes is not always good
            raw, whole = _header_of(raw), False
        return Arrived(uid, self.uidvalidity, _utc(date), size, raw, whole)

    def _ask(self, uids: list[int], items: list[str], key: bytes, again: bool = True) -> _Answers:
        """What the server says of those mails, as far as it names ``key``.

        Some servers break the connection over a mail that they cannot read: the others are asked for one by one.
        """
        try:
            with as_imap_error("cannot fetch mails"):
                return self._answers(uids, items, key)
        except ImapError as error:
            self._revive(str(error))
            if len(uids) > 1 or again:
                return {uid: said for one in uids for uid, said in self._ask([one], items, key, False).items()}
            self._give_up(uids[0], str(error))
            return {}

    def _revive(self, why: str) -> None:
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
        answers = {uid: said for uid, said in self._try(uids, items).items() if said.get(key) is not None}
        missing = [uid for uid in uids if uid not in answers]
        if missing:
            self._client.noop()  # only now does the server have to tell what is gone
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
            return {uid: said for one in uids for uid, said in self._try([one], items).items()}

    def move(self, uids: Iterable[int], folder: str) -> None:
        """Moves the mails to ``folder``; what is gone already is no error, so that it can be done again."""
        for some in _chunks(sorted(set(uids))):
            with as_imap_error(f"cannot move mails to {folder!r}"):
                present = self._present(some)
                try:
                    self._transfer(present, folder)
                except IMAPClient.AbortError:
                    raise
                except IMAPClient.Error:  # somebody may have deleted the folder
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
        # EXPUNGE takes all that is marked: what others have marked may not be handled yet.
        others = sorted(set(self._search(["DELETED"])) - set(uids))
        self._client.remove_flags(others, DELETED, silent=True)
        self._client.expunge()
        self._client.add_flags(others, DELETED, silent=True)

    def wait(self, seconds: float, wake: socket.socket | int) -> bool:
        """Waits for new mail or for ``wake`` to be readable (it is not read): whether either came.

        At most ``seconds``, at most 5 minutes, and at most ``poll_seconds`` where the server does not tell of new mail.
        List the folder afterwards in any case: a server may forget to tell.
        """
        idle = self.supports_idle
        seconds = max(0.0, min(seconds, _SLICE if idle else self._settings.poll_seconds))
        self._log.idle(seconds=seconds)
        count = 0
        if idle:
            with as_imap_error("the connection broke while waiting for mail"):
                count = news(self._client, seconds, wake)
        if count:
            self._log.noticed(count=count)
        return bool(count) or readable((wake,), 0 if idle else seconds)

    def check(self) -> list[str]:
        """What ``mailbot check`` shows of the server, one fact a line."""
        settings, lines = self._settings, []
        with as_imap_error("cannot ask for the server's capabilities"):
            lines.append(f"{settings.server} ({settings.security}), logged in as {settings.username}")
            for capability, without in _WISHES.items():
                has = self._client.has_capability(capability)
                lines.append(f"{capability}: yes" if has else f"{capability}: no, {without}")
            for folder in settings.folders:
                count = self._client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"]
                lines.append(f"folder {folder}: {count} mail{'' if count == 1 else 's'}")
        return lines

    def close(self) -> None:
        """Says good-bye to the server and closes the connection; never fails."""
        with suppress(ImapError), as_imap_error("cannot log out"):
            self._client.logout()
        drop(self._client)
        if self._open:
            self._open = False
            self._log.disconnected(server=self._settings.server)

    def shutdown(self, why: str) -> None:
        """Closes the connection without a word to the server, which may not listen any more; never fails."""
        drop(self._client)
        if self._open:
            self._open = False
            self._log.lost(server=self._settings.server, why=why)


def _chunks(uids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(uids), _AT_ONCE):
        yield uids[start : start + _AT_ONCE]


def _parts(sizes: dict[int, int], largest: int, batch: int) -> Iterator[list[int]]:
    """UIDs in order, together about ``batch`` bytes; one over ``largest`` comes alone."""
    part: list[int] = []
    held = 0
    for uid, size in sizes.items():
        if part and (size > largest or held + size > batch):
            yield part
            part, held = [], 0
        part.append(uid)
        held += size
        if size > largest:
            yield part
            part, held = [], 0
    if part:
        yield part


def _header_of(raw: bytes) -> bytes:
    return raw[:_HEADER].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def _utc(date: datetime | None) -> datetime:
    """An INTERNALDATE as UTC; now where the server has none that is a date."""
    with suppress(OverflowError):
        if date is not None and date.tzinfo is not None:
            return date.astimezone(UTC)
    return datetime.now(UTC)  # noqa: TID251 - the server has no date; nothing else is at hand
