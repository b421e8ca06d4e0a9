"""The schema of a database file: what it is, its version, and which files are refused."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from mock_server.store import schema, tables
from mock_server.store.database import DatabaseError, open_database

TABLES = sorted(SQLModel.metadata.tables)
APPLICATION_ID = int.from_bytes(b"CBMK", "big")
NEWEST = len(list((Path(schema.__file__).parent / "migrations").glob("*.sql")))


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as empty:
        yield empty


@pytest.fixture(scope="module")
def migrated() -> Iterator[sqlite3.Connection]:
    """A database that the migrations made."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        schema.prepare(made, "migrated")
        yield made


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A database that SQLModel made of the declared tables."""
    file = tmp_path_factory.mktemp("declared") / "declared.sqlite"
    engine = create_engine(f"sqlite:///{file}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    with closing(sqlite3.connect(file)) as made:
        yield made


def _names(connection: sqlite3.Connection, kind: str) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = ? ORDER BY 1", [kind])
    return [name for (name,) in found]


def _columns(connection: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(f"PRAGMA table_info({table})").fetchall()


def _indexes(connection: sqlite3.Connection, table: str) -> dict[str, object]:
    """An index's uniqueness, origin and columns (in order, with direction), by its name."""
    return {
        name: (
            unique,
            origin,
            partial,
            connection.execute(f"PRAGMA index_xinfo({name})").fetchall(),
        )
        for _, name, unique, origin, partial in connection.execute(f"PRAGMA index_list({table})")
    }


def _version(connection: sqlite3.Connection) -> tuple[int, int]:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return application, version


def _make(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_the_migrations_make_the_declared_tables_and_no_other(
    migrated: sqlite3.Connection,
) -> None:
    assert tables.OrderRow.__tablename__ in TABLES
    assert _names(migrated, "table") == TABLES
    assert _names(migrated, "trigger") == _names(migrated, "view") == []


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_the_declared_columns(
    migrated: sqlite3.Connection, declared: sqlite3.Connection, table: str
) -> None:
    assert _columns(migrated, table) == _columns(declared, table) != []


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_the_declared_keys_and_indexes(
    migrated: sqlite3.Connection, declared: sqlite3.Connection, table: str
) -> None:
    assert _indexes(migrated, table) == _indexes(declared, table) != {}


def test_a_new_file_says_whose_it_is_and_its_version(database: Path) -> None:
    open_database(str(database)).close()

    with closing(sqlite3.connect(database)) as made:
        assert _version(made) == (APPLICATION_ID, NEWEST)
        assert made.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_is_up_to_date_is_opened_without_a_change(database: Path) -> None:
    open_database(str(database)).close()
    before = database.read_bytes()

    open_database(str(database)).close()

    assert database.read_bytes() == before


def test_an_empty_file_becomes_a_database(database: Path) -> None:
    database.touch()

    open_database(str(database)).close()

    with closing(sqlite3.connect(database)) as made:
        assert _names(made, "table") == TABLES


def test_a_file_in_folders_that_do_not_exist_yet_is_made(tmp_path: Path) -> None:
    file = tmp_path / "one" / "two" / "state.sqlite"

    open_database(f"sqlite:///{file}").close()

    assert file.is_file()


FOREIGN = "CREATE TABLE notes (id INTEGER PRIMARY KEY)"
OTHER_PROGRAM = "{file} is a database of another program; it was not touched"
OTHER_VERSION = (
    f"{{file}} has schema version {{version}}; this chargebee-mock knows 1 to {NEWEST}. "
    "It was not touched: use the chargebee-mock that made it, or another file"
)


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        pytest.param([FOREIGN], OTHER_PROGRAM, id="another program's tables"),
        pytest.param(["PRAGMA user_version = 1"], OTHER_PROGRAM, id="another program's version"),
        pytest.param(
            [FOREIGN, "PRAGMA application_id = 252006674"],
            OTHER_PROGRAM,
            id="another program's mark",
        ),
        pytest.param(
            [
                FOREIGN,
                f"PRAGMA application_id = {APPLICATION_ID}",
                f"PRAGMA user_version = {NEWEST + 1}",
            ],
            OTHER_VERSION.replace("{version}", str(NEWEST + 1)),
            id="a newer version",
        ),
        pytest.param(
            [FOREIGN, f"PRAGMA application_id = {APPLICATION_ID}"],
            OTHER_VERSION.replace("{version}", "0"),
            id="our mark without a version",
        ),
        pytest.param(
            [FOREIGN, f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = -1"],
            OTHER_VERSION.replace("{version}", "-1"),
            id="a version below the first",
        ),
    ],
)
def test_a_database_that_is_not_of_a_known_version_is_refused_untouched(
    database: Path, statements: list[str], message: str
) -> None:
    _make(database, *statements)
    before = database.read_bytes()

    with pytest.raises(DatabaseError) as refused:
        open_database(str(database))

    assert str(refused.value) == message.format(file=database)
    assert database.read_bytes() == before
    assert os.listdir(database.parent) == [database.name]


def test_a_newer_file_of_a_server_that_ran_is_refused_untouched(database: Path) -> None:
    open_database(str(database)).close()
    _make(database, f"PRAGMA user_version = {NEWEST + 1}")
    before = database.read_bytes()

    with pytest.raises(DatabaseError, match=rf"version {NEWEST + 1}; .* knows 1 to {NEWEST}\. "):
        open_database(str(database))

    assert database.read_bytes() == before


@pytest.mark.parametrize("content", [b"a shopping list\n", b"%PDF-1.7\n" * 500])
def test_a_file_that_is_no_database_is_refused_untouched(database: Path, content: bytes) -> None:
    database.write_bytes(content)

    with pytest.raises(DatabaseError) as refused:
        open_database(str(database))

    assert str(refused.value) == f"cannot open the database {database}: file is not a database"
    assert database.read_bytes() == content
    assert os.listdir(database.parent) == [database.name]


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError) as refused:
        open_database(str(tmp_path))

    assert (
        str(refused.value) == f"cannot open the database {tmp_path}: unable to open database file"
    )
    assert os.listdir(tmp_path) == []


def test_a_file_below_a_file_is_refused(tmp_path: Path) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("mine")

    with pytest.raises(DatabaseError, match=rf"^cannot open the database {occupied}/state: "):
        open_database(str(occupied / "state"))

    assert occupied.read_text() == "mine"


def test_a_schema_that_cannot_be_finished_is_not_begun(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA max_page_count = 9")

    with pytest.raises(sqlite3.OperationalError, match="database or disk is full"):
        schema.prepare(connection, "small")

    assert _names(connection, "table") == []
    assert _version(connection) == (0, 0)

    connection.execute("PRAGMA max_page_count = 1000")
    schema.prepare(connection, "small")
    assert _names(connection, "table") == TABLES


@pytest.fixture
def next_migration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty second migration, after a copy of the first."""
    shipped = Path(schema.__file__).parent / "migrations" / "0001_first.sql"
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / shipped.name).write_text(shipped.read_text())
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    return folder / "0002_second.sql"


def test_an_older_file_is_brought_up_to_date_and_keeps_its_rows(
    connection: sqlite3.Connection, next_migration: Path
) -> None:
    schema.prepare(connection, "older")
    connection.execute("INSERT INTO sites VALUES ('acme-test', 1700000000, 7)")
    next_migration.write_text("-- A column more.\nALTER TABLE sites ADD COLUMN colour VARCHAR;\n")

    schema.prepare(connection, "older")

    assert connection.execute("SELECT * FROM sites").fetchall() == [
        ("acme-test", 1700000000, 7, None)
    ]
    assert _version(connection) == (APPLICATION_ID, 2)


def test_a_migration_that_fails_half_way_leaves_the_older_file_as_it_was(
    connection: sqlite3.Connection, next_migration: Path
) -> None:
    schema.prepare(connection, "older")
    before = connection.serialize()
    next_migration.write_text(
        "ALTER TABLE sites ADD COLUMN colour VARCHAR;\nALTER TABLE nowhere ADD COLUMN a VARCHAR;\n"
    )

    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        schema.prepare(connection, "older")

    assert connection.serialize() == before
    assert _version(connection) == (APPLICATION_ID, 1)
