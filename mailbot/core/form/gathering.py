"""Lines of a mail into a ``Reading``: one way through, gathering what each field is given, near labels, and prose."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from rapidfuzz import fuzz, process

from mailbot.core.base.characters import INVISIBLE_AROUND, multi_line
from mailbot.core.form.fields import FIELDS, LABELS, FieldKind, field_of, names_both, normal
from mailbot.core.form.forwarded import announces
from mailbot.core.form.labels import Labelled, MailLine, box_row, is_listed, is_numbered, ticked, unfinished
from mailbot.core.form.layouts import bare_of, fits, unstacked
from mailbot.core.form.pasted_logs import is_json, without_pasted
from mailbot.core.form.signature import is_device, is_signature
from mailbot.core.form.which_form import TWICE

#: So many values of a field that was given more than once are told, and so many lines are looked at for near labels.
_MOST_TOLD, _MOST_NEAR = 5, 300
_NEAR = 80
#: A line so long may have been wrapped: its value goes on where the next word had no room.
WRAP_FROM, _WRAP_AT = 60, 72
_CHOICES = frozenset(
    {FieldKind.OPTION, FieldKind.OPTIONS, FieldKind.YES, FieldKind.REASON, FieldKind.ACTION, FieldKind.PRODUCT}
)
_WRAPPED = frozenset({FieldKind.TEXT, FieldKind.REASON, FieldKind.OPTION, FieldKind.OPTIONS})
#: Under this key a ticket keeps the words of its mails that belong to no field.
PROSE = "prose"
MAILTO = re.compile(r"\s{0,3}[<\[(]mailto:[^<>\[\]()\s]{1,320}[>\])]", re.I)
_ARMOUR = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----|Hash: (?:SHA|RIPEMD)[\w, -]{1,40}")
#: Bullets as Word writes them: a letter that its own fonts draw as a sign, and the room behind it; or its private number.
_WORD_BULLET = re.compile(
    r"^([\s>]{0,40})(?:[oqvwü§ØŸ·–—](?:\t| {0,9}[ \u00a0]{3,20})[ \u00a0]{0,20}|[\uf0b7\uf0a7\uf0d8\uf076\uf0fc]\s{0,30})(?=\S)"
)
#: Struck out words: who wrote them took them back.
_STRUCK = re.compile(r"(?<!\S)~~[^~\n]{1,300}~~(?:\s|$)")
#: A token in a pair of quotes, or set as code.
_QUOTED = re.compile(r"""(["'`])([!-~]{8,128})\1|[“„«]([!-~]{8,128})[”“»]""")
_EDGES = " \t\n\u00a0\u2007\u202f" + INVISIBLE_AROUND


@dataclass(frozen=True)
class Reading:
    """Field key -> text as read; near labels (field -> label and value as written); ``prose`` belongs to no field.

    The values of a field that was given with different ones stand side by side, ``TWICE`` between them: so they are
    kept with the ticket until the customer says which it is.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    near: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    request_line: str | None = None
    prose: str = ""

    @cached_property
    def twice(self) -> Mapping[str, tuple[str, ...]]:
        """The fields that were given with different values."""
        return {key: tuple(value.split(TWICE)) for key, value in self.values.items() if TWICE in value}

    @cached_property
    def stored(self) -> dict[str, str]:
        """What the ticket keeps, for ``merge``."""
        return {**self.values, PROSE: self.prose} if self.prose else dict(self.values)

    def without(self, fields: Collection[str]) -> "Reading":
        """The same reading as if those fields had not been written."""
        values = {key: value for key, value in self.values.items() if key not in fields}
        near = {key: found for key, found in self.near.items() if key not in fields}
        return Reading(values, near, values.get("request"), self.prose)


def whole(lines: Sequence[str]) -> list[MailLine]:
    """The lines without pasted logs; labels whose parenthesis was broken over up to four are made whole, and those without a colon too."""
    made: list[str] = []
    joined = 0
    for line in (_WORD_BULLET.sub(r"\1- ", line) for line in without_pasted(lines)):
        if made and joined < 4 and line.strip() and unfinished(made[-1]):
            made[-1] = f"{made[-1].rstrip()} {line.lstrip(' >')}"
            joined += 1
        else:
            made.append(line)
            joined = 0
    return unstacked(made)


class LineReader:
    """Goes once through lines and gathers what each field is given, near labels and prose."""

    def __init__(self) -> None:
        self.given: dict[str, list[list[str]]] = {}  # of each line that gave it the pieces, with what joins them
        self.near: dict[str, tuple[str, str]] = {}
        self.prose: list[str] = []
        self.current: str | None = None
        self.signed = False
        self.gap = False  # a blank line stands before this one
        self.before = MailLine()
        self.tried = 0
        self.both = False  # one list held add-ons and plugins
        self.numbered = False  # the label of the field that is read has a number before it

    def copy(self) -> "LineReader":
        """Another reader that has read the same; it goes on with a ``Request:`` line."""
        other = LineReader()
        other.given = {key: [list(chunk) for chunk in chunks] for key, chunks in self.given.items()}
        other.near, other.prose, other.both = dict(self.near), list(self.prose), self.both
        return other

    def read(self, lines: Iterable[MailLine]) -> "LineReader":
        """The same reader, which has read these lines too."""
        for line in lines:
            self._take(line)
            self.gap = not bare_of(line)
            self.before = line
        return self

    def _take(self, line: MailLine) -> None:
        bare = bare_of(line)
        found = line.labelled if bare else None
        key = found.key if found else None
        if key == "request" or (key is None and announces(line)):
            self.signed = False
        if not (self.given or self.prose) and is_device(line):
            return  # a telephone's line above all words
        self.signed = self.signed or (key is None and is_signature(line))
        if self.signed:
            return
        if not bare:
            self._blank()
        elif found and key:
            self._start(key, found.value)
            self.numbered = is_numbered(line)
            self.both = self.both or (key == "addons" and names_both(found.label))
        elif box := _labelled_box(line):
            self._start(*box)
        elif not _is_machine(bare):
            self._words(line, bare, found)

    def _start(self, key: str, value: str) -> None:
        self.given.setdefault(key, []).append([value] if value else [])
        self.current = key

    def _blank(self) -> None:
        """A blank line belongs to words, of a field or of none."""
        if self.current and FIELDS[self.current].kind is FieldKind.PROSE:
            self.given[self.current][-1].append("\n")
        elif self.prose and self.prose[-1]:
            self.prose.append("")

    def _words(self, line: str, bare: str, found: Labelled | None) -> None:
        """A line without a label: the field before goes on, or it is prose."""
        if found:
            self._nearly(found)
        if self.current and self._continues(self.current, line, bare):
            chunk = self.given[self.current][-1]
            broken = chunk and FIELDS[self.current].kind in _WRAPPED and _was_wrapped(self.before, bare)
            joint = " " if broken and not is_listed(line) else "\n" if chunk else ""
            chunk.append(joint + bare)
        else:
            self.current = None
            self.prose.append(bare)

    def _continues(self, key: str, line: str, bare: str) -> bool:
        kind, chunk = FIELDS[key].kind, self.given[key][-1]
        if kind is FieldKind.PROSE:
            return True
        rows = kind is FieldKind.OPTIONS or (kind in _CHOICES and box_row(line) is not None)
        if chunk and self.numbered and is_numbered(line):
            return False
        if rows and is_listed(line):
            return True
        if self.gap:
            return not chunk and fits(kind, bare)
        if not chunk:
            return True
        if kind is FieldKind.TOKEN:
            return len(self.before) >= WRAP_FROM and " " not in bare  # a broken token is told, its beginning is none
        if kind is FieldKind.OPTIONS and (chunk[-1].endswith((",", ";")) or self.before.key is None):
            return True
        return kind in _WRAPPED and _was_wrapped(self.before, bare)

    def _nearly(self, found: Labelled) -> None:
        if self.tried >= _MOST_NEAR or not found.value or len(found.label) > 60:
            return
        self.tried += 1
        label = normal(found.label.partition("(")[0])
        nearest = process.extractOne(label, LABELS.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR)
        if nearest and nearest[1] < 100:  # else it was seen that it is none, such as a link behind "License Agreement"
            self.near.setdefault(LABELS[nearest[0]], (found.label, found.value))

    def reading(self) -> Reading:
        """What was gathered."""
        values = {key: _value(key, ["".join(chunk) for chunk in chunks]) for key, chunks in self.given.items()}
        values = {key: value for key, value in values.items() if value}
        if self.both and "addons" in values:
            values.setdefault("plugins", values["addons"])
        return Reading(values, self.near, values.get("request"), "\n".join(self.prose).strip())


def _labelled_box(line: str) -> tuple[str, str] | None:
    """The field of a row such as "[x] I accept the License Agreement"; one that is not ticked says nothing."""
    row = box_row(line)
    key = field_of(row[1]) if row else None
    if row is None or key is None or FIELDS[key].kind is not FieldKind.YES:
        return None
    return key, "yes" if row[0] else ""


def _is_machine(bare: str) -> bool:
    """What is left of pasted JSON, and lines of PGP: they are nobody's words."""
    return is_json(bare) or bool(_ARMOUR.fullmatch(bare))


def _was_wrapped(before: str, bare: str) -> bool:
    return len(before) >= WRAP_FROM and len(before) + 1 + len(bare.split(" ", 1)[0]) > _WRAP_AT


def _value(key: str, given: Iterable[str]) -> str:
    """The one value of a field, or all that differ with ``TWICE`` between; words simply follow each other."""
    kind = FIELDS[key].kind
    values = [value for text in given if (value := tidied(kind, text))]
    if kind is FieldKind.PROSE:
        return "\n".join(values)
    if kind is FieldKind.FILE:
        return values[-1] if values else ""
    same = {
        (value if kind in (FieldKind.TOKEN, FieldKind.TEXT) else normal(value)): value for value in reversed(values)
    }
    return TWICE.join([*reversed(same.values())][:_MOST_TOLD])


def tidied(kind: FieldKind, text: str) -> str:
    """A value as it is kept: what copying and wrapping added is gone, and signs that steer a terminal; ticked boxes are the words behind them."""
    text = text.replace(TWICE, "")
    if kind is not FieldKind.TOKEN:  # in which nothing is passed over
        text = multi_line(text)
    text = text.strip(_EDGES)
    if kind is FieldKind.PROSE:
        return text
    if kind is FieldKind.TOKEN and (quoted := _QUOTED.fullmatch(text)):
        return str(quoted[2] or quoted[3])
    text = _STRUCK.sub("", text).strip(_EDGES)
    if kind in _CHOICES:
        text = ticked(text)
    if kind is FieldKind.EMAIL:
        text = MAILTO.sub("", text)
    return text if kind is FieldKind.OPTIONS else " ".join(text.split("\n"))
