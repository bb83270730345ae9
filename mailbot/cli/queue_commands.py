"""``mailbot inbox``, ``outbox`` and ``quarantine``: what came, what goes, and what could not be handled."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mailbot import json_shapes
from mailbot.cli.command_context import ConfigOption, Json, NowOption, choose, desk, fail, known_state, show_json
from mailbot.cli.tables import show_table
from mailbot.core.base.characters import multi_line
from mailbot.core.outbound.text_layout import first_line
from storage import inbox, outbox

Ids = Annotated[list[int], typer.Argument(metavar="ID...")]
State = Annotated[str | None, typer.Option("--state", help="Only mails in this state.")]
outbox_app = typer.Typer(invoke_without_command=True)
quarantine_app = typer.Typer(no_args_is_help=True)


def _listed(title: str, rows: list[Any], keys: tuple[str, ...], columns: tuple[str, ...], json: bool) -> None:
    shaped = [json_shapes.row(row, keys) for row in rows]
    if json:
        show_json(shaped)
    else:
        show_table(title, columns, [tuple(_cell(c, shape[c]) for c in columns) for shape in shaped])


def _cell(column: str, value: Any) -> Any:
    """A value for a table: of a failure the line that says what went wrong."""
    return first_line(value) if column == "reason" and value else value


def list_inbox(
    state: State = None, config_file: ConfigOption = None, now: NowOption = None, json: Json = False
) -> None:
    """List received mails, newest first. --json also has the traceback of a failure."""
    choose(config_file, now)
    known = known_state(state, tuple(inbox.InboxState))
    with desk().store.read() as session:
        rows = inbox.listing(session, known)
    _listed("Inbox", rows, json_shapes.INBOX, ("id", "state", "received_at", "sender", "intake", "reason"), json)


@outbox_app.callback()
def list_outbox(
    context: typer.Context,
    state: State = None,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """List mails to send and sent mails, newest first."""
    choose(config_file, now)
    if context.invoked_subcommand is None:
        known = known_state(state, tuple(outbox.OutboxState))
        with desk().store.read() as session:
            rows = outbox.listing(session, known)
        _listed(
            "Outbox",
            rows,
            json_shapes.OUTBOX,
            ("id", "state", "kind", "ref", "recipient", "attempts", "last_reply"),
            json,
        )


def _each(act: Callable[[int], bool], ids: list[int], what: str) -> None:
    """Do it to each mail, a line each; end with 1 when one of them could not be had."""
    failed = []
    for id_ in ids:
        if act(id_):
            typer.echo(f"mail {id_}: {what}")
        else:
            failed.append(f"mail {id_} does not exist, or cannot be {what}")
    if failed:
        fail("\n".join(failed))


@outbox_app.command("retry")
def retry(ids: Ids, config_file: ConfigOption = None, now: NowOption = None) -> None:
    """Send deferred or refused mails now."""
    _outbox(outbox.retry, ids, "queued", config_file, now)


@outbox_app.command("resend")
def resend(ids: Ids, config_file: ConfigOption = None, now: NowOption = None) -> None:
    """Send mails again that were already sent, unchanged."""
    _outbox(outbox.resend, ids, "queued again", config_file, now)


def _outbox(act: Callable[..., bool], ids: list[int], what: str, config_file: Path | None, now: str | None) -> None:
    choose(config_file, now)
    found = desk(writes=True)

    def one(id_: int) -> bool:
        with found.store.write() as session:
            return act(session, id_, found.clock())

    _each(one, ids, what)


@outbox_app.command("drop")
def drop(ids: Ids, config_file: ConfigOption = None, now: NowOption = None) -> None:
    """Never send these mails."""
    _outbox(lambda session, id_, _now: outbox.drop(session, id_), ids, "dropped", config_file, now)


@quarantine_app.command("list")
def quarantine_list(config_file: ConfigOption = None, now: NowOption = None, json: Json = False) -> None:
    """List the mails in quarantine with the reason. --json also has the traceback of a failure."""
    choose(config_file, now)
    with desk().store.read() as session:
        rows = inbox.listing(session, inbox.InboxState.QUARANTINED)
    _listed("Quarantine", rows, json_shapes.INBOX, ("id", "received_at", "sender", "reason"), json)


@quarantine_app.command("show")
def quarantine_show(
    id_: Annotated[int, typer.Argument(metavar="ID")], config_file: ConfigOption = None, now: NowOption = None
) -> None:
    """Print the raw mail as it arrived; on a terminal without control characters."""
    choose(config_file, now)
    with desk().store.read() as session:
        row = inbox.get(session, id_)
        if row is None or row.state != inbox.InboxState.QUARANTINED:
            fail(f"mail {id_} is not in quarantine")
        _show_raw(inbox.raw(session, id_))


def _on_terminal() -> bool:
    return sys.stdout.isatty()


def _show_raw(raw: bytes) -> None:
    if _on_terminal():
        typer.echo(multi_line(raw.decode("utf-8", "replace")))
    else:
        sys.stdout.buffer.write(raw)


@quarantine_app.command("retry")
def quarantine_retry(ids: Ids, config_file: ConfigOption = None, now: NowOption = None) -> None:
    """Handle mails again in the next run."""
    _quarantine(inbox.retry, ids, "kept again", config_file, now)


@quarantine_app.command("drop")
def quarantine_drop(ids: Ids, config_file: ConfigOption = None, now: NowOption = None) -> None:
    """Never handle these mails."""
    _quarantine(inbox.drop, ids, "dropped", config_file, now)


def _quarantine(act: Callable[..., bool], ids: list[int], what: str, config_file: Path | None, now: str | None) -> None:
    choose(config_file, now)
    found = desk(writes=True)

    def one(id_: int) -> bool:
        with found.store.write() as session:
            row = inbox.get(session, id_)
            return row is not None and row.state == inbox.InboxState.QUARANTINED and act(session, id_)

    _each(one, ids, what)
