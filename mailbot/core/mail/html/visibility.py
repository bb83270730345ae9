"""Whether a reader of an HTML mail sees an element: what its attributes and its style say, inherited down the tree."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mailbot.core.mail.html.colours import indistinguishable, low_contrast, parse_colour
from mailbot.core.mail.html.declarations import parse_declarations

_STRUCK = frozenset(["s", "strike", "del"])
_LENGTH = re.compile(r"[+-]?(\d{0,6}\.?\d{0,6})(?:e[+-]?\d{1,3})?(px|pt|em|rem|%|in|cm|mm|pc|vw|vh|ex|ch)?")
#: Pixels; the others hang on what is around.
_UNITS = {"pt": 4 / 3, "rem": 16.0, "in": 96.0, "cm": 38.0, "mm": 3.8, "pc": 16.0, "vw": 8.0, "vh": 6.0}
_PARENTS = {"em": 1.0, "%": 0.01, "ex": 0.5, "ch": 0.5}
_SIZES = {"smaller": 0.8, "larger": 1.2, "inherit": 1.0, "unset": 1.0}
_USUAL, _LEGIBLE, _LEAST = 16.0, 6.0, 2.0  # pixels of letters: where nothing is said, to be read, to be read at all
_SHORTHAND = re.compile(r"(?:^|\s)(0|\d{0,6}\.?\d{1,6}(?:px|pt|em|rem|%|in|cm|mm|pc|vw|vh|ex|ch))(?=[\s/]|$)")
_FAR = re.compile(r"(?:-\d{3,6}|\d{4,6})(?:\.\d{0,6})?(?:px|pt|em|rem|%|vw|vh)?(?=\s|$)")
_UNKNOWN = re.compile(r"\b(?:var|calc|min|max|clamp|env|attr|if)\(")
_SHARE = re.compile(r"\+?(\d{1,6}(?:\.\d{0,6})?|\.\d{1,6})(%)?")
_NUMBER = re.compile(r"\d{1,6}\.?\d{0,6}|\.\d{1,6}")
_SHRUNK = re.compile(
    r"(?:scale(?:x|y|3d)?|matrix(?:3d)?)\(\s?0?(?:\.0\d{0,6}|0|\.)?\s?[,)]|translate(?:x|y|3d)?\([^)]{0,40}-\d{3,6}"
)
_SHUT = re.compile(r"inset\((?:5\d|[6-9]\d|100)%|(?:circle|ellipse)\(0|polygon\((?:0\w{0,2}[ ,]{0,2})+\)")
_FLAT = ("height", "max-height", "width", "max-width", "block-size", "inline-size", "max-block-size", "max-inline-size")
_SIDES = ("left", "top", "right", "bottom")
_INSETS = ("inset", "inset-inline", "inset-inline-start", "inset-block", "inset-block-start")
_SHIFTS = ("text-indent", "letter-spacing", "word-spacing", "margin-left", "margin-top", "margin-inline-start")
_MARGINS = ("margin", "margin-inline", "margin-block", *_INSETS)
#: Room in pixels below which a line is cut; from which on a line begins elsewhere, or letters lie on each other.
_LOW, _SHIFTED, _CROWDED = 8, 50, 4
#: Of opacity and size: what is less is not seen, or hardly.
_UNSEEN, _HARDLY = 0.05, 0.3
#: These hide in ways that are not reckoned here.
_UNRECKONED = (
    *("transform", "scale", "clip-path", "filter", "mask", "mask-image", "animation", "animation-name", "rotate"),
    *("-webkit-filter", "-webkit-mask", "-webkit-mask-image", "mix-blend-mode", "translate", "-webkit-text-security"),
)
_IDLE = frozenset(["none", "auto", "initial", "inherit", "normal", "0", "1"])
_DECIDING = ("display", "visibility", "opacity", "font-size", "position", *_FLAT, *_SIDES)


@dataclass(frozen=True)
class Look:
    """How text looks here. ``gone`` holds for everything below; the rest can be set anew further down.

    ``doubtful``: some readers see it and some do not. ``size`` is that of letters, in pixels; ``ink`` is None until a
    colour was chosen, ``ground`` None where a picture may lie behind the text.
    """

    gone: bool = False
    doubtful: bool = False
    hidden: bool = False
    size: float = _USUAL
    ink: str | None = None
    ground: str | None = "#ffffff"
    kept_space: bool = False
    struck: bool = False
    raised: bool = False

    @property
    def seen(self) -> bool:
        """Whether text here can be read."""
        return not (self.gone or self.hidden or self.size < _LEAST or indistinguishable(self.ink, self.ground))

    @property
    def doubted(self) -> bool:
        """Whether some readers may not see it: also what is tiny, hardly stands out, or has a chosen colour on a picture."""
        return self.doubtful or self.size < _LEGIBLE or (self.ink is not None and low_contrast(self.ink, self.ground))


def look_inside(look: Look, tag: str, attributes: Mapping[str, str | None]) -> Look:
    """The look inside a ``tag`` that stands where ``look`` holds."""
    if tag == "pre":
        look = replace(look, kept_space=True)
    elif tag in _STRUCK:
        look = replace(look, struck=True)
    elif tag == "sup":
        look = replace(look, raised=True)
    elif tag == "bdo":  # its letters are seen the other way round
        look = replace(look, doubtful=True)
    if not attributes:
        return look
    style = {
        key: value.removesuffix("!important")
        for key, value in parse_declarations(attributes.get("style") or "").items()
    }
    if "hidden" in attributes or is_gone(style):
        return replace(look, gone=True)
    if is_doubtful(style):
        look = replace(look, doubtful=True)
    if ground := attributes.get("bgcolor"):
        look = replace(look, ground=parse_colour(ground))
    if attributes.get("background"):
        look = replace(look, ground=None)
    if ink := attributes.get("color" if tag == "font" else "text" if tag == "body" else ""):
        look = replace(look, ink=parse_colour(ink))
    return _styled(look, style) if style else look


def hides(style: str) -> bool:
    """Whether a style alone hides what it is given to, or may."""
    look = look_inside(Look(), "p", {"style": style})
    return look.doubtful or not look.seen


def is_gone(style: Mapping[str, str]) -> bool:
    """Whether nothing of an element is seen, whatever stands in it."""
    moved = style.get("position", "static") in ("absolute", "fixed", "relative", "sticky")
    transform = f"{style.get('transform', '')} {style.get('clip-path', '')}"
    return (
        style.get("display") == "none"
        or style.get("mso-hide") == "all"
        or style.get("content-visibility") == "hidden"
        or _is_nothing(style.get("scale"))
        or _share(style.get("opacity")) < _UNSEEN
        or any(_FAR.match(style.get(key, "")) for key in _SHIFTS)
        or any(_FAR.search(style.get(key, "")) for key in _MARGINS)
        or (moved and any(_FAR.match(style.get(side, "")) for side in _SIDES))
        or bool(_SHRUNK.search(transform) or _SHUT.search(transform) or "opacity(0" in style.get("filter", ""))
        or _is_cut(style)
    )


def _is_cut(style: Mapping[str, str]) -> bool:
    """Whether it is a box without room that shows nothing of what does not fit."""
    clip = style.get("clip", "auto")
    return (_cuts(style) and any(_pixels(style.get(side)) <= 1 for side in _FLAT)) or (
        "(" in clip
        and style.get("position") in ("absolute", "fixed")
        and max(map(float, _NUMBER.findall(clip)), default=0) <= 1
    )


def _cuts(style: Mapping[str, str]) -> bool:
    """Whether what does not fit into the box is not shown."""
    return any(style.get(key, "").startswith(("hidden", "clip")) for key in ("overflow", "overflow-x", "overflow-y"))


def is_doubtful(style: Mapping[str, str]) -> bool:
    """Whether an element is hidden in ways that are not reckoned here, or only by some readers."""
    return (
        any(style.get(key, "none") not in _IDLE for key in _UNRECKONED)
        or min(_share(style.get("opacity")), _share(style.get("zoom"))) < _HARDLY
        or style.get("z-index", "").startswith("-")
        or "override" in style.get("unicode-bidi", "")
        or (_cuts(style) and any(_pixels(style.get(side)) < _LOW for side in _FLAT))
        or _is_shifted(style)
        or any(_UNKNOWN.search(style.get(key, "")) for key in (*_DECIDING, "color"))
        or ("(" in style.get("clip", "") and style.get("position") in ("absolute", "fixed"))
    )


def _is_shifted(style: Mapping[str, str]) -> bool:
    """Whether a line begins far from where it should, or letters, words or lines lie on each other."""
    indent = style.get("text-indent", "")
    moved = _SIDES if style.get("position", "static") in ("absolute", "fixed") else ()
    return (
        indent.endswith(("%", "vw", "vh"))
        or any(_is_back(value, _SHIFTED) for value in (indent, *(style.get(side, "") for side in moved)))
        or any(_is_back(style.get(key, ""), _CROWDED) for key in ("letter-spacing", "word-spacing"))
        or _is_nothing(style.get("line-height"))
    )


def _is_back(value: str, most: float) -> bool:
    return value.startswith("-") and most < _pixels(value) < float("inf")


def _share(value: str | None) -> float:
    """A number or a percentage; 1 where it is none."""
    found = _SHARE.fullmatch(value or "")
    return float(found[1]) / (100 if found[2] else 1) if found else 1.0


def _pixels(size: str | None, around: float = _USUAL) -> float:
    """A length; infinite where it is none."""
    found = _LENGTH.match(size or "")
    if not found or not found[1].strip("."):
        return float("inf")
    number, unit = float(found[1]), found[2]
    return number * (around * _PARENTS[unit] if unit in _PARENTS else _UNITS.get(unit, 1.0))


def _is_nothing(size: str | None) -> bool:
    return _pixels(size) == 0


def _styled(look: Look, style: Mapping[str, str]) -> Look:
    if visibility := style.get("visibility"):
        look = replace(
            look, hidden=look.hidden if visibility in ("inherit", "unset") else visibility in ("hidden", "collapse")
        )
    size = style.get("font-size") or next(iter(_SHORTHAND.findall(style.get("font", ""))), "")
    if size:
        pixels = _pixels(size, look.size)
        usual = look.size * _SIZES[size] if size in _SIZES else _USUAL
        look = replace(look, size=usual if pixels == float("inf") else pixels)
    if "line-through" in style.get("text-decoration", "") + style.get("text-decoration-line", ""):
        look = replace(look, struck=True)
    if style.get("vertical-align") == "super":
        look = replace(look, raised=True)
    if (ink := style.get("-webkit-text-fill-color") or style.get("color")) and ink not in ("inherit", "currentcolor"):
        look = replace(look, ink=parse_colour(ink))
        look = replace(
            look, doubtful=look.doubtful or "(" in parse_colour(ink)
        )  # reckoned in a way that is not known here
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
    ground = parse_colour(value if value.startswith(("rgb", "hsl")) else value.split(" ")[0])
    return before if ground in ("none", "transparent", "inherit", "initial") else ground
