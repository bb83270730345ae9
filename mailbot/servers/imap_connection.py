"""Connects to the IMAP server, logs in, creates folders and waits for news. ``servers.imap`` handles the mails.

Every failure is an ``ImapError`` with a text for the operator.
"""

import imaplib
import selectors
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from imapclient import IMAPClient, SocketTimeout

from mailbot.core.base.loopback import is_loopback
from mailbot.servers import tls

_CONNECT_TIMEOUT, _READ_TIMEOUT = 10, 60  # seconds


class ImapError(Exception):
    """The server failed or refused; the text is for the operator, and the connection must be closed."""


@dataclass(frozen=True)
class ImapSettings:
    """The server, login and folders. ``ca_file`` replaces the system's certificates; larger mails than ``max_bytes`` are cut."""

    host: str
    port: int
    security: Literal["tls", "starttls", "plain"]
    username: str
    password: str
    max_bytes: int
    folder: str = "INBOX"
    done_folder: str = "Done"
    quarantine_folder: str = "Quarantine"
    poll_seconds: int = 60
    ca_file: str | None = None

    @property
    def server(self) -> str:
        """Host and port, as logged."""
        return f"{self.host}:{self.port}"

    @property
    def folders(self) -> tuple[str, str, str]:
        """The folders that must exist; the first is the one watched."""
        return self.folder, self.done_folder, self.quarantine_folder


@contextmanager
def as_imap_error(what: str) -> Iterator[None]:
    """Raise an ``ImapError`` for everything that imaplib and imapclient raise, also on answers they cannot parse."""
    try:
        yield
    except (imaplib.IMAP4.error, OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise ImapError(f"{what}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    match error:
        case ssl.SSLError():
            return tls.tls_fault(error)
        case TimeoutError():
            return "no answer in time"
        case OSError(strerror=str(words)):
            return words
    words = (
        str(error.args[0].decode(errors="replace")) if error.args and isinstance(error.args[0], bytes) else str(error)
    )
    if words.startswith("b'"):  # a server's bytes that went through str()
        words = words[2:].removesuffix("'")
    return words or type(error).__name__


def connect(settings: ImapSettings) -> IMAPClient:
    """A client that is logged in; without TLS only to this machine.

    Raises:
        ImapError: if that fails; the connection is closed.
        ValueError: security "plain" with another machine.
    """
    if settings.security == "plain" and not is_loopback(settings.host):
        raise ValueError(f"plain text to {settings.host}: the password would cross the network unencrypted")
    with as_imap_error(f"cannot connect to {settings.server}"):
        options = {"ssl": True, "ssl_context": _tls_context(settings)} if settings.security == "tls" else {"ssl": False}
        client = IMAPClient(
            settings.host, settings.port, timeout=SocketTimeout(_CONNECT_TIMEOUT, _READ_TIMEOUT), **options
        )
    client.normalise_times = False  # otherwise it returns naive dates in local time
    try:
        if settings.security == "starttls":
            _start_tls(client, settings)
        _login(client, settings)
    except BaseException:
        disconnect(client)
        raise
    return client


def _tls_context(settings: ImapSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.ca_file)


def _start_tls(client: IMAPClient, settings: ImapSettings) -> None:
    with as_imap_error(f"no TLS connection to {settings.server}"):
        if not client.has_capability("STARTTLS"):
            raise ImapError(f"{settings.server} does not offer STARTTLS, so the password is not sent")
        client.starttls(_tls_context(settings))


def _login(client: IMAPClient, settings: ImapSettings) -> None:
    try:
        with as_imap_error(f"{settings.server} rejects the login of {settings.username!r}"):
            if client.has_capability("AUTH=PLAIN"):  # unlike LOGIN, it accepts any character
                client.plain_login(settings.username, settings.password)
            else:
                client.login(settings.username, settings.password)
    except ImapError as error:
        if isinstance(error.__cause__, TimeoutError):
            raise ImapError(f"{error} (some servers do not answer when the password is wrong)") from error.__cause__
        raise


def disconnect(client: IMAPClient) -> None:
    """Close the connection without logging out; never fails."""
    with suppress(ImapError), as_imap_error("cannot close"):
        client.shutdown()


def ensure_folder(client: IMAPClient, folder: str) -> bool:
    """Create the folder if it is missing; returns whether it was.

    Raises:
        ImapError: if the server refuses.
    """
    with as_imap_error(f"cannot create the folder {folder!r}{_prefix_hint(client)}"):
        found = client.list_folders("", folder)
        if any({b"\\noselect", b"\\nonexistent"}.isdisjoint(map(bytes.lower, flags)) for flags, _, _ in found):
            return False
        client.create_folder(folder)
        with suppress(IMAPClient.Error):  # so that mail programs show it
            client.subscribe_folder(folder)
        return True


def _prefix_hint(client: IMAPClient) -> str:
    """A hint for servers that keep all folders under a prefix, such as "INBOX."."""
    with as_imap_error("cannot ask for the namespace"):
        if not client.has_capability("NAMESPACE"):
            return ""
        personal = client.namespace().personal or ()
    prefix = personal[0][0] if personal else ""
    return f" (folder names on this server begin with {prefix!r})" if prefix else ""


def announced_count(client: IMAPClient) -> int:
    """The number of mails in the folder by the latest EXISTS not read yet, else 0.

    The server sends EXISTS once, with the answer to any command.
    """
    counts = client._imap.response("EXISTS")[1]
    return int(counts[-1] or 0)


def idle_until_news(client: IMAPClient, seconds: float, wake: socket.socket | int) -> int:
    """Wait in IDLE until the server announces something, ``wake`` is readable, or ``seconds`` have passed (RFC 2177).

    Returns the number of mails in the folder if the server announced one, also before the call, else 0. Raises what
    imaplib raises.
    """
    client.noop()
    count = announced_count(client)
    if count:
        return count
    client.idle()
    if not _buffered(client):
        wait_readable((client.socket(), wake), seconds)
    client.idle_done()
    return announced_count(client)


def _buffered(client: IMAPClient) -> bool:
    """Whether the answer to IDLE brought more bytes with it; a selector does not see bytes in a buffer or in TLS."""
    imap, sock = client._imap, client.socket()
    if hasattr(imap, "_readbuf"):  # Python 3.14 and later
        return bool(imap._readbuf) or (isinstance(sock, ssl.SSLSocket) and sock.pending() > 0)
    sock.settimeout(0)
    try:
        return bool(imap.file.peek(1))
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    finally:
        sock.settimeout(_READ_TIMEOUT)


def wait_readable(sources: Iterable[Any], seconds: float) -> bool:
    """Whether one of the sockets or file descriptors becomes readable, or reaches its end, within ``seconds``."""
    with selectors.DefaultSelector() as selector:
        for source in sources:
            selector.register(source, selectors.EVENT_READ)
        return bool(selector.select(seconds))
