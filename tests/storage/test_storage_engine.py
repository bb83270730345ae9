"""The database as such: one schema on both, durable, one writer at a time, readers that cannot write."""

import importlib
import pkgutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

import storage
from storage.engine import Store, head, open_store
from storage.faults import StoreError
from storage.tickets import Counter, next_number
from storage.types import Row
from tests.support.warm import Warm

EVENT = (
    "INSERT INTO licence_event (id, token, revision, at, effective, kind, changes, catalogue_version, seal) "
    "VALUES (1, 'A1B2C3D4', 1, '2026-11-03 08:15:00', '2026-11-03', 'demo', '{}', '1', 'x')"
)

for module in pkgutil.iter_modules(storage.__path__, "storage."):
    importlib.import_module(module.name)  # every table, also those of modules that nobody thought of here


def test_the_migrations_make_exactly_the_tables_of_the_models(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Row.metadata) == []


def test_the_comparison_would_see_a_difference(own_store: Store) -> None:
    with own_store.write() as s:
        s.connection().exec_driver_sql("ALTER TABLE party ADD COLUMN vat_number TEXT")
        s.connection().exec_driver_sql("DROP INDEX ix_due_open")
    with own_store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert {change[0] for change in compare_metadata(context, Row.metadata)} == {"remove_column", "add_index"}


def test_a_new_database_has_no_revision_and_then_the_newest(empty_url: str) -> None:
    store = open_store(empty_url)
    assert store.revision() is None
    store.migrate()
    assert store.revision() == head() == "0001"
    store.migrate()
    assert store.revision() == head()
    store.close()


def test_processes_may_migrate_at_once(empty_url: str, tmp_path: Path, warm: Warm) -> None:
    (program := tmp_path / "program.py").write_text(
        "import sys, time; from pathlib import Path; from storage.engine import open_store\n"
        "store = open_store(sys.argv[1]); print('ready', flush=True)\n"
        "while not Path(sys.argv[2]).exists(): time.sleep(0.01)\n"
        "store.migrate(); print(store.revision()); store.close()"
    )
    started = [warm.start(program, empty_url, go := tmp_path / "go") for _ in range(2)]
    for one in started:
        one.until("ready")
    go.touch()  # now, all of them
    ended = [one.end() for one in started]
    assert [(one.returncode, one.stdout) for one in ended] == [(0, "ready\n0001\n")] * 2, ended
    store = open_store(empty_url)
    assert store.revision() == head()
    store.close()


def test_threads_may_migrate_at_once(empty_url: str) -> None:
    store = open_store(empty_url)
    in_threads(store.migrate, store.migrate, store.migrate)
    assert store.revision() == head()
    store.close()


def test_a_migration_that_fails_leaves_nothing(empty_url: str) -> None:
    store = open_store(empty_url)
    with store.write() as s:
        s.connection().exec_driver_sql("CREATE TABLE incident (key TEXT)")  # in the way of the last table
    with pytest.raises(StoreError):
        store.migrate()
    assert store.revision() is None
    assert inspect(store.engine).get_table_names() == ["incident"]
    store.close()


def test_a_transaction_commits_at_its_end_or_leaves_nothing(store: Store) -> None:
    with store.write() as s:
        assert next_number(s) == 1
    with pytest.raises(ZeroDivisionError), store.write() as s:
        print(next_number(s) / 0)
    with store.write() as s:
        assert next_number(s) == 2


def test_rows_stay_readable_after_their_transaction(store: Store) -> None:
    with store.write() as s:
        row = Counter(name="apples", value=3)
        s.add(row)
    assert row.value == 3
    with store.read() as s:
        found = s.get_one(Counter, "apples")
    assert (found.name, found.value) == ("apples", 3)


def test_writers_wait_for_each_other_and_lose_nothing(store: Store) -> None:
    def counting() -> None:
        for _ in range(25):
            with store.write() as s:
                row = s.get(Counter, "apples") or Counter(name="apples", value=0)
                row.value += 1  # read, then written: lost when two may do so at once
                s.add(row)

    in_threads(counting, counting)
    with store.read() as s:
        assert s.get_one(Counter, "apples").value == 50


def test_a_reader_sees_one_moment(store: Store) -> None:
    with store.read() as reading:
        assert reading.get(Counter, "ticket") is None
        with store.write() as s:
            next_number(s)
        assert reading.get(Counter, "ticket") is None
    with store.read() as reading:
        assert reading.get(Counter, "ticket") is not None


def test_a_reader_cannot_write(store: Store) -> None:
    with store.read() as s, pytest.raises(DBAPIError, match=r"read-?only"):
        next_number(s)
    with store.write() as s:  # on the same connection
        assert next_number(s) == 1


def test_references_are_checked(store: Store) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"), store.write() as s:
        s.connection().exec_driver_sql("INSERT INTO raw VALUES (1, 'x')")


def test_sqlite_is_set_to_be_durable(sqlite_store: Store) -> None:
    def pragma(s: Session, name: str) -> object:
        return s.connection().exec_driver_sql(f"PRAGMA {name}").scalar()

    with sqlite_store.write() as s:
        found = {name: pragma(s, name) for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_the_folder_of_an_sqlite_file_is_made_for_its_owner(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/var/desk 100%/mailbot.db")
    store.migrate()
    store.close()
    folder = tmp_path / "var" / "desk 100%"
    assert (folder / "mailbot.db").is_file()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/mailbot"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///"):
        open_store(url)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE licence_event SET revision = 7",
        "UPDATE licence_event SET why = 'no reason' WHERE token = 'A1B2C3D4'",
        "DELETE FROM licence_event",
        "DELETE FROM licence_event WHERE id = 1",
    ],
)
def test_the_ledger_cannot_be_changed(store: Store, statement: str) -> None:
    with store.write() as s:
        s.connection().exec_driver_sql(EVENT)
    with pytest.raises(DBAPIError, match="append-only"), store.write() as s:
        s.connection().exec_driver_sql(statement)
    assert ledger(store) == [(1, "demo")]


def test_the_ledger_cannot_be_replaced_on_sqlite(sqlite_store: Store) -> None:
    with sqlite_store.write() as s:
        s.connection().exec_driver_sql(EVENT)
    for other in (EVENT.replace("(1,", "(2,"), EVENT.replace("A1B2C3D4", "B1B2C3D4")):
        with pytest.raises(DBAPIError, match="append-only"), sqlite_store.write() as s:
            s.connection().exec_driver_sql(other.replace("INSERT", "INSERT OR REPLACE").replace("demo", "gift"))
    assert ledger(sqlite_store) == [(1, "demo")]


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "statement",
    ["TRUNCATE licence_event", f"{EVENT} ON CONFLICT (id) DO UPDATE SET kind = 'gift'"],
    ids=["truncate", "upsert"],
)
def test_the_ledger_cannot_be_emptied_or_overwritten_on_postgresql(postgresql_store: Store, statement: str) -> None:
    with postgresql_store.write() as s:
        s.connection().exec_driver_sql(EVENT)
    with pytest.raises(DBAPIError, match="append-only"), postgresql_store.write() as s:
        s.connection().exec_driver_sql(statement)
    assert ledger(postgresql_store) == [(1, "demo")]


def ledger(store: Store) -> list[tuple[int, str]]:
    with store.read() as s:
        return [tuple(row) for row in s.connection().execute(text("SELECT id, kind FROM licence_event"))]


def in_threads(*tasks: Callable[[], None]) -> None:
    """Runs the tasks at once; the first exception of any is raised here."""
    failures: list[BaseException] = []

    def run(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_who_is_alone_on_a_database_is_told_so_and_others_wait(store: Store) -> None:
    told: list[str] = []
    with store.presence(lambda s: told.append(str(s.is_active))):
        other = open_store(store.engine.url.render_as_string(hide_password=False))
        with other.presence(lambda s: told.append("the second is not alone")):
            pass
        other.close()
    assert told == ["True"]
    with store.presence(lambda s: told.append("again")):
        pass
    assert told == ["True", "again"]
