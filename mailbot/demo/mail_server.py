"""The mail server of the demo on 127.0.0.1, in its own thread: IMAP by mail-devel, SMTP by ``demo.demo_border``.

mail-devel's own SMTP server and web page are not used: they deliver by the To field, change line ends, add no
Authentication-Results, and the replies of the page ignore Reply-To.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from mail_devel.service import Service
from pymap.parsing.message import AppendMessage

from mailbot.clock import system
from mailbot.demo.demo_border import Border

HOST = "127.0.0.1"
_TIMEOUT = 30.0  # seconds to start and to stop
_Result = TypeVar("_Result")


class MailServers:
    """A context in which IMAP and SMTP run on ``imap_port`` and ``smtp_port``. Every account has the same password."""

    def __init__(self, own: frozenset[str], password: str, seen: Callable[[str, bytes], None]) -> None:
        self.own, self.password = own, password
        self.border = Border(own, password, self._deliver, seen)
        self.imap_port = self.smtp_port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="servers", daemon=True)
        self._stack = AsyncExitStack()
        self._mail: Any = None

    def __enter__(self) -> "MailServers":
        self._thread.start()
        try:
            self.call(self._start())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_TIMEOUT)
        self._loop.close()

    def call(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Run ``work`` in the thread of the servers and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_TIMEOUT)

    async def _start(self) -> None:
        self.imap_port = free_port()
        options = [
            "--host",
            HOST,
            "--imap-port",
            str(self.imap_port),
            "--password",
            self.password,
            "--multi-user",
            "--no-http",
        ]
        self._mail = await Service.init(Service.parse([*options, "--user", min(self.own)]))
        self._mail.smtp.loop.close()  # belongs to an SMTP server that we do not start
        self._mail.smtp = None
        await self._stack.enter_async_context(self._mail.start())
        for address in self.own:
            await self._mail.mailboxes.get(address)
        server = await self._loop.create_server(self.border.session, HOST, 0)
        self.smtp_port = server.sockets[0].getsockname()[1]
        self._stack.callback(server.close)

    async def _stop(self) -> None:
        await self._stack.aclose()
        self.border.hang_up()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # the event loop closes the sockets in its next turn

    async def _deliver(self, mailbox: str, raw: bytes) -> None:
        accounts = await self._mail.mailboxes.get(mailbox)
        inbox = await accounts.get_mailbox("INBOX")
        await inbox.append(AppendMessage(raw, system()))


def free_port() -> int:
    """A free port of 127.0.0.1."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])
