"""The lines of one form into a ``Reading``: one pass that collects each field's values, near labels, and all other words."""

import re
from collections.abc import Iterable, Sequence
from typing import assert_never

from rapidfuzz import fuzz, process

from mailbot.core.base.characters import INVISIBLE_AROUND, multi_line
from mailbot.core.form.fields import FIELDS, LABELS, FieldKind, asks_for_both_lists, field_of, normalise
from mailbot.core.form.forwarded import announces_forward
from mailbot.core.form.labels import (
    LabelledLine,
    MailLine,
    checkbox_row,
    has_open_parenthesis,
    is_list_entry,
    is_numbered,
    ticked_choices,
)
from mailbot.core.form.layouts import bare_words, can_only_be, one_field_per_line
from mailbot.core.form.request import VALUE_SEPARATOR, NearLabel, Reading
from mailbot.core.form.signature import begins_signature, is_device_line
from mailbot.core.logs.pasted_logs import is_json_line, without_pasted_logs

#: Most different values kept of one field, and most lines compared with the labels.
_VALUES_MAX, _NEAR_TRIES_MAX = 5, 300
#: How alike a near label must be, in percent, and its greatest length.
_NEAR_LIKENESS, _NEAR_LABEL_MAX = 80, 60
#: A line of this length may have been wrapped: if so, the first word of the next line did not fit within ``_WRAP_COLUMN``.
WRAP_FROM, _WRAP_COLUMN = 60, 72
#: A label whose parenthesis is open is joined with at most this many lines.
_JOINED_LINES_MAX = 4
MAILTO_LINK = re.compile(r"\s{0,3}[<\[(]mailto:[^<>\[\]()\s]{1,320}[>\])]", re.I)
_ARMOUR = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----|Hash: (?:SHA|RIPEMD)[\w, -]{1,40}")
#: Word's bullets: a letter of a symbol font followed by spaces, or a private-use character.
_WORD_BULLET = re.compile(
    r"^([\s>]{0,40})(?:[oqvwü§ØŸ·–—](?:\t| {0,9}[ \u00a0]{3,20})[ \u00a0]{0,20}|[\uf0b7\uf0a7\uf0d8\uf076\uf0fc]\s{0,30})(?=\S)"
)
#: Words that the writer struck out.
_STRUCK = re.compile(r"(?<!\S)~~[^~\n]{1,300}~~(?:\s|$)")
#: A token in quotes or backticks.
_QUOTED = re.compile(r"""(["'`])([!-~]{8,128})\1|[“„«]([!-~]{8,128})[”“»]""")
_EDGES = " \t\n\u00a0\u2007\u202f" + INVISIBLE_AROUND


def _has_choices(kind: FieldKind) -> bool:
    """Whether a value of that kind may be ticked on a list of choices."""
    match kind:
        case (
            FieldKind.OPTION
            | FieldKind.OPTIONS
            | FieldKind.YES
            | FieldKind.REASON
            | FieldKind.ACTION
            | FieldKind.PRODUCT
        ):
            return True
        case (
            FieldKind.REQUEST
            | FieldKind.TOKEN
            | FieldKind.TEXT
            | FieldKind.PROSE
            | FieldKind.EMAIL
            | FieldKind.NUMBER
            | FieldKind.FILE
        ):
            return False
        case _:
            assert_never(kind)


def _may_wrap(kind: FieldKind) -> bool:
    """Whether a mail program may have wrapped a value of that kind; prose has its own rule."""
    match kind:
        case FieldKind.TEXT | FieldKind.REASON | FieldKind.OPTION | FieldKind.OPTIONS:
            return True
        case (
            FieldKind.REQUEST
            | FieldKind.ACTION
            | FieldKind.PRODUCT
            | FieldKind.TOKEN
            | FieldKind.PROSE
            | FieldKind.EMAIL
            | FieldKind.YES
            | FieldKind.NUMBER
            | FieldKind.FILE
        ):
            return False
        case _:
            assert_never(kind)


_WITH_CHOICES = frozenset(kind for kind in FieldKind if _has_choices(kind))
_WRAPPABLE = frozenset(kind for kind in FieldKind if _may_wrap(kind))


def prepare_lines(lines: Sequence[str]) -> list[MailLine]:
    """The lines ready for a ``LineReader``: without pasted logs, broken labels joined, one field on each line."""
    prepared: list[str] = []
    joined = 0
    for line in (_WORD_BULLET.sub(r"\1- ", line) for line in without_pasted_logs(lines)):
        if prepared and joined < _JOINED_LINES_MAX and line.strip() and has_open_parenthesis(prepared[-1]):
            prepared[-1] = f"{prepared[-1].rstrip()} {line.lstrip(' >')}"
            joined += 1
        else:
            prepared.append(line)
            joined = 0
    return one_field_per_line(prepared)


class LineReader:
    """Reads the lines of one form, top to bottom, and collects what becomes its ``Reading``."""

    def __init__(self) -> None:
        self._given: dict[str, list[list[str]]] = {}  # field -> for each time it was given, the pieces of its value
        self._near: dict[str, NearLabel] = {}
        self._near_tries = 0
        self._prose: list[str] = []
        self._current: str | None = None  # the field whose value may go on
        self._current_numbered = False  # its label is in a numbered list
        self._combined_list = False  # one list was asked for with add-ons and plugins in it
        self._in_signature = False
        self._previous = MailLine()
        self._after_blank = False

    def copy(self) -> "LineReader":
        """A reader with the same fields and words, ready for a ``Request:`` line."""
        other = LineReader()
        other._given = {key: [list(pieces) for pieces in given] for key, given in self._given.items()}
        other._near, other._prose, other._combined_list = dict(self._near), list(self._prose), self._combined_list
        return other

    def read(self, lines: Iterable[MailLine]) -> "LineReader":
        """Reads more lines; returns itself."""
        for line in lines:
            self._read_line(line)
            self._after_blank = not bare_words(line)
            self._previous = line
        return self

    def reading(self) -> Reading:
        """What was collected."""
        values = {key: _field_value(key, ["".join(pieces) for pieces in given]) for key, given in self._given.items()}
        values = {key: value for key, value in values.items() if value}
        if self._combined_list and "addons" in values:
            values.setdefault("plugins", values["addons"])
        return Reading(values, self._near, values.get("request"), "\n".join(self._prose).strip())

    def _read_line(self, line: MailLine) -> None:
        bare = bare_words(line)
        found = line.labelled if bare else None
        key = found.key if found else None
        if key == "request" or (key is None and announces_forward(line)):
            self._in_signature = False
        if not (self._given or self._prose) and is_device_line(line):
            return  # a phone's signature above all words
        self._in_signature = self._in_signature or (key is None and begins_signature(line))
        if self._in_signature:
            return
        if not bare:
            self._read_blank()
        elif found and key:
            self._begin_field(key, found.value)
            self._current_numbered = is_numbered(line)
            self._combined_list = self._combined_list or (key == "addons" and asks_for_both_lists(found.label))
        elif box := _labelled_box(line):
            self._begin_field(*box)
        elif not (is_json_line(bare) or _ARMOUR.fullmatch(bare)):  # no person wrote those
            self._read_words(line, bare, found)

    def _begin_field(self, key: str, value: str) -> None:
        self._given.setdefault(key, []).append([value] if value else [])
        self._current = key

    def _read_blank(self) -> None:
        if self._current and FIELDS[self._current].kind is FieldKind.PROSE:
            self._given[self._current][-1].append("\n")
        elif self._prose and self._prose[-1]:
            self._prose.append("")

    def _read_words(self, line: str, bare: str, found: LabelledLine | None) -> None:
        """A line without the label of a field: it continues the current field, or it is prose."""
        if found:
            self._note_near_label(found)
        if self._current and self._continues(self._current, line, bare):
            pieces = self._given[self._current][-1]
            wrapped = pieces and FIELDS[self._current].kind in _WRAPPABLE and self._wraps_into(bare)
            joint = " " if wrapped and not is_list_entry(line) else "\n" if pieces else ""
            pieces.append(joint + bare)
        else:
            self._current = None
            self._prose.append(bare)

    def _continues(self, key: str, line: str, bare: str) -> bool:
        """Whether the line belongs to the value of that field."""
        kind, pieces = FIELDS[key].kind, self._given[key][-1]
        if kind is FieldKind.PROSE:
            return True
        takes_rows = kind is FieldKind.OPTIONS or (kind in _WITH_CHOICES and checkbox_row(line) is not None)
        if pieces and self._current_numbered and is_numbered(line):
            return False
        if takes_rows and is_list_entry(line):
            return True
        if self._after_blank:
            return not pieces and can_only_be(kind, bare)
        if not pieces:
            return True
        if kind is FieldKind.TOKEN:  # a broken token is reported as a whole: its beginning is no token
            return len(self._previous) >= WRAP_FROM and " " not in bare
        if kind is FieldKind.OPTIONS and (pieces[-1].endswith((",", ";")) or self._previous.key is None):
            return True
        return kind in _WRAPPABLE and self._wraps_into(bare)

    def _wraps_into(self, bare: str) -> bool:
        """Whether the previous line was wrapped because the first word of this one did not fit."""
        length = len(self._previous)
        return length >= WRAP_FROM and length + 1 + len(bare.split(" ", 1)[0]) > _WRAP_COLUMN

    def _note_near_label(self, found: LabelledLine) -> None:
        if self._near_tries >= _NEAR_TRIES_MAX or not found.value or len(found.label) > _NEAR_LABEL_MAX:
            return
        self._near_tries += 1
        label = normalise(found.label.partition("(")[0])
        nearest = process.extractOne(label, LABELS.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR_LIKENESS)
        if nearest and nearest[1] < 100:  # an exact label here was refused for its value, such as a link
            self._near.setdefault(LABELS[nearest[0]], NearLabel(found.label, found.value))


def _labelled_box(line: str) -> tuple[str, str] | None:
    """Field and value of a row such as "[x] I accept the License Agreement"; the value of an empty box is ""."""
    row = checkbox_row(line)
    key = field_of(row[1]) if row else None
    if row is None or key is None or FIELDS[key].kind is not FieldKind.YES:
        return None
    return key, "yes" if row[0] else ""


def _field_value(key: str, given: Iterable[str]) -> str:
    """The value of a field; different values are joined by ``VALUE_SEPARATOR``, prose line by line."""
    kind = FIELDS[key].kind
    values = [value for text in given if (value := tidy_value(kind, text))]
    if kind is FieldKind.PROSE:
        return "\n".join(values)
    if kind is FieldKind.FILE:
        return values[-1] if values else ""
    exact = kind in (FieldKind.TOKEN, FieldKind.TEXT)
    different = {(value if exact else normalise(value)): value for value in reversed(values)}
    return VALUE_SEPARATOR.join([*reversed(different.values())][:_VALUES_MAX])


def tidy_value(kind: FieldKind, text: str) -> str:
    """A value without what copying, wrapping and mail programs added; of rows with boxes the ticked ones.

    A token is kept character by character: nothing invisible is removed from it.
    """
    text = text.replace(VALUE_SEPARATOR, "")
    if kind is not FieldKind.TOKEN:
        text = multi_line(text)
    text = text.strip(_EDGES)
    if kind is FieldKind.PROSE:
        return text
    if kind is FieldKind.TOKEN and (quoted := _QUOTED.fullmatch(text)):
        return str(quoted[2] or quoted[3])
    text = _STRUCK.sub("", text).strip(_EDGES)
    if kind in _WITH_CHOICES:
        text = ticked_choices(text)
    if kind is FieldKind.EMAIL:
        text = MAILTO_LINK.sub("", text)
    return text if kind is FieldKind.OPTIONS else " ".join(text.split("\n"))
