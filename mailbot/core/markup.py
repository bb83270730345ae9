"""Hostile HTML made tame: the same tags and text, in a form that a tree builder reads in linear time.

Builders need quadratic time for tens of thousands of nested tags or attributes. So scripts, comments and attributes
that say nothing about what is seen are left out here, and beyond a number of tags only the text goes on. What the
style sheets of the page hide by class or id is noted. The scan follows the tokenizer of the HTML standard.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

#: Stands for tags that are not built: the line ends there, nothing is nested any more.
BREAK = "\x1e"
MOST_TAGS = (
    30_000  # that start, or that end; a mail has no more (``mime.Caps``), else what is hidden beyond would be read
)
_DEEPEST = 500  # builders climb up through all that is open
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
#: These close by themselves.
_SHUT = _VOID | frozenset(["p", "li", "dt", "dd", "td", "th", "tr", "thead", "tbody", "tfoot", "option"])
_LONGEST_VALUE = 4_000
_KEPT = frozenset(
    ["style", "class", "id", "hidden", "type", "checked", "selected", "value", "color", "bgcolor", "background"]
)
_RAW = frozenset(["script", "style", "xmp", "iframe", "noembed", "noframes", "title"])
_NAME = re.compile(r"[A-Za-z][^ \t\n\f\r/>]*")
_SPACE = re.compile(r"[ \t\n\f\r/]*")
_KEY = re.compile(r"=?[^ \t\n\f\r/>=]*")
_EQUALS = re.compile(r"[ \t\n\f\r]*=[ \t\n\f\r]*")
_BARE_VALUE = re.compile(r"[^ \t\n\f\r>]*")
_COMMENT_END = re.compile("--!?>")
_SHOWN_NAME = re.compile(r"[a-z][a-z0-9:-]{0,30}")
_SELECTOR = re.compile(r"[a-z0-9]{0,20}([.#][A-Za-z0-9_-]{1,80})")
_HIDING = re.compile(r"(?:^|[;\s])(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden)")


@dataclass(frozen=True)
class Tamed:
    """``html`` to build a tree from; ``hidden``: what style sheets hide, as ``.class`` and ``#id``."""

    html: str
    hidden: frozenset[str]


def tame(html: str) -> Tamed:
    """The same page, harmless; never fails, linear in its length."""
    html = html.replace("\0", "").replace(BREAK, "")
    out: list[str] = []
    hidden: set[str] = set()
    tags = _Tags()
    at = 0
    while (open_at := html.find("<", at)) >= 0:
        if open_at > at:
            out.append(html[at:open_at])
        after = html[open_at + 1 : open_at + 2]
        name = _NAME.match(html, open_at + 1)
        if name:
            at, kept = _attributes(html, name.end())
            at = _start(html, at, name[0].lower(), kept, out, hidden, tags)
        elif after == "/" and (name := _NAME.match(html, open_at + 2)):
            at, _ = _attributes(html, name.end())
            _end(name[0].lower(), out, tags)
        elif after in ("!", "?", "/"):
            at = _after_comment(html, open_at)
        else:
            out.append("&lt;")
            at = open_at + 1
    out.append(html[at:])
    return Tamed("".join(out), frozenset(hidden))


@dataclass
class _Tags:
    """How many tags there were so far, and what is open. Each method gives the tag to write instead, "" for none."""

    starts: int = 0
    ends: int = 0
    depth: int = 0
    open: Counter[str] = field(default_factory=Counter)
    deep: Counter[str] = field(default_factory=Counter)

    def start(self, name: str) -> str:
        """Counts one that starts. What lies too deep is no block any more, but as hidden as it was."""
        self.starts += 1
        if max(self.starts, self.ends) > MOST_TAGS:
            return ""
        if self.depth >= _DEEPEST:
            self.deep[name] += name not in _VOID
            return "" if name in _VOID else "span"
        if name not in _SHUT:
            self.open[name] += 1
            self.depth += 1
        return name

    def end(self, name: str) -> str:
        """Counts one that ends; without a start some make elements, too: ``</p>``."""
        self.ends += 1
        if max(self.starts, self.ends) > MOST_TAGS:
            return ""
        if self.deep[name]:
            self.deep[name] -= 1
            return "span"
        if self.open[name]:
            self.open[name] -= 1
            self.depth -= 1
            return name
        return "" if self.depth >= _DEEPEST else name


def _start(html: str, at: int, name: str, kept: str, out: list[str], hidden: set[str], tags: _Tags) -> int:
    """Writes one start tag and, where its content is no markup, that too; the place after it comes back."""
    if name in _RAW or name == "textarea":
        end = re.compile(f"</{name}(?=[ \t\n\f\r/>])", re.I).search(html, at)
        content, after = (html[at : end.start()], end.start()) if end else (html[at:], len(html))
        if name == "style":
            hidden |= hidden_by(content)
        elif name == "textarea":
            out.append(f"<pre>{content.replace('<', '&lt;')}</pre>")
        if end:
            after, _ = _attributes(html, end.end())
        return after
    built = tags.start(name)
    if built != name:
        _break(out)
    if _SHOWN_NAME.fullmatch(built) and built != "plaintext":
        out.append(f"<{built}{kept}>")
    return at


def _end(name: str, out: list[str], tags: _Tags) -> None:
    """Writes one end tag."""
    built = tags.end(name)
    if built != name:
        _break(out)
    if _SHOWN_NAME.fullmatch(built):
        out.append(f"</{built}>")


def _break(out: list[str]) -> None:
    """Writes a ``BREAK``, one for tags without words between."""
    if out[-1:] != [BREAK]:
        out.append(BREAK)


def _attributes(html: str, at: int) -> tuple[int, str]:
    """From behind a tag's name: the place behind its ``>`` (or the end of all), and the attributes worth keeping."""
    if html.startswith(">", at):
        return at + 1, ""
    kept: dict[str, str] = {}
    while True:
        at = _SPACE.match(html, at).end()  # type: ignore[union-attr]  # matches nothing at least
        if html.startswith(">", at):
            return at + 1, "".join(f' {key}="{value}"' for key, value in kept.items())
        if at >= len(html):
            return at, ""
        key = _KEY.match(html, at)
        assert key is not None  # noqa: S101
        at, value = _value(html, key.end())
        if (known := key[0].lower()) in _KEPT:
            kept.setdefault(known, value[:_LONGEST_VALUE].replace('"', "&quot;"))


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


def hidden_by(sheet: str) -> set[str]:
    """The plain ``.class`` and ``#id`` selectors that a style sheet hides everywhere (not only within ``@media``)."""
    hidden: set[str] = set()
    depth = 0
    for rule in without_comments(sheet)[:200_000].split("}"):
        selectors, *nested = rule.split("{")
        if depth == 0 and len(nested) == 1 and _HIDING.search(nested[0].lower()):
            hidden.update(m[1] for s in selectors.split(",") if (m := _SELECTOR.fullmatch(s.strip())))
        depth = max(depth + len(nested) - 1, 0)
    return hidden


def without_comments(sheet: str) -> str:
    """A style sheet, or the style of one element, without its comments."""
    first, *rest = sheet.split("/*")
    return first + "".join(piece.partition("*/")[2] for piece in rest)
