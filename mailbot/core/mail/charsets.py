"""Bytes of a body to text: character sets, format=flowed, encoded words. HTML is read by ``html``."""

import binascii
import codecs
import re

__all__ = ["decode", "decoded_header", "tidy", "unbase64", "unflow"]

#: What senders write and what they mean by it: smaller names of larger sets, as browsers read them.
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
#: Codecs of Python that are no character sets of mail; some of them take quadratic time.
_NEVER = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
#: In these any bytes are letters, so that a wrong label does not show.
_ONE_BYTE = frozenset({"cp1252", "cp1254", "iso8859-1", "iso8859-15", "cp1250", "iso8859-2"})
_UNSAID = frozenset({"", "us-ascii", "ascii"})
_CHARSET = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
_WORD = re.compile(r"=\?([A-Za-z0-9_.:-]{1,40})(?:\*[A-Za-z0-9-]{1,20})?\?([QqBb])\?([^?]{0,2000})\?=")
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_LONGEST_FIELD = 8192


def decode(data: bytes, charset: str | None) -> tuple[str, str | None]:
    """The text in ``data``, and what was wrong with its label (None = nothing).

    The declared set is taken where it fits, else UTF-8 where that fits, else windows-1252, in which anything fits. UTF-8
    that is labelled as a western one-byte set is read as UTF-8.
    A byte order mark beats the label. Line ends come back as LF; NUL and broken surrogates do not come back.
    """
    label = (charset or "").strip().strip("'\"").lower()
    codec = _marked(data) or _codec(label, data)
    if codec in _ONE_BYTE and _is_utf8(data):
        codec = ""  # text of a one-byte set that is good UTF-8 by chance does not happen
    if codec:
        try:
            return tidy(data.decode(codec)), None
        except (ValueError, LookupError):
            pass  # wrong label: see below
    defect = None if label in _UNSAID and data.isascii() else _complaint(label)
    try:
        return tidy(data.decode("utf-8-sig")), defect
    except UnicodeDecodeError:
        return tidy(data.decode("windows-1252", "replace")), defect


def _is_utf8(data: bytes) -> bool:
    """Whether data has letters beyond ASCII, and all of them are good UTF-8."""
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
    """The codec of Python for a label of a mail, "" if there is none that fits ``data`` at first sight."""
    if label in _UNSAID or not _CHARSET.fullmatch(label):
        return ""
    try:
        codec = codecs.lookup(_MEANT.get(label, label)).name
    except (LookupError, ValueError):
        return ""
    if codec in ("utf-16", "utf-32"):
        if b"\0" not in data[:4096]:
            return ""  # no text of a mail is without one ASCII letter
        first = data[:4096]
        return codec + ("-be" if first[0::2].count(0) > first[1::2].count(0) else "-le")
    return "" if codec in _NEVER else codec


def tidy(text: str) -> str:
    """``text`` with LF line ends, without NUL, and such that it can be encoded again."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:  # utf-7 and a few others let halves of surrogate pairs through
        text = text.encode("utf-8", "replace").decode()
    return text


def unflow(text: str, delsp: bool) -> str:
    """The paragraphs of a format=flowed text, each on one line (RFC 3676 section 4); quote marks stay.

    ``delsp``: the space that marks a soft line break is no part of the text.
    """
    paragraphs: list[list[str]] = []
    open_depth = -1  # quote depth of a paragraph that goes on
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


def decoded_header(value: str) -> str:
    """A header's value with its encoded words (RFC 2047) decoded; what is no proper word stays as it is.

    Pieces of one character that were cut over two words are joined first. Not cleaned: see ``base.characters``.
    """
    value = value[:_LONGEST_FIELD]
    shown: list[str] = []
    run, run_charset, end = b"", "", 0
    for word in _WORD.finditer(value):
        between = value[end : word.start()]
        data = _word_bytes(word[2].lower(), word[3])
        if run and (between.strip() or run_charset != word[1].lower()):
            shown.append(decode(run, run_charset)[0])
            run = b""
        if between.strip() or not end:
            shown.append(between)
        run, run_charset, end = run + data, word[1].lower(), word.end()
    shown.append(decode(run, run_charset)[0])
    return "".join(shown) + value[end:]


def _word_bytes(encoding: str, content: str) -> bytes:
    data = content.encode("utf-8", "replace")
    return binascii.a2b_qp(data, header=True) if encoding == "q" else unbase64(data)


def unbase64(data: bytes) -> bytes:
    """Base64 undone; signs that do not belong there are passed over, of a damaged end what is whole counts."""
    try:
        return binascii.a2b_base64(data + b"==")
    except binascii.Error:  # one sign too many or too few
        kept = _NO_BASE64.sub(b"", data)
        return binascii.a2b_base64(kept[: len(kept) // 4 * 4] + b"==")
