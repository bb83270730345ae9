"""From raw bytes to MIME parts: header fields, sections between boundaries, transfer encodings. Line ends must be LF.

The standard library reads header blocks. Sections are found by searching for the boundary in the raw bytes: the
standard parser goes line by line through 30 MB of base64 and recurses on nesting. Text is decoded in ``mail.body``.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message as StandardPart
from email.parser import BytesHeaderParser
from functools import cached_property

from mailbot.core.base.characters import single_line
from mailbot.core.mail.charsets import decode_base64, decode_header
from mailbot.core.mail.html.tokenizer import MAX_TAGS, OverCap

Fields = tuple[tuple[str, str], ...]

_FIELD_START = re.compile(rb"^[^ \t\n]", re.M)
_NO_FIELD = re.compile(rb"^(?![!-9;-~]*:|[ \t])", re.M)
#: Parameters of a longer field are not read: the standard library takes quadratic time.
_LONGEST_PARAMETERS, _MOST_PARAMETERS = 8192, 200
_PARAMETER_FIELDS = ("content-type", "content-disposition")


@dataclass(frozen=True)
class Caps:
    """Limits of a mail that is read; one beyond them is set aside unread. Checked on the raw bytes where possible."""

    raw_mb: int = 45
    header_bytes: int = 256 * 1024
    fields: int = 1000
    addresses: int = 200
    parts: int = 200
    depth: int = 20
    tags: int = MAX_TAGS
    text_chars: int = 2 * 1024 * 1024
    text_lines: int = 20_000


@dataclass
class Budget:
    """What one mail and all that is attached to it have used of the caps. Each method raises OverCap beyond them."""

    caps: Caps
    parts: int = 0
    header_bytes: int = 0
    tags: int = 0
    chars: int = 0
    lines: int = 0

    def count_part(self, depth: int) -> None:
        """Counts one part that is nested ``depth`` deep."""
        self.parts += 1
        if self.parts > self.caps.parts:
            raise OverCap(f"more than {self.caps.parts} parts")
        if depth > self.caps.depth:
            raise OverCap(f"parts nested deeper than {self.caps.depth}")

    def count_header(self, block: bytes) -> None:
        """Counts the header of one part."""
        if len(block) > self.caps.header_bytes:
            raise OverCap(f"more than {self.caps.header_bytes // 1024} KiB of header")
        if sum(1 for _ in _FIELD_START.finditer(block)) > self.caps.fields:
            raise OverCap(f"more than {self.caps.fields} header fields")
        self.header_bytes += len(block)
        if self.header_bytes > 4 * self.caps.header_bytes:
            raise OverCap(f"more than {4 * self.caps.header_bytes // 1024} KiB of header in all parts")

    def count_tags(self, html: str) -> None:
        """Counts tags: in a page too large to build, hidden text could not be told."""
        self.tags += html.count("<")
        if self.tags > self.caps.tags:
            raise OverCap(f"more than {self.caps.tags} tags of HTML")

    def count_text(self, text: str) -> None:
        """Counts text that a person sees. It is never cut: what follows might change its meaning."""
        self.chars += len(text)
        if self.chars > self.caps.text_chars:
            raise OverCap(f"more than {self.caps.text_chars} characters of text")
        self.lines += len(text.splitlines())
        if self.lines > self.caps.text_lines:
            raise OverCap(f"more than {self.caps.text_lines} lines of text")


@dataclass(frozen=True)
class Part:
    """One part: its header ``raw[begin:start]``, parsed into ``fields``; its body ``raw[start:end]``, still transfer encoded."""

    raw: bytes
    begin: int
    start: int
    end: int
    fields: Fields
    default_type: str = "text/plain"
    headless: bool = False  # the header ended without a blank line

    @cached_property
    def _standard(self) -> StandardPart:
        part = StandardPart()
        part.set_default_type(self.default_type)
        for name, value in self.fields:
            short = len(value) <= _LONGEST_PARAMETERS and value.count(";") <= _MOST_PARAMETERS
            if name.lower() in _PARAMETER_FIELDS and name not in part and short:
                part[name] = value.replace("\r", " ")
        return part

    @cached_property
    def kind(self) -> str:
        """The media type in lower case, such as ``text/plain``."""
        try:
            return self._standard.get_content_type()
        except Exception:
            return "application/octet-stream"

    @cached_property
    def disposition(self) -> str:
        """The disposition in lower case, such as attachment or inline; "" if none is given."""
        return first_field(self.fields, "content-disposition").partition(";")[0].strip().lower()

    def parameter(self, name: str, header: str = "content-type") -> str:
        """A parameter of a header field, RFC 2231 decoded; "" if it is absent or unreadable."""
        try:
            found = self._standard.get_param(name, "", header)
            if isinstance(found, tuple):
                charset, _, text = found
                return text.encode("latin-1", "replace").decode(charset or "utf-8", "replace")
            return str(found)
        except Exception:
            return ""

    @cached_property
    def name(self) -> str:
        """The file name that the sender gave, without folders, as ``single_line`` shows it; "" if none."""
        name = self.parameter("filename", "content-disposition") or self.parameter("name")
        return single_line(decode_header(name).replace("\\", "/").rstrip("/").rpartition("/")[2])

    def content(self) -> bytes:
        """The body, transfer decoded (RFC 2045 section 6). Damage is skipped; never raises."""
        data = self.raw[self.start : self.end]
        match first_field(self.fields, "content-transfer-encoding").strip().strip('"').lower():
            case "base64":
                return decode_base64(data)
            case "quoted-printable":
                return binascii.a2b_qp(data)
            case _:
                return data

    @property
    def boundary(self) -> bytes:
        """The boundary of a multipart; b"" if none is given."""
        return self.parameter("boundary").rstrip().encode("utf-8", "replace")

    @property
    def closed(self) -> bool:
        """Whether a multipart has its closing boundary; without it the mail may be truncated."""
        return self.raw.rfind(b"\n--" + self.boundary + b"--", max(self.start - 1, 0), self.end) >= 0

    def sections(self) -> Iterator[tuple[int, int]]:
        """(start, end) in ``raw`` of each section of a multipart (RFC 2046 section 5.1); none without a boundary."""
        boundary = self.boundary
        if not boundary or self.start == 0:
            return
        mark = re.compile(rb"\n--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\n|\Z)")
        begun = -1
        for found in mark.finditer(self.raw, self.start - 1, self.end):
            if 0 <= begun < found.start():
                yield begun, found.start()
            begun = found.end() + 1
            if found[1]:
                return
        if 0 <= begun < self.end:
            yield begun, self.end


def first_field(fields: Fields, name: str) -> str:
    """The first value of the header field ``name`` (in lower case); "" if there is none."""
    return next((value for key, value in fields if key.lower() == name), "")


def read_part(raw: bytes, start: int, end: int, budget: Budget, default_type: str = "text/plain") -> Part:
    """The part in ``raw[start:end]``. Raises OverCap if its header exceeds the budget."""
    if raw.startswith(b"\n", start, end) or start >= end:
        return Part(raw, start, min(start + 1, end), end, (), default_type)
    blank = raw.find(b"\n\n", start, end)
    after = end if blank < 0 else blank + 1
    budget.count_header(raw[start:after])
    no_field = _NO_FIELD.search(
        raw, raw.find(b"\n", start, after) + 1 if raw.startswith(b"From ", start) else start, after
    )
    headless = no_field is not None and no_field.start() < after
    body = no_field.start() if no_field and headless else min(after + 1, end)
    standard = BytesHeaderParser().parsebytes(raw[start : min(body, after)].replace(b"\r", b" "))
    return Part(raw, start, body, end, tuple(map(_field, standard.raw_items())), default_type, headless)


def _field(item: tuple[str, object]) -> tuple[str, str]:
    name, value = item
    data = str(value).encode("ascii", "surrogateescape")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("windows-1252", "replace")
    return name, text.replace("\n", "").replace("\0", "\ufffd").strip(" \t")
