"""The declarations of a CSS style that bear on visibility; a style is the text of a ``style`` attribute or of a rule."""

import re
from functools import lru_cache

_CLIPPED = (
    "height",
    "max-height",
    "width",
    "max-width",
    "block-size",
    "inline-size",
    "max-block-size",
    "max-inline-size",
)
_SIDES = ("left", "top", "right", "bottom")
#: The properties that are read.
PROPERTIES = frozenset(
    [
        *("display", "visibility", "opacity", "content-visibility", "mso-hide", "position", *_SIDES, *_CLIPPED),
        *("overflow", "overflow-x", "overflow-y", "clip", "clip-path", "transform", "scale", "filter", "mask", "mask-image"),
        *("-webkit-filter", "-webkit-mask", "-webkit-mask-image", "mix-blend-mode", "rotate", "translate", "zoom", "z-index"),
        *("inset", "inset-inline", "inset-inline-start", "inset-block", "inset-block-start", "unicode-bidi"),
        *("text-indent", "letter-spacing", "word-spacing", "line-height", "animation", "animation-name", "-webkit-text-security"),
        *("margin", "margin-left", "margin-top", "margin-right", "margin-inline", "margin-inline-start", "margin-block"),
        *("font", "font-size", "color", "-webkit-text-fill-color", "background", "background-color", "background-image"),
        *("text-decoration", "text-decoration-line", "vertical-align", "white-space"),
    ]
)  # fmt: skip
#: Other values are ignored, as mail programs do.
_VALUES = {
    "visibility": frozenset(["visible", "hidden", "collapse", "inherit", "initial", "unset", "revert"]),
    "display": frozenset(
        [
            "none",
            "block",
            "inline",
            "inline-block",
            "flex",
            "inline-flex",
            "grid",
            "inline-grid",
            "table",
            "inline-table",
            "table-row",
            "table-cell",
            "table-row-group",
            "table-header-group",
            "table-footer-group",
            "table-column",
            "table-column-group",
            "table-caption",
            "list-item",
            "contents",
            "flow-root",
            "inherit",
            "initial",
            "unset",
            "revert",
            "-webkit-box",
            "-webkit-inline-box",
        ]
    ),
}
_MEASURED = frozenset(["opacity", "font-size", "text-indent", "letter-spacing", *_SIDES, *_CLIPPED])
_MEASURE = re.compile(r"[+-]?\.?\d|[a-z]{1,20}(?:-[a-z]{1,20})?(?:\(|$)")
#: A longer value can only be a picture.
_LONGEST = 100
#: A comment, string or escape, whichever begins first.
_QUOTED = re.compile(r"""/\*.*?(?:\*/|\Z)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|\\.""", re.S)
_BRACKETS = re.compile(r"\([^()]*;[^()]*\)?|[\[{][^\]}]*[\]}]?")
_ESCAPE = re.compile(r"\\([0-9a-f]{1,6})[ \t\n\f]?|\\(.)", re.S)


@lru_cache(maxsize=512)
def parse_declarations(style: str) -> dict[str, str]:
    """The effective value of each property in ``PROPERTIES``, in lower case; an important one ends in ``!important``."""
    known: dict[str, str] = {}
    for line in _BRACKETS.sub("()", _QUOTED.sub(_bare, style.lower())).split(";"):
        key, _, value = line.partition(":")
        key, value = _plain(key), _plain(value)
        value, mark, _ = value.partition("!")
        value = " ".join(value.split())
        if key not in PROPERTIES or not _valid(key, value) or (not mark and known.get(key, "").endswith("!important")):
            continue
        known[key] = (value if len(value) <= _LONGEST else "url()") + ("!important" if mark else "")
    return known


def _bare(found: re.Match[str]) -> str:
    return found[0] if found[0][0] == "\\" else "" if found[0][0] == "/" else '""'


def _plain(text: str) -> str:
    if "\\" in text:
        text = _ESCAPE.sub(lambda found: chr(min(int(found[1], 16), 0xFFFD)) if found[1] else found[2], text)
    return text.strip()


def _valid(key: str, value: str) -> bool:
    if key in _VALUES:
        return value in _VALUES[key] or "(" in value
    return bool(_MEASURE.match(value)) if key in _MEASURED else bool(value)
