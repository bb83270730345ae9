"""Which processes work on one database: a process that finds itself alone knows that every lease was left by a dead one."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, text

from storage.faults import StoreError

#: The key of PostgreSQL's advisory lock.
LOCK = 0x6D61696D


class Presence(Protocol):
    """``alone``: no other process works on the database. Others that start wait until ``admit``."""

    alone: bool

    def admit(self) -> None:
        """Lets the others start."""
        ...


class _File:
    def __init__(self, number: int) -> None:
        self._number = number
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.alone = True
        except BlockingIOError:
            fcntl.flock(number, fcntl.LOCK_SH)
            self.alone = False

    def admit(self) -> None:
        fcntl.flock(self._number, fcntl.LOCK_SH)


@contextmanager
def of_file(database: Path) -> Iterator[Presence]:
    """Presence by a lock on a file beside the database; the system releases it when the process ends."""
    place = database.with_name(f"{database.name}-present")
    try:
        file = place.open("a")
    except OSError as error:
        msg = f"the database {database}: {place.name} beside it: {error.strerror}: allow the user of mailbot to write"
        raise StoreError(msg) from error
    with file:
        yield _File(file.fileno())


class _Server:
    def __init__(self, engine: Engine) -> None:
        self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self.alone = bool(self._connection.scalar(text(f"SELECT pg_try_advisory_lock({LOCK})")))
        if not self.alone:
            self._connection.execute(text(f"SELECT pg_advisory_lock_shared({LOCK})"))

    def admit(self) -> None:
        if self.alone:
            self._connection.execute(text(f"SELECT pg_advisory_lock_shared({LOCK})"))
            self._connection.execute(text(f"SELECT pg_advisory_unlock({LOCK})"))

    def close(self) -> None:
        self._connection.execute(text("SELECT pg_advisory_unlock_all()"))  # the pool keeps the connection
        self._connection.close()


@contextmanager
def of_server(engine: Engine) -> Iterator[Presence]:
    """Presence by an advisory lock; the server releases it when the connection ends."""
    here = _Server(engine)
    try:
        yield here
    finally:
        here.close()
