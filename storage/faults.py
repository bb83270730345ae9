"""Faults of the database itself, worded for the operator: where it is, what is wrong, what to do.

A mistake in a query is not such a fault; it stays the exception that SQLAlchemy raises.
"""

import sqlite3
from collections.abc import Callable

from sqlalchemy import URL, Engine, event
from sqlalchemy.engine import ExceptionContext

#: The primary result codes of SQLite (sqlite.org/rescode.html) that concern the file, and what to do about each.
_SQLITE = {
    sqlite3.SQLITE_PERM: "allow the user of mailbot to read and write it",
    sqlite3.SQLITE_READONLY: "allow the user of mailbot to write the file, its -wal and -shm files, and its folder",
    sqlite3.SQLITE_CANTOPEN: "allow the user of mailbot to read and write the file, its -wal and -shm files, and its folder",
    sqlite3.SQLITE_IOERR: "check the disk, repair it, then start mailbot again",
    sqlite3.SQLITE_FULL: "free space on the disk, then start mailbot again",
    sqlite3.SQLITE_CORRUPT: "restore your backup, and keep the damaged file",
    sqlite3.SQLITE_NOTADB: "name another file in database.url or data_dir, or restore your backup",
    sqlite3.SQLITE_BUSY: "stop the other program that uses it, then start mailbot again",
}
#: Classes of PostgreSQL's SQLSTATE (its manual, appendix A) that concern the server or the connection to it.
_POSTGRESQL = {
    "08": "make sure that the server runs and can be reached",
    "28": "correct user and password in database.url",
    "3D": "create the database, or name another in database.url",
    "53": "free resources on the server (disk, memory, connections)",
    "57": "start the server",
    "58": "read the server's log",
}
_NOT_REACHED = "make sure that the server runs, and correct host, port, user and password in database.url"


class StoreError(Exception):
    """The database cannot be used now, whatever the query. The text is one line; no data was lost."""


def fault(url: URL, what: object, to_do: str) -> StoreError:
    """The exception; its text does not show the password in ``url``."""
    where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    return StoreError(f"the database {where}: {' '.join(str(what).split())}: {to_do}")


def damaged(url: URL, what: object) -> StoreError:
    """The exception for a corrupt SQLite file; ``what`` is the finding of SQLite."""
    return fault(url, what, _SQLITE[sqlite3.SQLITE_CORRUPT])


def watch(engine: Engine, writes: str) -> None:
    """Makes such faults of the engine a `StoreError`. ``writes`` is the execution option that marks a writer."""
    to_do = _sqlite(writes) if engine.dialect.name == "sqlite" else _postgresql

    def named(context: ExceptionContext) -> None:
        found = to_do(context)
        if found is not None:
            raise fault(engine.url, context.original_exception, found) from context.original_exception

    event.listen(engine, "handle_error", named)


def _sqlite(writes: str) -> Callable[[ExceptionContext], str | None]:
    def to_do(context: ExceptionContext) -> str | None:
        code = getattr(context.original_exception, "sqlite_errorcode", 0) & 0xFF
        reads = context.connection is not None and not context.connection.get_execution_options().get(writes)
        # A reader that tries to write gets the same code; that is a bug, not a fault of the file.
        return None if code == sqlite3.SQLITE_READONLY and reads else _SQLITE.get(code)

    return to_do


def _postgresql(context: ExceptionContext) -> str | None:
    state = getattr(context.original_exception, "sqlstate", None)
    if state is None:
        return _NOT_REACHED if context.is_disconnect or context.connection is None else None
    return _POSTGRESQL.get(state[:2])
