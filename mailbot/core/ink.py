"""Colours of HTML mails, as far as one has to tell whether text stands out from what is behind it."""

import colorsys
import re

#: Names that are nearly white, or black; any other name is a colour of its own.
_NAMES = {
    "white": "#ffffff", "black": "#000000", "snow": "#fffafa", "ivory": "#fffff0", "ghostwhite": "#f8f8ff",
    "mintcream": "#f5fffa", "azure": "#f0ffff", "canvas": "#ffffff", "window": "#ffffff", "background": "#ffffff",
}  # fmt: skip
_NEAR = 16  # of the 765 between black and white
_FAINT = 0.05  # less of a colour is none
_HEX = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_FULL = re.compile("#[0-9a-f]{6}")
_FUNCTION = re.compile(r"(rgb|hsl)a?\(([^()]{1,80})\)")
_PARTS = re.compile(r"[ ,/]+")


def alike(ink: str | None, ground: str | None) -> bool:
    """Whether no eye tells the two apart, as ``colour`` gives them; None: not known."""
    if ink is None or ink == "transparent" or ground is None:
        return ink == "transparent"
    if not (_FULL.fullmatch(ink) and _FULL.fullmatch(ground)):
        return ink == ground
    return sum(abs(a - b) for a, b in zip(bytes.fromhex(ink[1:]), bytes.fromhex(ground[1:]), strict=True)) < _NEAR


def colour(text: str) -> str:
    """``#rrggbb``, ``transparent``, or the value itself where it is not understood."""
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
    return "transparent" if len(digits) > 6 and int(digits[6:], 16) < 255 * _FAINT else f"#{digits[:6]}"


def _of_parts(function: str, parts: list[str]) -> str:
    if len(parts) > 3 and _share(parts[3], 1) < _FAINT:
        return "transparent"
    if function == "hsl":
        hue = float(re.sub("[a-z]+$", "", parts[0])) / 360
        strengths = colorsys.hls_to_rgb(hue, _share(parts[2], 100), _share(parts[1], 100))
    else:
        strengths = (_share(parts[0], 255), _share(parts[1], 255), _share(parts[2], 255))
    return "#" + "".join(f"{round(255 * strength):02x}" for strength in strengths)


def _share(part: str, of: float) -> float:
    """A number or a percentage, from 0 to 1. Raises ValueError."""
    share = float(part[:-1]) / 100 if part.endswith("%") else float(part) / of
    return min(max(share, 0.0), 1.0) if share == share else 0.0
