"""HTML of a mail to the text that its reader sees: table rows stay lines, quoted text stays quoted.

``markup`` makes the HTML harmless, ``sheet`` applies its style sheets, selectolax builds the tree, ``look`` tells what
is seen. Nothing here recurses.
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
#: How the class names of quotes end; Yahoo puts a number before them.
_QUOTES = ("gmail_quote", "yahoo_quoted", "protonmail_quote")
_SPACES = re.compile(r"[ \t\n\r\f]+")
_TAB = re.compile("[ \u00a0]{0,9}\u00a0{2}[ \u00a0]{2,20}")  # what editors make of one
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_DEEPEST = 40  # frames within frames; what lies deeper is read, but on lines of its own
_DEEPEST_QUOTE = 6
_READ_TWICE = 10_000  # tags; of a longer page with doubts nothing is sure


@dataclass(frozen=True)
class VisibleText:
    """``text`` as its reader sees it; ``surely``: without what some readers do not see. Mostly both are one."""

    text: str
    surely: str


def visible_text(html: str) -> VisibleText:
    """The visible text of ``html``, LF line ends; linear in its length. Raises OverCap for style sheets without end.

    The cells of a table row stand on one line with tabs between, list items begin with "- ", boxes to tick are
    ``[x]`` and ``[ ]``, lines of quoted mails begin with "> ", what is struck out is ``~~so~~``, and a raised digit stays
    one, so that the mark of a footnote is no part of a number.
    """
    tamed = simplify(html)
    text, doubtful = _read(tamed, strict=False)
    if not doubtful:
        return VisibleText(text, text)
    return VisibleText(text, "" if tamed.tags > _READ_TWICE else _read(tamed, strict=True)[0])


def _read(tamed: SimplePage, strict: bool) -> tuple[str, bool]:
    """The text, and whether some of it may not be seen; ``strict``: that is left out."""
    dressed = apply_sheets(tamed, strict)
    page = _Page(strict, dressed.doubtful)
    todo: list[tuple[LexborNode | None, _Place] | str] = [(LexborHTMLParser(dressed.html).root, _Place())]
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
    """Where in the page: the ``look`` there, the ``quote`` around it (``div``, ``block``), what ``closes`` it."""

    look: Look = field(default_factory=Look)
    quote: str = ""
    closes: str = ""


def _enter(page: "_Page", node: LexborNode, tag: str, place: _Place) -> _Place | None:
    """Opens an element; the place inside it, None if there is nothing to see."""
    attributes = node.attributes
    look = look_inside(place.look, tag, attributes)
    if look.gone or (tag == "dialog" and "open" not in attributes):
        return None
    if tag == "details" and "open" not in attributes:
        look = replace(look, doubtful=True)  # some programs show it folded
    if tag == "br":
        page.end_line(always=True)
    elif tag in ("input", "select"):
        page.write(_control(node, tag, attributes), look)
        return None
    closes, quote = _closing(tag), place.quote
    if tag == "div" and not quote and any(one.endswith(_QUOTES) for one in (attributes.get("class") or "").split()):
        closes = quote = "quote"
    elif tag == "blockquote":
        closes = "paragraph" if quote == "quote" else "quote"  # the div around it is marked already
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
    """Lines of one cell, item, row, quote or the whole page; ``cells`` only in a row."""

    kind: str
    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)


class _Page:
    """The text as it grows: a stack of frames, the innermost is written to."""

    def __init__(self, strict: bool = False, doubtful: bool = False) -> None:
        self.strict = strict
        self.doubtful = doubtful  # whether there is text that some readers do not see
        self.frames = [_Frame("page")]
        self.deeper = 0  # frames that were opened beyond the deepest

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
        if line or always or "\u00a0" in written:  # how Word writes a blank line
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
            if len(self.frames) > _DEEPEST:
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
    if line.startswith(">" * _DEEPEST_QUOTE):
        return line
    return f">{line}" if line.startswith(">") else f"> {line}".rstrip()


def _trimmed(lines: list[str]) -> list[str]:
    """``lines`` without blank ones at both ends, and never two blank ones running."""
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return kept[:-1] if kept and not kept[-1] else kept


def _row(cells: list[list[str]]) -> list[str]:
    """A row on one line where its cells are one line each; several lines of the last stand below the others."""
    full = [cell for cell in cells if cell]
    if not full:
        return []
    *before, last = full
    if any(len(cell) > 1 for cell in before):
        return [line for cell in full for line in cell]
    if not before and len(last) == 1 and cells[0] and len(cells) > 1:
        return [last[0] + "\t"]  # a label whose value was left empty
    if before and len(last) > 1:
        return ["\t".join(cell[0] for cell in before) + "\t", *last]
    return ["\t".join([*(cell[0] for cell in before), last[0]]), *last[1:]]
