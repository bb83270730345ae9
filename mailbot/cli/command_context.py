"""What every command shares: the configuration, the clock, and how results are printed."""

import json
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from mailbot import clock
from mailbot.assembly import assemble
from mailbot.cli.tables import billing_text, show_table
from mailbot.config.settings import Config, ConfigError, load_config
from mailbot.core.base.characters import escaped, multi_line
from mailbot.environment import Desk
from mailbot.maillog import configure
from mailbot.process.invoicing import remember_prices
from storage import licences, tickets

ConfigOption = Annotated[Path | None, typer.Option("-c", "--config", help="The configuration file.")]
NowOption = Annotated[
    str | None, typer.Option("--now", metavar="TIME", help="Use this time as now (for tests and dry runs).")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]

#: Set once by the callback before any command: ``-c``, ``--now``.
chosen: dict[str, Any] = {"config": None, "now": None}


def fail(text: str, code: int = 1) -> NoReturn:
    """End with a message on standard error."""
    typer.echo(multi_line(text), err=True)
    raise typer.Exit(code)


def choose(config: Path | None, now: str | None) -> None:
    """Remember the global options; a command's own come later and win."""
    if config is not None:
        chosen["config"] = config
    if now is not None:
        chosen["now"] = moment_of("--now", now)


def moment_of(option: str, text: str) -> datetime:
    """The moment that an option names, in UTC (where it names no zone it is meant so), or exit 2."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        fail(f"{option}: read {text!r}, must be a time like 2026-11-20T09:00:00+01:00", 2)


def known_state(state: str | None, states: Iterable[str]) -> str | None:
    """The state as it was named, or exit 2 with those that there are."""
    every = tuple(states)
    if state is not None and state not in every:
        fail(f"--state: read {state!r}, must be one of {', '.join(every)}", 2)
    return state


def config() -> Config:
    """The configuration, or exit 2 with every fault."""
    try:
        return load_config(chosen["config"], os.environ)
    except ConfigError as error:
        fail(str(error), 2)


def desk(*, writes: bool = False) -> Desk:
    """The desk; with ``--now`` its clock stands there, and writing needs a database without later events."""
    configure()
    moment = chosen["now"]
    try:
        found = assemble(config(), clock.fixed(moment) if moment else clock.system, writes=False)
    except ConfigError as error:
        fail(str(error), 2)
    if writes:
        if moment:
            _not_before_what_happened(found, moment)
        remember_prices(found.store, found.catalogue, found.clock())
    return found


def _not_before_what_happened(found: Desk, moment: datetime) -> None:
    with found.store.read() as session:
        known = (("the ledger", licences.last_at(session)), ("the tickets", tickets.last_event_at(session)))
    for what, last in known:
        if last and last > moment:
            fail(f"--now {moment.isoformat()} is before the last event of {what} ({last.isoformat()})", 2)


def show_json(value: Any) -> None:
    """Prints one JSON document; steering and invisible characters are written as escapes."""
    sys.stdout.write(escaped(json.dumps(value, ensure_ascii=False, indent=2), _json_escape) + "\n")


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def show_ticket(shape: dict[str, Any], rules: Mapping[str, str]) -> None:
    """A ticket in its JSON shape, for people; ``rules``: each rule in words."""
    facts = [
        (key, value)
        for key, value in shape.items()
        if key not in ("items", "problems", "diagnosis", "events") and value
    ]
    show_table(f"Ticket {shape['ref']}", ("what", "value"), facts)
    for title, columns in (
        ("Items", ("item", "from", "to", "status", "effective", "rule", "billing", "reason")),
        ("Problems", ("field", "code", "message")),
        ("Events", ("at", "kind", "by", "detail")),
    ):
        rows = [{**row, "billing": billing_text(row.get("billing"))} for row in shape[title.lower()]]
        if rows or title != "Problems":
            show_table(title, columns, [tuple(row[key] for key in columns) for row in rows])
        if title == "Items" and (named := dict.fromkeys(row["rule"] for row in rows if row["rule"])):
            show_table(
                "Rules",
                ("rule", "in words"),
                [(rule, rules.get(rule, "").format(cause="its add-on")) for rule in named],
            )
