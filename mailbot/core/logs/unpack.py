"""Turns attachments into log texts by their content; unpacks ``.gz`` and ``.zip`` as streams under caps.

Nothing is written to disk; a name is only a label. ``logs.decoding`` turns bytes into lines, ``logs.findings`` reads
them.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import assert_never

from mailbot.core.logs.decoding import CHUNK, FileKind, LogText, file_label, kind_of, pieces
from mailbot.core.logs.gunzip import Unpacking, gunzip

__all__ = ["LogText", "Unreadable", "open_logs"]

#: Caps on all attachments of a mail together: unpacked bytes, files in archives.
UNPACKED_MAX = 100_000_000
MEMBERS_MAX = 200
#: A file may unpack to RATIO_MAX times its size, and to RATIO_FREE bytes in any case.
RATIO_MAX = 200
RATIO_FREE = 4_000_000
#: A larger central directory (bytes) names thousands of files: no folder of logs.
_DIRECTORY_MAX = 500_000

BOMB = "it unpacks to far more than a log"
DAMAGED = "it is damaged"
ENCRYPTED = "it is encrypted"
NESTED = "it is an archive inside an archive"
TOO_MANY = f"it holds more than {MEMBERS_MAX} files"
OUTSIDE = "its name points outside the archive"
FOREIGN = "its compression is not supported"
TWICE = "another file in the archive has the same name"
NO_LOG = "it holds no log"
_KIND = "this kind of archive is not supported, only .zip and .gz"
_WHY = {
    FileKind.ARCHIVE: _KIND,
    FileKind.ENCRYPTED: ENCRYPTED,
    FileKind.EXECUTABLE: "it is a program",
    FileKind.DOCUMENT: "it is a document, not a log",
    FileKind.BINARY: "it is not text",
    FileKind.PICTURE: "it is a picture, not a log",
    FileKind.EMPTY: "it is empty",
}
#: What to send instead, after "Please send"; for other reasons: the log as a text file.
_INSTEAD = {
    BOMB: "only the end of the log, at most 30 MB",
    DAMAGED: "the file again, because it arrived damaged",
    ENCRYPTED: "the log without a password",
    NESTED: "the log files in one .zip, not an archive inside another",
    TOO_MANY: "only the newest log files, in one .zip",
    OUTSIDE: "the log files in a new .zip made inside their folder",
    FOREIGN: "the log as a plain .zip or .gz",
    TWICE: "the log files under different names",
    _KIND: "the log as a .zip or .gz, or uncompressed",
    _WHY[FileKind.EMPTY]: "the file again, because it arrived empty",
}
_LOG_NAMES = (".log", ".txt", ".json", ".gz", ".zip")
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    LookupError,
    RuntimeError,
    EOFError,
    OSError,
    OverflowError,
)
_LEADS_OUT = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|$)|^[/\\]|^[A-Za-z]:")
_ORNAMENTS = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")  # left in archives by file managers


@dataclass(frozen=True)
class Unreadable:
    """An attachment, or a file in one, that was not read. ``why`` is shown after "name: ".

    ``attachment``: index of the attachment among those given to ``open_logs``.
    """

    name: str
    why: str
    attachment: int

    @property
    def instead(self) -> str:
        """What the customer should send instead, to follow "Please send"."""
        return _INSTEAD.get(self.why, "the log itself as a text file (.log, .txt or .json), also in a .zip or .gz")


class _Over(Exception):  # noqa: N818 - not an error of ours: an archive exceeds a cap
    """An archive exceeds a cap; the argument says which."""


class _Bounded(io.BytesIO):
    """Zip data that refuses to read a huge central directory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _DIRECTORY_MAX:
            raise _Over(TOO_MANY)
        return super().read(size)


class _Opening:
    """The progress of one call of ``open_logs``: what was found, and how much of the caps is used."""

    def __init__(self) -> None:
        self.logs: list[LogText] = []
        self.unread: dict[tuple[int, str], list[str]] = {}  # (attachment, why) -> names: reported once
        self.attachment = 0
        self.unpacked = 0
        self.members = 0
        self.names: set[str] = set()

    def unique_name(self, name: str) -> str:
        """``name``, with a number if another file has the same name."""
        number, free = 1, name
        while free in self.names:
            number += 1
            free = f"{name} ({number})"
        self.names.add(free)
        return free

    def refuse(self, name: str, why: str) -> None:
        self.unread.setdefault((self.attachment, why), []).append(name)

    def take(self, name: str, source: Callable[[], Unpacking], packed: int, *, in_zip: bool = False) -> None:
        """Opens one packed file of ``packed`` bytes by its kind, under the caps.

        Opens a .gz inside a zip, as log rotation leaves it, but no other archive inside an archive.
        """
        match kind_of(next(source(), b"")):
            case FileKind.TEXT:
                whole = self.spend(source(), packed)
                self.logs.append(LogText(name, source, torn=not whole))
            case FileKind.EMPTY:
                self.refuse(name, _WHY[FileKind.EMPTY] if self.spend(source(), packed) else DAMAGED)
            case FileKind.GZIP if in_zip:
                self.take(name, partial(gunzip, source), packed)
            case FileKind.ZIP | FileKind.GZIP | FileKind.ARCHIVE:
                self.refuse(name, NESTED)
            case FileKind.PICTURE | FileKind.ORNAMENT as kind:
                if named_like_a_log(name):
                    self.refuse(name, _WHY.get(kind, NO_LOG))
            case FileKind.ENCRYPTED | FileKind.EXECUTABLE | FileKind.DOCUMENT | FileKind.BINARY as kind:
                self.refuse(name, _WHY[kind])
            case never:
                assert_never(never)

    def spend(self, source: Unpacking, packed: int) -> bool:
        """Unpacks once without keeping anything, to check the caps. Returns whether the end was reached."""
        mine = 0
        while True:
            try:
                size = len(next(source))
            except StopIteration as end:
                return bool(end.value)
            mine += size
            self.unpacked += size
            if self.unpacked > UNPACKED_MAX or mine > max(RATIO_FREE, RATIO_MAX * packed):
                raise _Over(BOMB)

    def unreadable(self) -> tuple[Unreadable, ...]:
        return tuple(
            Unreadable(names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more", why, attachment)
            for (attachment, why), names in self.unread.items()
        )


def open_logs(attachments: Sequence[tuple[str, bytes]]) -> tuple[tuple[LogText, ...], tuple[Unreadable, ...]]:
    """The texts in ``attachments`` ((name, decoded bytes) pairs), and what could not be read, each once.

    Pictures, signatures and business cards are left out of both, unless they are named like a log. Texts share the given
    bytes and are unpacked each time they are read. Accepts any bytes; a pasted log is ("mail", text.encode()).
    """
    opening = _Opening()
    for opening.attachment, (given, data) in enumerate(attachments):
        name = opening.unique_name(file_label(given) or "attachment")
        try:
            _open(opening, name, data)
        except _Over as over:
            opening.refuse(name, str(over))
    return tuple(opening.logs), opening.unreadable()


def may_hold_a_log(name: str, data: bytes) -> bool:
    """Whether an attachment may be meant as a log: not a picture, signature or business card, unless named like one."""
    return named_like_a_log(name) or kind_of(data) not in (FileKind.PICTURE, FileKind.ORNAMENT)


def named_like_a_log(name: str) -> bool:
    """Whether the name has the extension of a log or of an archive."""
    return name.lower().endswith(_LOG_NAMES)


def _open(opening: _Opening, name: str, data: bytes) -> None:
    match kind_of(data):
        case FileKind.TEXT:
            opening.logs.append(LogText(name, partial(pieces, data)))
        case FileKind.GZIP:
            opening.take(name, partial(gunzip, partial(pieces, data)), len(data))
        case FileKind.ZIP:
            _open_zip(opening, name, data)
        case FileKind.PICTURE | FileKind.ORNAMENT as kind:
            if named_like_a_log(name):
                opening.refuse(name, _WHY.get(kind, NO_LOG))
        case (
            FileKind.ARCHIVE
            | FileKind.ENCRYPTED
            | FileKind.EXECUTABLE
            | FileKind.DOCUMENT
            | FileKind.BINARY
            | FileKind.EMPTY
        ) as kind:
            opening.refuse(name, _WHY[kind])
        case never:
            assert_never(never)


def _open_zip(opening: _Opening, name: str, data: bytes) -> None:
    try:
        with zipfile.ZipFile(_Bounded(data)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except _FAULTS:
        opening.refuse(name, DAMAGED)
        return
    if any(member.filename == "[Content_Types].xml" for member in members):
        opening.refuse(name, _WHY[FileKind.DOCUMENT])
        return
    opening.members += len(members)
    if opening.members > MEMBERS_MAX:
        raise _Over(TOO_MANY)
    if sum(member.file_size for member in members) > UNPACKED_MAX - opening.unpacked:
        raise _Over(BOMB)
    if not members:
        opening.refuse(name, _WHY[FileKind.EMPTY])
        return
    before = len(opening.logs), len(opening.unread)
    seen: set[str] = set()
    for member in members:
        inner = f"{name}/{file_label(member.filename)}"
        if member.filename in seen:
            opening.refuse(inner, TWICE)
        else:
            _open_member(opening, opening.unique_name(inner), data, member)
        seen.add(member.filename)
    if before == (len(opening.logs), len(opening.unread)):
        opening.refuse(name, NO_LOG)


def _open_member(opening: _Opening, name: str, data: bytes, member: zipfile.ZipInfo) -> None:
    if member.filename.startswith(_ORNAMENTS) or member.filename.endswith(_ORNAMENTS):
        return
    if _LEADS_OUT.search(member.filename) or stat.S_ISLNK(member.external_attr >> 16):
        opening.refuse(name, OUTSIDE)
    elif member.flag_bits & 0x2041:  # encrypted, strong encryption, encrypted directory
        opening.refuse(name, ENCRYPTED)
    elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        opening.refuse(name, FOREIGN)  # LZMA may need gigabytes for its dictionary
    else:
        opening.take(name, partial(_unzip, data, member), member.compress_size, in_zip=True)


def _unzip(data: bytes, member: zipfile.ZipInfo) -> Unpacking:
    try:
        with zipfile.ZipFile(_Bounded(data)) as archive, archive.open(member) as packed:
            while chunk := packed.read(CHUNK):
                yield chunk
    except (*_FAULTS, _Over):
        return False
    return True
