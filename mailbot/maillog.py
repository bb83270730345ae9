"""The log of what happens to mails: one method for each thing that happens; all its words are here.

Structured lines on stderr. What strangers wrote arrives in them escaped, on one line, of bounded length; keys (26
characters of base32) never arrive. A method is also a place between two steps: tests override one to stop the program there.
"""

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from mailbot.core.base.characters import escaped

MASK = "***"
_SHOWN = 4
_LONGEST = 4000
#: As long as a key or longer, in either case: mail servers fold addresses, and keys travel in them.
_KEY = re.compile(r"[A-Za-z2-7]{26,}")
_LEVELS = ("debug", "info", "warning", "error", "critical")


def mask_token(token: str | None) -> str:
    """A licence token as it may be logged: its first four characters, enough to recognise it."""
    return f"{token[:_SHOWN]}{MASK}" if token and len(token) >= 2 * _SHOWN else MASK


def configure(level: str = "info", json: bool = False) -> None:
    """Set structlog up for the whole program: lines from ``level`` (its name) on, as JSON or for people.

    Raises:
        ValueError: when there is no such level.
    """
    if level.lower() not in _LEVELS:
        raise ValueError(f"unknown log level {level!r}, must be one of {', '.join(_LEVELS)}")
    shown: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if not json:
        shown = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, sort_keys=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _safe,
            shown,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _safe(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Make every value of a line safe."""
    return {name: _clean(value) for name, value in event.items()}


def _clean(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case datetime():
            return value.isoformat()
        case Mapping():
            return {_text(str(name)): _clean(inner) for name, inner in value.items()}
        case str():
            return _text(value)
        case bytes() | bytearray():
            return _text(value.decode("ascii", "backslashreplace"))
        case Sequence() | set() | frozenset():
            return [_clean(inner) for inner in value]
    return _text(str(value))


def _text(text: str) -> str:
    masked = _KEY.sub(MASK, text)
    # Cut at the front: the last lines of a traceback say what is wrong.
    masked = masked if len(masked) <= _LONGEST else f"…{masked[-_LONGEST:]}"
    masked = escaped(masked, _escape)
    return masked if masked.isprintable() else "".join(char if char.isprintable() else _escape(char) for char in masked)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode()


class MailLog:
    """What happens to mails, in the order of their way; every method writes one line."""

    def _say(self, level: str, event: str, **values: Any) -> None:
        # A log that cannot be written (disk full, pipe closed) is no reason to stop the desk.
        with suppress(OSError):
            getattr(structlog.get_logger(), level)(event, **values)

    def started(self) -> None:
        """The desk is open."""
        self._say("info", "started")

    def stopped(self, why: str) -> None:
        """The desk is closed."""
        self._say("info", "stopped", why=why)

    def connected(self, server: str) -> None:
        """We have logged in to a server."""
        self._say("info", "connected", server=server)

    def created(self, folder: str, watched: bool) -> None:
        """A configured folder was not there and has been made. Where mail is to arrive, its name may be wrong."""
        self._say("warning" if watched else "info", "folder created", folder=folder, watched=watched)

    def disconnected(self, server: str) -> None:
        """We have closed the connection to a server."""
        self._say("info", "disconnected", server=server)

    def lost(self, server: str, why: str) -> None:
        """The connection to a server is lost or was refused; it is tried again later."""
        self._say("warning", "connection lost", server=server, why=why)

    def idle(self, seconds: float) -> None:
        """Nothing to do: the mailbox is watched for at most that long."""
        self._say("debug", "idle", seconds=seconds)

    def noticed(self, count: int) -> None:
        """The server announced new mail; ``count`` is how many mails it says the folder holds."""
        self._say("debug", "noticed", count=count)

    def fetched(self, uid: int, size: int) -> None:
        """The bytes of a mail have come from the server."""
        self._say("debug", "fetched", uid=uid, size=size)

    def oversized(self, uid: int, size: int) -> None:
        """A mail is above the size limit; only its header was fetched."""
        self._say("warning", "oversized", uid=uid, size=size)

    def kept(self, inbox_id: int, received_at: datetime) -> None:
        """A mail is in our database (first commit)."""
        self._say("info", "kept", inbox_id=inbox_id, received_at=received_at)

    def known(self, inbox_id: int, uid: int) -> None:
        """The same bytes were kept before."""
        self._say("info", "known", inbox_id=inbox_id, uid=uid)

    def understood(self, inbox_id: int, sender: str | None, intake: str, ref: str | None) -> None:
        """What a mail turned out to be, and who sent it."""
        self._say("info", "understood", inbox_id=inbox_id, sender=sender, intake=intake, ref=ref)

    def composed(self, message_id: str, kind: str, recipient: str, ref: str | None) -> None:
        """A mail is composed and waits for the commit."""
        self._say("debug", "composed", message_id=message_id, kind=kind, recipient=recipient, ref=ref)

    def committed(self, inbox_id: int | None) -> None:
        """All that follows from a mail is in our database (second commit)."""
        self._say("debug", "committed", inbox_id=inbox_id)

    def handled(self, inbox_id: int, ref: str | None, state: str | None) -> None:
        """A mail is in its final ``state``; ``ref`` names the tickets that it touched."""
        self._say("info", "handled", inbox_id=inbox_id, ref=ref, state=state)

    def moved(self, uids: Sequence[int], folder: str) -> None:
        """Mails have left the folder in which they arrived."""
        self._say("info", "moved", uids=list(uids), folder=folder)

    def attempt_failed(self, inbox_id: int, attempt: int, error: str) -> None:
        """A mail could not be handled; it is tried again or quarantined."""
        self._say("warning", "attempt failed", inbox_id=inbox_id, attempt=attempt, error=error)

    def quarantined(self, inbox_id: int, reason: str) -> None:
        """A mail is set aside for the operator."""
        self._say("error", "quarantined", inbox_id=inbox_id, reason=reason)

    def claimed(self, outbox_id: int) -> None:
        """An answer is about to be sent."""
        self._say("debug", "claimed", outbox_id=outbox_id)

    def sent(self, outbox_id: int, message_id: str, kind: str, recipient: str, ref: str | None) -> None:
        """The server has taken an answer."""
        self._say("info", "sent", outbox_id=outbox_id, message_id=message_id, kind=kind, recipient=recipient, ref=ref)

    def server_answered(self, token: str, revision: int, reply: str) -> None:
        """The licence server took an event of the ledger, or refused it for good."""
        self._say("info", "server_answered", token=mask_token(token), revision=revision, reply=reply)

    def server_failed(self, token: str, revision: int, reply: str) -> None:
        """The licence server gave no answer to an event; it is posted again later."""
        self._say("warning", "server_failed", token=mask_token(token), revision=revision, reply=reply)

    def post_failed(self, token: str, revision: int, error: str) -> None:
        """An event could not be posted, or the licence server's answer not be applied; it is posted again later."""
        self._say("error", "post failed", token=mask_token(token), revision=revision, error=error)

    def server_owes(self, count: int, *, configured: bool) -> None:
        """The licence server has not answered ``count`` events, or there is none any more; their items stay in the state applying."""
        why = (
            "licence server has not answered"
            if configured
            else "events are waiting for a licence server, but [licence_server] is not configured"
        )
        self._say("warning", why, events=count)

    def delivery_failed(self, outbox_id: int, error: str) -> None:
        """An attempt to send an answer ended in a bug or an unexpected reply."""
        self._say("error", "delivery failed", outbox_id=outbox_id, error=error)

    def deferred(self, outbox_id: int, reply: str, retry_at: datetime) -> None:
        """The server does not take an answer now; it is sent later."""
        self._say("warning", "deferred", outbox_id=outbox_id, reply=reply, retry_at=retry_at)

    def refused(self, outbox_id: int, reply: str) -> None:
        """The server will never take that answer."""
        self._say("error", "refused", outbox_id=outbox_id, reply=reply)

    def unknown(self, outbox_id: int, reply: str) -> None:
        """The server may or may not have taken an answer; it is sent again under the same Message-ID."""
        self._say("warning", "outcome unknown", outbox_id=outbox_id, reply=reply)

    def marked(self, outbox_id: int) -> None:
        """What became of an answer is in our database."""
        self._say("debug", "marked", outbox_id=outbox_id)

    def due(self, kind: str, ref: str | None) -> None:
        """The time of something has come."""
        self._say("info", "due", kind=kind, ref=ref)

    def due_failed(self, kind: str, ref: str | None, attempt: int, error: str) -> None:
        """Something whose time has come could not be done; it is tried again."""
        self._say("error", "due failed", kind=kind, ref=ref, attempt=attempt, error=error)

    def not_recorded(self, row: str, error: str) -> None:
        """What came of working on a row could not be written to our database."""
        self._say("error", "not recorded", row=row, error=error)

    def alert(self, text: str) -> None:
        """Something that an operator must look at."""
        self._say("error", "alert", text=text)
