"""Posts one signed event to the licence server and says what the answer means.

``service.licence_server_loop`` decides what is posted when, and what follows from the answer.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from mailbot.core.base.characters import single_line

#: Time-out of a post, in seconds.
PATIENCE = 15.0
#: Client errors that are not about the event: wrong signature, time-out, too early, too many requests.
NOT_FINAL = frozenset({401, 408, 425, 429})


@dataclass(frozen=True)
class EventAccepted:
    """The server accepted the event (2xx)."""

    reply: str


@dataclass(frozen=True)
class EventRefused:
    """The server will never accept the event (4xx); ``reason`` is the server's text."""

    reply: str
    reason: str


@dataclass(frozen=True)
class EventDeferred:
    """No answer, or one that is not about the event: post it again later."""

    reply: str


PostOutcome = EventAccepted | EventRefused | EventDeferred


def signature(secret: str, stamp: int, body: bytes) -> str:
    """HMAC-SHA256 of the time stamp, a dot and the body, in hexadecimal digits."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


class LicenceServer:
    """A client with one connection, which is kept open."""

    def __init__(self, url: str, secret: str, patience: float = PATIENCE) -> None:
        self._url, self._secret = url, secret
        self._client = httpx.Client(timeout=patience, follow_redirects=False, headers={"User-Agent": "mailbot"})

    def post(self, event: dict[str, Any], now: datetime) -> PostOutcome:
        """Post the event once. Its ``id`` must be the same at every attempt, so that the server applies it once."""
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        stamp = int(now.timestamp())
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": event["id"],
            "Mailbot-Timestamp": str(stamp),
            "Mailbot-Signature": f"v1={signature(self._secret, stamp, body)}",
        }
        try:
            answer = self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            return EventDeferred(f"{type(error).__name__}: {single_line(str(error))}")
        return _outcome_of(answer)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _outcome_of(answer: httpx.Response) -> PostOutcome:
    reply = f"{answer.status_code} {answer.reason_phrase}".strip()
    if answer.is_success:
        return EventAccepted(reply)
    if answer.is_client_error and answer.status_code not in NOT_FINAL:
        return EventRefused(reply, _reason(answer) or reply)
    return EventDeferred(reply)


def _reason(answer: httpx.Response) -> str:
    """The "reason" of a JSON answer, cleaned, because the customer reads it; nothing else of the answer is passed on."""
    try:
        found = answer.json()
    except ValueError:
        return ""
    reason = found.get("reason") if isinstance(found, dict) else None
    return single_line(reason, 300) if isinstance(reason, str) else ""
