"""One lane to the SMTP server: one finished mail out, one outcome back; nothing of the network is raised.

What becomes of an outcome (retry, mark, alert) is the service's affair. Runs on asyncio, one mail at a time.
"""

import asyncio
import os
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from mailbot.core.base.address import plain_address
from mailbot.core.base.characters import single_line
from mailbot.core.base.loopback import is_loopback
from mailbot.servers import tls

_ANSWER = 60.0  # seconds for each answer
#: RFC 5321 section 4.5.3.2.6: a client that gives up earlier than in 10 minutes sends a mail twice.
_VERDICT = 600.0
_BYE = 5.0
#: The server wants a login, another one, or TLS (RFC 4954, RFC 3207): no fault of the mail, the settings can be mended.
_SETTINGS = frozenset({530, 534, 535, 538})
_GO_ON, _SHUTTING_DOWN = 354, 421
_TOO_LARGE = 552
_LONGEST_REPLY = 500


@dataclass(frozen=True)
class SmtpSettings:
    """Where mails go out; ``username`` None = without a login. ``ca_file`` replaces the system's certificates."""

    host: str
    port: int
    security: Literal["tls", "starttls", "plain"]
    username: str | None = None
    password: str | None = None
    connections: int = 4
    ca_file: str | None = None

    @property
    def server(self) -> str:
        """Host and port, as they are logged."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Sent:
    """The server has taken the mail: 2xx. ``reply``, here and in the others: its code and words, on one line."""

    reply: str


@dataclass(frozen=True)
class Deferred:
    """The server has not taken the mail, but may do so later: 4xx, no connection, no login, no TLS.

    ``any_mail``: it would take none of ours now, so it says nothing of this one.
    """

    reply: str
    any_mail: bool = False


@dataclass(frozen=True)
class Refused:
    """The server will not take this mail, however often it is tried: 5xx."""

    reply: str


@dataclass(frozen=True)
class Unknown:
    """The mail was on its way when the connection broke or no answer came: the server may or may not have it."""

    reply: str


Outcome = Sent | Deferred | Refused | Unknown


class SmtpError(Exception):
    """``check`` failed, in words for the operator."""


class Smtp:
    """A lane: its connection is opened when there is something to send, and kept open.

    ``answer`` and ``verdict`` are the seconds to wait for an answer, and for the one to a mail's last byte.

    Raises:
        ValueError: ``plain`` to another machine.
    """

    def __init__(self, settings: SmtpSettings, answer: float = _ANSWER, verdict: float = _VERDICT) -> None:
        if settings.security == "plain" and not is_loopback(settings.host):
            raise ValueError(f"plain text to {settings.host}: mails would cross the network unencrypted")
        self._settings, self._answer, self._verdict = settings, answer, verdict
        self._client: SMTP | None = None
        self._transport: asyncio.BaseTransport | None = None  # the client forgets it
        self._name: str | None = None  # ours in EHLO; asking the system for it can take long

    async def send(self, envelope_from: str, recipient: str, raw: bytes) -> Outcome:
        """Sends the finished mail to one recipient; ``envelope_from`` "" is the null return path."""
        if plain_address(recipient) is None or (envelope_from and plain_address(envelope_from) is None):
            # aiosmtplib would take what it makes of it, which may be somebody else's address.
            return Refused(
                single_line(f"not sent, not a plain address: {envelope_from!r} or {recipient!r}", _LONGEST_REPLY)
            )
        try:
            if self._client is not None and self._client.is_connected:
                with suppress(_StaleError):
                    return await self._transaction(self._client, envelope_from, recipient, raw, kept=True)
            client = await self._connect()
            return await self._transaction(client, envelope_from, recipient, raw)
        except SmtpError as error:
            return Deferred(str(error), any_mail=True)
        except BaseException:  # we are told to stop: what the server says next belongs to no later command
            self._drop()
            raise

    async def check(self) -> str:
        """What ``mailbot check`` shows of the server, after a connection with login.

        Raises:
            SmtpError: why that cannot be had.
        """
        client = await self._connect()
        settings = self._settings
        user = f"logged in as {settings.username}" if settings.username is not None else "without a login"
        extensions = " ".join(sorted(client.esmtp_extensions)).upper()
        return single_line(f"{settings.server} ({settings.security}), {user}, extensions: {extensions}", _LONGEST_REPLY)

    async def close(self) -> None:
        """Says good-bye to the server and closes the connection; never fails."""
        if self._client is not None:
            with suppress(SMTPException, OSError):
                await self._client.quit(timeout=_BYE)
        self._drop()
        await asyncio.sleep(0)  # the socket is closed in the loop's next turn

    def _drop(self) -> None:
        client, self._client = self._client, None
        transport, self._transport = self._transport, None
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()  # TLS would wait for the server's good-bye, which may never come
        if client is not None:
            client.close()

    async def _connect(self) -> SMTP:
        self._drop()
        settings = self._settings
        try:
            client = SMTP(
                hostname=settings.host,
                port=settings.port,
                use_tls=settings.security == "tls",
                start_tls=settings.security == "starttls",  # True demands it
                tls_context=None
                if settings.security == "plain"
                else ssl.create_default_context(cafile=settings.ca_file),
                local_hostname=self._name,
                timeout=self._answer,
            )
            await client.connect()
            self._client, self._transport, self._name = client, client.transport, client.local_hostname
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
            if settings.username is not None:
                await client.login(settings.username, settings.password or "")
        except SMTPAuthenticationError as error:
            self._drop()
            raise SmtpError(f"{settings.server} rejects the login of {settings.username!r}: {_reply(error)}") from error
        except (SMTPException, OSError, ValueError) as error:
            self._drop()
            raise SmtpError(f"connection to {settings.server} failed: {_reply(error)}") from error
        return client

    async def _transaction(self, client: SMTP, sender: str, recipient: str, raw: bytes, kept: bool = False) -> Outcome:
        """One mail over an open connection (RFC 5321 section 3.3).

        Raises:
            _StaleError: a ``kept`` connection turned out closed before anything was said on it.
        """
        begun = known = False
        try:
            await client.mail(sender, options=_options(client, raw))
            kept, known = False, True
            await client.rcpt(recipient)
            # Not client.data(): with that, nobody can tell whether a connection broke before the body or after it.
            answer = await client.execute_command(b"DATA")
            if answer.code != _GO_ON or client.protocol is None:
                raise SMTPResponseException(answer.code, answer.message)
            client.protocol.write(_on_the_wire(raw))
            begun = True
            answer = await client.protocol.read_response(timeout=self._verdict)
            if 200 <= answer.code < 300:
                return Sent(_reply(SMTPResponseException(answer.code, answer.message)))
            raise SMTPResponseException(answer.code, answer.message)
        except asyncio.CancelledError:
            if not begun:
                raise
            self._drop()
            return Unknown("the desk stopped before the server answered")
        except SMTPResponseException as error:
            if kept and error.code == _SHUTTING_DOWN:
                raise _StaleError from error
            outcome = _outcome(error, begun)
            if sender and not known and isinstance(outcome, Refused) and error.code != _TOO_LARGE:
                outcome = Deferred(outcome.reply, any_mail=True)  # it is the desk's own address that it does not like
            await self._reset(client, outcome)
            return outcome
        except (SMTPException, OSError) as error:
            self._drop()
            if kept:
                raise _StaleError from error
            return Unknown(_reply(error)) if begun else Deferred(_reply(error))

    async def _reset(self, client: SMTP, outcome: Outcome) -> None:
        """Makes the connection fit for the next mail, or gives it up."""
        try:
            if isinstance(outcome, Unknown):  # an answer that is none: what comes next belongs to nothing
                raise SMTPServerDisconnected(outcome.reply)
            await client.rset()
        except (SMTPException, OSError):
            self._drop()


class _StaleError(Exception):
    """The server had closed a connection that we kept open; nothing was said on it yet."""


def _options(client: SMTP, raw: bytes) -> list[str]:
    options = [f"SIZE={len(raw)}"] if client.supports_extension("size") else []
    return [*options, "BODY=8BITMIME"] if not raw.isascii() and client.supports_extension("8bitmime") else options


def _on_the_wire(raw: bytes) -> bytes:
    """The mail with CRLF line ends, dots doubled, and the end of it (RFC 5321 section 4.5.2)."""
    lines = raw.splitlines()
    return b"".join(b"." + line + b"\r\n" if line.startswith(b".") else line + b"\r\n" for line in lines) + b".\r\n"


def _outcome(error: SMTPResponseException, begun: bool) -> Outcome:
    """The code decides (RFC 5321 section 4.2.1); an answer that is none is no answer."""
    reply = _reply(error)
    if 500 <= error.code < 600 and error.code not in _SETTINGS:
        return Refused(reply)
    if begun and not 400 <= error.code < 600:
        return Unknown(reply)
    return Deferred(reply, any_mail=error.code in _SETTINGS)


def _reply(error: Exception) -> str:
    match error:
        case SMTPResponseException(code=int(code), message=str(words)):
            text = f"{code} {words}" if code >= 0 else words
        case ssl.SSLError():
            text = tls.tls_fault(error)
        case SMTPConnectError(__cause__=ConnectionError(errno=int(number))):
            text = os.strerror(number)
        case SMTPConnectError(__cause__=ssl.SSLError() as cause):
            text = tls.tls_fault(cause)
        case SMTPConnectError(__cause__=socket.gaierror(strerror=str(text))):
            pass
        case asyncio.TimeoutError() if not str(error):
            text = "no answer in time"
        case _:
            text = str(error) or type(error).__name__
    return single_line(text, _LONGEST_REPLY)
