"""From bytes to text: character sets, format=flowed, encoded words, base64. HTML is read in ``mail.html``."""

import binascii
import codecs
import re

__all__ = ["decode_base64", "decode_header", "decode_text", "normalised", "unwrap_flowed"]

#: Labels that senders use for a larger set than the one named; the WHATWG encoding standard reads them so, too.
_MEANT = {
    "iso-8859-1": "windows-1252",
    "latin1": "windows-1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-9": "windows-1254",
    "tis-620": "cp874",
}
#: Python codecs that are not character sets of mail; some take quadratic time.
_NEVER = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
#: Any bytes decode in these sets, so a wrong label does not show.
_ONE_BYTE = frozenset({"cp1252", "cp1254", "iso8859-1", "iso8859-15", "cp1250", "iso8859-2"})
_UNSAID = frozenset({"", "us-ascii", "ascii"})
_CHARSET = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
_WORD = re.compile(r"=\?([A-Za-z0-9_.:-]{1,40})(?:\*[A-Za-z0-9-]{1,20})?\?([QqBb])\?([^?]{0,2000})\?=")
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_LONGEST_FIELD = 8192


def decode_text(data: bytes, charset: str | None) -> tuple[str, str | None]:
    """The text in ``data``, ``normalised``; and what is wrong with its label (None: nothing).

    The declared set if ``data`` is valid in it, else UTF-8 if valid, else windows-1252, which decodes anything. A byte
    order mark overrides the label, and valid UTF-8 overrides the label of a western one-byte set.
    """
    label = (charset or "").strip().strip("'\"").lower()
    codec = _marked(data) or _codec(label, data)
    if codec in _ONE_BYTE and _is_utf8(data):
        codec = ""  # text of a one-byte set is never valid UTF-8 by chance
    if codec:
        try:
            return normalised(data.decode(codec)), None
        except (ValueError, LookupError):
            pass  # wrong label
    defect = None if label in _UNSAID and data.isascii() else _complaint(label)
    try:
        return normalised(data.decode("utf-8-sig")), defect
    except UnicodeDecodeError:
        return normalised(data.decode("windows-1252", "replace")), defect


def _is_utf8(data: bytes) -> bool:
    """Whether ``data`` is valid UTF-8 and not ASCII."""
    if data.isascii():
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _complaint(label: str) -> str:
    if label in _UNSAID:
        return "the text names no character set"
    return f"the text is not in the character set that it names: {label[:40]!a}"


def _marked(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else ""


def _codec(label: str, data: bytes) -> str:
    """The Python codec for a label; "" if there is none that can fit ``data``."""
    if label in _UNSAID or not _CHARSET.fullmatch(label):
        return ""
    try:
        codec = codecs.lookup(_MEANT.get(label, label)).name
    except (LookupError, ValueError):
        return ""
    if codec in ("utf-16", "utf-32"):
        if b"\0" not in data[:4096]:
            return ""  # text without any ASCII character does not occur
        first = data[:4096]
        return codec + ("-be" if first[0::2].count(0) > first[1::2].count(0) else "-le")
    return "" if codec in _NEVER else codec


def normalised(text: str) -> str:
    """``text`` with LF line ends, without NUL, and without lone surrogates, so that it can be encoded again."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:  # utf-7 and a few other codecs return lone surrogates
        text = text.encode("utf-8", "replace").decode()
    return text


def unwrap_flowed(text: str, delsp: bool) -> str:
    """A format=flowed text with each paragraph on one line (RFC 3676 section 4); quote marks stay.

    ``delsp``: the space before a soft line break is not part of the text.
    """
    paragraphs: list[list[str]] = []
    open_depth = -1  # quote depth of the paragraph that continues; -1: none does
    for line in text.split("\n"):
        rest = line.lstrip(">")
        depth = len(line) - len(rest)
        rest = rest.removeprefix(" ")
        soft = rest.endswith(" ") and rest != "-- "
        if depth != open_depth or rest == "-- ":
            paragraphs.append([">" * depth + " "] if depth else [])
        paragraphs[-1].append(rest[:-1] if soft and delsp else rest)
        open_depth = depth if soft else -1
    return "\n".join("".join(pieces) for pieces in paragraphs)


def decode_header(value: str) -> str:
    """A header field with its encoded words (RFC 2047) decoded; malformed ones stay as they are.

    A character split over two adjacent words is joined first. The result is not safe to show: see ``base.characters``.
    """
    value = value[:_LONGEST_FIELD]
    shown: list[str] = []
    run, run_charset, end = b"", "", 0
    for word in _WORD.finditer(value):
        between = value[end : word.start()]
        data = _word_bytes(word[2].lower(), word[3])
        if run and (between.strip() or run_charset != word[1].lower()):
            shown.append(decode_text(run, run_charset)[0])
            run = b""
        if between.strip() or not end:
            shown.append(between)
        run, run_charset, end = run + data, word[1].lower(), word.end()
    shown.append(decode_text(run, run_charset)[0])
    return "".join(shown) + value[end:]


def _word_bytes(encoding: str, content: str) -> bytes:
    data = content.encode("utf-8", "replace")
    return binascii.a2b_qp(data, header=True) if encoding == "q" else decode_base64(data)


def decode_base64(data: bytes) -> bytes:
    """Decoded base64. Foreign characters are skipped, and an incomplete group at the end is dropped. Never raises."""
    try:
        return binascii.a2b_base64(data + b"==")
    except binascii.Error:  # a character too many or too few
        kept = _NO_BASE64.sub(b"", data)
        return binascii.a2b_base64(kept[: len(kept) // 4 * 4] + b"==")
