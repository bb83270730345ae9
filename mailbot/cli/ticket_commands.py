"""``mailbot tickets``, ``mailbot show`` and ``mailbot decide``: tickets listed, one shown, one decided by an operator."""

from typing import Annotated

import typer

from mailbot import json_shapes
from mailbot.cli.log_commands import print_diagnosis
from mailbot.cli.options import ConfigOption, Json, NowOption, Ref, choose, desk, fail, known_state
from mailbot.cli.output import print_json, print_table, print_ticket
from mailbot.core.base.characters import multi_line
from mailbot.core.desk.disclosure import PUBLIC_STATES, stored_states
from mailbot.core.desk.effects import DecisionResult
from mailbot.core.desk.ticket import State
from mailbot.process import mapping
from storage import tickets


def list_tickets(
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="STATE", help=f"Only those in this state: {', '.join(PUBLIC_STATES)}."),
    ] = None,
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
        print_json(shaped)
        return
    columns = ("ref", "state", "request", "action", "token", "customer_name", "sender", "received_at")
    print_table("Tickets", columns, [tuple(shape[key] for key in columns) for shape in shaped])


def show_ticket(ref: Ref, config_file: ConfigOption = None, now: NowOption = None, json: Json = False) -> None:
    """Show one ticket: its items, problems, history and diagnosis."""
    choose(config_file, now)
    found = desk()
    with found.store.read() as session:
        ticket = mapping.load_ticket(session, ref)
        if ticket is None:
            fail(f"there is no ticket {ref}")
        shape = json_shapes.ticket_shape(ticket, tickets.events(session, ticket.number), found.wording)
    if json:
        print_json(shape)
        return
    print_ticket(shape, found.wording.sentences["rule"])
    if ticket.diagnosis is not None:
        print_diagnosis(ticket.diagnosis)


def decide_ticket(
    ref: Ref,
    decision: Annotated[
        str, typer.Argument(metavar="DECISION", help="What staff would write in a reply, as one argument.")
    ],
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """Decide a ticket with the words of a staff reply.

    For example: mailbot decide LIC-12 "APPROVE agents". The mails that follow go out as after a reply by mail.
    """
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
        print_json([_result(result) for result in results])
    else:
        for result in results:
            why = found.wording.sentences["why"].get(result.why, result.why)
            typer.echo(
                multi_line(f"{'done' if result.done else 'NOT done'}: {result.read}" + (f"\n  {why}" if why else ""))
            )
    raise typer.Exit(0 if results and all(result.done for result in results) else 1)


def _result(result: DecisionResult) -> dict[str, object]:
    return {
        "ref": result.ref, "word": result.word or "", "items": list(result.items), "done": result.done,
        "why": result.why or None, "read": result.read, "sent": result.sent or None,
    }  # fmt: skip
