"""The loops of a running desk: take in, handle, deliver, put away. Signals end it cleanly; lost servers are reopened."""

import asyncio
import contextlib
import random  # noqa: TID251 - only the jitter of a back-off
import signal
import socket
import threading
import time

from sqlmodel import Session

from mailbot import digest
from mailbot.delivery import VERDICT_SECONDS, deliver, smtp_settings
from mailbot.desk import Desk
from mailbot.handling import step, undone, work_off
from mailbot.imap import Mailbox
from mailbot.intake_loop import imap_settings, put_away, take_in
from mailbot.smtp import Smtp
from storage import inbox, outbox

#: Longest wait before a lost server is tried again, in seconds.
LONGEST = 60.0
#: How often the loops look for due things when nothing happens, in seconds.
TICK = 1.0


def run_once(desk: Desk) -> bool:
    """Fetch what is there, handle it and what is due in one order of time, deliver, put away. True when all is well.

    What fails is tried three times, after everything else.
    """
    known: set[int] = set()
    with desk.store.presence(_free):
        digest.ensure(desk)
        mailbox = Mailbox.open(imap_settings(desk), desk.log)
        try:
            take_in(desk, mailbox, known)
            work_off(desk, again=True)
            good = asyncio.run(_deliver_once(desk))
            put_away(desk, mailbox, known)
        finally:
            mailbox.close()
    return good and not undone(desk)


def _free(session: Session) -> None:
    """Nobody else works on this database: what a killed process had in hand is free."""
    inbox.free_all(session)
    outbox.free_all(session)


def _lanes(desk: Desk) -> list[Smtp]:
    return [Smtp(smtp_settings(desk), verdict=VERDICT_SECONDS) for _ in range(desk.config.smtp.connections)]


async def _deliver_once(desk: Desk) -> bool:
    lanes = _lanes(desk)
    try:
        _, failed = await deliver(desk, lanes)
    finally:
        for lane in lanes:
            await lane.close()
    return failed == 0


class Service:
    """``run`` works until ``stop``. The IMAP connection has a thread of its own, the database's writers take turns."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.stopping = threading.Event()
        self._wake_imap, self._imap_side = socket.socketpair()
        self._imap_side.setblocking(False)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._something = asyncio.Event()

    def stop(self, why: str = "asked to stop") -> None:
        """End after the work in hand."""
        self.desk.log.stopped(why)
        self.stopping.set()
        self._wake_imap.send(b"x")
        self._something.set()

    def close(self) -> None:
        """After the end: give back what wakes the IMAP thread."""
        self._wake_imap.close()
        self._imap_side.close()

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
        digest.ensure(self.desk)
        thread = threading.Thread(target=self._mailbox, name="imap", daemon=True)
        thread.start()
        lanes = _lanes(self.desk)
        try:
            while not self.stopping.is_set():
                await self._work(lanes)
        finally:
            if not self.stopping.is_set():
                self.stop("a fault")
            for lane in lanes:
                await lane.close()
            await asyncio.to_thread(thread.join, 10)
            if not thread.is_alive():
                self.close()

    async def _work(self, lanes: list[Smtp]) -> None:
        """Handle one thing and deliver what came of it; wait when there is nothing."""
        self._something.clear()
        busy = await asyncio.to_thread(step, self.desk)
        sent, _ = await deliver(self.desk, lanes)
        if busy:
            self._wake_imap.send(b"x")
        elif not sent:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._something.wait(), TICK)

    def _mailbox(self) -> None:
        """The IMAP thread: any error throws the connection away and opens another after a while."""
        wait = 1.0
        while not self.stopping.is_set():
            begun = time.monotonic()
            try:
                mailbox = Mailbox.open(imap_settings(self.desk), self.desk.log)
            except Exception as error:  # whatever it is, the desk goes on taking mails in
                self.desk.log.disconnected(server=self.desk.config.imap.host, why=repr(error))
            else:
                self._watch(mailbox)
            wait = 1.0 if time.monotonic() - begun > LONGEST else min(wait * 2, LONGEST)
            self.stopping.wait(wait * (0.5 + random.random() / 2))  # noqa: S311 - jitter

    def _watch(self, mailbox: Mailbox) -> None:
        """Take in and put away until told to stop, or until an error of any kind ends the connection."""
        known: set[int] = set()
        try:
            while not self.stopping.is_set():
                if take_in(self.desk, mailbox, known):
                    self._notice()
                put_away(self.desk, mailbox, known)
                mailbox.wait(self.desk.config.imap.poll_seconds, self._imap_side)
                with contextlib.suppress(BlockingIOError):
                    self._imap_side.recv(4096)
        except Exception as error:
            mailbox.shutdown(repr(error))
        else:
            mailbox.close()

    def _notice(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._something.set)
