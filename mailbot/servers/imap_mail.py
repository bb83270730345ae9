"""A mail as the IMAP server returns it, and how many UIDs or bytes go into one command. It sends no command itself."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

#: UIDs per command, so that its line stays within what servers accept (8192 bytes: RFC 7162 section 4).
_UIDS_PER_COMMAND = 200
#: Header bytes fetched of an oversized mail.
HEADER_MAX = 256 * 2**10


@dataclass(frozen=True)
class Arrived:
    """A mail in the folder: ``received_at`` is its INTERNALDATE, ``size`` what the server says, in bytes.

    If ``whole`` is False, the mail is over the size limit and ``raw`` is its header block, at most 256 KiB.
    """

    uid: int
    uidvalidity: int
    received_at: datetime
    size: int
    raw: bytes
    whole: bool


def uid_chunks(uids: list[int]) -> Iterator[list[int]]:
    """The UIDs in lists short enough for one command."""
    for start in range(0, len(uids), _UIDS_PER_COMMAND):
        yield uids[start : start + _UIDS_PER_COMMAND]


def size_batches(sizes: dict[int, int], largest: int, batch: int) -> Iterator[list[int]]:
    """The UIDs in order, in lists of about ``batch`` bytes; a mail over ``largest`` bytes is alone in its list."""
    part: list[int] = []
    held = 0
    for uid, size in sizes.items():
        if part and (size > largest or held + size > batch):
            yield part
            part, held = [], 0
        part.append(uid)
        held += size
        if size > largest:
            yield part
            part, held = [], 0
    if part:
        yield part


def header_block(raw: bytes) -> bytes:
    """The header of a mail, at most 256 KiB, with the empty line that ends it."""
    return raw[:HEADER_MAX].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def internal_date(date: datetime | None) -> datetime:
    """An INTERNALDATE in UTC; the current time if the server gave no valid one."""
    with suppress(OverflowError):
        if date is not None and date.tzinfo is not None:
            return date.astimezone(UTC)
    return datetime.now(UTC)  # noqa: TID251 - there is no date and no clock to ask
