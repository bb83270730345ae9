"""Licences as CSV: read with every fault and its line number, written so that reading gives the same.

What a row changes in the ledger is in ``operations.ledger_import``.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from mailbot.core.base.address import plain_address
from mailbot.core.catalogue.contents import Catalogue
from mailbot.core.catalogue.item_kinds import SEATS
from mailbot.core.form.values import read_token
from mailbot.core.ledger.licence import DATES, Licence
from mailbot.json_shapes import LICENCE

STATUSES = ("demo", "active", "expired", "deactivated", "replaced")
#: Most seats of one kind that a licence may have.
MOST_SEATS = 1_000_000
#: Prefix of the first column's name in an export for spreadsheets, so that it is not imported.
SPREADSHEET = "spreadsheet:"

#: Passes on what it is given and may show the progress.
Progress = Callable[[Iterable[Any]], Iterable[Any]]


class ColumnChecks:
    """The checks of each column against the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._columns: dict[str, Callable[[str], str | None]] = {
            "token": _token,
            "status": _one_of(STATUSES),
            "product": _one_of(catalogue.products),
            "plan": _one_of(catalogue.plans),
            "support": _one_of(catalogue.support),
            "billing": _one_of(catalogue.billing),
            "whitelabel": _one_of(("true", "false")),
            "addons": _each(_one_of(catalogue.addons)),
            "plugins": _each(_one_of(catalogue.plugins)),
            "contacts": _each(_contact),
            "customer_name": _name,
            **dict.fromkeys(SEATS, _count),
            **dict.fromkeys(DATES, _date),
        }

    def faults(self, row: dict[str, str]) -> list[str]:
        """Every fault of a row, each with the name of its column."""
        found = [f"unknown column {name!r}" for name in row if name not in self._columns]
        for name, value in row.items():
            check = self._columns.get(name)
            if check is not None and (value or name == "token"):
                wrong = check(value)
                if wrong:
                    found.append(f"{name}: {wrong}")
        return found


def _one_of(known: Iterable[str]) -> Callable[[str], str | None]:
    choices = tuple(known)
    return lambda value: None if value in choices else f"read {value!r}, must be one of {', '.join(choices)}"


def _each(check: Callable[[str], str | None]) -> Callable[[str], str | None]:
    return lambda value: next((wrong for part in cell_parts(value) if (wrong := check(part))), None)


def _token(value: str) -> str | None:
    if isinstance(read_token("token", value), str):
        return None
    return f"read {value!r}, must be 8 to 128 visible ASCII characters without spaces"


def _contact(value: str) -> str | None:
    if plain_address(f"x{value}" if value.startswith("@") else value):
        return None
    return f"read {value!r}, must be an address or @domain"


def _name(value: str) -> str | None:
    return None if value.isprintable() else f"read {value!r}, must be one line of text"


def _count(value: str) -> str | None:
    good = value.isascii() and value.isdigit() and len(value) < 10 and int(value) <= MOST_SEATS
    return None if good else f"read {value!r}, must be a whole number up to {MOST_SEATS}"


def _date(value: str) -> str | None:
    try:
        good = date.fromisoformat(value).isoformat() == value
    except ValueError:
        good = False
    return None if good else f"read {value!r}, must be a date like 2027-01-31"


def cell_parts(text: str) -> list[str]:
    """The parts of a cell with a list, separated by semicolons."""
    return [part.strip() for part in text.split(";") if part.strip()]


def read_csv(raw: bytes, catalogue: Catalogue, progress: Progress = iter) -> tuple[list[dict[str, str]], list[str]]:
    """The rows of a file by column name, and every fault with its line number."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return [], [f"line {line}: not UTF-8"]
    lines = _lines(text)
    _, header, fault = next(lines, (1, [], ""))
    if header[:1] == [f"{SPREADSHEET}token"]:
        return [], [
            "line 1: this file was exported for a spreadsheet, with formulas escaped; import one written by plain 'export'"
        ]
    if fault or tuple(header) != LICENCE:
        return [], [f"line 1: the header must be {','.join(LICENCE)}"]
    return _rows(progress(list(lines)), ColumnChecks(catalogue))


def _lines(text: str) -> Iterator[tuple[int, list[str], str]]:
    """(number of its first line, cells, fault or "") of each record."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, [], str(error)
        else:
            if cells:
                yield number, cells, ""


def _rows(lines: Iterable[tuple[int, list[str], str]], checks: ColumnChecks) -> tuple[list[dict[str, str]], list[str]]:
    rows: list[dict[str, str]] = []
    faults: list[str] = []
    seen: dict[str, int] = {}
    for number, cells, fault in lines:
        if fault or len(cells) != len(LICENCE):
            faults.append(f"line {number}: {fault or f'{len(cells)} columns, must be {len(LICENCE)}'}")
            continue
        row = dict(zip(LICENCE, cells, strict=True))
        found = checks.faults(row)
        if not row["status"]:
            found.append(f"status: missing, must be one of {', '.join(STATUSES)}")
        if row["token"] in seen:
            found.append(f"token: {row['token']} is already in line {seen[row['token']]}")
        seen.setdefault(row["token"], number)
        faults += [f"line {number}: {one}" for one in found]
        rows.append(row)
    return rows, faults


def export_csv(licences: Iterable[Licence], *, spreadsheet: bool = False) -> str:
    """The licences as CSV. For a ``spreadsheet``, formulas are escaped, and ``read_csv`` refuses the file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((f"{SPREADSHEET}token", *LICENCE[1:]) if spreadsheet else LICENCE)
    for licence in licences:
        cells = [_cell(getattr(licence, key)) for key in LICENCE]
        writer.writerow(map(no_formula, cells) if spreadsheet else cells)
    return out.getvalue()


def no_formula(cell: str) -> str:
    """The cell, with an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ";".join(value) if isinstance(value, tuple) else str(value)
