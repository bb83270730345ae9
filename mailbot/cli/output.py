"""What commands print: tables and tickets for people, JSON for programs. No value of a stranger's can steer the terminal.

A table never cuts a value. Output that is not a terminal has one line per row, for grep and cut.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mailbot.core.base.characters import escaped, single_line

#: Maximum length of a cell, in characters.
CELL_MAX = 20_000
#: Cells up to this length are never wrapped; if they do not all fit beside each other, each row is printed as a list.
_UNWRAPPED = 20


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], console: Console | None = None
) -> None:
    """Print rows: a table, or a list per row if the terminal is too narrow for one; plain columns without a terminal."""
    console = console or Console()
    if not rows:
        console.out(f"{title}: none", highlight=False)
        return
    cells = [[single_line(text_of(value), CELL_MAX) for value in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    if not console.is_terminal:
        _print_lines(
            console, [title, *("  ".join(map(set_cell_size, row, widths)).rstrip() for row in (columns, *cells))]
        )
    elif sum(min(width, _UNWRAPPED) + 3 for width in widths) < console.width:
        console.print(_table(title, columns, cells, widths))
    else:
        _print_lines(console, [title, *_lists(columns, cells)])


def text_of(value: Any) -> str:
    """A JSON value as text for people."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={text_of(one)}" for key, one in value.items() if one is not None)
    if isinstance(value, list | tuple):
        return ("; " if any(isinstance(one, Mapping) for one in value) else ", ").join(map(text_of, value))
    return str(value)


def billing_text(billing: Mapping[str, Any] | None) -> str:
    """An item's billing as text, such as "increase 15/30, 12.50 EUR, on the invoice of 2026-11-30"."""
    if billing is None:
        return ""
    what = " ".join(filter(None, (billing["kind"], billing["fraction"])))
    amount = f"{billing['amount']} {billing['currency']}" if billing["amount"] is not None else ""
    invoice = f"on the invoice of {billing['invoice_on']}" if billing["invoice_on"] else ""
    return ", ".join(filter(None, (what, amount, invoice)))


def _table(title: str, columns: Sequence[str], cells: list[list[str]], widths: list[int]) -> Table:
    table = Table(title=Text(title), title_justify="left")
    for name, width in zip(columns, widths, strict=True):
        table.add_column(name, overflow="fold", no_wrap=width <= _UNWRAPPED)
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _lists(columns: Sequence[str], cells: list[list[str]]) -> Iterator[str]:
    width = max(map(len, columns))
    for row in cells:
        yield ""
        yield from (f"  {name:<{width}}  {cell}" for name, cell in zip(columns, row, strict=True) if cell)


def _print_lines(console: Console, lines: Iterable[str]) -> None:
    console.out("\n".join(lines), highlight=False)


def print_json(value: Any) -> None:
    """Print one JSON document, with steering and invisible characters as escapes."""
    sys.stdout.write(escaped(json.dumps(value, ensure_ascii=False, indent=2), _json_escape) + "\n")


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def print_ticket(shape: dict[str, Any], rules: Mapping[str, str]) -> None:
    """Print a ticket given in its JSON shape; ``rules`` has the sentence of each rule."""
    facts = [
        (key, value)
        for key, value in shape.items()
        if key not in ("items", "problems", "diagnosis", "events") and value
    ]
    print_table(f"Ticket {shape['ref']}", ("what", "value"), facts)
    for title, columns in (
        ("Items", ("item", "from", "to", "status", "effective", "rule", "billing", "reason")),
        ("Problems", ("field", "code", "message")),
        ("Events", ("at", "kind", "by", "detail")),
    ):
        rows = [{**row, "billing": billing_text(row.get("billing"))} for row in shape[title.lower()]]
        if rows or title != "Problems":
            print_table(title, columns, [tuple(row[key] for key in columns) for row in rows])
        if title == "Items" and (named := dict.fromkeys(row["rule"] for row in rows if row["rule"])):
            print_table(
                "Rules",
                ("rule", "in words"),
                [(rule, rules.get(rule, "").format(cause="its add-on")) for rule in named],
            )
