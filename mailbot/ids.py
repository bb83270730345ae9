"""Random bytes for keys and Message-IDs: from the system, or for tests a stream that is the same after a restart."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Protocol

#: Returns that many bytes at each call.
Stream = Callable[[int], bytes]


class Ids(Protocol):
    """A source of random bytes; one ``stream`` for each unit of work."""

    def stream(self, label: str) -> Stream:
        """A fresh stream for the work with that label."""
        ...


class SystemIds:
    """The system's cryptographic randomness."""

    def stream(self, label: str) -> Stream:  # noqa: ARG002 - only repeatable ones need it
        """Random bytes; the label does not matter."""
        return secrets.token_bytes


class RepeatableIds:
    """The same bytes for the same seed and label, for tests that compare two runs; never for a real desk."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed

    def stream(self, label: str) -> Stream:
        """Bytes that follow from seed, label and the number of the call."""
        calls = 0

        def take(count: int) -> bytes:
            nonlocal calls
            calls += 1
            block = b""
            while len(block) < count:
                block += hmac.digest(self.seed, f"{label}:{calls}:{len(block)}".encode(), hashlib.sha256)
            return block[:count]

        return take
