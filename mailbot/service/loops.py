"""The loops of a running desk: take in, handle, deliver, put away. Signals end it cleanly; lost servers are reopened."""

import asyncio
import contextlib
import functools
import random  # noqa: TID251 - only the jitter of a back-off
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlmodel import Session

from mailbot.environment import Desk
from mailbot.process import digest, retention
from mailbot.servers.imap import ImapError, Mailbox
from mailbot.service.delivery import DeliveryLoop
from mailbot.service.licence_server_loop import post_due, server_of
from mailbot.service.mailbox_loop import imap_settings, put_away, take_in
from mailbot.service.runner import step, undone, work_off
from storage import queue
from storage.due import Due
from storage.faults import StoreError
from storage.inbox import Inbox
from storage.licence_posts import LicencePost, count_waiting
from storage.outbox import Outbox

#: Seconds before a lost server is tried again, with jitter; the last delay repeats.
RECONNECT = (1, 2, 4, 8, 16, 32, 60)
#: A connection that lasted this long, in seconds, resets the back-off.
LASTING = 60.0
#: How long the desk waits at its start for the first look into the mailbox, in seconds.
FIRST_LOOK = 60.0
#: How often the loops look for due things when nothing happens, in seconds.
TICK = 1.0

T = TypeVar("T")


def run_once(desk: Desk) -> bool:
    """Fetch, handle mails and due things in one order of time, deliver, put away. True when all is well.

    What fails is tried three times, after everything else.
    """
    known: set[int] = set()
    with desk.store.presence(_free):
        _ensure(desk)
        mailbox = Mailbox.open(imap_settings(desk.config), desk.log)
        try:
            take_in(desk, mailbox, known)
            work_off(desk, again=True)
            good = _post_once(desk)
            good = asyncio.run(_deliver_once(desk)) and good
            put_away(desk, mailbox, known)
        finally:
            mailbox.close()
    return good and not undone(desk)


def _ensure(desk: Desk) -> None:
    """Put what recurs among the due things."""
    digest.ensure_digest(desk)
    retention.ensure_retention(desk)


def _free(session: Session) -> None:
    """No other process works on this database: the leases of killed ones end."""
    queue.release_all(session, Inbox, Outbox, LicencePost, Due)


def _post_once(desk: Desk) -> bool:
    """Post what is due to the licence server, if there is one. True when no event waits for an answer."""
    server = server_of(desk)
    if server is not None:
        try:
            post_due(desk, server)
        except StoreError:
            raise
        except Exception as error:  # the mails must still be delivered
            desk.log.lost(server="licence server", why=_words(error))
        finally:
            server.close()
    return not _owed(desk)


def _owed(desk: Desk) -> int:
    """Count the events without an answer of the licence server, configured or not, and log them for the operator."""
    with desk.store.read() as session:
        waiting = count_waiting(session)
    if waiting:
        desk.log.server_owes(count=waiting, configured=desk.config.licence_server is not None)
    return waiting


async def _deliver_once(desk: Desk) -> bool:
    delivery = DeliveryLoop(desk, asyncio.to_thread)
    await delivery.run(once=True)
    return delivery.failed == 0


def _words(error: Exception) -> str:
    """An error as it is logged; faults of servers and of the database are words for the operator already."""
    return str(error) if isinstance(error, ImapError | StoreError) else repr(error)


class Service:
    """``run`` works until ``stop``: handling and delivery side by side, the IMAP connection in a thread of its own.

    Whatever touches the database does so in one thread, in the order in which it was asked for.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.stopping = threading.Event()
        self._wake_imap, self._imap_side = socket.socketpair()
        self._imap_side.setblocking(False)
        self._wake_imap.setblocking(False)
        self._worker = ThreadPoolExecutor(1, "database")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._something = asyncio.Event()
        self._looked = threading.Event()

    def stop(self, why: str = "stop requested") -> None:
        """Stop after the current work; may be called from any thread at any time."""
        self.desk.log.stopped(why)
        self.stopping.set()
        self._looked.set()
        self._wake()
        self._notice()

    def close(self) -> None:
        """After the end: close the sockets that wake the IMAP thread, and the database's thread."""
        self._wake_imap.close()
        self._imap_side.close()
        self._worker.shutdown()

    async def run(self) -> None:
        """Work until told to stop."""
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                self._loop.add_signal_handler(number, self.stop, signal.Signals(number).name)
        with self.desk.store.presence(_free):
            await self._open()

    async def _open(self) -> None:
        self.desk.log.started()
        _ensure(self.desk)
        thread = threading.Thread(target=self._mailbox, name="imap", daemon=True)
        thread.start()
        delivery = DeliveryLoop(self.desk, self._in_turn)
        posting = asyncio.create_task(self._post(delivery))
        sending = asyncio.create_task(delivery.run())
        try:
            # Mails that arrived while the desk was down come before what has become due since.
            await asyncio.to_thread(self._looked.wait, FIRST_LOOK)
            while not self.stopping.is_set() and not sending.done():
                await self._work(delivery)
        finally:
            if not self.stopping.is_set():
                self.stop("a fault")
            await delivery.end()
            await sending
            await posting
            await asyncio.to_thread(thread.join, 10)
            if not thread.is_alive():
                self.close()

    async def _work(self, delivery: DeliveryLoop) -> None:
        """Handle one mail or due thing and wake the delivery; wait when there is none."""
        self._something.clear()
        if await self._in_turn(functools.partial(step, self.desk)):
            self._wake()
            delivery.ring()
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._something.wait(), TICK)

    async def _post(self, delivery: DeliveryLoop) -> None:
        """Post to the licence server beside everything else, so that a slow server delays no mail."""
        server = server_of(self.desk)
        if server is None:
            await self._in_turn(functools.partial(_owed, self.desk))
            return
        try:
            while not self.stopping.is_set():
                try:
                    done = await asyncio.to_thread(post_due, self.desk, server, self._and_wait)
                except Exception as error:  # the next round tries again
                    self.desk.log.lost(server="licence server", why=_words(error))
                    done = None
                if done is not None and done.answered:
                    delivery.ring()
                await asyncio.sleep(TICK)
        finally:
            server.close()

    async def _in_turn(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _and_wait(self, work: Callable[[], T]) -> T:
        """As ``_in_turn``, for other threads."""
        return self._worker.submit(work).result()

    def _wake(self) -> None:
        """Wake the IMAP thread. If its socket is full it has been woken already; if it is closed the thread has ended."""
        with contextlib.suppress(OSError):
            self._wake_imap.send(b"x")

    def _mailbox(self) -> None:
        """The IMAP thread: after any error it drops the connection and opens another one later."""
        failures = 1
        while not self.stopping.is_set():
            begun = time.monotonic()
            try:
                mailbox = Mailbox.open(imap_settings(self.desk.config), self.desk.log)
            except Exception as error:  # the desk keeps running and retries
                self.desk.log.lost(server=self.desk.config.imap.host, why=_words(error))
                self._looked.set()
            else:
                self._watch(mailbox)
            failures = 1 if time.monotonic() - begun > LASTING else failures + 1
            wait = queue.back_off(RECONNECT, failures).total_seconds()
            self.stopping.wait(wait * (0.5 + random.random() / 2))  # noqa: S311 - jitter

    def _watch(self, mailbox: Mailbox) -> None:
        """Take in and put away until told to stop, or until an error of any kind ends the connection."""
        known: set[int] = set()
        try:
            while not self.stopping.is_set():
                if take_in(self.desk, mailbox, known, self._and_wait):
                    self._notice()
                self._looked.set()
                put_away(self.desk, mailbox, known, self._and_wait)
                mailbox.wait(self.desk.config.imap.poll_seconds, self._imap_side)
                with contextlib.suppress(BlockingIOError):
                    self._imap_side.recv(4096)
        except Exception as error:
            self._looked.set()
            mailbox.shutdown(_words(error))
        else:
            mailbox.close()

    def _notice(self) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._something.set)
