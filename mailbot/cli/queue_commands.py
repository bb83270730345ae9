"""``mailbot inbox``, ``mailbot outbox`` and ``mailbot quarantine``: mails received, mails to send, and mails that could not be handled."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from mailbot import json_shapes
from mailbot.cli.options import ConfigOption, Json, NowOption, choose, desk, fail, known_state
from mailbot.cli.output import print_json, print_table
from mailbot.core.base.characters import multi_line
from mailbot.core.outbound.text_layout import first_line
from storage import inbox, outbox

Ids = Annotated[list[int], typer.Argument(metavar="ID...", help="The numbers of the mails, as the list shows them.")]
outbox_app = typer.Typer(invoke_without_command=True)
quarantine_app = typer.Typer(no_args_is_help=True)


def _listed(title: str, rows: list[Any], keys: tuple[str, ...], columns: tuple[str, ...], json: bool) -> None:
    shaped = [json_shapes.row(row, keys) for row in rows]
    if json:
        print_json(shaped)
    else:
        print_table(title, columns, [tuple(_cell(c, shape[c]) for c in columns) for shape in shaped])


def _cell(column: str, value: Any) -> Any:
    """A value for a table; of a traceback only the line that says what went wrong."""
    return first_line(value) if column == "reason" and value else value


def list_inbox(
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="STATE", help=f"Only those in this state: {', '.join(inbox.InboxState)}."),
    ] = None,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """List received mails, newest first.

    With --json, a mail that failed has its traceback.
    """
    choose(config_file, now)
    known = known_state(state, tuple(inbox.InboxState))
    with desk().store.read() as session:
        rows = inbox.listing(session, known)
    _listed("Inbox", rows, json_shapes.INBOX, ("id", "state", "received_at", "sender", "intake", "reason"), json)


@outbox_app.callback()
def list_outbox(
    context: typer.Context,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="STATE", help=f"Only those in this state: {', '.join(outbox.OutboxState)}."),
    ] = None,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """List the mails that go out or went out, newest first; with a subcommand, act on some of them."""
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


def _act_on_each(act: Callable[[int], bool], ids: list[int], what: str) -> None:
    """Act on each mail and print a line for it; exit 1 if that was not possible for one of them."""
    failed = []
    for id_ in ids:
        if act(id_):
            typer.echo(f"mail {id_}: {what}")
        else:
            failed.append(f"mail {id_} does not exist, or cannot be {what}")
    if failed:
        fail("\n".join(failed))


@outbox_app.command("retry")
def outbox_retry(ids: Ids, config_file: ConfigOption = None, now: NowOption = None) -> None:
    """Send these mails now.

    For mails that wait for their next attempt, were refused, given up or dropped. A running desk or mailbot run --once
    sends them.
    """
    _act_on_outbox(outbox.retry, ids, "queued", config_file, now)


@outbox_app.command("resend")
def outbox_resend(ids: Ids, config_file: ConfigOption = None, now: NowOption = None) -> None:
    """Send these mails once more, though they were sent already.

    They go out unchanged, with the same Message-ID.
    """
    _act_on_outbox(outbox.resend, ids, "queued again", config_file, now)


def _act_on_outbox(
    act: Callable[..., bool], ids: list[int], what: str, config_file: Path | None, now: str | None
) -> None:
    choose(config_file, now)
    found = desk(writes=True)

    def one(id_: int) -> bool:
        with found.store.write() as session:
            return act(session, id_, found.clock())

    _act_on_each(one, ids, what)


@outbox_app.command("drop")
def outbox_drop(ids: Ids, config_file: ConfigOption = None, now: NowOption = None) -> None:
    """Never send these mails."""
    _act_on_outbox(lambda session, id_, _now: outbox.drop(session, id_), ids, "dropped", config_file, now)


@quarantine_app.command("list")
def quarantine_list(config_file: ConfigOption = None, now: NowOption = None, json: Json = False) -> None:
    """List the mails in quarantine, with the reason.

    With --json, a mail that failed has its traceback.
    """
    choose(config_file, now)
    with desk().store.read() as session:
        rows = inbox.listing(session, inbox.InboxState.QUARANTINED)
    _listed("Quarantine", rows, json_shapes.INBOX, ("id", "received_at", "sender", "reason"), json)


@quarantine_app.command("show")
def quarantine_show(
    id_: Annotated[int, typer.Argument(metavar="ID", help="The number of the mail, as the list shows it.")],
    config_file: ConfigOption = None,
    now: NowOption = None,
) -> None:
    """Print the raw mail; write it to a file with > FILE.

    On a terminal, control characters are removed; in a file, every byte is as it arrived.
    """
    choose(config_file, now)
    with desk().store.read() as session:
        row = inbox.get(session, id_)
        if row is None or row.state != inbox.InboxState.QUARANTINED:
            fail(f"mail {id_} is not in quarantine")
        _print_raw(inbox.raw(session, id_))


def _stdout_is_terminal() -> bool:
    return sys.stdout.isatty()


def _print_raw(raw: bytes) -> None:
    if _stdout_is_terminal():
        typer.echo(multi_line(raw.decode("utf-8", "replace")))
    else:
        sys.stdout.buffer.write(raw)


@quarantine_app.command("retry")
def quarantine_retry(ids: Ids, config_file: ConfigOption = None, now: NowOption = None) -> None:
    """Handle these mails again.

    A running desk or mailbot run --once does it.
    """
    _act_on_quarantine(inbox.retry, ids, "kept again", config_file, now)


@quarantine_app.command("drop")
def quarantine_drop(ids: Ids, config_file: ConfigOption = None, now: NowOption = None) -> None:
    """Never handle these mails; they stay in the list of the inbox."""
    _act_on_quarantine(inbox.drop, ids, "dropped", config_file, now)


def _act_on_quarantine(
    act: Callable[..., bool], ids: list[int], what: str, config_file: Path | None, now: str | None
) -> None:
    choose(config_file, now)
    found = desk(writes=True)

    def one(id_: int) -> bool:
        with found.store.write() as session:
            row = inbox.get(session, id_)
            return row is not None and row.state == inbox.InboxState.QUARANTINED and act(session, id_)

    _act_on_each(one, ids, what)
