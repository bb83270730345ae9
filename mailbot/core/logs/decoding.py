"""The kind of an unknown file by its content and, for text, its lines as a stream.

Holds only a few chunks in memory, whatever the size of the file or of its lines.
"""

import codecs
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from mailbot.core.logs.masking import visible_characters

CHUNK = 65_536  # bytes read at once
LINE_MAX = 65_536  # characters kept of a line; the rest of it is not read
_NAME_MAX = 150


class FileKind(Enum):
    """The kind of a file. Nobody means a PICTURE or an ORNAMENT (signature, business card) as a log."""

    TEXT = auto()
    ZIP = auto()
    GZIP = auto()
    ARCHIVE = auto()
    ENCRYPTED = auto()
    EXECUTABLE = auto()
    DOCUMENT = auto()
    PICTURE = auto()
    ORNAMENT = auto()
    BINARY = auto()
    EMPTY = auto()


_MAGIC = (
    (b"PK\x03\x04", FileKind.ZIP),
    (b"PK\x05\x06", FileKind.ZIP),
    (b"\x1f\x8b\x08", FileKind.GZIP),
    (b"7z\xbc\xaf\x27\x1c", FileKind.ARCHIVE),
    (b"Rar!\x1a\x07", FileKind.ARCHIVE),
    (b"\xfd7zXZ\x00", FileKind.ARCHIVE),
    (b"BZh", FileKind.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", FileKind.ARCHIVE),
    (b"MSCF", FileKind.ARCHIVE),
    (b"\x7fELF", FileKind.EXECUTABLE),
    (b"\xfe\xed\xfa", FileKind.EXECUTABLE),
    (b"\xcf\xfa\xed\xfe", FileKind.EXECUTABLE),
    (b"\xca\xfe\xba\xbe", FileKind.EXECUTABLE),
    (b"#!", FileKind.EXECUTABLE),
    (b"%PDF-", FileKind.DOCUMENT),
    (b"{\\rtf", FileKind.DOCUMENT),
    (b"\xd0\xcf\x11\xe0", FileKind.DOCUMENT),
    (b"\x89PNG", FileKind.PICTURE),
    (b"\xff\xd8\xff", FileKind.PICTURE),
    (b"GIF8", FileKind.PICTURE),
    (b"II*\x00", FileKind.PICTURE),
    (b"MM\x00*", FileKind.PICTURE),
    (b"\x00\x00\x01\x00", FileKind.PICTURE),
    (b"<svg", FileKind.PICTURE),
    (b"-----BEGIN PGP MESSAGE", FileKind.ENCRYPTED),
    (b"-----BEGIN PGP SIGNATURE", FileKind.ORNAMENT),
    (b"-----BEGIN PGP PUBLIC", FileKind.ORNAMENT),
    (b"BEGIN:VCARD", FileKind.ORNAMENT),
    (b"BEGIN:VCALENDAR", FileKind.ORNAMENT),
)
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")  # the CMS content type of smime.p7s, RFC 5652
_CONTROL = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class LogText:
    """A text file that may be a log. ``source()`` starts a new stream of its bytes; ``torn``: the end is missing."""

    name: str
    source: Callable[[], Iterator[bytes]]
    torn: bool = False

    def lines(self) -> Iterator[str]:
        """Yields lines without line ends (LF, CRLF or CR) and NUL, each at most LINE_MAX characters."""
        for block in self.blocks():
            for line in block.removesuffix("\n").split("\n"):
                yield line[:LINE_MAX]

    def blocks(self) -> Iterator[str]:
        """Yields blocks of whole lines with LF, so that most lines need not be looked at one by one."""
        return _blocks(_texts(self.source()))


def pieces(data: bytes) -> Iterator[bytes]:
    """``data`` in chunks."""
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]


def file_label(name: str) -> str:
    """A file name that is safe to show, at most 150 characters; a longer one keeps its end."""
    shown = " ".join(visible_characters(name[:1000]).split())
    return shown if len(shown) <= _NAME_MAX else "…" + shown[1 - _NAME_MAX :]


def kind_of(data: bytes) -> FileKind:
    """The kind of ``data`` by its first CHUNK bytes."""
    head = data[:CHUNK]
    start = head.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n")
    for magic, kind in _MAGIC:
        if start.startswith(magic) or head.startswith(magic):
            return kind
    if head[:2] == b"MZ" and 0 in head[:64]:
        return FileKind.EXECUTABLE
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return FileKind.PICTURE
    if head[:4] == b"RIFF":
        return FileKind.PICTURE if head[8:12] == b"WEBP" else FileKind.BINARY
    if head[4:8] == b"ftyp":
        return FileKind.PICTURE if head[8:12] in (b"heic", b"heix", b"mif1", b"avif") else FileKind.BINARY
    if head[:1] == b"\x30" and _SIGNED_DATA in head[:64]:
        return FileKind.ORNAMENT
    if head[257:262] == b"ustar":
        return FileKind.ARCHIVE
    return _text_or_not(head)


def _text_or_not(head: bytes) -> FileKind:
    text = "".join(_texts(iter((head,))))
    if not text.strip():
        return (
            FileKind.EMPTY if len(head) < CHUNK else FileKind.TEXT
        )  # a crash may leave zero bytes before the first line
    # Colour codes (ESC) and form feeds are common in logs; other control characters are not.
    return FileKind.BINARY if len(_CONTROL.findall(text)) * 20 > len(text) else FileKind.TEXT


def _encoding(head: bytes) -> str:
    """The encoding by byte order mark, else by zero bytes: in UTF-16 every second byte is mostly zero."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    sample = head[:4096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = max(1, len(sample) // 2)
    if odd > half * 0.3 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.3 and odd < half * 0.05:
        return "utf-16-be"
    return "utf-8"


def _texts(source: Iterator[bytes]) -> Iterator[str]:
    head = next(source, b"")
    name = _encoding(head)
    decoded = _mixed(head, source) if name.startswith("utf-8") else _wide(head, source, name)
    for text in decoded:
        yield text.replace("\0", "")


def _wide(head: bytes, source: Iterator[bytes], name: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(name)("replace")
    yield decoder.decode(head)
    for chunk in source:
        yield decoder.decode(chunk)


def _mixed(head: bytes, source: Iterator[bytes]) -> Iterator[str]:
    """Decodes UTF-8, and as windows-1252 each line that is not valid UTF-8: logs mix them."""
    rest = head.removeprefix(codecs.BOM_UTF8)
    for chunk in source:
        cut = rest.rfind(b"\n") + 1 or max(0, len(rest) - 3)  # never cut a character, even in an endless line
        yield _narrow(rest[:cut])
        rest = rest[cut:] + chunk
    yield _narrow(rest)


def _narrow(block: bytes) -> str:
    try:
        return block.decode("utf-8")
    except UnicodeDecodeError:
        return "\n".join(_one_line(line) for line in block.split(b"\n"))


def _one_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("windows-1252", "replace")


def _blocks(texts: Iterator[str]) -> Iterator[str]:
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    pending = ""
    for text in texts:
        whole, end, rest = newlines.decode(text).rpartition("\n")
        if not end:
            pending = (pending + rest)[:LINE_MAX]
            continue
        yield pending + whole + end
        pending = rest[:LINE_MAX]
    if pending:
        yield pending
