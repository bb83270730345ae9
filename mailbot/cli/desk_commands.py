"""The commands that run the desk and look at its tickets; licences and queues have modules of their own.

What only one command needs is imported when that command runs: looking at a ticket waits for no mail server's library.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mailbot import __version__, json_shapes
from mailbot.cli import invoice_commands, log_commands, people_commands, queue_commands
from mailbot.cli import licence_commands as licences_cli
from mailbot.cli.command_context import (
    ConfigOption,
    Json,
    NowOption,
    choose,
    chosen,
    config,
    desk,
    fail,
    known_state,
    moment_of,
    show_json,
    show_ticket,
)
from mailbot.cli.tables import show_table
from mailbot.core.base.characters import multi_line
from mailbot.core.desk.disclosure import PUBLIC_STATES, stored_states
from mailbot.core.desk.effects import Result
from mailbot.core.desk.ticket import State
from mailbot.core.mail.auth_results_probe import BorderFinding
from mailbot.maillog import configure
from mailbot.process import mapping
from mailbot.service.runner import keep_mail
from storage import inbox, tickets
from storage.faults import StoreError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def top(
    config_file: ConfigOption = None,
    now: NowOption = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """A licence desk that lives in a mailbox."""
    if version:
        typer.echo(f"mailbot {__version__}")
        raise typer.Exit
    chosen.update(config=None, now=None)  # one process may call several commands, each with its own
    choose(config_file, now)


@app.command()
def run(
    once: Annotated[bool, typer.Option("--once", help="Handle what is waiting now, then exit.")] = False,
    config_file: ConfigOption = None,
    now: NowOption = None,
) -> None:
    """Run the desk: fetch mails, handle them, send answers."""
    import asyncio

    from mailbot.operations.desk_check import KEYS
    from mailbot.servers.imap import ImapError
    from mailbot.service.loops import Service, run_once

    choose(config_file, now)
    found = desk(writes=True)
    if not once:
        asyncio.run(Service(found).run())
        return
    try:
        good = run_once(found)
    except ImapError as error:
        fail(f"IMAP: {error}; {KEYS['imap']}. Nothing is lost, mails stay in the mailbox")
    raise typer.Exit(0 if good else 1)


@app.command()
def demo(
    stay: Annotated[
        bool, typer.Option("--stay", help="Keep the servers running, with a web page for writing mails.")
    ] = False,
    json: Json = False,
) -> None:
    """Show the desk at work on this machine, over real IMAP and SMTP. Needs no other server and leaves nothing behind."""
    if stay and json:
        fail("use --stay or --json, not both: the document is complete only when the demo ends", 2)
    try:
        from mailbot.demo.stage import play_demo as play
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("mailbot"):
            raise
        fail(
            f"the demo needs additional packages ({error.name} is missing): pip install 'mailbot[demo]', or make demo",
            2,
        )
    try:
        good, told = play(json=json, stay=stay)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if json:
        show_json(told)
    raise typer.Exit(0 if good else 1)


@app.command()
def check(
    send_probe: Annotated[
        bool,
        typer.Option(
            "--probe",
            help="Also send the desk a mail with a forged Authentication-Results, to see whether the server removes it.",
        ),
    ] = False,
    probe_mail: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.eml",
            exists=True,
            dir_okay=False,
            help="Say whether the sender of a received mail counts as verified.",
        ),
    ] = None,
    patience: Annotated[float, typer.Option(metavar="SECONDS", help="How long --probe waits for its mail.")] = 60,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """Check configuration, catalogue, templates, database, IMAP and SMTP; each fault says what to do."""
    from mailbot.operations.border_probe import judge_mail
    from mailbot.operations.desk_check import check_all

    choose(config_file, now)
    configure()
    if probe_mail is not None:
        lines: list[BorderFinding] = [*judge_mail(probe_mail.read_bytes(), config().identity.authserv_id)]
    else:
        lines = [*check_all(config())]
    if send_probe and all(line.good for line in lines):
        lines += _probed(patience)
    if json:
        show_json([{"check": line.name, "good": line.good, "detail": line.detail} for line in lines])
    else:
        for line in lines:
            typer.echo(multi_line(f"{'good ' if line.good else 'FAULT'}  {line.name}: {line.detail}"))
        if send_probe:
            typer.echo(
                "The probe tests one path only: what the receiving server does with a mail from this desk's own server."
            )
    raise typer.Exit(0 if all(line.good for line in lines) else 1)


def _probed(patience: float) -> tuple[BorderFinding, ...]:
    from mailbot.operations.border_probe import probe
    from mailbot.servers.imap import ImapError

    try:
        return probe(desk(), patience)
    except ImapError as error:
        return (BorderFinding("probe", False, str(error)),)


@app.command()
def inject(
    received_at: Annotated[
        str | None, typer.Option("--received-at", metavar="TIME", help="When it arrived; the default is now.")
    ] = None,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Annotated[bool, typer.Option("--json", help="Accepted for consistency: the output is always JSON.")] = False,  # noqa: ARG001
) -> None:
    """Read one mail from standard input and handle it as if it had arrived."""
    from mailbot.service.runner import step

    choose(config_file, now)
    found = desk(writes=True)
    moment = moment_of("--received-at", received_at) if received_at else found.clock()
    inbox_id, new = keep_mail(found, sys.stdin.buffer.read(), moment, "inject")
    while step(found):
        pass
    with found.store.read() as session:
        row = inbox.get(session, inbox_id)
    show_json({"id": inbox_id, "new": new, **json_shapes.row(row, ("state", "intake", "reason"))})
    raise typer.Exit(1 if row is None or row.state == inbox.InboxState.KEPT else 0)


@app.command()
def explain(
    file: Annotated[Path, typer.Argument(metavar="FILE.eml", exists=True, dir_okay=False)],
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """Show what a mail would do, without changing or sending anything."""
    from mailbot.operations.explain import explain_mail

    choose(config_file, now)
    found = desk()
    told = explain_mail(found, file.read_bytes())
    if json:
        show_json(told)
        return
    facts = ("intake", "state", "reason", "sender", "sender_verdict", "sender_why")
    show_table("Mail", ("what", "value"), [(key, told[key]) for key in facts if told[key]])
    for ticket in told["tickets"]:
        show_ticket(ticket, found.wording.sentences["rule"])
    mails = ("kind", "recipient", "subject")
    show_table("Would send", mails, [tuple(mail[key] for key in mails) for mail in told["mails"]])


@app.command("tickets")
def list_tickets(
    state: Annotated[str | None, typer.Option("--state", help="Only tickets in this state.")] = None,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """List tickets, newest first."""
    choose(config_file, now)
    known = known_state(state, PUBLIC_STATES)
    found = desk()
    with found.store.read() as session:
        states = stored_states(State(known)) if known else None
        histories = tickets.histories(session, states)
        shaped = [
            json_shapes.ticket_shape(mapping.of_row(row), histories.get(row.number, []), found.wording)
            for row in tickets.listing(session, states)
        ]
    if json:
        show_json(shaped)
        return
    columns = ("ref", "state", "request", "action", "token", "customer_name", "sender", "received_at")
    show_table("Tickets", columns, [tuple(shape[key] for key in columns) for shape in shaped])


@app.command()
def show(ref: str, config_file: ConfigOption = None, now: NowOption = None, json: Json = False) -> None:
    """Show one ticket with everything about it."""
    choose(config_file, now)
    found = desk()
    with found.store.read() as session:
        ticket = mapping.load_ticket(session, ref)
        if ticket is None:
            fail(f"there is no ticket {ref}")
        shape = json_shapes.ticket_shape(ticket, tickets.events(session, ticket.number), found.wording)
    if json:
        show_json(shape)
        return
    show_ticket(shape, found.wording.sentences["rule"])
    if ticket.diagnosis is not None:
        log_commands.show_diagnosis(ticket.diagnosis)


@app.command()
def decide(
    ref: str, decision: str, config_file: ConfigOption = None, now: NowOption = None, json: Json = False
) -> None:
    """Decide a ticket, with the words of a reply: mailbot decide LIC-12 "APPROVE agents"."""
    from mailbot.process.decision_lines import Decisions
    from mailbot.process.unit_of_work import UnitOfWork

    choose(config_file, now)
    found = desk(writes=True)
    with found.store.write() as session:
        ticket = mapping.load_ticket(session, ref)
        if ticket is None:
            fail(f"there is no ticket {ref}")
        label = f"decide:{ref}:{found.clock().isoformat()}:{decision}"
        with UnitOfWork(found, session, found.clock(), label) as work:
            results = Decisions(work, "operator", None).carry_out(decision, (ticket.ref,))
    if json:
        show_json([_result(result) for result in results])
    else:
        for result in results:
            why = found.wording.sentences["why"].get(result.why, result.why)
            typer.echo(
                multi_line(f"{'done' if result.done else 'NOT done'}: {result.read}" + (f"\n  {why}" if why else ""))
            )
    raise typer.Exit(0 if results and all(result.done for result in results) else 1)


def _result(result: Result) -> dict[str, object]:
    return {
        "ref": result.ref, "word": result.word, "items": list(result.items), "done": result.done,
        "why": result.why or None, "read": result.read, "sent": result.sent or None,
    }  # fmt: skip


# The commands of the other modules; `--help` lists all in the order of their definition, groups last.
app.command("inbox")(queue_commands.list_inbox)
app.command("invoices")(invoice_commands.invoices)
app.command("due")(invoice_commands.due)
app.command("diagnose")(log_commands.diagnose)
app.command("audit")(invoice_commands.audit)
app.command("erase")(people_commands.erase)
app.add_typer(licences_cli.app, name="licences", help="The ledger: list, show, set, import, export.")
app.add_typer(queue_commands.outbox_app, name="outbox", help="Mails to send: list, retry, resend, drop.")
app.add_typer(
    queue_commands.quarantine_app, name="quarantine", help="Mails that could not be handled: list, show, retry, drop."
)


def main() -> None:
    """The entry point of the ``mailbot`` program."""
    try:
        app()
    except StoreError as error:
        sys.exit(str(error))  # on standard error, and 1
