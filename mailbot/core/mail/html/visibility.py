"""Whether a person sees an element of an HTML mail, by its attributes and style, inherited down the tree."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mailbot.core.mail.html.colours import indistinguishable, low_contrast, parse_colour
from mailbot.core.mail.html.declarations import parse_declarations

_STRUCK = frozenset(["s", "strike", "del"])
_LENGTH = re.compile(r"[+-]?(\d{0,6}\.?\d{0,6})(?:e[+-]?\d{1,3})?(px|pt|em|rem|%|in|cm|mm|pc|vw|vh|ex|ch)?")
#: In pixels; other units are relative to the parent.
_UNITS = {"pt": 4 / 3, "rem": 16.0, "in": 96.0, "cm": 38.0, "mm": 3.8, "pc": 16.0, "vw": 8.0, "vh": 6.0}
_PARENTS = {"em": 1.0, "%": 0.01, "ex": 0.5, "ch": 0.5}
_SIZES = {"smaller": 0.8, "larger": 1.2, "inherit": 1.0, "unset": 1.0}
_DEFAULT_SIZE, _LEGIBLE, _MIN_SIZE = 16.0, 6.0, 2.0  # of letters, in pixels; below the last they are not seen
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
#: In pixels: a box lower than the first cuts a line off, a negative shift beyond the second moves it away, one beyond the
#: third puts letters on each other.
_LOW, _SHIFTED, _CROWDED = 8, 50, 4
#: Opacity and zoom: below these text is not seen, or hardly.
_UNSEEN, _HARDLY = 0.05, 0.3
#: Properties that may hide text and are not evaluated.
_UNEVALUATED = (
    *("transform", "scale", "clip-path", "filter", "mask", "mask-image", "animation", "animation-name", "rotate"),
    *("-webkit-filter", "-webkit-mask", "-webkit-mask-image", "mix-blend-mode", "translate", "-webkit-text-security"),
)
_IDLE = frozenset(["none", "auto", "initial", "inherit", "normal", "0", "1"])
_DECIDING = ("display", "visibility", "opacity", "font-size", "position", *_FLAT, *_SIDES)


@dataclass(frozen=True)
class Look:
    """How text looks at a place in the page. ``gone`` applies to all descendants; they can override the rest.

    ``doubtful``: some mail programs show it, some do not. ``size``: of letters, in pixels; ``ink``: None until a colour
    is set; ``ground``: the background, None if it may be a picture.
    """

    gone: bool = False
    doubtful: bool = False
    hidden: bool = False
    size: float = _DEFAULT_SIZE
    ink: str | None = None
    ground: str | None = "#ffffff"
    kept_space: bool = False
    struck: bool = False
    raised: bool = False

    @property
    def seen(self) -> bool:
        """Whether text here is seen."""
        return not (self.gone or self.hidden or self.size < _MIN_SIZE or indistinguishable(self.ink, self.ground))

    @property
    def doubted(self) -> bool:
        """Whether some may not see it: ``doubtful``, tiny, of low contrast, or of a set colour on a picture."""
        return self.doubtful or self.size < _LEGIBLE or (self.ink is not None and low_contrast(self.ink, self.ground))


def look_inside(look: Look, tag: str, attributes: Mapping[str, str | None]) -> Look:
    """The look inside a ``tag`` at a place with ``look``."""
    if tag == "pre":
        look = replace(look, kept_space=True)
    elif tag in _STRUCK:
        look = replace(look, struck=True)
    elif tag == "sup":
        look = replace(look, raised=True)
    elif tag == "bdo":  # shown in another order than written
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
    """Whether a style hides its element, or may."""
    look = look_inside(Look(), "p", {"style": style})
    return look.doubtful or not look.seen


def is_gone(style: Mapping[str, str]) -> bool:
    """Whether an element and all its descendants are hidden."""
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
    """Whether the box is too small for text and hides its overflow."""
    clip = style.get("clip", "auto")
    return (_cuts(style) and any(_pixels(style.get(side)) <= 1 for side in _FLAT)) or (
        "(" in clip
        and style.get("position") in ("absolute", "fixed")
        and max(map(float, _NUMBER.findall(clip)), default=0) <= 1
    )


def _cuts(style: Mapping[str, str]) -> bool:
    """Whether the box hides its overflow."""
    return any(style.get(key, "").startswith(("hidden", "clip")) for key in ("overflow", "overflow-x", "overflow-y"))


def is_doubtful(style: Mapping[str, str]) -> bool:
    """Whether an element is hidden by some mail programs only, or in ways that are not evaluated."""
    return (
        any(style.get(key, "none") not in _IDLE for key in _UNEVALUATED)
        or min(_share(style.get("opacity")), _share(style.get("zoom"))) < _HARDLY
        or style.get("z-index", "").startswith("-")
        or "override" in style.get("unicode-bidi", "")
        or (_cuts(style) and any(_pixels(style.get(side)) < _LOW for side in _FLAT))
        or _is_shifted(style)
        or any(_UNKNOWN.search(style.get(key, "")) for key in (*_DECIDING, "color"))
        or ("(" in style.get("clip", "") and style.get("position") in ("absolute", "fixed"))
    )


def _is_shifted(style: Mapping[str, str]) -> bool:
    """Whether a line is moved far away, or letters, words or lines overlap."""
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
    """A number or a percentage as a fraction; 1 if it is neither."""
    found = _SHARE.fullmatch(value or "")
    return float(found[1]) / (100 if found[2] else 1) if found else 1.0


def _pixels(size: str | None, around: float = _DEFAULT_SIZE) -> float:
    """A length in pixels; infinite if it is not a length."""
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
        usual = look.size * _SIZES[size] if size in _SIZES else _DEFAULT_SIZE
        look = replace(look, size=usual if pixels == float("inf") else pixels)
    if "line-through" in style.get("text-decoration", "") + style.get("text-decoration-line", ""):
        look = replace(look, struck=True)
    if style.get("vertical-align") == "super":
        look = replace(look, raised=True)
    if (ink := style.get("-webkit-text-fill-color") or style.get("color")) and ink not in ("inherit", "currentcolor"):
        look = replace(look, ink=parse_colour(ink))
        look = replace(look, doubtful=look.doubtful or "(" in parse_colour(ink))  # a function that is not evaluated
    if space := style.get("white-space"):
        look = replace(look, kept_space=space.startswith("pre"))
    for key in ("background", "background-color"):
        if key in style:
            look = replace(look, ground=_ground(style[key], look.ground))
    if style.get("background-image", "none") != "none":
        look = replace(look, ground=None)
    return look


def _ground(value: str, before: str | None) -> str | None:
    """The colour of a ``background`` value; None for a picture or gradient."""
    if "url(" in value or "gradient" in value:
        return None
    ground = parse_colour(value if value.startswith(("rgb", "hsl")) else value.split(" ")[0])
    return before if ground in ("none", "transparent", "inherit", "initial") else ground
