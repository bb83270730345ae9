"""Hostile HTML made tame: the same tags and text, in a form that a tree builder reads in linear time.

Builders need quadratic time for tens of thousands of nested tags or attributes. So scripts, comments and attributes
that say nothing about what is seen are left out here, and beyond a number of tags only the text goes on. What the
style sheets of the page hide by class or id is noted. The scan follows the tokenizer of the HTML standard.
"""

import re
from dataclasses import dataclass

#: Stands for each tag beyond ``_MOST_TAGS``: the line ends there, nothing is nested any more.
BREAK = "\x1e"
_MOST_TAGS = 20_000
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
    at = tags = 0
    while (open_at := html.find("<", at)) >= 0:
        out.append(html[at:open_at])
        after = html[open_at + 1 : open_at + 2]
        name = _NAME.match(html, open_at + 1)
        if name:
            tags += 1
            at, kept = _attributes(html, name.end())
            at = _start(html, at, name[0].lower(), kept, out, hidden, tags > _MOST_TAGS)
        elif after == "/" and (name := _NAME.match(html, open_at + 2)):
            at, _ = _attributes(html, name.end())
            out.append(BREAK if tags > _MOST_TAGS else _end(name[0].lower()))
        elif after in ("!", "?", "/"):
            at = _after_comment(html, open_at)
        else:
            out.append("&lt;")
            at = open_at + 1
    out.append(html[at:])
    return Tamed("".join(out), frozenset(hidden))


def _start(html: str, at: int, name: str, kept: str, out: list[str], hidden: set[str], only_text: bool) -> int:
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
    if only_text:
        out.append(BREAK)
    elif _SHOWN_NAME.fullmatch(name) and name != "plaintext":
        out.append(f"<{name}{kept}>")
    return at


def _end(name: str) -> str:
    return f"</{name}>" if _SHOWN_NAME.fullmatch(name) else ""


def _attributes(html: str, at: int) -> tuple[int, str]:
    """From behind a tag's name: the place behind its ``>`` (or the end of all), and the attributes worth keeping."""
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
    for rule in _without_comments(sheet)[:200_000].split("}"):
        selectors, *nested = rule.split("{")
        if depth == 0 and len(nested) == 1 and _HIDING.search(nested[0].lower()):
            hidden.update(m[1] for s in selectors.split(",") if (m := _SELECTOR.fullmatch(s.strip())))
        depth = max(depth + len(nested) - 1, 0)
    return hidden


def _without_comments(sheet: str) -> str:
    first, *rest = sheet.split("/*")
    return first + "".join(piece.partition("*/")[2] for piece in rest)
