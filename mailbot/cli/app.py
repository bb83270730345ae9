"""The ``mailbot`` program: its global options and the list of its commands. Each command is in the module of its subject."""

import sys
from typing import Annotated

import typer

from mailbot import __version__
from mailbot.cli import (
    desk_commands,
    invoice_commands,
    licence_commands,
    log_commands,
    people_commands,
    queue_commands,
    ticket_commands,
)
from mailbot.cli.options import ConfigOption, NowOption, choose, chosen
from storage.faults import StoreError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def global_options(
    config_file: ConfigOption = None,
    now: NowOption = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """A licence desk that lives in a mailbox.

    Exit codes: 0 good, 1 failed, 2 wrong call or configuration. To try it without a server: mailbot demo.
    """
    if version:
        typer.echo(f"mailbot {__version__}")
        raise typer.Exit
    chosen.update(config=None, now=None)
    choose(config_file, now)


# `mailbot --help` lists them in this order, groups last.
app.command("run")(desk_commands.run)
app.command("check")(desk_commands.check)
app.command("tickets")(ticket_commands.list_tickets)
app.command("show")(ticket_commands.show_ticket)
app.command("decide")(ticket_commands.decide_ticket)
app.command("inbox")(queue_commands.list_inbox)
app.command("invoices")(invoice_commands.list_invoice_lines)
app.command("due")(invoice_commands.list_due)
app.command("audit")(invoice_commands.audit)
app.command("diagnose")(log_commands.diagnose_logs)
app.command("explain")(desk_commands.explain)
app.command("inject")(desk_commands.inject)
app.command("erase")(people_commands.erase_address)
app.command("demo")(desk_commands.demo)
app.add_typer(queue_commands.outbox_app, name="outbox", help="List the mails that go out; retry, resend or drop them.")
app.add_typer(
    queue_commands.quarantine_app,
    name="quarantine",
    help="Mails that could not be handled: list, show, retry, drop.",
)
app.add_typer(licence_commands.app, name="licences", help="The ledger: list, show, set, import and export licences.")


def main() -> None:
    """The entry point of the ``mailbot`` program."""
    try:
        app()
    except StoreError as error:
        sys.exit(str(error))  # prints it on standard error, exit code 1
