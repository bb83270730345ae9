"""Opens the one database, brings it up to date, and gives transactions. What is asked in them stands beside, per table.

SQLite and PostgreSQL behave alike: one writer at a time, who waits up to ten seconds for the one before; readers see
one moment and cannot write.
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

#: Taken by every writer on PostgreSQL until its transaction ends: ticket numbers, duplicates and licence revisions need
#: one order. Right first; claims with FOR UPDATE SKIP LOCKED come with the issue on PostgreSQL at scale.
WRITE_LOCK = 0x6D61696C

_WRITES = "storage_writes"  # the execution option that makes a transaction a writer's


class Store:
    """The open database. Give each transaction to one thread; the store itself may be shared between threads."""

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
        """The SQLAlchemy engine beneath, for what looks at the database itself (backup, checks, tests)."""
        return self._engine

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in a writer's transaction, alone in the whole database: commits at the end, or undoes everything.

        Rows stay readable after it. Never open one inside another: the second would wait for the first.
        """
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            if self.dialect == "postgresql":
                session.connection().exec_driver_sql(f"SET LOCAL lock_timeout = {WAIT_MS}")
            # At once, not at the first statement: what a writer reads must be what the one before has left.
            _take_lock(session.connection())
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees the database of one moment; the database refuses every change in it."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def rehearsal(self) -> Iterator[Session]:
        """A session in which everything may be written, and of which nothing stays; no writer waits for it.

        On SQLite it works on a copy of its own, which goes to a temporary file where memory is short; on PostgreSQL in
        a transaction that is undone and does not take the writers' lock (a writer that gives out the very same ticket
        number meanwhile waits for its end).
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
        """Inside it this process works on the database. First, if no other does, ``when_alone`` in a writer's transaction.

        Others that begin meanwhile wait until that is done.
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
        """Brings the tables to the newest revision, if they are not there. Processes that do so at once wait in turn.

        StoreError when they cannot be brought there: another program's, or a newer version's. They stay as they were.
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
        """Looks through the whole database, and whether it can be written. StoreError when it is damaged, or cannot."""
        found: object = "ok"
        with self.write() as session:
            if self.dialect == "sqlite":
                connection = session.connection()
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
                # To begin a transaction needs neither the right to write the file nor room on the disk; to write does.
                written = connection.exec_driver_sql("PRAGMA user_version").scalar()
                connection.exec_driver_sql(f"PRAGMA user_version = {written}")
        if found != "ok":
            raise damaged(self._engine.url, found)

    def revision(self) -> str | None:
        """The revision of the tables; None before the first `migrate`."""
        with self._engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def scrub(self) -> None:
        """What was deleted leaves the file too: it is written anew without its empty places, and its journal emptied."""
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
        """Closes every connection that is not in use."""
        self._engine.dispose()


def open_store(url: str) -> Store:
    """The database at ``url`` (``sqlite:///path`` or ``postgresql+psycopg://...``), not yet migrated.

    Makes the folder of an SQLite file, for its owner only. ValueError for any other kind of database, StoreError when
    it cannot be opened; later, a fault of the database itself is one too, in whatever is asked of it.
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
    """The newest revision that this version of the program brings."""
    newest = ScriptDirectory.from_config(_scripts()).get_current_head()
    if newest is None:
        msg = "the migrations are missing from this installation"
        raise RuntimeError(msg)
    return newest


def _revisions() -> set[str]:
    return {one.revision for one in ScriptDirectory.from_config(_scripts()).walk_revisions()}


def _scripts() -> Config:
    """Where the migrations are: in this package, also when it is installed from a wheel."""
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    return config


#: As SQLAlchemy writes JSON, but NaN and Infinity, which PostgreSQL refuses, fail on SQLite as well.
#: Of every engine. What is wrong with a statement is told without its values, which are customers' words.
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
    """The database as it is now, in an unnamed one that is gone when it is closed."""
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
    """Durable commits, checked references, and no transactions of the driver's own (it begins them too late)."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turns the file to WAL, for good. While others do so to a new file, SQLite says "locked" without any waiting."""
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
    """A writer takes the lock at once; a reader that turned writer later could only fail, so it is refused."""
    writes = bool(connection.get_execution_options().get(_WRITES))
    if connection.info.get(_WRITES) is not writes:
        connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
        connection.info[_WRITES] = writes
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _take_lock(connection: Connection) -> None:
    """One writer at a time, on PostgreSQL; SQLite has seen to it by BEGIN IMMEDIATE."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
