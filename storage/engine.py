"""Opens the one database, migrates it, and provides transactions. Queries are in the sibling modules.

SQLite and PostgreSQL behave alike: there is one writer at a time, who waits up to ten seconds for the one before;
readers see a snapshot and cannot write.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlmodel import Session

from storage.faults import damaged, fault, watch
from storage.presence import of_file, of_server

#: How long one writer waits for another, in milliseconds.
WAIT_MS = 10_000

#: The key of the advisory lock that every writer on PostgreSQL holds until its transaction ends: ticket numbers,
#: duplicates and licence revisions need one order.
WRITE_LOCK = 0x6D61696C

_WRITES = "storage_writes"  # the execution option of a writer's transaction


class Store:
    """The open database. Threads may share it, but not a transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{_WRITES: True})
        self._reader = engine
        if engine.dialect.name == "postgresql":
            self._reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine, for code that examines the database itself (backup, checks, tests)."""
        return self._engine

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in the transaction of the only writer; it commits at the end, an exception rolls it back.

        Rows stay readable after it. Never open one inside another: the second would wait for the first.
        """
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            if self.dialect == "postgresql":
                session.connection().exec_driver_sql(f"SET LOCAL lock_timeout = {WAIT_MS}")
            # Now, not at the first write: the writer must read what the writer before it left.
            _take_lock(session.connection())
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees a snapshot; the database refuses every change in it."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def rehearsal(self) -> Iterator[Session]:
        """A session that may write everything and is rolled back at its end; writers do not wait for it.

        On SQLite it works on a copy, which SQLite moves to a temporary file when memory is short; on PostgreSQL in a
        transaction without the writers' lock (a writer that assigns the same ticket number meanwhile waits for its end).
        """
        engine = self._engine if self.dialect == "postgresql" else _copy(self._engine)
        try:
            options = {} if self.dialect == "postgresql" else {_WRITES: True}
            with Session(engine.execution_options(**options), expire_on_commit=False) as session:
                yield session
                session.rollback()
        finally:
            if engine is not self._engine:
                engine.dispose()

    @contextmanager
    def presence(self, when_alone: Callable[[Session], None]) -> Iterator[None]:
        """While it is open, other processes see that this one works on the database.

        If no other process does, ``when_alone`` runs first, in a writer's transaction; processes that start wait for it.
        """
        with of_server(self._engine) if self.dialect == "postgresql" else of_file(self._path) as here:
            if here.alone:
                with self.write() as session:
                    when_alone(session)
            here.admit()
            yield

    @property
    def _path(self) -> Path:
        return Path(str(self._engine.url.database))

    def migrate(self) -> None:
        """Migrates the tables to the newest revision; several processes may do so at once.

        StoreError for the tables of another program or of a newer version, which stay as they are.
        """
        found, newest, url = self.revision(), head(), self._engine.url
        if found == newest:
            return
        if found is not None and found not in _revisions():
            what = f"its tables are at revision {found}, which this version of mailbot ({newest}) does not know"
            raise fault(url, what, "install the version that made them, or restore an older backup")
        try:
            self._upgrade()
        except DBAPIError as error:
            to_do = "name an empty database" if found is None else "keep using the version that made them"
            raise fault(url, f"its tables cannot be brought to revision {newest}: {error.orig}", to_do) from error

    def _upgrade(self) -> None:
        with self._writer.begin() as connection:
            _take_lock(connection)
            config = _scripts()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def verify(self) -> None:
        """Checks that the database is sound and can be written. StoreError when it is not, or cannot."""
        found: object = "ok"
        with self.write() as session:
            if self.dialect == "sqlite":
                connection = session.connection()
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
                # Beginning a transaction needs neither write permission nor room on the disk; writing needs both.
                written = connection.exec_driver_sql("PRAGMA user_version").scalar()
                connection.exec_driver_sql(f"PRAGMA user_version = {written}")
        if found != "ok":
            raise damaged(self._engine.url, found)

    def revision(self) -> str | None:
        """The revision of the tables; None before the first `migrate`."""
        with self._engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def scrub(self) -> None:
        """Removes deleted data from the file too: rewrites it without free pages and empties its journal."""
        with closing(self._engine.raw_connection()) as connection:
            driver: Any = connection.driver_connection
            if self.dialect == "sqlite":
                driver.execute("PRAGMA query_only = OFF")
                driver.execute("VACUUM")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                driver.autocommit = True
                driver.execute("VACUUM")
            connection.invalidate()

    def close(self) -> None:
        """Closes every idle connection."""
        self._engine.dispose()


def open_store(url: str) -> Store:
    """The database at ``url`` (``sqlite:///path`` or ``postgresql+psycopg://...``), not yet migrated.

    Creates the folder of an SQLite file, accessible to its owner only. ValueError for any other kind of database,
    StoreError when it cannot be opened. Any later use raises StoreError for a fault of the database itself.
    """
    where = make_url(url)
    kind = where.get_backend_name()
    if kind not in {"sqlite", "postgresql"}:
        msg = f"the database must be sqlite:///... or postgresql+psycopg://..., not {kind}"
        raise ValueError(msg)
    engine = _sqlite(where) if kind == "sqlite" else _postgresql(where)
    watch(engine, _WRITES)
    return Store(engine)


@cache
def head() -> str:
    """The newest revision that this version of the program contains."""
    newest = ScriptDirectory.from_config(_scripts()).get_current_head()
    if newest is None:
        msg = "the migrations are missing from this installation"
        raise RuntimeError(msg)
    return newest


def _revisions() -> set[str]:
    return {one.revision for one in ScriptDirectory.from_config(_scripts()).walk_revisions()}


def _scripts() -> Config:
    """Finds the migrations in this package, also when it is installed from a wheel."""
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    return config


#: Options of every engine. NaN and Infinity in JSON, which PostgreSQL refuses, fail on SQLite as well. Errors do not
#: show the values of a statement, which are customers' words.
_OPTIONS: dict[str, Any] = {"json_serializer": partial(json.dumps, allow_nan=False), "hide_parameters": True}


def _postgresql(url: URL) -> Engine:
    timeout = {} if "connect_timeout" in url.query else {"connect_timeout": 10}
    try:
        return create_engine(url, pool_pre_ping=True, connect_args=timeout, **_OPTIONS)
    except ModuleNotFoundError as error:
        raise fault(url, f"{error.name} is not installed", "pip install 'mailbot[postgresql]'") from error


def _sqlite(url: URL) -> Engine:
    if url.database in {None, "", ":memory:"}:
        msg = "a database in memory would lose every mail: name a file, sqlite:///path/to/mailbot.db"
        raise ValueError(msg)
    try:
        Path(str(url.database)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise fault(
            url, f"its folder cannot be created: {error.strerror}", "name another in database.url or data_dir"
        ) from error
    engine = create_engine(url, **_OPTIONS)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _copy(engine: Engine) -> Engine:
    """A copy of the database in an unnamed one, which SQLite deletes when it is closed."""
    copy = sqlite3.connect("", check_same_thread=False)
    with engine.connect() as connection:
        source = connection.connection.driver_connection
        if not isinstance(source, sqlite3.Connection):
            raise TypeError(source)
        source.backup(copy)
    found = create_engine("sqlite://", creator=lambda: copy, poolclass=StaticPool, **_OPTIONS)
    event.listen(found, "connect", _prepare_sqlite)
    event.listen(found, "begin", _begin_sqlite)
    return found


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    """Durable commits, checked references, and no implicit transactions of the driver, which begin too late."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switches the file to WAL permanently. SQLite reports "locked" without waiting while another process does the same."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once; a reader may not write, since turning into a writer later can fail."""
    writes = bool(connection.get_execution_options().get(_WRITES))
    if connection.info.get(_WRITES) is not writes:
        connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
        connection.info[_WRITES] = writes
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _take_lock(connection: Connection) -> None:
    """Makes this the only writer on PostgreSQL; on SQLite, BEGIN IMMEDIATE does so."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
