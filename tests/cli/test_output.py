"""Tables for people: at any width nothing is cut, and where no terminal is there are no boxes."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from mailbot.cli.output import billing_text, print_table, text_of

TOKEN = "A1B2C3D4E5F6" * 10
COLUMNS = ("ref", "token", "customer_name", "sender", "received_at")
ROW = ("LIC-1", TOKEN, "Acme International", "joe@acme.example", datetime(2026, 11, 3, tzinfo=UTC).isoformat())


def table(width: int, *, terminal: bool, rows: tuple[tuple[object, ...], ...] = (ROW,)) -> str:
    file = io.StringIO()
    print_table("Tickets", COLUMNS, rows, Console(file=file, width=width, force_terminal=terminal, color_system=None))
    return file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120, 160])
def test_a_terminal_table_cuts_and_wraps_no_value(width: int) -> None:
    told = table(width, terminal=True)
    assert "…" not in told
    pieces = told.replace("│", " ").split()
    assert "".join(piece for piece in pieces if set(piece) <= set(TOKEN)) == TOKEN
    assert "LIC-1" in pieces
    assert "joe@acme.example" in pieces


def test_without_a_terminal_each_row_is_one_line() -> None:
    title, head, row = table(80, terminal=False).splitlines()
    assert (title, head.split(), row.split("  ")) == ("Tickets", list(COLUMNS), list(ROW))


def test_values_from_mails_are_neither_markup_nor_control_characters() -> None:
    for terminal in (True, False):
        told = table(120, terminal=terminal, rows=(("[red]x", "\x1b[2J", "a\nb", "\u202ec", ""),))
        assert "[red]x" in told
        assert "a b" in told
        assert not {"\x1b", "\u202e"} & set(told)


def test_values_are_printed_as_text() -> None:
    assert [text_of(value) for value in (None, True, False, 0, ["a", "b"], {"agents": 8, "why": None})] == [
        "", "yes", "no", "0", "a, b", "agents=8",
    ]  # fmt: skip
    priced = {"kind": "increase", "fraction": "15/30", "amount": "12.50", "currency": "EUR", "invoice_on": "2026-11-30"}
    assert billing_text(priced) == "increase 15/30, 12.50 EUR, on the invoice of 2026-11-30"
    assert billing_text(dict.fromkeys(priced) | {"kind": "none"}) == "none"
    assert billing_text(None) == ""
