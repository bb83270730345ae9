"""A database that cannot be used: one line that says where, what and what to do; a wrong query stays what it is."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.engine import Store, open_store
from storage.faults import StoreError


def migrated(path: Path) -> Store:
    store = open_store(f"sqlite:///{path}")
    store.migrate()
    return store


@pytest.fixture
def somebody_else() -> Iterator[Path]:
    """A folder with a database; from then on the process may read both and write neither."""
    folder = Path(tempfile.mkdtemp())  # not tmp_path, which nobody else may enter
    migrated(folder / "mailbot.db").close()
    (folder / "mailbot.db").chmod(0o444)
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)
    folder.chmod(0o755)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "mailbot.db"
    path.write_bytes(b"something else " * 1000)
    with pytest.raises(StoreError, match=rf"^the database {path}: file is not a database: name another file"):
        open_store(f"sqlite:///{path}").migrate()


def test_a_damaged_file_is_found_by_looking_through_it(tmp_path: Path) -> None:
    path = tmp_path / "mailbot.db"
    migrated(path).close()
    raw = bytearray(path.read_bytes())
    raw[3 * 4096 : 6 * 4096] = b"\xff" * (3 * 4096)
    path.write_bytes(raw)
    with pytest.raises(StoreError, match=r"restore your backup, and keep the damaged file$"):
        migrated(path).verify()


def test_a_sound_file_is_found_sound(store: Store) -> None:
    store.verify()


def test_a_file_that_may_only_be_read(somebody_else: Path) -> None:
    with pytest.raises(
        StoreError,
        match=r"allow the user of mailbot to (read and )?write the file, its -wal and -shm files, and its folder",
    ):
        migrated(somebody_else / "mailbot.db").verify()


def test_a_file_that_may_only_be_read_in_a_folder_of_ours(somebody_else: Path) -> None:
    """A transaction can be begun then: SQLite makes its two other files."""
    os.seteuid(os.getuid())
    somebody_else.chmod(0o777)
    if os.getuid() == 0:
        os.seteuid(65534)
    store = open_store(f"sqlite:///{somebody_else / 'mailbot.db'}")
    with pytest.raises(StoreError, match="attempt to write a readonly database"):
        store.verify()
    store.close()


def test_a_folder_that_cannot_be_made(somebody_else: Path) -> None:
    with pytest.raises(StoreError, match="its folder cannot be created: Permission denied: name another"):
        open_store(f"sqlite:///{somebody_else / 'var' / 'mailbot.db'}")


def grow(store: Store) -> None:
    with store.write() as session:
        session.connection().exec_driver_sql("CREATE TABLE more (it TEXT)")
        session.execute(text("INSERT INTO more VALUES (:it)"), {"it": "x" * 100_000})


def test_a_full_disk_undoes_what_was_begun(sqlite_store: Store) -> None:
    with sqlite_store.write() as session:  # the pool gives this one connection again: its file may not grow
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="is full: free space on the disk, then start mailbot again"):
        grow(sqlite_store)
    with sqlite_store.engine.connect() as connection:
        assert not connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name = 'more'").all()


def test_tables_of_a_newer_version_are_left_alone(own_store: Store) -> None:
    with own_store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"at revision 9999, which this version of mailbot .* does not know: install"):
        own_store.migrate()
    assert own_store.revision() == "9999"


def test_tables_of_another_program_are_left_alone(own_store: Store) -> None:
    with own_store.write() as session:
        session.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(StoreError, match=r"cannot be brought to revision .* already exists: name an empty database"):
        own_store.migrate()


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match=r"Connection refused.*: make sure that the server runs") as told:
        open_store("postgresql+psycopg://desk:secret@127.0.0.1:1/mailbot").migrate()
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_wrong_query_is_no_fault_of_the_database(store: Store) -> None:
    with pytest.raises(DBAPIError), store.write() as session:
        session.execute(text("SELECT nothing FROM nowhere"))
