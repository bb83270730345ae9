"""Forms that are not written as one field per line: stacked labels, tables, columns, sentences. All become one field per line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from re import compile as pattern
from typing import assert_never

from mailbot.core.base.characters import INVISIBLE_AROUND
from mailbot.core.form.fields import CONTACT_FIELDS, FIELDS, FieldKind, field_of
from mailbot.core.form.labels import (
    MailLine,
    bare_label,
    checkbox_row,
    is_heading,
    is_list_entry,
    is_numbered,
    read_label,
)
from mailbot.core.form.seat_counts import names_seat_below, split_counts
from mailbot.core.form.signature import begins_signature
from mailbot.core.form.which_form import request_of
from mailbot.core.form.yes_no import yes_or_no

#: Most blank lines between a label and its value.
_GAP_MAX = 4
#: A mail is stacked if this many pairs are sure, or if it has ``_PAIRS_MIN`` pairs that are more than a visiting card.
_SURE_PAIRS_MIN, _PAIRS_MIN = 2, 3
#: Fewest fields in a sentence such as "Token: X; Agents: 12; Reason: cost."
_SENTENCE_FIELDS_MIN = 3
_COLUMN_GAP = pattern(r"[ \u00a0]{3,}|\t")
_LIST_NAME_MAX = 40
_BETWEEN_FIELDS = pattern(r"([;,] )[ ]*")
_EDGES = " \t\n\u00a0\u2007\u202f" + INVISIBLE_AROUND
#: A longer line has no columns, in characters.
_COLUMNS_WIDTH_MAX = 2000


def one_field_per_line(lines: Sequence[str]) -> list[MailLine]:
    """The lines with one field on each: "License token" above "A1B2C3D4E5F6" becomes one line, a table row several.

    A label without a colon counts if the line below can only be its value, or if the mail has several such pairs.
    """
    read = [MailLine(line) for line in lines]
    rows = _table_rows(read)
    return _join_stacked([line for at in range(len(read)) for line in _split_line(read, at, rows)])


def bare_words(line: str) -> str:
    """The words of a line without quote marks and outer spaces."""
    return line.lstrip(_EDGES + ">").rstrip(_EDGES)


# stacked: a label above its value


@dataclass(frozen=True)
class _Pair:
    """A label alone on line ``at``, and the line of its ``value`` (None: there is none).

    ``sure``: it can be nothing else. ``colon``: the label ends with one.
    """

    at: int
    key: str
    value: int | None
    sure: bool
    colon: bool


def _join_stacked(lines: Sequence[MailLine]) -> list[MailLine]:
    pairs = [pair for at in range(len(lines)) if (pair := _pair_at(lines, at))]
    stacked = {colon: _is_stacked([pair for pair in pairs if pair.colon == colon]) for colon in (False, True)}
    pairs = [pair for pair in pairs if pair.sure or stacked[pair.colon]]
    made: list[MailLine] = []
    end = 0
    for number, pair in enumerate(pairs):
        if pair.at < end:
            continue
        made += lines[end : pair.at]
        next_label = pairs[number + 1].at if number + 1 < len(pairs) else len(lines)
        joined, end = _joined(lines, pair, next_label)
        made += map(MailLine, joined)
    return [*made, *lines[end:]]


def _joined(lines: Sequence[str], pair: _Pair, next_label: int) -> tuple[list[str], int]:
    """The label with its value, and the number of the line after them; names of a list stay below their label."""
    label = lines[pair.at].rstrip(_EDGES + "?*:：")
    if pair.value is None:
        return [f"{label}:"], pair.at + 1
    if FIELDS[pair.key].kind is not FieldKind.OPTIONS:
        return [f"{label}: {lines[pair.value].lstrip(_EDGES + '>')}"], pair.value + 1
    names, end = [lines[pair.value]], pair.value + 1
    for at in range(end, next_label):
        bare = bare_words(lines[at])
        if bare and not _is_list_name(lines[at]):
            break
        if bare:
            names.append(lines[at])
            end = at + 1
        elif pair.value == pair.at + 1:
            break  # there are no gaps between the names if there is none above the first
    return [f"{label}:", *names], end


def _is_list_name(line: str) -> bool:
    """Whether a line may be one name of a list: short, no sentence, no field, no signature."""
    bare = bare_words(line)
    return (
        len(bare) <= _LIST_NAME_MAX and bare[-1] not in ".!?:" and not read_label(line) and not begins_signature(line)
    )


def _is_stacked(pairs: Sequence[_Pair]) -> bool:
    full = [pair for pair in pairs if pair.value is not None]
    is_form = any(pair.sure or pair.key not in CONTACT_FIELDS for pair in full)
    return (len(full) >= _PAIRS_MIN and is_form) or sum(pair.sure for pair in full) >= _SURE_PAIRS_MIN


def _pair_at(lines: Sequence[MailLine], at: int) -> _Pair | None:
    found = lines[at].labelled
    colon = found is not None
    key = bare_label(lines[at]) if found is None else None if found.value else found.key
    if key is None or (colon and at + 1 < len(lines) and bare_words(lines[at + 1])):
        return None
    value = next((n for n in range(at + 1, min(len(lines), at + 2 + _GAP_MAX)) if bare_words(lines[n])), None)
    if value is None:
        return _Pair(at, key, None, sure=False, colon=colon)
    below = lines[value]
    if key == "request" and request_of(bare_words(below)):
        return _Pair(at, key, value, sure=True, colon=colon)
    if bare_label(below) or below.key:
        return _Pair(at, key, None, sure=False, colon=colon)
    return _Pair(at, key, value, _is_surely_value(lines[at], below, FIELDS[key].kind, gap=value > at + 1), colon)


def _is_surely_value(label: str, below: str, kind: FieldKind, *, gap: bool) -> bool:
    """Whether the line below the label can only be its value; ``gap``: there are blank lines between the two."""
    if kind in (FieldKind.OPTION, FieldKind.OPTIONS, FieldKind.YES) and checkbox_row(below):
        return True
    deeper = not is_list_entry(label) or is_numbered(label) > is_numbered(below)
    if kind is FieldKind.OPTIONS and is_list_entry(below) and deeper:
        return not gap or is_heading(label)
    return kind is not FieldKind.EMAIL and can_only_be(kind, bare_words(below))


def can_only_be(kind: FieldKind, bare: str) -> bool:
    """Whether a line after an empty label and a blank line can only be a value of that kind."""
    match kind:
        case FieldKind.TOKEN:
            return " " not in bare and 8 <= len(bare) <= 128 and any(map(str.isdigit, bare))
        case FieldKind.NUMBER:
            count, _, unit = bare.strip('"“”').partition(" ")
            return count.isdecimal() and (not unit or (field_of(unit) or field_of(f"{unit}s")) is not None)
        case FieldKind.YES:
            return yes_or_no(bare) is not None
        case FieldKind.EMAIL:
            return "@" in bare and " " not in bare
        case (
            FieldKind.REQUEST
            | FieldKind.ACTION
            | FieldKind.PRODUCT
            | FieldKind.TEXT
            | FieldKind.PROSE
            | FieldKind.OPTION
            | FieldKind.OPTIONS
            | FieldKind.REASON
            | FieldKind.FILE
        ):
            return False
        case _:
            assert_never(kind)


# several fields on a line


def _split_line(lines: Sequence[MailLine], at: int, rows: Mapping[int, list[str]]) -> list[MailLine]:
    """A line for each field on the line; ``rows``: the fields of the rows of tables, by the number of their line."""
    line = lines[at]
    if len(line) > _COLUMNS_WIDTH_MAX:
        return [line]
    if fields := _sentence_fields(line) or [*map(MailLine, split_counts(lines, at))]:
        return fields
    if at + 1 < len(lines) and names_seat_below(line, lines[at + 1]):
        return []
    if "   " not in line and "\t" not in line and "\u00a0" not in line:
        return [line]
    if at in rows:
        return [*map(MailLine, rows[at])]
    if at + 1 in rows:
        return []  # the labels of that row
    return _split_columns(line)


def _split_columns(line: MailLine) -> list[MailLine]:
    if len(fields := _column_fields(line)) > 1:
        return fields
    cells = line.split("\t")
    alternate = len(cells) > 3 and len(cells) % 2 == 0
    if alternate and all(map(_is_label_cell, cells[::2])) and not any(map(_is_label_cell, cells[1::2])):
        return [
            MailLine(f"{_cell_words(label)}: {value}") for label, value in zip(cells[::2], cells[1::2], strict=True)
        ]
    only_labels = len(cells) > 1 and all(map(_is_label_cell, cells))
    if only_labels and bare_label(_cell_words(cells[0])) not in ("request", "action", "product"):
        return [MailLine(" / ".join(map(_cell_words, cells)))]  # their values are elsewhere: no cell is a value here
    return [line]


def _column_fields(line: str) -> list[MailLine]:
    """The columns of a line; [] unless each is a field with a value."""
    pieces: list[MailLine] = []
    for text in filter(bare_words, _COLUMN_GAP.split(line)):
        piece = MailLine(text)
        if piece.key is None or piece.labelled is None or not piece.labelled.value:
            return []
        pieces.append(piece)
    return pieces


def _sentence_fields(line: str) -> list[MailLine]:
    """The fields of a line such as "Token: X; Agents: 12; Reason: cost."; [] if it has too few."""
    pieces = _BETWEEN_FIELDS.split(line)  # separators at the odd places
    if len(pieces) < 2 * _SENTENCE_FIELDS_MIN - 1:
        return []
    made: list[list[MailLine | str]] = []
    fields = 0
    for at in range(0, len(pieces), 2):
        piece = MailLine(pieces[at])
        key = piece.key
        if not at and key is not None and FIELDS[key].kind is FieldKind.PROSE:
            return []
        if key is None and not at:
            made.append([piece])  # a greeting
        elif key is None and fields == 0:
            return []
        elif key is None:
            made[-1] += [pieces[at - 1], piece]
        else:
            made.append([piece])
            fields += 1
    if fields < _SENTENCE_FIELDS_MIN:
        return []
    made[-1] = ["".join(made[-1]).rstrip(" .")]
    return [one[0] if isinstance(one[0], MailLine) and len(one) == 1 else MailLine("".join(one)) for one in made]


# tables


def _table_rows(lines: Sequence[str]) -> dict[int, list[str]]:
    """The fields of each line that is a table row of values, below a row of labels or further rows of values."""
    found: dict[int, list[str]] = {}
    head = ""
    for at, line in enumerate(lines):
        if "\t" not in line or len(line) > _COLUMNS_WIDTH_MAX:
            head = ""
        elif head and (fields := _row_fields(head, line)):
            found[at] = fields
        else:
            head = line if all(map(_is_label_cell, line.split("\t"))) else ""
    return found


def _row_fields(head: str, row: str) -> list[str]:
    """The fields of a row of values below a row of labels, the request first; [] if the two do not fit."""
    labels, values = head.split("\t"), row.split("\t")
    if len(labels) < 2 or len(labels) != len(values):
        return []
    if any(map(_is_label_cell, values)) or not all(map(_is_label_cell, labels)):
        return []
    pairs = [(_cell_words(label), value) for label, value in zip(labels, values, strict=True)]
    pairs.sort(key=lambda pair: bare_label(pair[0]) != "request")
    return [f"{label}: {value}" for label, value in pairs]


def _cell_words(cell: str) -> str:
    return cell.strip(_EDGES + ":：*")


def _is_label_cell(cell: str) -> bool:
    return bare_label(_cell_words(cell)) is not None
