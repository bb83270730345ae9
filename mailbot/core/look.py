"""Whether a reader of an HTML mail sees an element: what attributes and inline styles say, inherited down the tree."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mailbot.core.markup import without_comments

_STRUCK = frozenset(["s", "strike", "del"])
_NAMES = {"white": "#ffffff", "black": "#000000"}
_HEX6 = re.compile("#[0-9a-f]{6}")
_NEAR = 16  # of the 765 between black and white
_HEX3 = re.compile(r"#([0-9a-f])([0-9a-f])([0-9a-f])")
_RGB = re.compile(r"rgba?\(\s{0,5}(\d{1,3}%?)[ ,]{1,5}(\d{1,3}%?)[ ,]{1,5}(\d{1,3}%?)[^)]{0,20}\)")
_SIZE = re.compile(r"(\d{0,6}\.?\d{0,6})(px|pt|em|rem|%)?")
_FAR = re.compile(r"-\d{3,6}(?:px|pt|em|rem|%|vw|vh)?")
_ESCAPE = re.compile(r"\\([0-9a-f]{1,6})[ \t\n\f]?")
_LEAST_SIZE = {"px": 2.0, "pt": 1.5, "em": 0.1, "rem": 0.1, "%": 10.0, None: 2.0}


@dataclass(frozen=True)
class Look:
    """How text looks here. ``gone`` holds for everything below; the rest can be set anew further down.

    ``ink`` is None until a colour was chosen, ``ground`` None where a picture may lie behind the text.
    """

    gone: bool = False
    hidden: bool = False
    tiny: bool = False
    ink: str | None = None
    ground: str | None = "#ffffff"
    kept_space: bool = False
    struck: bool = False
    raised: bool = False

    @property
    def seen(self) -> bool:
        """Whether text here can be read."""
        return not (self.gone or self.hidden or self.tiny or _alike(self.ink, self.ground))


def _alike(ink: str | None, ground: str | None) -> bool:
    """Whether no eye tells the two colours apart."""
    if ink is None or ink == "transparent" or ground is None:
        return ink == "transparent"
    if not (_HEX6.fullmatch(ink) and _HEX6.fullmatch(ground)):
        return ink == ground
    return sum(abs(a - b) for a, b in zip(bytes.fromhex(ink[1:]), bytes.fromhex(ground[1:]), strict=True)) < _NEAR


def below(look: Look, tag: str, attributes: Mapping[str, str | None], sheet: frozenset[str]) -> Look:
    """The look inside a ``tag`` that stands where ``look`` holds; ``sheet``: selectors that style sheets hide."""
    if tag == "pre":
        look = replace(look, kept_space=True)
    elif tag in _STRUCK:
        look = replace(look, struck=True)
    elif tag == "sup":
        look = replace(look, raised=True)
    if not attributes:
        return look
    style = _declared(attributes.get("style") or "")
    if _is_gone(style, attributes) or (sheet and "display" not in style and _in_sheet(attributes, sheet)):
        return replace(look, gone=True)
    if ground := attributes.get("bgcolor"):
        look = replace(look, ground=_colour(ground))
    if attributes.get("background"):
        look = replace(look, ground=None)
    if tag == "font" and (ink := attributes.get("color")):
        look = replace(look, ink=_colour(ink))
    return _styled(look, style) if style else look


def _declared(style: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in _plain(style.lower()).split(";"))
    return {key.strip(): value.replace("!important", "").strip() for key, _, value in pairs if value}


def _plain(style: str) -> str:
    """The style without comments, its escapes as the letters that they mean."""
    style = without_comments(style)
    return _ESCAPE.sub(lambda sign: chr(min(int(sign[1], 16), 0xFFFD)), style) if "\\" in style else style


def _is_gone(style: Mapping[str, str], attributes: Mapping[str, str | None]) -> bool:
    clipped = style.get("overflow", "").startswith("hidden") and any(
        _is_nothing(style.get(side)) for side in ("height", "max-height", "width", "max-width")
    )
    return (
        "hidden" in attributes
        or style.get("display") == "none"
        or style.get("mso-hide") == "all"
        or _is_nothing(style.get("opacity"))
        or bool(_FAR.match(style.get("text-indent", "")))
        or (
            style.get("position") in ("absolute", "fixed")
            and any(_FAR.match(style.get(s, "")) for s in ("left", "top"))
        )
        or clipped
    )


def _is_nothing(size: str | None) -> bool:
    found = _SIZE.match(size or "")
    return bool(found and found[1].strip(".") and float(found[1]) == 0)


def _in_sheet(attributes: Mapping[str, str | None], sheet: frozenset[str]) -> bool:
    names = {f".{name}" for name in (attributes.get("class") or "").split()}
    return not sheet.isdisjoint(names | {f"#{attributes.get('id')}"})


def _styled(look: Look, style: Mapping[str, str]) -> Look:
    if visibility := style.get("visibility"):
        look = replace(look, hidden=visibility in ("hidden", "collapse"))
    size = _SIZE.match(style.get("font-size", ""))
    if size and size[1].strip("."):
        look = replace(look, tiny=float(size[1]) < _LEAST_SIZE[size[2]])
    elif "font-size" in style:
        look = replace(look, tiny=False)
    if "line-through" in style.get("text-decoration", "") + style.get("text-decoration-line", ""):
        look = replace(look, struck=True)
    if style.get("vertical-align") == "super":
        look = replace(look, raised=True)
    if ink := style.get("color"):
        look = replace(look, ink=_colour(ink))
    if space := style.get("white-space"):
        look = replace(look, kept_space=space.startswith("pre"))
    for key in ("background", "background-color"):
        if key in style:
            look = replace(look, ground=_ground(style[key], look.ground))
    if style.get("background-image", "none") != "none":
        look = replace(look, ground=None)
    return look


def _ground(value: str, before: str | None) -> str | None:
    """The colour in a ``background`` value; None where a picture or gradient is drawn."""
    if "url(" in value or "gradient" in value:
        return None
    colour = _colour(value if value.startswith("rgb") else value.split(" ")[0])
    return before if colour in ("none", "transparent", "inherit", "initial") else colour


def _colour(text: str) -> str:
    text = text.strip().lower()
    text = _NAMES.get(text, text)
    if short := _HEX3.fullmatch(text):
        return "#" + "".join(2 * digit for digit in short.groups())
    if rgb := _RGB.fullmatch(text):
        return "#" + "".join(f"{min(_strength(part), 255):02x}" for part in rgb.groups())
    return text


def _strength(part: str) -> int:
    """Of one of the three colours, from 0 to 255."""
    return int(part[:-1]) * 255 // 100 if part.endswith("%") else int(part)
