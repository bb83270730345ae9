"""Unpacks a gzip file with any number of members as a stream."""

import zlib
from collections.abc import Callable, Generator, Iterator

from mailbot.core.logs.decoding import CHUNK

#: Many tiny members cost time and give no bytes.
_MEMBERS_MAX = 1_000

#: Yields bytes; returns whether the end was reached undamaged.
Unpacking = Generator[bytes, None, bool]


def gunzip(source: Callable[[], Iterator[bytes]]) -> Unpacking:
    """Unpacks the members of a gzip file (RFC 1952) in turn. Zero bytes may follow the last one, as tapes pad them."""
    fed, members, member = b"", 0, None
    for piece in source():
        fed += piece
        while fed and (member or len(fed) > 1):
            if member is None:
                members += 1
                if not fed.startswith(b"\x1f\x8b") or members > _MEMBERS_MAX:
                    return not fed.strip(b"\0")
                member = zlib.decompressobj(31)
            try:
                yield from _member(member, fed)
            except zlib.error:
                return False
            fed, member = (member.unused_data, None) if member.eof else (b"", member)
    return member is None and not fed.strip(b"\0")


def _member(member: "zlib._Decompress", fed: bytes) -> Iterator[bytes]:
    """Yields what ``fed`` contains of one member, in chunks."""
    full = True
    while (fed or full) and not member.eof:
        chunk = member.decompress(fed, CHUNK)
        fed, full = member.unconsumed_tail, len(chunk) == CHUNK
        if chunk:
            yield chunk
