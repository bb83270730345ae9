"""Runs ``mailbot`` commands in this process."""

from pathlib import Path

import structlog
from typer.testing import CliRunner, Result

from mailbot.cli.app import app


def mailbot(folder: Path | None, *words: object, now: object = None) -> Result:
    """The result of a command on the desk in ``folder``; without a folder, on the desk of the working directory."""
    more = [] if now is None else ["--now", str(now)]
    where = [] if folder is None else ["-c", str(folder / "mailbot.toml")]
    try:
        return CliRunner().invoke(app, [*map(str, words), *where, *more])
    finally:
        structlog.reset_defaults()  # the log of the command was bound to a stream that is now closed
