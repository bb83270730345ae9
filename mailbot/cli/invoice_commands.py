"""``mailbot invoices``, ``mailbot due`` and ``mailbot audit``: what is billed, what will happen and when, and whether the books agree."""

import csv
import sys
from typing import Annotated

import typer

from mailbot.cli.options import ConfigOption, Json, NowOption, choose, desk, fail
from mailbot.cli.output import print_json, print_table
from mailbot.core.ledger.invoices import month_of_text
from mailbot.core.ledger.period import month_end
from mailbot.operations import upcoming
from mailbot.operations.audit import audit_books
from mailbot.operations.ledger_csv import no_formula
from mailbot.process import invoicing


def list_invoice_lines(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month of the invoice.")],
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    spreadsheet: Annotated[
        bool, typer.Option("--spreadsheet", help="With --csv: escape formulas, for opening in a spreadsheet.")
    ] = False,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """Print the invoice lines of a month.

    They are final once the month has ended.
    """
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
        print_json(lines)
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, invoicing.LINE, lineterminator="\n")
        writer.writeheader()
        for line in lines:
            escaped = {key: no_formula(line[key] or "") for key in ("token", "customer_name")} if spreadsheet else {}
            writer.writerow({**line, **escaped})
    else:
        print_table(f"Invoice of {month}", invoicing.LINE, [tuple(line.values()) for line in lines])


def list_due(config_file: ConfigOption = None, now: NowOption = None, json: Json = False) -> None:
    """List what will happen and when.

    Reminders and other timers, scheduled changes, ends and renewals of licences, the next invoice.
    """
    choose(config_file, now)
    found = desk()
    with found.store.read() as session:
        coming = upcoming.everything(session, found.clock(), found.config.zone)
    if json:
        print_json([upcoming.due_row(thing) for thing in coming])
    else:
        print_table("Due", upcoming.KEYS, [tuple(upcoming.due_row(thing).values()) for thing in coming])


def audit(config_file: ConfigOption = None, now: NowOption = None, json: Json = False) -> None:
    """Check that the ledger, tickets and invoices agree.

    Prints the first disagreement, with exit code 1.
    """
    choose(config_file, now)
    found = desk()
    with found.store.read() as session:
        report = audit_books(session, found.clock(), found.config.zone)
    if json:
        print_json(report.shape)
    else:
        typer.echo(report.text)
    raise typer.Exit(1 if report.disagreement else 0)
