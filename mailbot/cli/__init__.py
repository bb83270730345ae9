"""The command line: options, one module of commands per subject, and what is printed. The work itself is done elsewhere.

Exit codes: 0 good, 1 failed, 2 wrong call or configuration.
"""

from mailbot.cli.app import main

__all__ = ["main"]
