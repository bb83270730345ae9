"""Forms that are not a line for each field: a label above its value, tables, columns and sentences. Made one line each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from re import compile as pattern

from mailbot.core.base.characters import INVISIBLE_AROUND
from mailbot.core.form.fields import CONTACT, FIELDS, FieldKind, field_of
from mailbot.core.form.labels import MailLine, box_row, is_heading, is_listed, is_numbered, label_alone, labelled
from mailbot.core.form.seat_counts import accounts, names_alone
from mailbot.core.form.signature import is_signature
from mailbot.core.form.which_form import request_of
from mailbot.core.form.yes_no import yes_or_no

#: So many blank lines may stand between a label and its value.
_GAP = 4
#: A mail is one of such pairs when so many are sure, or there are so many, one of which is more than a visiting card's.
_SURE, _SEVERAL = 2, 3
_COLUMNS = pattern(r"[ \u00a0]{3,}|\t")
_LONGEST_NAME = 40
_BETWEEN = pattern(r"([;,] )[ ]*")
_EDGES = " \t\n\u00a0\u2007\u202f" + INVISIBLE_AROUND
_WIDEST = 2000  # a longer line has no columns


@dataclass(frozen=True)
class _Pair:
    """A label alone on line ``at`` and the line of its value (None: it has none); ``sure``: it can be nothing else.

    ``colon``: it has one, so that only a blank line between the two asks for more.
    """

    at: int
    key: str
    value: int | None
    sure: bool
    colon: bool


def unstacked(lines: Sequence[str]) -> list[MailLine]:
    """The lines, labels without a colon joined with their values: "License token" above "A1B2C3D4E5F6" is one line.

    A label alone counts where the line below can be nothing but its value, or where the mail has several such pairs.
    """
    whole = [MailLine(line) for line in lines]
    rows = _rows(whole)
    return _joined_pairs([line for at in range(len(whole)) for line in _columns(whole, at, rows)])


def _joined_pairs(lines: Sequence[MailLine]) -> list[MailLine]:
    pairs = [pair for at in range(len(lines)) if (pair := _pair(lines, at))]
    layouts = {colon: _is_layout([pair for pair in pairs if pair.colon == colon]) for colon in (False, True)}
    pairs = [pair for pair in pairs if pair.sure or layouts[pair.colon]]
    made: list[MailLine] = []
    end = 0
    for number, pair in enumerate(pairs):
        if pair.at < end:
            continue
        made += lines[end : pair.at]
        after = pairs[number + 1].at if number + 1 < len(pairs) else len(lines)
        joined, end = _joined(lines, pair, after)
        made += map(MailLine, joined)
    return [*made, *lines[end:]]


def _joined(lines: Sequence[str], pair: _Pair, after: int) -> tuple[list[str], int]:
    """The label with its value, and where they end; the names of a list stand below their label, without gaps."""
    label = lines[pair.at].rstrip(_EDGES + "?*:：")
    if pair.value is None:
        return [f"{label}:"], pair.at + 1
    if FIELDS[pair.key].kind is not FieldKind.OPTIONS:
        return [f"{label}: {lines[pair.value].lstrip(_EDGES + '>')}"], pair.value + 1
    names, end = [lines[pair.value]], pair.value + 1
    for at in range(end, after):
        bare = bare_of(lines[at])
        if bare and not _is_name(lines[at]):
            break
        if bare:
            names.append(lines[at])
            end = at + 1
        elif pair.value == pair.at + 1:
            break  # only where the value itself stands behind a gap do gaps part its names
    return [f"{label}:", *names], end


def _is_name(line: str) -> bool:
    """Whether a line may be one name of a list: short, no sentence, no field and no signature."""
    bare = bare_of(line)
    return len(bare) <= _LONGEST_NAME and bare[-1] not in ".!?:" and not labelled(line) and not is_signature(line)


def _is_layout(pairs: Sequence[_Pair]) -> bool:
    full = [pair for pair in pairs if pair.value is not None]
    many = len(full) >= _SEVERAL and (any(pair.sure for pair in full) or any(pair.key not in CONTACT for pair in full))
    return many or sum(pair.sure for pair in full) >= _SURE


def _pair(lines: Sequence[MailLine], at: int) -> _Pair | None:
    found = lines[at].labelled
    colon = found is not None
    key = label_alone(lines[at]) if found is None else None if found.value else found.key
    if key is None or (colon and at + 1 < len(lines) and bare_of(lines[at + 1])):
        return None
    value = next((n for n in range(at + 1, min(len(lines), at + 2 + _GAP)) if bare_of(lines[n])), None)
    if value is None:
        return _Pair(at, key, None, sure=False, colon=colon)
    below = lines[value]
    if key == "request" and request_of(bare_of(below)):
        return _Pair(at, key, value, sure=True, colon=colon)
    found = below.labelled
    if label_alone(below) or (found and found.key):
        return _Pair(at, key, None, sure=False, colon=colon)
    return _Pair(at, key, value, _is_sure(lines[at], below, FIELDS[key].kind, gap=value > at + 1), colon)


def _is_sure(label: str, below: str, kind: FieldKind, *, gap: bool) -> bool:
    """Whether that line can only be the value of a field of that kind."""
    if kind in (FieldKind.OPTION, FieldKind.OPTIONS, FieldKind.YES) and box_row(below):
        return True
    if (
        kind is FieldKind.OPTIONS
        and is_listed(below)
        and (not is_listed(label) or is_numbered(label) > is_numbered(below))
    ):
        return not gap or is_heading(label)
    return kind is not FieldKind.EMAIL and fits(kind, bare_of(below))


def fits(kind: FieldKind, bare: str) -> bool:
    """Whether a line behind an empty label and a blank line can be nothing but its value."""
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
        case _:
            return False


def bare_of(line: str) -> str:
    """The words of a line without the marks of quoting before them."""
    return line.lstrip(_EDGES + ">").rstrip(_EDGES)


def _columns(lines: Sequence[MailLine], at: int, rows: Mapping[int, list[str]]) -> list[MailLine]:
    """The line as one line for each field that stands in it, also by the ``rows`` of tables."""
    line = lines[at]
    if len(line) <= _WIDEST and (sentences := _sentences(line) or [*map(MailLine, accounts(lines, at))]):
        return sentences
    if at + 1 < len(lines) and len(line) <= _WIDEST and names_alone(line, lines[at + 1]):
        return []
    if len(line) > _WIDEST or ("   " not in line and "\t" not in line and "\u00a0" not in line):
        return [line]
    if at in rows:
        return [*map(MailLine, rows[at])]
    if at + 1 in rows:
        return []  # their labels
    if len(fields := _fields(line)) > 1:
        return fields
    cells = line.split("\t")
    if len(cells) > 3 and len(cells) % 2 == 0 and all(map(_names, cells[::2])) and not any(map(_names, cells[1::2])):
        return [MailLine(f"{_head(label)}: {value}") for label, value in zip(cells[::2], cells[1::2], strict=True)]
    if (
        len(cells) > 1
        and all(map(_names, cells))
        and label_alone(_head(cells[0])) not in ("request", "action", "product")
    ):
        return [
            MailLine(" / ".join(map(_head, cells)))
        ]  # a row of labels whose values stand elsewhere: none of them is a value
    return [line]


def _fields(line: str) -> list[MailLine]:
    """The pieces of a line between its gaps; empty where one of them is no field with a value."""
    pieces: list[MailLine] = []
    for text in filter(bare_of, _COLUMNS.split(line)):
        piece = MailLine(text)
        if piece.key is None or piece.labelled is None or not piece.labelled.value:
            return []
        pieces.append(piece)
    return pieces


def _sentences(line: str) -> list[MailLine]:
    """The fields of a line such as "Token: X; Agents: 12; Reason: cost."; empty where it has less than three."""
    pieces = _BETWEEN.split(line)  # what was between stands at the odd places
    if len(pieces) < 2 * _SEVERAL - 1:
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
    if fields < _SEVERAL:
        return []
    made[-1] = ["".join(made[-1]).rstrip(" .")]
    return [one[0] if isinstance(one[0], MailLine) and len(one) == 1 else MailLine("".join(one)) for one in made]


def _head(cell: str) -> str:
    """What a cell names, without the colon that may end it."""
    return cell.strip(_EDGES + ":：*")


def _names(cell: str) -> bool:
    return label_alone(_head(cell)) is not None


def _rows(lines: Sequence[str]) -> dict[int, list[str]]:
    """Of each line that is a row of values in a table, below its row of labels or further rows, the fields of it."""
    found: dict[int, list[str]] = {}
    head = ""
    for at, line in enumerate(lines):
        if "\t" not in line or len(line) > _WIDEST:
            head = ""
        elif head and (fields := _table(head, line)):
            found[at] = fields
        else:
            head = line if all(map(_names, line.split("\t"))) else ""
    return found


def _table(head: str, row: str) -> list[str]:
    """The fields of a row of values below a row of labels, the one that begins a form first; empty where these are none."""
    labels, values = head.split("\t"), row.split("\t")
    if len(labels) < 2 or len(labels) != len(values) or any(map(_names, values)) or not all(map(_names, labels)):
        return []
    pairs = [(_head(label), value) for label, value in zip(labels, values, strict=True)]
    pairs.sort(key=lambda pair: label_alone(pair[0]) != "request")
    return [f"{label}: {value}" for label, value in pairs]
