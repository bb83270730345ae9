"""The options that every command takes, and the configuration and desk that they lead to."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from mailbot import clock
from mailbot.assembly import assemble
from mailbot.config.settings import Config, ConfigError, load_config
from mailbot.core.base.characters import multi_line
from mailbot.environment import Desk
from mailbot.maillog import configure
from mailbot.process.invoicing import remember_prices
from storage import licences, tickets

ConfigOption = Annotated[
    Path | None,
    typer.Option("-c", "--config", metavar="FILE", help="The configuration; else MAILBOT_CONFIG, else ./mailbot.toml."),
]
NowOption = Annotated[
    str | None, typer.Option("--now", metavar="TIME", help="Use TIME as the current time, for tests and dry runs.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Ref = Annotated[str, typer.Argument(metavar="REF", help="The ticket's reference, such as LIC-12.")]
Token = Annotated[str, typer.Argument(metavar="TOKEN", help="The licence's token.")]

#: ``-c`` and ``--now`` of the running command; one process may run several commands, each with its own.
chosen: dict[str, Any] = {"config": None, "now": None}


def fail(text: str, code: int = 1) -> NoReturn:
    """Print ``text`` on standard error and exit with ``code``."""
    typer.echo(multi_line(text), err=True)
    raise typer.Exit(code)


def choose(config: Path | None, now: str | None) -> None:
    """Remember the global options; those after the command's name override those before it."""
    if config is not None:
        chosen["config"] = config
    if now is not None:
        chosen["now"] = moment_of("--now", now)


def moment_of(option: str, text: str) -> datetime:
    """The time in UTC (a time without a zone is taken as UTC), or exit 2 naming ``option``."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        fail(f"{option}: read {text!r}, must be a time like 2026-11-20T09:00:00+01:00", 2)


def known_state(state: str | None, states: Iterable[str]) -> str | None:
    """The value of ``--state``, or exit 2 with the list of ``states``."""
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
    """The desk. With ``--now`` its clock does not advance; a desk that ``writes`` then refuses a time before its last event."""
    configure()
    moment = chosen["now"]
    try:
        found = assemble(config(), clock.fixed(moment) if moment else clock.system, writes=False)
    except ConfigError as error:
        fail(str(error), 2)
    if writes:
        if moment:
            _require_after_last_event(found, moment)
        remember_prices(found.store, found.catalogue, found.clock())
    return found


def _require_after_last_event(found: Desk, moment: datetime) -> None:
    with found.store.read() as session:
        known = (("the ledger", licences.last_at(session)), ("the tickets", tickets.last_event_at(session)))
    for what, last in known:
        if last and last > moment:
            fail(f"--now {moment.isoformat()} is before the last event of {what} ({last.isoformat()})", 2)
