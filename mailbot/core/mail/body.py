"""From the tree of MIME parts to what a person sees: one text, attachments, attached mails."""

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from mailbot.core.base.characters import single_line
from mailbot.core.mail import tnef
from mailbot.core.mail.charsets import decode_text, unwrap_flowed
from mailbot.core.mail.html.visible_text import VisibleText, visible_text
from mailbot.core.mail.mime import Budget, Part, read_part

_MAILS = frozenset({"message/rfc822", "message/global", "message/news"})
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
#: How struck and superscript text of HTML is marked; the plain alternative loses that it is struck or superscript.
_MARKS = re.compile("~~|[⁰¹²³⁴⁵⁶⁷⁸⁹]")
_MARKUP = re.compile(r"<(?:s|strike|del|sup)[ >]|line-through", re.I)
_META_CHARSET = re.compile(rb"charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_.:-]{1,40})", re.I)


@dataclass(frozen=True)
class Attachment:
    """A file in a mail: ``index`` counts from 0; ``name`` is safe to show, "" if none; ``sha256`` is of ``data``."""

    index: int
    name: str
    content_type: str
    sha256: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Body:
    """The body of a mail.

    ``text``: what a person sees; ``surely``: what every mail program shows of it; ``html``: some of it came from HTML.
    ``mails``: attached mails with their depths, not parsed yet.
    """

    text: str
    surely: str
    html: bool
    attachments: tuple[Attachment, ...]
    mails: tuple[tuple[Part, int], ...]
    defects: tuple[str, ...]


@dataclass(frozen=True)
class _Text:
    source: str
    html: bool
    budget: Budget

    @cached_property
    def shown(self) -> VisibleText:
        """What a person sees of it. Raises OverCap."""
        if self.html:
            self.budget.count_tags(self.source)
            shown = visible_text(self.source)
        else:
            shown = VisibleText(self.source, self.source)
        self.budget.count_text(shown.text)
        return shown

    @property
    def text(self) -> str:
        return self.shown.text

    @property
    def blank(self) -> bool:
        return not self.text.strip()

    @property
    def may_mark(self) -> bool:
        """Whether its HTML may have struck or superscript text; a quick check that saves reading the page."""
        return self.html and _MARKUP.search(self.source) is not None


def read_body(root: Part, depth: int, budget: Budget) -> Body:
    """The body of the mail ``root``, nested ``depth`` deep in the mail that arrived. Raises OverCap, nothing else."""
    walk = _Walk(budget)
    texts = walk.texts(root, depth)
    if all(text.blank for text in texts) and walk.spare is not None:
        texts = [walk.spare]
    text = "\n".join(text.text for text in texts)
    surely = "\n".join(text.shown.surely for text in texts)
    html = any(text.html for text in texts)
    defects = tuple(dict.fromkeys(walk.defects))
    return Body(text, surely, html, tuple(walk.attachments), tuple(walk.mails), defects)


class _Walk:
    """One walk through the tree, top to bottom, that collects attachments, attached mails and defects."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.attachments: list[Attachment] = []
        self.mails: list[tuple[Part, int]] = []
        self.defects: list[str] = []
        self.spare: _Text | None = None  # the text of a winmail.dat, used if there is no other

    def texts(self, here: Part, depth: int, root: bool = True) -> list[_Text]:
        """The texts of ``here`` that a person sees, in order; everything else becomes an attachment."""
        self.budget.count_part(depth)
        if here.headless:
            self.defects.append("a header ends without a blank line")
        if here.kind.startswith("multipart/"):
            return self.multipart(here, depth)
        if here.kind in _MAILS or here.name.lower().endswith(".eml"):
            self.mail(here, depth)
            return []
        if here.kind in _TNEF or here.name.lower() == "winmail.dat":
            self.winmail(here)
            return []
        shown = here.kind in ("text/plain", "text/html") and here.disposition != "attachment"
        if shown and (root or not here.name):
            return [self.text(here)]
        self.attach(here)
        return []

    def multipart(self, here: Part, depth: int) -> list[_Text]:
        inner = self.inner(here)
        if not inner:
            self.defects.append("a multipart has no parts")
            return [self.text(here)] if here.end > here.start else []
        if not here.closed:
            self.defects.append("a multipart has no end")
        if here.kind == "multipart/alternative":
            return _best([self.texts(one, depth + 1, root=False) for one in inner])
        if here.kind == "multipart/related":
            root, *others = inner
            shown = self.texts(root, depth + 1, root=False)
            for other in others:
                self.related(other, depth + 1)
            return shown
        return [text for one in inner for text in self.texts(one, depth + 1, root=False)]

    def inner(self, here: Part) -> list[Part]:
        default = "message/rfc822" if here.kind == "multipart/digest" else "text/plain"
        parts: list[Part] = []
        for start, end in here.sections():
            if len(parts) > self.budget.caps.parts:
                break  # the walk raises OverCap
            parts.append(read_part(here.raw, start, end, self.budget, default))
        return parts

    def related(self, here: Part, depth: int) -> None:
        """A part that only belongs to a shown one, such as a picture."""
        if here.kind.startswith(("multipart/", "message/")):
            self.texts(here, depth, root=False)
        else:
            self.budget.count_part(depth)
            self.attach(here)

    def mail(self, here: Part, depth: int) -> None:
        encoded = here.content()
        same = len(encoded) == here.end - here.start
        raw, start, end = (here.raw, here.start, here.end) if same else (encoded.replace(b"\r\n", b"\n"), 0, 0)
        self.mails.append((read_part(raw, start, end if same else len(raw), self.budget), depth + 1))

    def winmail(self, here: Part) -> None:
        unpacked = tnef.read_tnef(here.content())
        if unpacked.defect:
            self.defects.append(unpacked.defect)
            self.attach(here)
        for name, data in unpacked.files:
            self.add(single_line(name.replace("\\", "/").rpartition("/")[2]), "application/octet-stream", data)
        if unpacked.text.strip():
            self.spare = _Text(unpacked.text, unpacked.html, self.budget)

    def attach(self, here: Part) -> None:
        self.add(here.name, here.kind, here.content())

    def add(self, name: str, kind: str, data: bytes) -> None:
        digest = hashlib.sha256(data).hexdigest()
        self.attachments.append(Attachment(len(self.attachments), name, single_line(kind, 100), digest, data))

    def text(self, here: Part) -> _Text:
        html = here.kind == "text/html"
        data = here.content()
        text, defect = decode_text(data, here.parameter("charset") or (_meta_charset(data) if html else None))
        if defect:
            self.defects.append(defect)
        if html:
            return _Text(text, True, self.budget)
        if here.parameter("format").lower() == "flowed":
            text = unwrap_flowed(text, here.parameter("delsp").lower() == "yes")
        return _Text(text, False, self.budget)


def _best(choices: list[list[_Text]]) -> list[_Text]:
    """Which alternative is read: the first that is not blank, plain text preferred; HTML if only it has struck or superscript text."""
    plain = [texts for texts in choices if not any(text.html for text in texts)]
    best: list[_Text] = next((texts for texts in chain(plain, choices) if not all(text.blank for text in texts)), [])
    if best and not any(text.html or _MARKS.search(text.text) for text in best):
        marked = (texts for texts in choices if any(text.may_mark for text in texts))
        return next((texts for texts in marked if any(_MARKS.search(text.text) for text in texts)), best)
    return best


def _meta_charset(data: bytes) -> str | None:
    found = _META_CHARSET.search(data, 0, 2048)
    return found[1].decode("ascii") if found else None
