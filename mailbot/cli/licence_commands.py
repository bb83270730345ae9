"""``mailbot licences``: the ledger listed, shown, changed by hand, imported and exported."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from mailbot import json_shapes
from mailbot.cli.options import ConfigOption, Json, NowOption, Token, choose, desk, fail
from mailbot.cli.output import print_json, print_table
from mailbot.core.ledger.invariants import first_broken_invariant
from mailbot.core.ledger.licence import Licence
from mailbot.environment import Desk
from mailbot.operations.ledger_csv import ColumnChecks, Progress, export_csv, read_csv
from mailbot.operations.ledger_import import Difference, differences, put_licences, reverse
from mailbot.process import mapping

app = typer.Typer(no_args_is_help=True)

#: At most this many warnings are printed; the rest is counted.
_WARNINGS = 20
_HISTORY = ("token", "revision", "effective", "kind", "ticket", "rule", "by", "changes", "why")


def _today(found: Desk) -> date:
    return found.clock().astimezone(found.config.zone).date()


def _all(found: Desk) -> list[Licence]:
    with found.store.read() as session:
        return mapping.licences(session, _today(found))


@app.command("list")
def list_licences(config_file: ConfigOption = None, now: NowOption = None, json: Json = False) -> None:
    """List all licences as they are today."""
    choose(config_file, now)
    every = _all(desk())
    if json:
        print_json([json_shapes.licence_shape(licence) for licence in every])
        return
    columns = ("token", "status", "customer_name", "plan", "agents", "support", "billing")
    print_table("Licences", columns, [tuple(getattr(licence, c) for c in columns) for licence in every])


@app.command("show")
def show_licence(
    token: Token,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="As it is on that date; the default is today.")
    ] = None,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """Show one licence and its history."""
    choose(config_file, now)
    found = desk()
    try:
        day = date.fromisoformat(on) if on else _today(found)
    except ValueError:
        fail(f"--on: read {on!r}, must be a date like 2027-01-31", 2)
    with found.store.read() as session:
        licence = mapping.load_licence(session, token, day)
    if licence is None:
        fail(f"there is no licence {token} on {day}")
    shape = json_shapes.licence_shape(licence)
    if json:
        print_json(shape)
        return
    print_table(f"Licence {token} on {day}", ("what", "value"), [(k, v) for k, v in shape.items() if k != "history"])
    history = [
        (e.token, e.revision, e.effective, e.kind, e.ticket, e.rule, e.decider, e.changes, e.why)
        for e in licence.whole_history
    ]
    print_table("History", _HISTORY, history)


@app.command("set")
def set_licence(
    token: Token,
    settings: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE...",
            help="Columns of the CSV, such as agents=12 or 'contacts=jo@acme.example;@acme.example'.",
        ),
    ],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the history.")],
    config_file: ConfigOption = None,
    now: NowOption = None,
) -> None:
    """Create or change a licence by hand.

    KEY= removes a value. reverses=REVISION undoes one event of the history and credits what was billed for it.
    """
    choose(config_file, now)
    found = desk(writes=True)
    row = _row(token, settings)
    if "reverses" in row:
        _reverse(found, row, why)
        return
    faults = ColumnChecks(found.catalogue).faults(row)
    if faults:
        fail("\n".join(faults), 2)
    if changed := put_licences(found, [row], "set", why):
        typer.echo(f"{token}: changed")
        _warn(found, changed)
        return
    over = (
        ": its expiry date has passed; change expires_on too (expires_on= removes it)"
        if row.get("status") == "active"
        else ""
    )
    typer.echo(f"{token}: nothing to change{over}")


def _row(token: str, settings: list[str]) -> dict[str, str]:
    """The settings as a row of the CSV, or exit 2."""
    row = {"token": token}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            fail(f"read {setting!r}, must be key=value", 2)
        if key in row:
            fail(f"{key}: given twice" if key != "token" else "token: cannot be changed", 2)
        row[key] = value
    return row


def _reverse(found: Desk, row: dict[str, str], why: str) -> None:
    revision = row.pop("reverses")
    if len(row) > 1 or not (revision.isascii() and revision.isdigit()):
        fail(f"reverses: read {revision!r}, must be the revision of an event in the history, and the only setting", 2)
    fault = reverse(found, row["token"], int(revision), why)
    if fault:
        fail(fault)
    typer.echo(f"{row['token']}: event {revision} was reversed")
    today = _today(found)
    with found.store.read() as session:
        licence = mapping.load_licence(session, row["token"], today)
    if licence is not None:
        _warn_of_broken_invariants(
            found, [(licence.token, first_broken_invariant(licence.history, today, found.catalogue))], today
        )


@app.command("import")
def import_licences(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.csv", exists=True, dir_okay=False, help="With the columns of mailbot licences export."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the differences without changing anything.")] = False,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """Import licences from a CSV file, all or nothing.

    If any line has a fault, nothing is changed and every fault is printed with its line number.
    """
    choose(config_file, now)
    found = desk(writes=not dry_run)
    rows, faults = read_csv(file.read_bytes(), found.catalogue, _progress("reading"))
    if faults:
        fail("\n".join(faults))
    if dry_run:
        changed = differences(found, rows)
        _print_differences(changed, len(rows), json=json)
        _warn(found, changed)
        return
    changed = put_licences(found, rows, "import", file.name, _progress("comparing"), _progress("writing"))
    if json:
        print_json({"read": len(rows), "changed": len(changed)})
    else:
        typer.echo(f"{len(rows)} licences read, {len(changed)} changed")
    _warn(found, changed)


def _print_differences(found: list[Difference], read: int, *, json: bool) -> None:
    lines = [(one.token, "new" if one.before is None else "change", *line) for one in found for line in one.lines]
    columns = ("token", "kind", "what", "from", "to")
    if json:
        print_json([dict(zip(columns, line, strict=True)) for line in lines])
        return
    print_table("Differences", columns, lines)
    typer.echo(f"{read} licences read, {len(found)} would change")


def _warn(found: Desk, changed: list[Difference]) -> None:
    today = _today(found)
    _warn_of_broken_invariants(
        found, [(one.token, one.first_broken_invariant(today, found.catalogue)) for one in changed], today
    )


def _warn_of_broken_invariants(found: Desk, firsts: list[tuple[str, tuple[date, str] | None]], today: date) -> None:
    """Warn of licences that break an invariant: an operator may set them so, a request may not."""
    broken = [(token, *broke) for token, broke in firsts if broke]
    for token, day, why in broken[:_WARNINGS]:
        typer.echo(
            f"warning: {token}{f' from {day} on' if day > today else ''}: {found.say(f'broken.{why}')}", err=True
        )
    if len(broken) > _WARNINGS:
        typer.echo(f"warning: {len(broken) - _WARNINGS} more licences like these", err=True)


def _progress(what: str) -> Progress:
    """A progress bar on standard error, if that is a terminal."""
    console = Console(stderr=True)
    return lambda things: track(things, what, console=console, transient=True, disable=not console.is_terminal)


@app.command("export")
def export_licences(
    spreadsheet: Annotated[
        bool,
        typer.Option(
            "--spreadsheet", help="Escape formulas, for opening in a spreadsheet; such a file cannot be imported."
        ),
    ] = False,
    config_file: ConfigOption = None,
    now: NowOption = None,
) -> None:
    """Write all licences as CSV to standard output."""
    choose(config_file, now)
    typer.echo(export_csv(_all(desk()), spreadsheet=spreadsheet), nl=False)
