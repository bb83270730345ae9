"""``mailbot`` with its words, in this process."""

from pathlib import Path

import structlog
from typer.testing import CliRunner, Result

from mailbot.cli.desk_commands import app


def mailbot(folder: Path | None, *words: object, now: object = None) -> Result:
    """What a command on the desk in that folder (None: of the folder one is in, if any) says and how it ends."""
    more = [] if now is None else ["--now", str(now)]
    where = [] if folder is None else ["-c", str(folder / "mailbot.toml")]
    try:
        return CliRunner().invoke(app, [*map(str, words), *where, *more])
    finally:
        structlog.reset_defaults()  # the command's log went to a stream that is closed now
