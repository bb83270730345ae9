"""One signed POST to the licence server, and what its answer means. What is posted when: ``posting``."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from mailbot.core.base.characters import single_line

#: How long the server may think, in seconds.
PATIENCE = 15.0
#: Client errors that do not speak of the event: a wrong signature, too slow, too early, too many.
NOT_FINAL = frozenset({401, 408, 425, 429})


@dataclass(frozen=True)
class Taken:
    """The server took the event (2xx)."""

    reply: str


@dataclass(frozen=True)
class EventRefused:
    """The server will never take it (4xx); ``reason`` is its own word for it."""

    reply: str
    reason: str


@dataclass(frozen=True)
class Later:
    """No answer, or one that is no answer yet: to be tried again."""

    reply: str


def signature(secret: str, stamp: int, body: bytes) -> str:
    """HMAC-SHA256 over the time stamp, a dot, and the body, in hexadecimal digits."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


class LicenceServer:
    """``post`` asks it once. One connection is kept open."""

    def __init__(self, url: str, secret: str, patience: float = PATIENCE) -> None:
        self._url, self._secret = url, secret
        self._client = httpx.Client(timeout=patience, follow_redirects=False, headers={"User-Agent": "mailbot"})

    def post(self, event: dict[str, Any], now: datetime) -> Taken | EventRefused | Later:
        """What the server makes of the event, whose ``id`` is the same at every attempt."""
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
            return Later(f"{type(error).__name__}: {single_line(str(error))}")
        return _meaning(answer)

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()


def _meaning(answer: httpx.Response) -> Taken | EventRefused | Later:
    reply = f"{answer.status_code} {answer.reason_phrase}".strip()
    if answer.is_success:
        return Taken(reply)
    if answer.is_client_error and answer.status_code not in NOT_FINAL:
        return EventRefused(reply, _reason(answer) or reply)
    return Later(reply)


def _reason(answer: httpx.Response) -> str:
    """``reason`` of a JSON answer, made harmless: the customer reads it. Nothing else of an answer is passed on."""
    try:
        found = answer.json()
    except ValueError:
        return ""
    reason = found.get("reason") if isinstance(found, dict) else None
    return single_line(reason, 300) if isinstance(reason, str) else ""
