"""From HTML to the text that a person sees: table rows stay lines, quoted text stays quoted. Nothing recurses.

``html.tokenizer`` bounds the page, ``html.stylesheets`` applies its style sheets, selectolax builds the tree, ``html.visibility``
decides what is seen.
"""

import re
from dataclasses import dataclass, field, replace

from selectolax.lexbor import LexborHTMLParser, LexborNode

from mailbot.core.base.characters import without_invisible
from mailbot.core.mail.html.stylesheets import apply_sheets
from mailbot.core.mail.html.tokenizer import BREAK, SimplePage, simplify
from mailbot.core.mail.html.visibility import Look, look_inside

_GONE = frozenset(["head", "template", "object", "svg", "math", "audio", "video", "datalist", "canvas"])
_PARAGRAPH = frozenset(
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "dl", "table", "pre", "fieldset"]
)
_LINE = frozenset(
    [
        "div",
        "tr",
        "li",
        "dt",
        "dd",
        "address",
        "article",
        "aside",
        "section",
        "header",
        "footer",
        "main",
        "nav",
        "form",
        "figure",
        "figcaption",
        "hr",
        "center",
        "caption",
        "body",
        "html",
        "details",
        "summary",
        "legend",
    ]
)
#: Suffixes of the class names of quotes; Yahoo prefixes a number.
_QUOTES = ("gmail_quote", "yahoo_quoted", "protonmail_quote")
_SPACES = re.compile(r"[ \t\n\r\f]+")
_TAB = re.compile("[ \u00a0]{0,9}\u00a0{2}[ \u00a0]{2,20}")  # how editors write a tab
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MAX_FRAMES = 40  # nested; what is deeper is read, on lines of its own
_MAX_QUOTE_DEPTH = 6
_MAX_READ_TWICE = 10_000  # tags; a longer page with doubtful text has no certain text


@dataclass(frozen=True)
class VisibleText:
    """``text``: what a person sees; ``surely``: without what some mail programs do not show. Mostly equal."""

    text: str
    surely: str


def visible_text(html: str) -> VisibleText:
    """The visible text of ``html``, LF line ends, without invisible characters; in linear time.

    Table cells are separated by tabs, list items begin with "- ", checkboxes are ``[x]`` and ``[ ]``, lines of quoted
    mails begin with "> ", struck text is ``~~so~~``, and a superscript digit stays one, so that the mark of a footnote
    is not read as part of a number. Raises OverCap if the style sheets are too large.
    """
    page_source = simplify(html)
    text, doubtful = _read(page_source, strict=False)
    if not doubtful:
        return VisibleText(text, text)
    return VisibleText(text, "" if page_source.tags > _MAX_READ_TWICE else _read(page_source, strict=True)[0])


def _read(page_source: SimplePage, strict: bool) -> tuple[str, bool]:
    """The text, and whether some of it is doubtful: not shown by every mail program. ``strict`` leaves that out."""
    styled = apply_sheets(page_source, strict)
    page = _Page(strict, styled.doubtful)
    todo: list[tuple[LexborNode | None, _Place] | str] = [(LexborHTMLParser(styled.html).root, _Place())]
    while todo:
        step = todo.pop()
        if isinstance(step, str):
            page.close(step)
            continue
        node, place = step
        if node is None:
            continue
        todo.append((node.next, place))
        tag = node.tag or ""
        if tag == "-text":
            page.write(node.text_content or "", place.look)
        elif tag[:1] not in "-!" and tag not in _GONE:
            inside = _enter(page, node, tag, place)
            if inside is not None:
                todo += [inside.closes, (node.first_child, inside)]
    return page.text(), page.doubtful


@dataclass(frozen=True)
class _Place:
    """A place in the page: its ``look``, the ``quote`` around it (quote, block or ""), and what ``closes`` it."""

    look: Look = field(default_factory=Look)
    quote: str = ""
    closes: str = ""


def _enter(page: "_Page", node: LexborNode, tag: str, place: _Place) -> _Place | None:
    """Opens an element. The place inside it; None if nothing in it is seen."""
    attributes = node.attributes
    look = look_inside(place.look, tag, attributes)
    if look.gone or (tag == "dialog" and "open" not in attributes):
        return None
    if tag == "details" and "open" not in attributes:
        look = replace(look, doubtful=True)  # some mail programs show it closed
    if tag == "br":
        page.end_line(always=True)
    elif tag in ("input", "select"):
        page.write(_control(node, tag, attributes), look)
        return None
    closes, quote = _closing(tag), place.quote
    if tag == "div" and not quote and any(one.endswith(_QUOTES) for one in (attributes.get("class") or "").split()):
        closes = quote = "quote"
    elif tag == "blockquote":
        closes = "paragraph" if quote == "quote" else "quote"  # the div around it is quoted already
        quote = "block"
    elif tag == "p" and "MsoNormal" in (attributes.get("class") or ""):
        closes = "line"  # Outlook makes every line a paragraph without a gap
    page.open(closes)
    return _Place(look, quote, closes)


def _closing(tag: str) -> str:
    if tag in ("td", "th"):
        return "cell"
    if tag in ("tr", "li"):
        return {"tr": "row", "li": "item"}[tag]
    return "paragraph" if tag in _PARAGRAPH else "line" if tag in _LINE else ""


def _control(node: LexborNode, tag: str, attributes: dict[str, str | None]) -> str:
    if tag == "select":
        chosen = node.css_first("option[selected]") or node.css_first("option")
        return f" {chosen.text()} " if chosen else ""
    kind = (attributes.get("type") or "text").lower()
    if kind in ("checkbox", "radio"):
        return " [x] " if "checked" in attributes else " [ ] "
    return f" {attributes.get('value') or ''} " if kind in ("text", "email", "number", "tel") else ""


@dataclass
class _Frame:
    """The lines of a cell, item, row, quote or the whole page; only a row has ``cells``."""

    kind: str
    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)


class _Page:
    """The text while it is written: a stack of frames; text goes into the innermost."""

    def __init__(self, strict: bool = False, doubtful: bool = False) -> None:
        self.strict = strict
        self.doubtful = doubtful  # whether some mail programs do not show all of the text
        self.frames = [_Frame("page")]
        self.deeper = 0  # open frames beyond ``_MAX_FRAMES``

    def write(self, text: str, look: Look) -> None:
        if not look.seen:
            return
        if look.doubted and text.strip():
            self.doubtful = True
            if self.strict:
                return
        if look.raised:
            text = text.translate(_RAISED)
        if look.struck and text.strip():
            text = _struck(text)
        first, *more = text.split("\n" if look.kept_space else BREAK)
        self._piece(first, look.kept_space)
        for piece in more:
            self.end_line(always=look.kept_space)
            self._piece(piece, look.kept_space)

    def _piece(self, text: str, kept_space: bool) -> None:
        text = text if kept_space else _SPACES.sub(" ", text)
        line = self.frames[-1].line
        if not kept_space and text.startswith(" ") and (not line or line[-1].endswith(" ")):
            text = text[1:]
        if text:
            line.append(text)

    def end_line(self, always: bool = False) -> None:
        frame = self.frames[-1]
        written = "".join(frame.line)
        line = without_invisible(_TAB.sub("\t", written)).replace("\u00a0", " ").rstrip()
        if line or always or "\u00a0" in written:  # Word writes a blank line so
            frame.lines.append(line)
        frame.line.clear()

    def gap(self) -> None:
        self.end_line()
        lines = self.frames[-1].lines
        if lines and lines[-1]:
            lines.append("")

    def open(self, kind: str) -> None:
        if kind in ("paragraph", "quote"):
            self.gap()
        elif kind and kind != "cell":
            self.end_line()
        if kind in ("cell", "row", "item", "quote"):
            if len(self.frames) > _MAX_FRAMES:
                self.deeper += 1
            else:
                self.frames.append(_Frame(kind))

    def close(self, kind: str) -> None:
        if kind == "paragraph":
            self.gap()
        elif kind:
            self.end_line()
        if kind not in ("cell", "row", "item", "quote"):
            return
        if self.deeper:
            self.deeper -= 1
            return
        frame, lines = self.frames.pop(), self.frames[-1].lines
        inner = _trimmed(frame.lines)
        if kind == "cell" and self.frames[-1].kind == "row":
            self.frames[-1].cells.append([line for line in inner if line])
        elif kind == "row":
            lines += inner + _row(frame.cells)
        elif kind == "item":
            lines += [f"- {line}" if not number else line for number, line in enumerate(inner)]
        elif kind == "quote":
            lines += [*map(_quoted, inner), ""]
        else:
            lines += inner

    def text(self) -> str:
        self.end_line()
        return "\n".join(_trimmed(self.frames[0].lines))


def _struck(text: str) -> str:
    words = text.strip()
    before, _, after = text.partition(words)
    return f"{before or ' '}~~{words}~~{after or ' '}"


def _quoted(line: str) -> str:
    if line.startswith(">" * _MAX_QUOTE_DEPTH):
        return line
    return f">{line}" if line.startswith(">") else f"> {line}".rstrip()


def _trimmed(lines: list[str]) -> list[str]:
    """``lines`` without blank ones at both ends and without two blank ones in a row."""
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return kept[:-1] if kept and not kept[-1] else kept


def _row(cells: list[list[str]]) -> list[str]:
    """A row on one line if each cell has one line; further lines of the last cell follow."""
    full = [cell for cell in cells if cell]
    if not full:
        return []
    *before, last = full
    if any(len(cell) > 1 for cell in before):
        return [line for cell in full for line in cell]
    if not before and len(last) == 1 and cells[0] and len(cells) > 1:
        return [last[0] + "\t"]  # a label with an empty value
    if before and len(last) > 1:
        return ["\t".join(cell[0] for cell in before) + "\t", *last]
    return ["\t".join([*(cell[0] for cell in before), last[0]]), *last[1:]]
