"""Tables for people: whole values at any width, one line a row where no terminal is, nothing of a mail unescaped."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mailbot.core.base.characters import single_line

#: Characters of a cell: whatever a person may have to read in one.
CELL_MAX = 20_000
#: A cell of so many characters or less is never broken; where not all of them find room, each row is a list of lines.
_WHOLE = 20


def show_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], console: Console | None = None
) -> None:
    """Prints the rows: a table on a terminal that is wide enough, else lists; plain columns where it is no terminal."""
    console = console or Console()
    if not rows:
        console.out(f"{title}: none", highlight=False)
        return
    cells = [[single_line(text_of(value), CELL_MAX) for value in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    if not console.is_terminal:
        _say(console, [title, *("  ".join(map(set_cell_size, row, widths)).rstrip() for row in (columns, *cells))])
    elif sum(min(width, _WHOLE) + 3 for width in widths) < console.width:
        console.print(_table(title, columns, cells, widths))
    else:
        _say(console, [title, *_lists(columns, cells)])


def text_of(value: Any) -> str:
    """A value of a JSON document in words."""
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
    """An item's billing in words: ``increase 15/30, 12.50 EUR, on the invoice of 2026-11-30``."""
    if billing is None:
        return ""
    what = " ".join(filter(None, (billing["kind"], billing["fraction"])))
    amount = f"{billing['amount']} {billing['currency']}" if billing["amount"] is not None else ""
    invoice = f"on the invoice of {billing['invoice_on']}" if billing["invoice_on"] else ""
    return ", ".join(filter(None, (what, amount, invoice)))


def _table(title: str, columns: Sequence[str], cells: list[list[str]], widths: list[int]) -> Table:
    table = Table(title=Text(title), title_justify="left")
    for name, width in zip(columns, widths, strict=True):
        table.add_column(name, overflow="fold", no_wrap=width <= _WHOLE)
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _lists(columns: Sequence[str], cells: list[list[str]]) -> Iterator[str]:
    room = max(map(len, columns))
    for row in cells:
        yield ""
        yield from (f"  {name:<{room}}  {cell}" for name, cell in zip(columns, row, strict=True) if cell)


def _say(console: Console, lines: Iterable[str]) -> None:
    console.out("\n".join(lines), highlight=False)
