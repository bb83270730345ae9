"""The commands that run, check, feed and demonstrate the desk.

They import what only they need when they run, so that other commands start without the libraries of the mail servers.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mailbot import json_shapes
from mailbot.cli.options import ConfigOption, Json, NowOption, choose, config, desk, fail, moment_of
from mailbot.cli.output import print_json, print_table, print_ticket
from mailbot.core.base.characters import multi_line
from mailbot.core.mail.auth_results_probe import BorderFinding
from mailbot.maillog import configure
from mailbot.service.runner import keep_mail
from storage import inbox


def run(
    once: Annotated[bool, typer.Option("--once", help="Handle what is waiting now, then exit.")] = False,
    config_file: ConfigOption = None,
    now: NowOption = None,
) -> None:
    """Run the desk: fetch mails, handle them, send answers.

    Runs until SIGTERM or Ctrl-C. With --once, the exit code is 1 if a mail or a delivery failed.
    """
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
        fail(f"IMAP: {error}; {KEYS['imap']}. No mail is lost; mails stay in the mailbox")
    raise typer.Exit(0 if good else 1)


def demo(
    stay: Annotated[
        bool, typer.Option("--stay", help="Keep everything running, with a web page for reading and writing mails.")
    ] = False,
    json: Json = False,
) -> None:
    """Show a desk at work, without any other server.

    Starts a mail server on 127.0.0.1, lets a customer and two members of staff write to the desk over IMAP and SMTP,
    prints the conversation and leaves nothing behind.
    """
    if stay and json:
        fail("use --stay or --json, not both: the document is complete only when the demo ends", 2)
    try:
        from mailbot.demo.main import run_demo
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("mailbot"):
            raise
        fail(
            f"the demo needs additional packages ({error.name} is missing): pip install 'mailbot[demo]', or make demo",
            2,
        )
    try:
        good, document = run_demo(json=json, stay=stay)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if json:
        print_json(document)
    raise typer.Exit(0 if good else 1)


ProbeOption = Annotated[
    bool,
    typer.Option(
        "--probe",
        help="Also send the desk a mail with forged Authentication-Results, to see whether your server removes them.",
    ),
]
ProbeMailOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.eml",
        exists=True,
        dir_okay=False,
        help="Only say whether the sender of this received mail counts as verified.",
    ),
]


def check(
    send_probe: ProbeOption = False,
    probe_mail: ProbeMailOption = None,
    patience: Annotated[float, typer.Option(metavar="SECONDS", help="How long --probe waits for its mail.")] = 60,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """Check that the desk can run; each fault says what to do.

    Looks at the configuration, the catalogue, the templates, the database and both mail servers, one line each.
    """
    from mailbot.operations.border_probe import judge_mail
    from mailbot.operations.desk_check import check_all

    choose(config_file, now)
    configure()
    if probe_mail is not None:
        findings: list[BorderFinding] = [*judge_mail(probe_mail.read_bytes(), config().identity.authserv_id)]
    else:
        findings = [*check_all(config())]
    if send_probe and all(one.good for one in findings):
        findings += _probe_findings(patience)
    if json:
        print_json([{"check": one.name, "good": one.good, "detail": one.detail} for one in findings])
    else:
        for one in findings:
            typer.echo(multi_line(f"{'good ' if one.good else 'FAULT'}  {one.name}: {one.detail}"))
        if send_probe:
            typer.echo(
                "The probe tests one path only: what the receiving server does with a mail from this desk's own server."
            )
    raise typer.Exit(0 if all(one.good for one in findings) else 1)


def _probe_findings(patience: float) -> tuple[BorderFinding, ...]:
    from mailbot.operations.border_probe import probe
    from mailbot.servers.imap import ImapError

    try:
        return probe(desk(), patience)
    except ImapError as error:
        return (BorderFinding("probe", False, str(error)),)


def inject(
    received_at: Annotated[
        str | None, typer.Option("--received-at", metavar="TIME", help="When it arrived; the default is now.")
    ] = None,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Annotated[bool, typer.Option("--json", help="No effect: the output is always JSON.")] = False,  # noqa: ARG001
) -> None:
    """Handle a mail from standard input as if it had arrived.

    Answers are put into the outbox; a running desk, or mailbot run --once, sends them.
    """
    from mailbot.service.runner import step

    choose(config_file, now)
    found = desk(writes=True)
    moment = moment_of("--received-at", received_at) if received_at else found.clock()
    inbox_id, new = keep_mail(found, sys.stdin.buffer.read(), moment, "inject")
    while step(found):
        pass
    with found.store.read() as session:
        row = inbox.get(session, inbox_id)
    print_json({"id": inbox_id, "new": new, **json_shapes.row(row, ("state", "intake", "reason"))})
    raise typer.Exit(1 if row is None or row.state == inbox.InboxState.KEPT else 0)


def explain(
    file: Annotated[Path, typer.Argument(metavar="FILE.eml", exists=True, dir_okay=False, help="The mail.")],
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """Show what the desk would do with a mail.

    Nothing is changed and nothing is sent: the mail is handled in a transaction that is rolled back.
    """
    from mailbot.operations.explain import explain_mail

    choose(config_file, now)
    found = desk()
    explained = explain_mail(found, file.read_bytes())
    if json:
        print_json(explained)
        return
    facts = ("intake", "state", "reason", "sender", "sender_verdict", "sender_why")
    print_table("Mail", ("what", "value"), [(key, explained[key]) for key in facts if explained[key]])
    for ticket in explained["tickets"]:
        print_ticket(ticket, found.wording.sentences["rule"])
    mails = ("kind", "recipient", "subject")
    print_table("Would send", mails, [tuple(mail[key] for key in mails) for mail in explained["mails"]])
