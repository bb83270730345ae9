"""A Python process that has imported everything and runs each program in a fork of itself: no start-up time, a real process to kill."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_SERVER = """
import json, os, runpy, sys
import mailbot.checks, mailbot.cli, mailbot.explain, mailbot.ids, mailbot.service
from sqlalchemy.orm import configure_mappers
configure_mappers()
mailbot.wording.load("en").faults()  # reads and compiles all templates
for line in sys.stdin:
    words, out, err = json.loads(line)
    child = os.fork()
    if child == 0:
        for number, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.argv = words
        try:
            if words[0] == "mailbot":
                mailbot.cli.main()
            else:
                runpy.run_path(words[0], run_name="__main__")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        except BaseException:
            sys.excepthook(*sys.exc_info())
            code = 70
        else:
            code = 0
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Ran:
    """What came of a program; ``returncode`` is below 0 when it was killed."""

    returncode: int
    stdout: str
    stderr: str


class Warm:
    """``run`` a script, or ``mailbot`` with its words; a context that ends the process."""

    def __enter__(self) -> "Warm":
        folder = Path(tempfile.mkdtemp(prefix="warm-"))
        self._out, self._err = folder / "out", folder / "err"
        self._server = subprocess.Popen(
            [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait(30)
        self._out.unlink(missing_ok=True)
        self._err.unlink(missing_ok=True)
        self._out.parent.rmdir()

    def run(self, *words: object) -> Ran:
        """A script, or ``mailbot``, with its words."""
        self._server.stdin.write(json.dumps([[str(word) for word in words], str(self._out), str(self._err)]) + "\n")
        self._server.stdin.flush()
        return Ran(int(self._server.stdout.readline()), self._out.read_text(), self._err.read_text())
