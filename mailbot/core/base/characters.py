"""The one policy for characters in text from outside: which ones are never shown, and what replaces them.

Every code point is visible or in exactly one of four sets. ``single_line`` and ``multi_line`` make text safe to show and
to send, ``without_invisible`` prepares text for reading, and ``escaped`` keeps hidden characters as evidence.
"""

import re
from collections.abc import Callable

_Ranges = tuple[tuple[int, int], ...]

_STEERING: _Ranges = (
    *((0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F)),  # C0 and C1 controls
    *((0x202A, 0x202E), (0x2066, 0x2069)),  # embeddings, overrides and isolates
)
_INVISIBLE: _Ranges = (
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x180E, 0x180E), (0x200B, 0x200F), (0x2060, 0x2065), (0x206A, 0x206F)),
    *((0x115F, 0x1160), (0x17B4, 0x17B5), (0x3164, 0x3164), (0xFFA0, 0xFFA0)),  # letters without a shape
    *((0xFEFF, 0xFEFF), (0xFFF0, 0xFFFB), (0xE0000, 0xE00FF), (0xE01F0, 0xE0FFF)),  # byte order mark, annotations, tags
    *((0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)),  # controls of hieroglyphs, shorthand and music
    (0xD800, 0xDFFF),  # lone surrogates
    *((0xFDD0, 0xFDEF), *((plane | 0xFFFE, plane | 0xFFFF) for plane in range(0, 0x110000, 0x10000))),  # noncharacters
)  # fmt: skip
_SEPARATING: _Ranges = (
    *((0x09, 0x0D), (0x1C, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029)),
    *((0x202F, 0x202F), (0x205F, 0x205F), (0x2800, 0x2800), (0x3000, 0x3000)),
)
_SELECTING: _Ranges = ((0x180B, 0x180D), (0x180F, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))


def _set(ranges: _Ranges) -> frozenset[str]:
    return frozenset(chr(code) for first, last in ranges for code in range(first, last + 1))


def _class(ranges: _Ranges) -> str:
    """The ranges as the inside of a character class of ``re``."""
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


#: Control characters that steer a terminal, and bidirectional controls that reorder text. Removed.
STEERING = _set(_STEERING)
#: Characters without width or ink, lone surrogates and noncharacters. Removed.
INVISIBLE = _set(_INVISIBLE)
#: Invisible characters that copied text may have around a word.
INVISIBLE_AROUND = "".join(sorted(char for char in INVISIBLE if char < "\ud800" or char in "\ufeff\uffa0"))
#: Line and paragraph separators and spaces of all kinds. They become a line end or a plain space.
SEPARATING = _set(_SEPARATING)
#: Variation selectors. Kept directly after a visible character that can have variants, removed elsewhere.
SELECTING = _set(_SELECTING)

#: Characters without variants: ASCII except the bases of keycaps, and all that are not visible.
_NO_BASE = r"\x00-\x22\x24-\x29\x2b-\x2f\x3a-\x7f" + _class((*_STEERING, *_INVISIBLE, *_SEPARATING, *_SELECTING))
_SELECTED = f"[^{_NO_BASE}][{_class(_SELECTING)}]"


def _hidden(ranges: _Ranges) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns for the characters in ``ranges`` and stray variation selectors: those up to U+FFFF, those beyond.

    ``re`` compiles a class to a bitmap only if all of it is below U+10000; otherwise it is several times slower.
    """
    every = (*ranges, *_SELECTING)
    planes = [one for one in every if one[1] <= 0xFFFF], [one for one in every if one[0] > 0xFFFF]
    basic, others = (re.compile(f"[{_class(tuple(plane))}](?<!{_SELECTED})") for plane in planes)
    return basic, others


_UNSEEN = _hidden(_INVISIBLE)
_REMOVED = _hidden((*_STEERING, *_INVISIBLE))
_UNSAFE = _hidden((*_STEERING, *_INVISIBLE, (0x85, 0x85), (0x2028, 0x2029)))
_BEYOND_BASIC = re.compile("[\U00010000-\U0010ffff]")
_LINE_END = re.compile("[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_SPACE = re.compile("[\x1f\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000]")
_ASCII_REMOVED = dict.fromkeys([ord(char) for char in STEERING if char.isascii()])


def single_line(text: str, limit: int = 150) -> str:
    """``text`` on one line, safe in headers, subjects, file names, log values and terminals, at most ``limit`` characters.

    Separators become single spaces, none at the ends. ``=?`` is pulled apart, so that no encoded word (RFC 2047) is
    left for a later decoder. Only the first 8 * ``limit`` + 64 characters are considered.
    """
    text = text[: limit * 8 + 64]
    if not (text.isascii() and text.isprintable()):
        text = _visible(text)
    return " ".join(text.replace("=?", "= ?").split())[:limit].rstrip()


def multi_line(text: str, limit: int | None = None) -> str:
    """``text`` of several lines, safe in the body of a mail and on a terminal, at most ``limit`` characters.

    Line ends of all kinds become LF; tabs stay, other spaces become plain ones.
    """
    return _visible(text if limit is None else text[:limit])


def without_invisible(text: str) -> str:
    """``text`` without invisible characters and stray variation selectors, for reading labels and decisions.

    Steering characters stay: text shown in another order than written must not pass for a decision. Tokens are not read
    this way: one with an invisible character inside is a fault.
    """
    return text if text.isascii() else _replaced(_UNSEEN, "", text)


def escaped(text: str, escape: Callable[[str], str]) -> str:
    """``text`` with each hidden character and Unicode line separator replaced by ``escape`` of it. LF and tabs stay."""
    return _replaced(_UNSAFE, lambda found: escape(found[0]), text)


def _visible(text: str) -> str:
    text = _LINE_END.sub("\n", text.replace("\r\n", "\n"))
    if text.isascii():
        return text.translate(_ASCII_REMOVED).replace("\x1f", " ")
    return _replaced(_REMOVED, "", _SPACE.sub(" ", text))


def _replaced(
    hidden: tuple[re.Pattern[str], re.Pattern[str]], by: str | Callable[[re.Match[str]], str], text: str
) -> str:
    basic, others = hidden
    if _BEYOND_BASIC.search(text):
        text = others.sub(by, text)
    return basic.sub(by, text)
