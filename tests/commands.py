"""``mailbot`` with its words, in this process."""

from pathlib import Path

import structlog
from typer.testing import CliRunner, Result

from mailbot.cli.commands import app


def mailbot(folder: Path, *words: object, now: object = None) -> Result:
    """What a command on the desk in that folder says and how it ends."""
    more = [] if now is None else ["--now", str(now)]
    try:
        return CliRunner().invoke(app, [*map(str, words), "-c", str(folder / "mailbot.toml"), *more])
    finally:
        structlog.reset_defaults()  # the command's log went to a stream that is closed now
