"""A Python process that has imported everything and runs each program in a fork: no start-up time, yet a real process to kill."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType

_SERVER = """
import gc, json, os, runpy, signal, sys
import mailbot.cli, mailbot.demo.main, mailbot.ids, mailbot.operations.desk_check, mailbot.operations.explain, mailbot.service.loops, mailbot.wording
from sqlalchemy.orm import configure_mappers
configure_mappers()
mailbot.wording.load_wording("en").faults()  # reads and compiles all templates
gc.freeze()  # what is here stays: no fork looks through it, or copies it
child = 0
signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
for line in sys.stdin:
    order = json.loads(line)
    if child := order.get("wait"):
        signal.alarm(120)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        signal.alarm(0)
        print(code, flush=True)
        continue
    words = order["words"]
    child = os.fork()
    if child == 0:
        for number, path in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
            os.dup2(os.open(path, os.O_RDWR), number)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
        sys.argv = words
        os.environ |= order["environment"]
        try:
            if words[0] == "mailbot":
                mailbot.cli.main()
            else:
                runpy.run_path(words[0], run_name="__main__")
        except SystemExit as end:
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        except BaseException:
            sys.excepthook(*sys.exc_info())
            code = 70
        else:
            code = 0
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(child, flush=True)
"""

_TIMEOUT = 120.0  # seconds; reached only by a failure


@dataclass(frozen=True)
class Ran:
    """The result of a program; ``returncode`` is negative if a signal killed it."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Started:
    """A running program."""

    pid: int
    out: Path
    err: Path
    _ask: Callable[..., int]

    def until(self, said: str) -> str:
        """Wait until the output contains that text; returns the output so far."""
        deadline = time.monotonic() + _TIMEOUT
        while said not in (text := self.out.read_text()):
            assert time.monotonic() < deadline, text + self.err.read_text()
            time.sleep(0.02)
        return text

    def signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def end(self) -> Ran:
        """Wait for the end of the program; kill it after two minutes."""
        ran = Ran(self._ask(wait=self.pid), self.out.read_text(), self.err.read_text())
        self.out.unlink()
        self.err.unlink()
        return ran


class Warm:
    """A context that keeps the process; ``run`` or ``start`` runs a script or ``mailbot`` in a fork."""

    def __enter__(self) -> "Warm":
        self._folder = Path(tempfile.mkdtemp(prefix="warm-"))
        self._numbers = count()
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
        self._folder.rmdir()

    def run(self, *words: object) -> Ran:
        """Run a script or ``mailbot`` with its arguments."""
        return self.start(*words).end()

    def start(self, *words: object, **environment: str) -> Started:
        """Start it without waiting; call ``Started.end``."""
        number = next(self._numbers)
        out, err = self._folder / f"{number}.out", self._folder / f"{number}.err"
        out.touch()
        err.touch()
        pid = self._ask(words=[str(word) for word in words], out=str(out), err=str(err), environment=environment)
        return Started(pid, out, err, self._ask)

    def _ask(self, **order: object) -> int:
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())
