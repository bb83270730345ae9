"""``mailbot invoices``, ``due`` and ``audit``: what is billed, what will happen when, and whether all of it agrees."""

import csv
import sys
from typing import Annotated

import typer

from mailbot.cli.command_context import ConfigOption, Json, NowOption, choose, desk, fail, show_json
from mailbot.cli.tables import show_table
from mailbot.core.ledger.invoices import month_of_text
from mailbot.core.ledger.period import month_end
from mailbot.operations.audit import audit_books
from mailbot.operations.ledger_csv import no_formula
from mailbot.process import invoicing, upcoming


def invoices(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    spreadsheet: Annotated[bool, typer.Option("--spreadsheet", help="Escape formulas in the CSV.")] = False,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """Print the invoice lines of a month. They are final once the month has ended."""
    if as_csv and json:
        fail("use --csv or --json, not both", 2)
    if spreadsheet and not as_csv:
        fail("--spreadsheet: only with --csv", 2)
    try:
        first = month_of_text(month)
    except ValueError:
        fail(f"--month: read {month!r}, must be a month like 2026-11", 2)
    choose(config_file, now)
    found = desk()
    with found.store.read() as session:
        lines = invoicing.invoice_rows(session, invoicing.lines_of(session, first, found.config.zone))
    if month_end(first) >= found.clock().astimezone(found.config.zone).date():
        typer.echo(f"{month} has not ended: its invoice is not final and may still change", err=True)
    if json:
        show_json(lines)
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, invoicing.LINE, lineterminator="\n")
        writer.writeheader()
        for line in lines:
            theirs = {key: no_formula(line[key] or "") for key in ("token", "customer_name")} if spreadsheet else {}
            writer.writerow({**line, **theirs})
    else:
        show_table(f"Invoice of {month}", invoicing.LINE, [tuple(line.values()) for line in lines])


def due(config_file: ConfigOption = None, now: NowOption = None, json: Json = False) -> None:
    """List what will happen and when: reminders and other due things, ends and renewals of licences, the next invoice."""
    choose(config_file, now)
    found = desk()
    with found.store.read() as session:
        coming = upcoming.everything(session, found.clock(), found.config.zone)
    if json:
        show_json([upcoming.due_row(thing) for thing in coming])
    else:
        show_table("Due", upcoming.KEYS, [tuple(upcoming.due_row(thing).values()) for thing in coming])


def audit(config_file: ConfigOption = None, now: NowOption = None, json: Json = False) -> None:
    """Check that events, licences, tickets and invoices agree. If not, name the first disagreement (exit code 1)."""
    choose(config_file, now)
    found = desk()
    with found.store.read() as session:
        report = audit_books(session, found.clock(), found.config.zone)
    if json:
        show_json(report.shape)
    else:
        typer.echo(report.text)
    raise typer.Exit(1 if report.disagreement else 0)
