"""A connection to an IMAP server that may be trusted with the password, logged in; and waiting on it.

What is done with the mails: ``imap``. Everything that goes wrong comes as one kind of error, in words for the operator.
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

_CONNECT, _READ = 10, 60  # seconds


class ImapError(Exception):
    """The server does not do what we need, in words for the operator; the connection is of no more use."""


@dataclass(frozen=True)
class ImapSettings:
    """Where the mailbox is. ``ca_file`` replaces the system's certificates; no mail over ``max_bytes`` is taken."""

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
        """Host and port, as they are logged."""
        return f"{self.host}:{self.port}"

    @property
    def folders(self) -> tuple[str, str, str]:
        """The folders that we need, the one that is watched first."""
        return self.folder, self.done_folder, self.quarantine_folder


@contextmanager
def as_imap_error(what: str) -> Iterator[None]:
    """Makes one ImapError of all that imaplib and imapclient raise; they fall over answers they do not know."""
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
    if words.startswith("b'"):  # a server's words that went through str()
        words = words[2:].removesuffix("'")
    return words or type(error).__name__


def connect(settings: ImapSettings) -> IMAPClient:
    """A client that is logged in, over TLS unless the server is this machine.

    Raises:
        ImapError: when that cannot be had; nothing stays open.
        ValueError: ``plain`` to another machine.
    """
    if settings.security == "plain" and not is_loopback(settings.host):
        raise ValueError(f"plain text to {settings.host}: the password would cross the network unencrypted")
    with as_imap_error(f"cannot connect to {settings.server}"):
        tls = {"ssl": True, "ssl_context": _trusting(settings)} if settings.security == "tls" else {"ssl": False}
        client = IMAPClient(settings.host, settings.port, timeout=SocketTimeout(_CONNECT, _READ), **tls)
    client.normalise_times = False  # else dates come in local time without saying so
    try:
        if settings.security == "starttls":
            _secure(client, settings)
        _login(client, settings)
    except BaseException:
        drop(client)
        raise
    return client


def _trusting(settings: ImapSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.ca_file)


def _secure(client: IMAPClient, settings: ImapSettings) -> None:
    with as_imap_error(f"no TLS connection to {settings.server}"):
        if not client.has_capability("STARTTLS"):
            raise ImapError(f"{settings.server} does not offer STARTTLS, so the password is not sent")
        client.starttls(_trusting(settings))


def _login(client: IMAPClient, settings: ImapSettings) -> None:
    try:
        with as_imap_error(f"{settings.server} rejects the login of {settings.username!r}"):
            if client.has_capability("AUTH=PLAIN"):  # unlike LOGIN it takes any sign
                client.plain_login(settings.username, settings.password)
            else:
                client.login(settings.username, settings.password)
    except ImapError as error:
        if isinstance(error.__cause__, TimeoutError):
            raise ImapError(f"{error} (some servers do not answer when the password is wrong)") from error.__cause__
        raise


def drop(client: IMAPClient) -> None:
    """Closes the connection without a word to the server; never fails."""
    with suppress(ImapError), as_imap_error("cannot close"):
        client.shutdown()


def ensure_folder(client: IMAPClient, folder: str) -> bool:
    """Creates the folder unless it is there; whether it did.

    Raises:
        ImapError: when the server does not let us.
    """
    with as_imap_error(f"cannot create the folder {folder!r}{_prefix_hint(client)}"):
        found = client.list_folders("", folder)
        if any({b"\\noselect", b"\\nonexistent"}.isdisjoint(map(bytes.lower, flags)) for flags, _, _ in found):
            return False
        client.create_folder(folder)
        with suppress(IMAPClient.Error):  # only so that mail programs show it
            client.subscribe_folder(folder)
        return True


def _prefix_hint(client: IMAPClient) -> str:
    """Some servers have all folders below one, such as ``INBOX.Done``."""
    with as_imap_error("cannot ask for the namespace"):
        if not client.has_capability("NAMESPACE"):
            return ""
        personal = client.namespace().personal or ()
    prefix = personal[0][0] if personal else ""
    return f" (folder names on this server begin with {prefix!r})" if prefix else ""


def announced_count(client: IMAPClient) -> int:
    """How many mails the folder holds by the last EXISTS that was not asked for yet, 0 if there is none.

    The server may send it with the answer to any command, and sends it once.
    """
    counts = client._imap.response("EXISTS")[1]
    return int(counts[-1] or 0)


def news(client: IMAPClient, seconds: float, wake: socket.socket | int) -> int:
    """Waits until the server tells of something, ``wake`` is readable, or so many seconds are over (RFC 2177).

    How many mails the folder now holds if the server told of that, be it earlier, else 0. Raises what imaplib raises.
    """
    client.noop()
    count = announced_count(client)
    if count:
        return count
    client.idle()
    if not _buffered(client):
        readable((client.socket(), wake), seconds)
    client.idle_done()
    return announced_count(client)


def _buffered(client: IMAPClient) -> bool:
    """Whether bytes have come along with the answer to IDLE: in a buffer, be it of TLS, no selector sees them."""
    imap, sock = client._imap, client.socket()
    if hasattr(imap, "_readbuf"):  # Python 3.14 on
        return bool(imap._readbuf) or (isinstance(sock, ssl.SSLSocket) and sock.pending() > 0)
    sock.settimeout(0)
    try:
        return bool(imap.file.peek(1))
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    finally:
        sock.settimeout(_READ)


def readable(sources: Iterable[Any], seconds: float) -> bool:
    """Whether one of the sockets or file descriptors can be read, or is at its end, within so many seconds."""
    with selectors.DefaultSelector() as selector:
        for source in sources:
            selector.register(source, selectors.EVENT_READ)
        return bool(selector.select(seconds))
