"""From the outbox to the SMTP server: several lanes, the same bytes at every attempt, a back-off between attempts."""

import asyncio
import contextlib
import functools
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from mailbot.config.settings import Config
from mailbot.core.outbound.text_layout import first_line
from mailbot.environment import Desk
from mailbot.process.outgoing import HUSH
from mailbot.servers.smtp import Sent, Smtp, SmtpSettings, Unknown
from mailbot.service.delivery_attempt import Attempt
from mailbot.service.runner import alert_once, failure_text, skip, skipped_rows
from storage import outbox
from storage.faults import StoreError

#: How long a claimed mail is reserved for this process.
LEASE = timedelta(minutes=20)
#: How long a server may think about a whole mail (RFC 5321 section 4.5.3.2.6).
VERDICT_SECONDS = 600
#: What must be left of the lease when sending starts, so that no other process sends the mail meanwhile.
NEEDED = timedelta(seconds=VERDICT_SECONDS + 300)
#: A mail claimed longer ago than this is read again before it is sent: it may have been dropped.
FRESH = timedelta(seconds=2)
#: How often an idle lane looks for mails that have become due, in seconds.
TICK = 1.0
#: How long mails being sent may take once the desk is stopping, in seconds.
GRACE = 10.0


def smtp_settings(config: Config) -> SmtpSettings:
    """The server as it is configured."""
    smtp = config.smtp
    password = smtp.password.get_secret_value() if smtp.password else None
    return SmtpSettings(smtp.host, smtp.port, smtp.security, smtp.username, password, smtp.connections)


class InTurn(Protocol):
    """Runs work on the database when its turn comes."""

    def __call__(self, work: Callable[[], Any], /) -> Awaitable[Any]:
        """What ``work`` returns."""
        ...


@dataclass(frozen=True)
class _Mail:
    """A mail that this process has claimed."""

    row: outbox.Outbox
    raw: bytes
    claimed_at: datetime


class DeliveryLoop:
    """Sends due mails. No lane waits for another; ``failed`` counts the attempts after which the mail is not sent."""

    def __init__(self, desk: Desk, in_turn: InTurn) -> None:
        self.failed = 0
        self._desk, self._in_turn = desk, in_turn
        self._lanes = [
            Smtp(smtp_settings(desk.config), verdict=VERDICT_SECONDS) for _ in range(desk.config.smtp.connections)
        ]
        self._news = [asyncio.Event() for _ in self._lanes]
        self._waiting: deque[_Mail] = deque()
        self._tried: list[Attempt] = []
        self._unrecorded: dict[int, Attempt] = {}  # by number: attempts that could not be written to the database
        self._claiming, self._noting = asyncio.Lock(), asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._ending = False
        self._ahead = timedelta()  # mails that are due within this time are sent now

    async def run(self, *, once: bool = False) -> None:
        """Deliver until ``end``, or, with ``once``, until nothing is due, without waiting for ``HUSH``."""
        self._ahead = HUSH if once else timedelta()
        lanes = zip(self._lanes, self._news, strict=True)
        self._tasks = [asyncio.create_task(self._work(lane, news, once)) for lane, news in lanes]
        try:
            ended, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self._ending = True
            for task in self._tasks:
                if not task.done():
                    task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for lane in self._lanes:
                await lane.close()
        for task in ended:
            if not task.cancelled():
                task.result()

    def ring(self) -> None:
        """Wake the lanes: there may be something to deliver."""
        for news in self._news:
            news.set()

    async def end(self) -> None:
        """Start no more mails. Those being sent have ``GRACE``; after it they are released, or their outcome is unknown."""
        self._ending = True
        self.ring()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=GRACE)
            for task in late:
                task.cancel()
        left = [mail.row.id for mail in self._waiting]
        self._waiting.clear()
        if left:
            await self._in_turn(lambda: self._release(left))

    async def _work(self, lane: Smtp, news: asyncio.Event, once: bool) -> None:
        """One lane: mail after mail; when there is none, wait or end."""
        while not self._ending:
            news.clear()
            mail = await self._next()
            if mail is not None:
                await self._one(lane, mail)
            elif once:
                return
            elif not self._ending:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), TICK)

    async def _next(self) -> _Mail | None:
        async with self._claiming:
            if not self._waiting and not self._ending:
                self._waiting.extend(await self._in_turn(self._claim))
        return self._waiting.popleft() if self._waiting and not self._ending else None

    async def _one(self, lane: Smtp, mail: _Mail) -> None:
        tried = self._unrecorded.pop(mail.row.id, None)  # sent before, but not recorded
        if tried is None and await self._ours(mail):
            tried = await self._try(lane, mail)
        if tried is not None:
            self._tried.append(tried)
            await self._note()

    async def _try(self, lane: Smtp, mail: _Mail) -> Attempt:
        self._desk.log.claimed(outbox_id=mail.row.id)
        try:
            outcome = await lane.send(mail.row.envelope_from, mail.row.recipient, mail.raw)
        except asyncio.CancelledError:  # the server does not have it
            await self._in_turn(lambda: self._release([mail.row.id]))
            raise
        except Exception as error:  # a bug, or an unforeseen reply: the server may have the mail
            outcome = Unknown(first_line(failure_text(error)))
            await self._in_turn(functools.partial(self._failed, mail.row, error))
        self.failed += not isinstance(outcome, Sent)
        return Attempt(mail.row, outcome, self._desk.clock())

    def _failed(self, row: outbox.Outbox, error: Exception) -> None:
        """Log the error, and tell staff once; not of a failing alert, which would cause another one."""
        self._desk.log.delivery_failed(outbox_id=row.id, error=first_line(failure_text(error)))
        if row.kind != "alert":
            failed = f"our mail {row.id} ({row.kind} to {row.recipient})"
            what = self._desk.say("alert.failed", what=failed, reason=first_line(failure_text(error)))
            alert_once(self._desk, f"outbox:{row.id}", what)

    async def _note(self) -> None:
        """Record the attempts; those that end together are one commit."""
        async with self._noting:
            tried, self._tried = self._tried, []
            if tried:
                await self._in_turn(lambda: self._write(tried))

    async def _ours(self, mail: _Mail) -> bool:
        """Whether it is still ours to send: not dropped since, and no other process may claim it soon."""
        now = self._desk.clock()
        if mail.row.lease_until is None or mail.row.lease_until - now < NEEDED:
            return False
        return now - mail.claimed_at <= FRESH or bool(await self._in_turn(lambda: self._unchanged(mail)))

    def _claim(self) -> list[_Mail]:
        now = self._desk.clock()
        ready = now + self._ahead
        with self._desk.store.read() as session:
            due = outbox.next_due(session)
        if due is None or due > ready:
            return []
        try:
            claimed = self._leased(ready, len(self._lanes) * 4)
        except StoreError:
            raise
        except Exception:  # one of them cannot be leased, so lease one at a time
            claimed = self._first_leased(ready)
        return [_Mail(row, raw, now) for row, raw in claimed]

    def _leased(self, ready: datetime, limit: int) -> list[tuple[outbox.Outbox, bytes]]:
        with self._desk.store.write() as session:
            return outbox.claim(session, ready, limit, ready + LEASE, skipped_rows(self._desk, "outbox"))

    def _first_leased(self, ready: datetime) -> list[tuple[outbox.Outbox, bytes]]:
        """The next mail alone; one that cannot be leased is skipped."""
        try:
            return self._leased(ready, 1)
        except StoreError:
            raise
        except Exception as error:
            with self._desk.store.read() as session:
                rows = outbox.next_mails(session, ready, 1, skipped_rows(self._desk, "outbox"))
            for row, _ in rows:
                skip(self._desk, "outbox", row.id, error)
            return self._first_leased(ready) if rows else []

    def _unchanged(self, mail: _Mail) -> bool:
        with self._desk.store.read() as session:
            row = outbox.get(session, mail.row.id)
        return row is not None and row.lease_until == mail.row.lease_until

    def _release(self, ids: list[int]) -> None:
        with self._desk.store.write() as session:
            outbox.release(session, ids)

    def _write(self, tried: list[Attempt]) -> None:
        """Record the attempts in one commit; if that fails, each in its own, so that one does not undo the others."""
        try:
            with self._desk.store.write() as session:
                for one in tried:
                    one.record(session)
        except StoreError:
            raise
        except Exception as error:
            if len(tried) > 1:
                for one in tried:
                    self._write([one])
            else:
                self._not_recorded(tried[0], error)
        else:
            for one in tried:
                one.log(self._desk.log)

    def _not_recorded(self, tried: Attempt, error: Exception) -> None:
        """This process does not send the mail again: when its lease ends, only the record is tried again."""
        self.failed += 1
        self._unrecorded[tried.row.id] = tried
        self._failed(tried.row, error)
