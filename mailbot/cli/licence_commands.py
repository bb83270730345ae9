"""``mailbot licences``: the ledger for people and programs."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from mailbot import json_shapes
from mailbot.cli.command_context import ConfigOption, Json, NowOption, choose, desk, fail, show_json
from mailbot.cli.tables import show_table
from mailbot.core.ledger.invariants import first_broken_invariant
from mailbot.core.ledger.licence import Licence
from mailbot.environment import Desk
from mailbot.operations.ledger_csv import Checks, Progress, export_csv, read_csv
from mailbot.operations.ledger_import import Difference, differences, put_licences, reverse
from mailbot.process import mapping

app = typer.Typer(no_args_is_help=True)

#: So many licences are named; of more their number is told.
_WARNINGS = 20


def _today(found: Desk) -> date:
    return found.clock().astimezone(found.config.zone).date()


def _all(found: Desk) -> list[Licence]:
    with found.store.read() as session:
        return mapping.licences(session, _today(found))


@app.command("list")
def list_all(config_file: ConfigOption = None, now: NowOption = None, json: Json = False) -> None:
    """List all licences as they are today."""
    choose(config_file, now)
    every = _all(desk())
    if json:
        show_json([json_shapes.licence_shape(licence) for licence in every])
        return
    columns = ("token", "status", "customer_name", "plan", "agents", "support", "billing")
    show_table("Licences", columns, [tuple(getattr(licence, c) for c in columns) for licence in every])


@app.command()
def show(
    token: str,
    on: Annotated[str | None, typer.Option("--on", metavar="DATE", help="The licence as it is on that date.")] = None,
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
        show_json(shape)
        return
    show_table(f"Licence {token} on {day}", ("what", "value"), [(k, v) for k, v in shape.items() if k != "history"])
    show_table(
        "History",
        ("token", "revision", "effective", "kind", "ticket", "rule", "by", "changes", "why"),
        [
            (e.token, e.revision, e.effective, e.kind, e.ticket, e.rule, e.decider, e.changes, e.why)
            for e in licence.whole_history
        ],
    )


@app.command("set")
def set_(
    token: str,
    settings: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the history.")],
    config_file: ConfigOption = None,
    now: NowOption = None,
) -> None:
    """Change a licence by hand. reverses=REVISION undoes what an event changed."""
    choose(config_file, now)
    found = desk(writes=True)
    row = {"token": token}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            fail(f"read {setting!r}, must be key=value", 2)
        if key in row:
            fail(f"{key}: given twice" if key != "token" else "token: cannot be changed", 2)
        row[key] = value
    if "reverses" in row:
        _reverse(found, row, why)
        return
    faults = Checks(found.catalogue).faults(row)
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
        _tell_broken(found, [(licence.token, first_broken_invariant(licence.history, today, found.catalogue))], today)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the differences without changing anything.")] = False,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """Import licences from a CSV file: the whole file, or nothing and a list of every fault with its line."""
    choose(config_file, now)
    found = desk(writes=not dry_run)
    rows, faults = read_csv(file.read_bytes(), found.catalogue, _bar("reading"))
    if faults:
        fail("\n".join(faults))
    if dry_run:
        would = differences(found, rows)
        _show_differences(would, len(rows), json=json)
        _warn(found, would)
        return
    changed = put_licences(found, rows, "import", file.name, _bar("comparing"), _bar("writing"))
    if json:
        show_json({"read": len(rows), "changed": len(changed)})
    else:
        typer.echo(f"{len(rows)} licences read, {len(changed)} changed")
    _warn(found, changed)


def _show_differences(found: list[Difference], read: int, *, json: bool) -> None:
    lines = [(one.token, "new" if one.before is None else "change", *line) for one in found for line in one.lines]
    columns = ("token", "kind", "what", "from", "to")
    if json:
        show_json([dict(zip(columns, line, strict=True)) for line in lines])
        return
    show_table("Differences", columns, lines)
    typer.echo(f"{read} licences read, {len(found)} would change")


def _warn(found: Desk, changed: list[Difference]) -> None:
    today = _today(found)
    _tell_broken(found, [(one.token, one.first_broken_invariant(today, found.catalogue)) for one in changed], today)


def _tell_broken(found: Desk, firsts: list[tuple[str, tuple[date, str] | None]], today: date) -> None:
    """An operator may make a licence that no request may make, but is told so."""
    broken = [(token, *broke) for token, broke in firsts if broke]
    for token, day, why in broken[:_WARNINGS]:
        typer.echo(
            f"warning: {token}{f' from {day} on' if day > today else ''}: {found.say(f'broken.{why}')}", err=True
        )
    if len(broken) > _WARNINGS:
        typer.echo(f"warning: {len(broken) - _WARNINGS} more licences like these", err=True)


def _bar(what: str) -> Progress:
    """Shows on a terminal how far a long file is."""
    console = Console(stderr=True)
    return lambda things: track(things, what, console=console, transient=True, disable=not console.is_terminal)


@app.command()
def export(
    spreadsheet: Annotated[
        bool, typer.Option("--spreadsheet", help="Escape formulas; such a file cannot be imported.")
    ] = False,
    config_file: ConfigOption = None,
    now: NowOption = None,
) -> None:
    """Write all licences as CSV to standard output."""
    choose(config_file, now)
    typer.echo(export_csv(_all(desk()), spreadsheet=spreadsheet), nl=False)
