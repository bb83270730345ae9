"""Databases for tests: each test that asks for `store` runs on SQLite and on PostgreSQL, each time on a fresh one."""

import gc
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from storage.engine import Store, open_store
from storage.types import Row
from tests.support.warm import Warm

#: What starts slowly, PostgreSQL and the warm process, one worker starts, and has all tests that need it.
ONE_WORKER = pytest.mark.xdist_group("processes")
POSTGRESQL = [pytest.mark.postgresql, ONE_WORKER]

gc.disable()  # until all tests are collected: they stay

# A run says today what it said yesterday: `make fuzz` is for new examples.
settings.register_profile("repeatable", derandomize=True)
if "FUZZ_TRIALS" not in os.environ:
    settings.load_profile("repeatable")

#: Also what nobody may delete: as on a replica, where the rules of the tables do not work.
_EMPTIED = """
SET LOCAL session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
FOREACH name IN ARRAY ARRAY[{}] LOOP EXECUTE format('DELETE FROM %%I', name); END LOOP;
FOR name IN SELECT sequencename FROM pg_sequences LOOP EXECUTE format('ALTER SEQUENCE %%I RESTART', name); END LOOP;
END $$
"""

_compiled: LRUCache[Any, Any] = LRUCache(2000)

# Nearly every test has a database of its own, and an engine with it. What SQLAlchemy compiled for one serves all on
# SQLite, whose dialect knows nothing of the file: else half of a conversation's time goes to compiling.
SQLiteDialect_pysqlite.__eq__ = lambda one, other: type(one) is type(other)  # type: ignore[method-assign,assignment]
SQLiteDialect_pysqlite.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign,assignment]


@event.listens_for(Engine, "engine_connect")
def _shared(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.execution_options(compiled_cache=_compiled)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write the golden files anew")


@pytest.hookimpl(tryfirst=True)  # xdist looks at the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the series marked ``series(every)`` one test in so many is run; with THOROUGH=1, as in .ci/run, all of them."""
    for item in items:
        if "warm" in getattr(item, "fixturenames", ()):
            item.add_marker(ONE_WORKER)
    if os.environ.get("THOROUGH"):
        return
    seen: Counter[str] = Counter()
    left: list[pytest.Item] = []
    for item in items:
        mark = item.get_closest_marker("series")
        name = item.nodeid.partition("[")[0]
        if mark is not None and seen[name] % mark.args[0]:
            left.append(item)
        seen[name] += 1
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in set(left)]


def pytest_collection_finish() -> None:
    """The thousands of tests stay to the end: nobody need look through them for what could go."""
    gc.freeze()
    gc.enable()


def pytest_make_parametrize_id(val: object) -> str | None:
    """Files are no names: their bytes differ from worker to worker where they hold the time."""
    if isinstance(val, bytes):
        return (
            val.decode("ascii") if len(val) <= 40 and val.isascii() and val.decode("ascii").isprintable() else "bytes"
        )
    return None


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    """Runs the ``mailbot`` program without its start-up time."""
    with Warm() as process:
        yield process


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A throwaway PostgreSQL server on a socket of its own; gives ``?host=...``, the part of a URL that finds it."""
    programs = _postgresql_programs()
    if programs is None or find_spec("psycopg") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("PostgreSQL's server or psycopg is not installed, and here they must be")
        pytest.skip("PostgreSQL's server or psycopg is not installed")
    place = Path(tempfile.mkdtemp(prefix="pg-"))  # not tmp_path: a socket's path must be short
    # As root the server refuses to run, so it runs as the user that comes with it.
    root = os.geteuid() == 0
    who: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if root else {}
    if root:
        shutil.chown(place, "postgres", "postgres")
    quiet: dict[str, Any] = {"cwd": place, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **who}
    cluster = place / "data"
    initdb = f"{programs}/initdb -D {cluster} -U postgres -A trust -E UTF8 --no-sync"
    subprocess.run(initdb.split(), check=True, **quiet)
    settings = ["listen_addresses=", "fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=40"]
    options = [part for setting in settings for part in ("-c", setting)]
    with subprocess.Popen([programs / "postgres", "-D", cluster, "-k", place, *options], **quiet) as server:
        try:
            _wait_for(f"?host={place}", server)
            yield f"?host={place}"
        finally:
            server.send_signal(signal.SIGQUIT)  # at once, there is nothing to keep
            server.wait()
            shutil.rmtree(place)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=POSTGRESQL)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'mailbot.db'}"
    server = request.getfixturevalue("postgresql")
    _do(server, "template1", "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return f"postgresql+psycopg://postgres@/template1{server}"


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "mailbot.db"
    store = open_store(f"sqlite:///{path}")
    store.migrate()
    store.close()
    return path


@pytest.fixture
def sqlite_store(tmp_path: Path, _migrated_sqlite: Path) -> Iterator[Store]:
    """A fresh, migrated SQLite database."""
    path = tmp_path / "mailbot.db"
    shutil.copy(_migrated_sqlite, path)
    store = open_store(f"sqlite:///{path}")
    yield store
    store.close()


@pytest.fixture(scope="session")
def _emptied_postgresql(postgresql: str) -> Iterator[Store]:
    store = open_store(f"postgresql+psycopg://postgres@/postgres{postgresql}")
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def postgresql_store(_emptied_postgresql: Store) -> Store:
    """A migrated PostgreSQL database without rows: one for all, emptied before each test, as a new one takes 0.2 s."""
    with _emptied_postgresql.engine.begin() as connection:
        names = ", ".join(f"'{table}'" for table in Row.metadata.tables)
        connection.exec_driver_sql(_EMPTIED.format(names))
    return _emptied_postgresql


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=POSTGRESQL)])
def store(request: pytest.FixtureRequest) -> Store:
    """A fresh, migrated database, on SQLite and on PostgreSQL."""
    fresh: Store = request.getfixturevalue(f"{request.param}_store")
    return fresh


@pytest.fixture
def own_store(empty_url: str) -> Iterator[Store]:
    """As `store`, for tests that change the tables themselves."""
    store = open_store(empty_url)
    store.migrate()
    yield store
    store.close()


def _postgresql_programs() -> Path | None:
    """The folder of the newest installed PostgreSQL's programs."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: float(path.parts[4]), default=None)
    on_path = shutil.which("initdb")
    if newest is None and on_path is not None:
        newest = Path(on_path).resolve()
    return None if newest is None else newest.parent


def _do(server: str, database: str, statements: str) -> None:
    import psycopg

    conninfo = f"host={server.removeprefix('?host=')} user=postgres dbname={database}"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statements)


def _wait_for(place: str, server: "subprocess.Popen[bytes]") -> None:
    """Returns when the server answers; it is given a minute."""
    import psycopg

    for _ in range(600):
        assert server.poll() is None, "PostgreSQL ended at its start"
        try:
            _do(place, "postgres", "SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("PostgreSQL does not answer")
