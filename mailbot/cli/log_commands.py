"""``mailbot diagnose``: what logs say, as the approval mail would have it, for files that came another way."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mailbot.assembly import read_catalogue
from mailbot.cli.command_context import ConfigOption, Json, NowOption, choose, chosen, desk, fail, show_json
from mailbot.cli.tables import show_table, text_of
from mailbot.config.toml_file import DEFAULT
from mailbot.core.base.characters import single_line
from mailbot.core.desk.log_review import LicenceOf, arrival_of, claim_in, examine
from mailbot.core.logs.diagnosis import Diagnosis, FormClaim
from mailbot.core.logs.log_sources import mail_in, sources_in
from mailbot.core.mail.message import Message
from mailbot.environment import Desk
from mailbot.process import mapping

_FACTS = (
    *("status", "reason", "tokens", "previous_tokens", "changes", "since", "since_or_before", "days_left"),
    *("expires_at", "version", "last_contact", "first_at", "last_at", "files", "unknown"),
)


class Reason(StrEnum):
    """The grace period reasons of a form."""

    EXPIRED = "expired"
    TOKEN_CHANGE = "token_change"  # noqa: S105 - a reason, not a secret
    OTHER = "other"


def diagnose(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", exists=True, dir_okay=False, readable=True, help="Log files, archives, or a mail."
        ),
    ],
    reason: Annotated[
        Reason | None, typer.Option("--reason", help="The reason given in the form, if no FILE is the mail.")
    ] = None,
    old_token: Annotated[
        str | None, typer.Option("--old-token", metavar="TOKEN", help="The old token given in the form.")
    ] = None,
    new_token: Annotated[
        str | None, typer.Option("--new-token", metavar="TOKEN", help="The new token given in the form.")
    ] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="NAME", help="The customer name given in the form.")
    ] = None,
    received_at: Annotated[
        str | None, typer.Option("--received-at", metavar="TIME", help="When the logs arrived, if no FILE is the mail.")
    ] = None,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """Say what logs prove: .log, .txt, .json, .gz, .zip, winmail.dat or a whole mail, all files together.

    With a configuration they are compared with the ledger too. The exit code is 1 if nothing could be read.
    """
    choose(config_file, now)
    given = [(file.name, file.read_bytes()) for file in files]
    mail = next((message for _, data in given if (message := mail_in(data)) is not None), None)
    found = desk() if _configured() else None
    form = FormClaim(reason.value if reason else None, old_token, new_token, customer)
    if form == FormClaim() and mail is not None:
        form = claim_in(mail, found.catalogue if found else read_catalogue(None))
    sources = [source for name, data in given for source in sources_in(name, data)]
    day = _day(received_at, mail, found.config.zone if found else UTC)
    keep = [mail.sender] if mail is not None and mail.sender else []
    told = _examined(found, lambda licence_of: examine(sources, form, licence_of, day, keep))
    if json:
        show_json(told.model_dump(mode="json"))
    else:
        show_diagnosis(told)
    raise typer.Exit(0 if told.files else 1)


def _configured() -> bool:
    named = chosen["config"] or os.environ.get("MAILBOT_CONFIG") or DEFAULT.exists()
    return bool(named) or any(name.startswith("MAILBOT_") and "__" in name for name in os.environ)


def _examined(found: Desk | None, examined: Callable[[LicenceOf], Diagnosis]) -> Diagnosis:
    """The diagnosis against the ledger of the desk, or, where there is no desk, against none."""
    if found is None:
        return examined(lambda _: None)
    today = found.clock().astimezone(found.config.zone).date()
    with found.store.read() as session:
        return examined(lambda token: mapping.load_licence(session, token, today))


def _day(received_at: str | None, mail: Message | None, zone: tzinfo) -> date | None:
    """The day of arrival: as given, else as the mail's topmost server says; None where nothing came by mail."""
    if received_at is None:
        at = arrival_of(mail) if mail is not None else None
    else:
        try:
            at = datetime.fromisoformat(received_at)
        except ValueError:
            fail(f"--received-at: read {received_at!r}, must be a time like 2026-11-20T09:00:00+01:00", 2)
    if at is None:
        return None
    return at.astimezone(zone).date() if at.tzinfo else at.date()


def show_diagnosis(told: Diagnosis) -> None:
    """A diagnosis for people."""
    typer.echo(single_line(told.sentence, 1_000))
    typer.echo("")
    facts = [(name.replace("_", " "), text_of(value)) for name in _FACTS if (value := getattr(told, name))]
    show_table("What the logs say", ("what", "value"), facts)
    if told.proof:
        rows = [(f"{one.file}:{one.line}", one.text, text_of(one.proves)) for one in told.proof]
        show_table("Lines that prove it", ("where", "line", "proves"), [tuple(row) for row in rows])
    _list("Disagreements", told.disagreements)
    _list("Not read", told.unreadable)
    _list("Ask the customer for", told.send_instead)


def _list(title: str, sentences: Sequence[str]) -> None:
    if sentences:
        typer.echo(f"\n{title}:")
        for sentence in sentences:
            typer.echo(f"- {single_line(sentence, 1_000)}")
