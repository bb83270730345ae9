"""Attachments become log texts: by content, not by name; ``.gz`` and ``.zip`` are unpacked as streams under caps.

Nothing is written anywhere and a name is only a label. How bytes become lines is ``logtext``'s matter, what a line
says ``statuslog``'s.
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

from mailbot.core.logs.decoding import CHUNK, FileKind, LogText, file_label, kind_of, pieces
from mailbot.core.logs.gunzip import Unpacking, gunzip

__all__ = ["LogText", "Unreadable", "open_logs"]

#: Caps over all attachments of one mail: bytes after unpacking, files in archives.
UNPACKED_MAX = 100_000_000
MEMBERS_MAX = 200
#: A file may unpack to RATIO_MAX times its size; what unpacks to at most RATIO_FREE bytes is no bomb.
RATIO_MAX = 200
RATIO_FREE = 4_000_000
#: A central directory of this size names thousands of files: more than any folder of logs.
_DIRECTORY_MAX = 500_000

BOMB = "it unpacks to far more than a log would"
DAMAGED = "it is damaged"
ENCRYPTED = "it is encrypted"
NESTED = "it is an archive inside an archive"
TOO_MANY = f"it holds more than {MEMBERS_MAX} files"
OUTSIDE = "its name leads out of its folder"
FOREIGN = "it is packed in a way that is not read here"
TWICE = "another file in the archive has the same name"
NO_LOG = "it holds no log"
_KIND = "it is an archive of a kind that is not read here, .zip and .gz are"
_WHY = {
    FileKind.ARCHIVE: _KIND,
    FileKind.ENCRYPTED: ENCRYPTED,
    FileKind.EXECUTABLE: "it is a program",
    FileKind.DOCUMENT: "it is a document, not a log",
    FileKind.BINARY: "it is not text",
    FileKind.PICTURE: "it is a picture, not a log",
    FileKind.EMPTY: "it is empty",
}
#: What to send instead, read after "Please send"; anything else: the log as a text file.
_INSTEAD = {
    BOMB: "the end of the log alone, at most 30 MB of it",
    DAMAGED: "the file once more, it came damaged",
    ENCRYPTED: "the log without a password",
    NESTED: "the log files in one .zip, not an archive inside another",
    TOO_MANY: "only the newest log files, in one .zip",
    OUTSIDE: "the log files in a new .zip, made from their own folder",
    FOREIGN: "the log as a plain .zip or .gz",
    TWICE: "the log files under different names",
    _KIND: "the log as a .zip or .gz, or as it is",
    _WHY[FileKind.EMPTY]: "the file once more, it came empty",
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
_ORNAMENTS = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")  # what file managers leave in archives


@dataclass(frozen=True)
class Unreadable:
    """Something attached that was kept with the mail but not read; ``why`` reads on after the name and a colon.

    ``attachment`` is the place, among what was to be opened, of what it is or lies in.
    """

    name: str
    why: str
    attachment: int

    @property
    def instead(self) -> str:
        """What the customer should send; reads on after "Please send"."""
        return _INSTEAD.get(
            self.why, "the log itself as a text file: .log, .txt or .json, packed as .zip or .gz or not"
        )


class _Over(Exception):  # noqa: N818 - no failure of ours: an archive goes beyond a cap
    """Says which cap."""


class _Bounded(io.BytesIO):
    """Zip data that refuses to hand out a central directory of millions of entries."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _DIRECTORY_MAX:
            raise _Over(TOO_MANY)
        return super().read(size)


class _Opening:
    """What one call of ``open_logs`` has found and spent so far."""

    def __init__(self) -> None:
        self.logs: list[LogText] = []
        self.unread: dict[tuple[int, str], list[str]] = {}  # (attachment, why): each is told once
        self.attachment = 0
        self.unpacked = 0
        self.members = 0
        self.names: set[str] = set()

    def called(self, name: str) -> str:
        """``name``, with a number where another file has it already, so that a line of it can be found."""
        number, free = 1, name
        while free in self.names:
            number += 1
            free = f"{name} ({number})"
        self.names.add(free)
        return free

    def refuse(self, name: str, why: str) -> None:
        self.unread.setdefault((self.attachment, why), []).append(name)

    def take(self, name: str, source: Callable[[], Unpacking], packed: int, *, in_zip: bool = False) -> None:
        """One packed file of ``packed`` bytes: what it is by its first bytes, then the walk under the caps.

        What log rotation has packed by itself (.gz) may lie in a zip; no other archive in an archive is opened.
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
            case kind:
                self.refuse(name, _WHY[kind])

    def spend(self, source: Unpacking, packed: int) -> bool:
        """Unpack once and keep nothing, so that reading can meet no surprise. Whether the end was reached."""
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

    def told(self) -> tuple[Unreadable, ...]:
        return tuple(
            Unreadable(names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more", why, attachment)
            for (attachment, why), names in self.unread.items()
        )


def open_logs(attachments: Sequence[tuple[str, bytes]]) -> tuple[tuple[LogText, ...], tuple[Unreadable, ...]]:
    """The texts in ``attachments`` ((name, decoded bytes) pairs), and what could not be read, each told once.

    Pictures, signatures and visiting cards are in neither: nobody means them as logs, unless by their name. The texts share the given bytes
    and are unpacked again each time they are read. Any bytes are accepted; a pasted log is ("mail", text.encode()).
    """
    opening = _Opening()
    for opening.attachment, (given, data) in enumerate(attachments):
        name = opening.called(file_label(given) or "attachment")
        try:
            _open(opening, name, data)
        except _Over as over:
            opening.refuse(name, str(over))
    return tuple(opening.logs), opening.told()


def may_hold_a_log(name: str, data: bytes) -> bool:
    """Whether an attachment could be meant as a log: not pictures, signatures and visiting cards, unless so named."""
    return named_like_a_log(name) or kind_of(data) not in (FileKind.PICTURE, FileKind.ORNAMENT)


def named_like_a_log(name: str) -> bool:
    """Whether the name claims that it is a log or an archive of logs."""
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
        case kind:
            opening.refuse(name, _WHY[kind])


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
            _open_member(opening, opening.called(inner), data, member)
        seen.add(member.filename)
    if before == (len(opening.logs), len(opening.unread)):
        opening.refuse(name, NO_LOG)


def _open_member(opening: _Opening, name: str, data: bytes, member: zipfile.ZipInfo) -> None:
    if member.filename.startswith(_ORNAMENTS) or member.filename.endswith(_ORNAMENTS):
        return
    if _LEADS_OUT.search(member.filename) or stat.S_ISLNK(member.external_attr >> 16):
        opening.refuse(name, OUTSIDE)
    elif member.flag_bits & 0x2041:  # encrypted, strongly encrypted, its directory too
        opening.refuse(name, ENCRYPTED)
    elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        opening.refuse(name, FOREIGN)  # LZMA may ask for gigabytes of dictionary
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
