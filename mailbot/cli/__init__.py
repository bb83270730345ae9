"""The command line: ``mailbot COMMAND``. Exit 0 good, 1 failed, 2 wrong call or configuration."""

from mailbot.cli.desk_commands import main

__all__ = ["main"]
