"""Hostile HTML reduced to tags and text that a tree builder reads in linear time.

Tree builders take quadratic time for tens of thousands of nested tags or attributes. So scripts, comments and
attributes that do not bear on visibility are removed, and beyond a number of tags only text is kept. Style sheets are
returned apart (see ``html.stylesheets``). The scan follows the tokenizer of the HTML standard.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

#: Replaces tags that are not built: the line ends there, and nothing is nested.
BREAK = "\x1e"
#: Start tags, or end tags. ``mime.Caps`` refuses a mail with more: text hidden beyond them would be read.
MAX_TAGS = 30_000
_MAX_DEPTH = 500  # tree builders search all open elements
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
#: Elements without an end tag, or with an optional one.
_SELF_CLOSING = _VOID | frozenset(["p", "li", "dt", "dd", "td", "th", "tr", "thead", "tbody", "tfoot", "option"])
_LONGEST_VALUE = 4_000
_KEPT = frozenset(
    [
        "style",
        "class",
        "id",
        "hidden",
        "type",
        "checked",
        "selected",
        "value",
        "color",
        "bgcolor",
        "background",
        "text",
        "open",
        "media",
        "rel",
        "href",
    ]
)
#: An attribute selector in a style sheet.
_SELECTED = re.compile(r"\[\s{0,3}([A-Za-z][A-Za-z-]{0,30})\s{0,3}[\]~|^$*=]")
_MAX_SELECTED = 20
_RAW = frozenset(["script", "style", "xmp", "iframe", "noembed", "noframes", "title"])
_NAME = re.compile(r"[A-Za-z][^ \t\n\f\r/>]*")
_SPACE = re.compile(r"[ \t\n\f\r/]*")
_KEY = re.compile(r"=?[^ \t\n\f\r/>=]*")
_EQUALS = re.compile(r"[ \t\n\f\r]*=[ \t\n\f\r]*")
_BARE_VALUE = re.compile(r"[^ \t\n\f\r>]*")
_COMMENT_END = re.compile("--!?>")
_SHOWN_NAME = re.compile(r"[a-z][a-z0-9:-]{0,30}")
_MEDIA = re.compile(' media="([^"]{1,200})"')
#: Mail programs run no scripts, so the content of ``noscript`` is shown.
_RENAMED = {"noscript": "span"}


class OverCap(Exception):  # noqa: N818 - not an error; ``message.parse`` catches it
    """A mail exceeds a limit; the text says which."""


@dataclass(frozen=True)
class SimplePage:
    """``html`` to build a tree from; its style ``sheets``; how many ``tags`` start, and the sum of their ``depths``."""

    html: str
    sheets: tuple[str, ...] = ()
    tags: int = 0
    depths: int = 0


def simplify(html: str) -> SimplePage:
    """The page as tags and text only, in linear time. Never raises."""
    html = html.replace("\0", "").replace(BREAK, "")
    out: list[str] = []
    sheets: list[str] = []
    tags = _Tags()
    worth = _KEPT | {name.lower() for name in list(dict.fromkeys(_SELECTED.findall(html)))[:_MAX_SELECTED]}
    at = 0
    while (open_at := html.find("<", at)) >= 0:
        if open_at > at:
            out.append(html[at:open_at])
        after = html[open_at + 1 : open_at + 2]
        name = _NAME.match(html, open_at + 1)
        if name:
            at, kept = _attributes(html, name.end(), worth)
            at = _start(html, at, name[0].lower(), kept, out, sheets, tags)
        elif after == "/" and (name := _NAME.match(html, open_at + 2)):
            at, _ = _attributes(html, name.end())
            _end(name[0].lower(), out, tags)
        elif after in ("!", "?", "/"):
            at = _after_comment(html, open_at)
        else:
            out.append("&lt;")
            at = open_at + 1
    out.append(html[at:])
    return SimplePage("".join(out), tuple(sheets), tags.starts, tags.depths)


@dataclass
class _Tags:
    """Counts of the tags so far, and the open ones. Each method returns the tag to write; "" for none."""

    starts: int = 0
    ends: int = 0
    depth: int = 0
    depths: int = 0
    open: Counter[str] = field(default_factory=Counter)
    deep: Counter[str] = field(default_factory=Counter)

    def start(self, name: str) -> str:
        """Counts a start tag. Too deep, it becomes a ``span``: not a block, but as hidden as it was."""
        self.starts += 1
        self.depths += self.depth + 1
        if max(self.starts, self.ends) > MAX_TAGS:
            return ""
        if self.depth >= _MAX_DEPTH:
            self.deep[name] += name not in _VOID
            return "" if name in _VOID else "span"
        if name not in _SELF_CLOSING:
            self.open[name] += 1
            self.depth += 1
        return name

    def end(self, name: str) -> str:
        """Counts an end tag; some make elements without a start tag: ``</p>``."""
        self.ends += 1
        if max(self.starts, self.ends) > MAX_TAGS:
            return ""
        if self.deep[name]:
            self.deep[name] -= 1
            return "span"
        if self.open[name]:
            self.open[name] -= 1
            self.depth -= 1
            return name
        return "" if self.depth >= _MAX_DEPTH else name


def _start(html: str, at: int, name: str, kept: str, out: list[str], sheets: list[str], tags: _Tags) -> int:
    """Writes a start tag and, if its content is not markup, the content. The position after it."""
    if name in _RAW or name == "textarea":
        end = re.compile(f"</{name}(?=[ \t\n\f\r/>])", re.I).search(html, at)
        content, after = (html[at : end.start()], end.start()) if end else (html[at:], len(html))
        if name == "style":
            medium = _MEDIA.search(kept)
            sheets.append(f"@media {medium[1]}{{{content}" if medium else content)
        elif name == "textarea":
            out.append(f"<pre>{content.replace('<', '&lt;')}</pre>")
        if end:
            after, _ = _attributes(html, end.end())
        return after
    if name == "link" and "stylesheet" in kept.lower():
        sheets.append("@import;")
    name = _RENAMED.get(name, name)
    built = tags.start(name)
    if built != name:
        _break(out)
    if _SHOWN_NAME.fullmatch(built) and built != "plaintext":
        out.append(f"<{built}{kept}>")
    return at


def _end(name: str, out: list[str], tags: _Tags) -> None:
    """Writes an end tag."""
    name = _RENAMED.get(name, name)
    built = tags.end(name)
    if built != name:
        _break(out)
    if _SHOWN_NAME.fullmatch(built):
        out.append(f"</{built}>")


def _break(out: list[str]) -> None:
    """Writes a ``BREAK``; tags without text between them share one."""
    if out[-1:] != [BREAK]:
        out.append(BREAK)


def _attributes(html: str, at: int, worth: frozenset[str] = frozenset()) -> tuple[int, str]:
    """Scans from after a tag's name: the position after its ``>`` (or the end), and the attributes worth keeping."""
    if html.startswith(">", at):
        return at + 1, ""
    kept: dict[str, str] = {}
    while True:
        at = _SPACE.match(html, at).end()  # type: ignore[union-attr]  # it always matches
        if html.startswith(">", at):
            return at + 1, "".join(f' {key}="{value}"' for key, value in kept.items())
        if at >= len(html):
            return at, ""
        key = _KEY.match(html, at)
        assert key is not None  # noqa: S101
        at, value = _value(html, key.end())
        if (known := key[0].lower()) in worth:
            kept.setdefault(known, "" if known == "href" else value[:_LONGEST_VALUE].replace('"', "&quot;"))


def _value(html: str, at: int) -> tuple[int, str]:
    equals = _EQUALS.match(html, at)
    if not equals:
        return at, ""
    at = equals.end()
    quote = html[at : at + 1]
    if quote in ('"', "'") and quote:
        end = html.find(quote, at + 1)
        end = len(html) if end < 0 else end
        return end + 1, html[at + 1 : end]
    bare = _BARE_VALUE.match(html, at)
    return (bare.end(), bare[0]) if bare else (at, "")


def _after_comment(html: str, at: int) -> int:
    if html.startswith("<!--", at):
        end = _COMMENT_END.search(html, at + 2)
        return end.end() if end else len(html)
    close = html.find(">", at)
    return close + 1 if close >= 0 else len(html)
