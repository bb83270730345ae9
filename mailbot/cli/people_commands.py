"""``mailbot erase``: a person leaves the database."""

from dataclasses import asdict
from typing import Annotated

import typer

from mailbot.cli.command_context import ConfigOption, Json, NowOption, choose, desk, fail, show_json
from mailbot.core.base.address import plain_address
from mailbot.operations.person_erasure import StillNeededError
from mailbot.operations.person_erasure import erase_person as erased
from storage.erasure import Erased


def erase(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The address of the person.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be erased.")] = False,
    config_file: ConfigOption = None,
    now: NowOption = None,
    json: Json = False,
) -> None:
    """Erase a person for good: contacts, mails with their attachments, and the words in tickets.

    Licences, bills and decisions stay. While a ticket of that address is open, nothing is erased and the exit code is 1.
    """
    if plain_address(address) is None:
        fail(f"ADDRESS: read {address!r}, must be one plain address like jo@acme.example", 2)
    choose(config_file, now)
    try:
        report = erased(desk(writes=not dry_run), address, dry_run=dry_run)
    except StillNeededError as refusal:
        fail(str(refusal))
    if json:
        show_json({**asdict(report), "dry_run": dry_run})
    else:
        typer.echo(_told(report, dry_run=dry_run))


def _told(report: Erased, *, dry_run: bool) -> str:
    lines = [
        f"{report.address}: {'would be erased' if dry_run else 'erased'}",
        f"  contact of      {', '.join(report.contact_of) or 'no licence'}",
        f"  tickets         {', '.join(report.tickets) or 'none'} (names, and all words including the history)",
        f"  mails received  {report.mails_in}",
        f"  mails sent      {report.mails_out}",
    ]
    lines += [
        f"{token} has no contact left; name a new one: mailbot licences set {token} contacts=ADDRESS --why ..."
        for token in report.without_contact
    ]
    if not dry_run:
        lines.append("mailbot cannot erase the mails on the mail server or in older backups: delete them yourself.")
    return "\n".join(lines)
