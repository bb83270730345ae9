"""Colours of HTML mails: whether text can be told from its background."""

import colorsys
import re
from collections.abc import Sequence

#: Names of nearly white colours, and black; any other name is distinct from all of them.
_NAMES = {
    "white": "#ffffff", "black": "#000000", "snow": "#fffafa", "ivory": "#fffff0", "ghostwhite": "#f8f8ff",
    "mintcream": "#f5fffa", "azure": "#f0ffff", "canvas": "#ffffff", "window": "#ffffff", "background": "#ffffff",
    "field": "#ffffff", "whitesmoke": "#f5f5f5", "seashell": "#fff5ee", "floralwhite": "#fffaf0", "lavenderblush": "#fff0f5",
    "aliceblue": "#f0f8ff", "honeydew": "#f0fff0", "oldlace": "#fdf5e6", "linen": "#faf0e6", "cornsilk": "#fff8dc",
    "lightyellow": "#ffffe0", "lightcyan": "#e0ffff", "beige": "#f5f5dc", "lemonchiffon": "#fffacd", "papayawhip": "#ffefd5",
    "lavender": "#e6e6fa", "antiquewhite": "#faebd7", "mistyrose": "#ffe4e1", "lightgoldenrodyellow": "#fafad2",
}  # fmt: skip
_SAME, _LOW = 16, 80  # distances below these; 765 is that of black and white
_MIN_ALPHA = 0.05  # less counts as transparent
_HEX = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_FULL = re.compile("#[0-9a-f]{6}")
_FUNCTION = re.compile(r"(rgb|hsl)a?\(([^()]{1,80})\)")
_PARTS = re.compile(r"[ ,/]+")


def indistinguishable(ink: str | None, ground: str | None) -> bool:
    """Whether text in ``ink`` on ``ground`` cannot be seen; both from ``parse_colour``, None if unknown."""
    if ink is None or ink == "transparent" or ground is None:
        return ink == "transparent"
    if not (_FULL.fullmatch(ink) and _FULL.fullmatch(ground)):
        return ink == ground
    return _distance(ink, ground) < _SAME


def low_contrast(ink: str, ground: str | None) -> bool:
    """Whether text in ``ink`` on ``ground`` is hard to see; on a picture (None) it may be."""
    return ground is None or (bool(_FULL.fullmatch(ink) and _FULL.fullmatch(ground)) and _distance(ink, ground) < _LOW)


def _distance(ink: str, ground: str) -> int:
    return sum(abs(a - b) for a, b in zip(bytes.fromhex(ink[1:]), bytes.fromhex(ground[1:]), strict=True))


def parse_colour(text: str) -> str:
    """``#rrggbb``, ``transparent``, or the value itself if it is not understood."""
    text = text.strip().lower()
    text = _NAMES.get(text, text)
    if _HEX.fullmatch(text):
        return _of_hex(text[1:])
    found = _FUNCTION.fullmatch(text)
    parts = _PARTS.split(found[2].strip()) if found else []
    if found and len(parts) in (3, 4):
        try:
            return _of_parts(found[1], parts)
        except ValueError:
            return text
    return text


def _of_hex(digits: str) -> str:
    if len(digits) in (3, 4):
        digits = "".join(2 * digit for digit in digits)
    alpha = int(digits[6:] or "ff", 16) / 255
    return "transparent" if alpha < _MIN_ALPHA else _over_white([one / 255 for one in bytes.fromhex(digits[:6])], alpha)


def _over_white(strengths: Sequence[float], alpha: float) -> str:
    """A colour of that opacity over white."""
    return "#" + "".join(f"{round(255 * (1 - alpha * (1 - strength))):02x}" for strength in strengths)


def _of_parts(function: str, parts: list[str]) -> str:
    alpha = _fraction(parts[3], 1) if len(parts) > 3 else 1.0
    if alpha < _MIN_ALPHA:
        return "transparent"
    if function == "hsl":
        hue = float(re.sub("[a-z]+$", "", parts[0])) / 360
        strengths = colorsys.hls_to_rgb(hue, _fraction(parts[2], 100), _fraction(parts[1], 100))
    else:
        strengths = (_fraction(parts[0], 255), _fraction(parts[1], 255), _fraction(parts[2], 255))
    return _over_white(strengths, alpha)


def _fraction(part: str, of: float) -> float:
    """A number or a percentage, from 0 to 1. Raises ValueError."""
    value = float(part[:-1]) / 100 if part.endswith("%") else float(part) / of
    return min(max(value, 0.0), 1.0) if value == value else 0.0  # not for NaN
