"""``winmail.dat``: text and files in Outlook's TNEF (MS-OXTNEF), in linear time whatever its counts claim.

tnefparse is not used: it copies the rest of the file for each attribute and believes a count of 4 billion properties.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from mailbot.core.mail.charsets import decode_text

_SIGNATURE = 0x223E9F78
_FIXED = {0x0: 0, 0x1: 0, 0x2: 4, 0x3: 4, 0x4: 4, 0x5: 8, 0x6: 8, 0x7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_OBJECT, _STRING, _UNICODE, _BINARY = 0x0D, 0x1E, 0x1F, 0x102
_VARIABLE = frozenset({_OBJECT, _STRING, _UNICODE, _BINARY})
_MULTIPLE, _NAMED = 0x1000, 0x8000
_MAX_COUNT = 5000  # attributes of a file, properties of an attribute, values of a property


@dataclass(frozen=True)
class TnefContents:
    """``text`` ("" if none; markup if ``html``), ``files`` as (name, bytes), and a ``defect`` if something could not be read."""

    text: str = ""
    html: bool = False
    files: tuple[tuple[str, bytes], ...] = ()
    defect: str | None = None


def read_tnef(data: bytes) -> TnefContents:
    """The contents of a ``winmail.dat`` up to the first damage. Never raises."""
    reading = _Reading()
    try:
        for attribute, value in _attributes(data):
            reading.take(attribute, value)
    except (struct.error, ValueError):
        reading.defect = "winmail.dat is damaged"
    return reading.result()


class _Reading:
    """What has been read so far."""

    def __init__(self) -> None:
        self.codepage, self.html_codepage = "windows-1252", ""
        self.plain, self.html, self.rtf = "", b"", False
        self.files: list[tuple[str, bytes]] = []
        self.defect: str | None = None

    def take(self, attribute: int, value: bytes) -> None:
        match attribute:
            case 0x9007:  # attOemCodepage
                self.codepage = f"cp{struct.unpack_from('<I', value)[0]}"
            case 0x800C:  # attBody
                self.plain = decode_text(value, self.codepage)[0]
            case 0x9003:  # attMsgProps
                self.properties(value)
            case 0x9002:  # attAttachRendData, the first attribute of each attachment
                self.files.append(("", b""))
            case 0x8010:  # attAttachTitle
                self.file(name=decode_text(value, self.codepage)[0])
            case 0x800F:  # attAttachData
                self.file(data=value)
            case 0x9005:  # attAttachment
                self.attachment_properties(value)

    def properties(self, value: bytes) -> None:
        for key, kind, content in _properties(value):
            if key == 0x1000:  # PidTagBody
                self.plain = self.string(kind, content)
            elif key == 0x1013:  # PidTagHtml
                self.html = content
            elif key == 0x1009:  # PidTagRtfCompressed
                self.rtf = True
            elif key == 0x3FDE:  # PidTagInternetCodepage
                self.html_codepage = f"cp{struct.unpack_from('<I', content)[0]}"

    def attachment_properties(self, value: bytes) -> None:
        for key, kind, content in _properties(value):
            if key == 0x3707:  # PidTagAttachLongFilename
                self.file(name=self.string(kind, content))
            elif key == 0x3701:  # PidTagAttachDataBinary; an object follows 16 bytes of interface id
                self.file(data=content[16:] if kind == _OBJECT else content)

    def file(self, name: str | None = None, data: bytes | None = None) -> None:
        if self.files:
            old_name, old_data = self.files[-1]
            self.files[-1] = (old_name if name is None else name, old_data if data is None else data)

    def string(self, kind: int, content: bytes) -> str:
        return decode_text(content, "utf-16-le" if kind == _UNICODE else self.codepage)[0]

    def result(self) -> TnefContents:
        text, html = self.plain, False
        if not text.strip() and self.html:
            text, html = decode_text(self.html, self.html_codepage or self.codepage)[0], True
        defect = self.defect
        if not text.strip() and self.rtf and not defect:
            defect = "winmail.dat holds its text as RTF only"
        return TnefContents(text, html, tuple(self.files), defect)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(identifier, value) of each attribute (MS-OXTNEF section 2.1.3.2)."""
    if struct.unpack_from("<I", data)[0] != _SIGNATURE:
        raise ValueError
    at = 6
    for _ in range(_MAX_COUNT):
        if at + 11 > len(data):
            return
        _, identifier, _, length = struct.unpack_from("<BHHI", data, at)
        if at + 9 + length > len(data):
            raise ValueError
        yield identifier, data[at + 9 : at + 9 + length]
        at += 11 + length
    raise ValueError


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(identifier, type, first value) of each property (MS-OXTNEF section 2.1.3.4)."""
    (count,), at = struct.unpack_from("<I", data), 4
    for _ in range(min(count, _MAX_COUNT)):
        kind, key = struct.unpack_from("<HH", data, at)
        at += 4
        if key >= _NAMED:
            at = _after_name(data, at)
        single = kind & ~_MULTIPLE
        size = _FIXED.get(single)
        values = 1
        if kind & _MULTIPLE or single in _VARIABLE:
            (values,) = struct.unpack_from("<I", data, at)
            at += 4
        if values > _MAX_COUNT or (size is None and single not in _VARIABLE):
            raise ValueError
        first = None
        for _ in range(values):
            length = size
            if length is None:
                (length,) = struct.unpack_from("<I", data, at)
                at += 4
            if at + length > len(data):
                raise ValueError
            first = data[at : at + length] if first is None else first
            at += length + -length % 4
        yield key, single, first or b""


def _after_name(data: bytes, at: int) -> int:
    (by_string,) = struct.unpack_from("<I", data, at + 16)
    if not by_string:
        return at + 24
    (length,) = struct.unpack_from("<I", data, at + 20)
    return int(at + 24 + length + -length % 4)
