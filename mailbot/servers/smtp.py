"""Sends one finished mail over SMTP and returns the outcome as a value; no network error is raised.

Asynchronous, one mail at a time per ``Smtp`` object. What an outcome leads to (retry, mark, alert) is decided in
``service.delivery``.
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

_ANSWER = 60.0  # seconds to wait for each answer
#: Seconds to wait for the answer to the last byte: a client that gives up earlier sends mails twice (RFC 5321 section 4.5.3.2.6).
_VERDICT = 600.0
_QUIT = 5.0  # seconds
#: The server wants a login, another login, or TLS (RFC 4954, RFC 3207): the settings are wrong, not the mail.
_SETTINGS_FAULTS = frozenset({530, 534, 535, 538})
_START_INPUT, _SHUTTING_DOWN = 354, 421
_TOO_LARGE = 552
_LONGEST_REPLY = 500


@dataclass(frozen=True)
class SmtpSettings:
    """The server and login; no login without ``username``. ``ca_file`` replaces the system's certificates."""

    host: str
    port: int
    security: Literal["tls", "starttls", "plain"]
    username: str | None = None
    password: str | None = None
    connections: int = 4
    ca_file: str | None = None

    @property
    def server(self) -> str:
        """Host and port, as logged."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Sent:
    """The server accepted the mail (2xx). ``reply``, in every outcome, is its code and text on one line."""

    reply: str


@dataclass(frozen=True)
class Deferred:
    """The server did not accept the mail but may do so later: 4xx, no connection, no login, no TLS.

    ``any_mail`` is True if it would accept no mail of ours now, so that this mail is not to blame.
    """

    reply: str
    any_mail: bool = False


@dataclass(frozen=True)
class Refused:
    """The server will never accept this mail (5xx)."""

    reply: str


@dataclass(frozen=True)
class Unknown:
    """The connection broke, or no answer came, after the body was sent: the server may or may not have the mail."""

    reply: str


Outcome = Sent | Deferred | Refused | Unknown


class SmtpError(Exception):
    """No usable connection; the text is for the operator."""


class Smtp:
    """One connection, opened for the first mail and kept open.

    ``answer`` is the time-out of an answer in seconds, ``verdict`` that of the answer to the last byte of a mail.

    Raises:
        ValueError: security "plain" with another machine.
    """

    def __init__(self, settings: SmtpSettings, answer: float = _ANSWER, verdict: float = _VERDICT) -> None:
        if settings.security == "plain" and not is_loopback(settings.host):
            raise ValueError(f"plain text to {settings.host}: mails would cross the network unencrypted")
        self._settings, self._answer, self._verdict = settings, answer, verdict
        self._client: SMTP | None = None
        self._transport: asyncio.BaseTransport | None = None  # kept here because the client forgets it
        self._name: str | None = None  # our name in EHLO, kept because the system can take long to find it

    async def send(self, envelope_from: str, recipient: str, raw: bytes) -> Outcome:
        """Send the finished mail to one recipient; an empty ``envelope_from`` is the null reverse-path."""
        if plain_address(recipient) is None or (envelope_from and plain_address(envelope_from) is None):
            # aiosmtplib would extract some address from it, possibly somebody else's.
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
        except BaseException:  # cancelled: the next answer of the server belongs to no later command
            self._drop()
            raise

    async def check(self) -> str:
        """The line of ``mailbot check`` about this server, after connecting and logging in.

        Raises:
            SmtpError: if that fails.
        """
        client = await self._connect()
        settings = self._settings
        user = f"logged in as {settings.username}" if settings.username is not None else "without a login"
        extensions = " ".join(sorted(client.esmtp_extensions)).upper()
        return single_line(f"{settings.server} ({settings.security}), {user}, extensions: {extensions}", _LONGEST_REPLY)

    async def close(self) -> None:
        """Quit and close the connection; never fails."""
        if self._client is not None:
            with suppress(SMTPException, OSError):
                await self._client.quit(timeout=_QUIT)
        self._drop()
        await asyncio.sleep(0)  # the event loop closes the socket in its next turn

    def _drop(self) -> None:
        client, self._client = self._client, None
        transport, self._transport = self._transport, None
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()  # closing TLS would wait for the server's answer, which may never come
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
                start_tls=settings.security == "starttls",  # True requires it
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
            _StaleError: a ``kept`` connection had been closed by the server before this mail.
        """
        body_sent = sender_accepted = False
        try:
            await client.mail(sender, options=_options(client, raw))
            kept, sender_accepted = False, True
            await client.rcpt(recipient)
            # Not client.data(): it does not tell whether the connection broke before or after the body.
            answer = await client.execute_command(b"DATA")
            if answer.code != _START_INPUT or client.protocol is None:
                raise SMTPResponseException(answer.code, answer.message)
            client.protocol.write(_wire_format(raw))
            body_sent = True
            answer = await client.protocol.read_response(timeout=self._verdict)
            if 200 <= answer.code < 300:
                return Sent(_reply(SMTPResponseException(answer.code, answer.message)))
            raise SMTPResponseException(answer.code, answer.message)
        except asyncio.CancelledError:
            if not body_sent:
                raise
            self._drop()
            return Unknown("the desk stopped before the server answered")
        except SMTPResponseException as error:
            if kept and error.code == _SHUTTING_DOWN:
                raise _StaleError from error
            outcome = _outcome(error, body_sent)
            if sender and not sender_accepted and isinstance(outcome, Refused) and error.code != _TOO_LARGE:
                outcome = Deferred(outcome.reply, any_mail=True)  # what it refuses is the desk's own address
            await self._reset(client, outcome)
            return outcome
        except (SMTPException, OSError) as error:
            self._drop()
            if kept:
                raise _StaleError from error
            return Unknown(_reply(error)) if body_sent else Deferred(_reply(error))

    async def _reset(self, client: SMTP, outcome: Outcome) -> None:
        """Reset the connection for the next mail, or close it."""
        try:
            if isinstance(outcome, Unknown):  # not an SMTP answer: what follows cannot be matched to a command
                raise SMTPServerDisconnected(outcome.reply)
            await client.rset()
        except (SMTPException, OSError):
            self._drop()


class _StaleError(Exception):
    """The server had closed a connection that we kept open; nothing was sent on it."""


def _options(client: SMTP, raw: bytes) -> list[str]:
    options = [f"SIZE={len(raw)}"] if client.supports_extension("size") else []
    return [*options, "BODY=8BITMIME"] if not raw.isascii() and client.supports_extension("8bitmime") else options


def _wire_format(raw: bytes) -> bytes:
    """The mail with CRLF line ends, leading dots doubled, and the final dot (RFC 5321 section 4.5.2)."""
    lines = raw.splitlines()
    return b"".join(b"." + line + b"\r\n" if line.startswith(b".") else line + b"\r\n" for line in lines) + b".\r\n"


def _outcome(error: SMTPResponseException, body_sent: bool) -> Outcome:
    """The outcome by the reply code (RFC 5321 section 4.2.1); a malformed answer counts as none."""
    reply = _reply(error)
    if 500 <= error.code < 600 and error.code not in _SETTINGS_FAULTS:
        return Refused(reply)
    if body_sent and not 400 <= error.code < 600:
        return Unknown(reply)
    return Deferred(reply, any_mail=error.code in _SETTINGS_FAULTS)


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
