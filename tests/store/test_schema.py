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
from mock_server.store.database import open_database
from mock_server.store.database_file import DatabaseError

TABLES = sorted(SQLModel.metadata.tables)
APPLICATION_ID = int.from_bytes(b"CBMK", "big")
MIGRATIONS = Path(schema.__file__).parent / "migrations"
NAMES = sorted(file.stem for file in MIGRATIONS.glob("*.sql"))
NAMED = 1000
COUNTED = ["0001_first", "0002_deliveries", "0003_faults", "0004_sites", "0005_requests"]
"""What the databases that counted their migrations may have had."""


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


def _migrations(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM migrations ORDER BY 1")]


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


def test_a_new_file_says_whose_it_is_and_names_its_migrations(database: Path) -> None:
    open_database(str(database)).close()

    with closing(sqlite3.connect(database)) as made:
        assert _version(made) == (APPLICATION_ID, NAMED)
        assert _migrations(made) == NAMES
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
UNKNOWN = (
    "{file} has a schema that this chargebee-mock does not know: {schema}. "
    "It was not touched: use the chargebee-mock that made it, or another file"
)
OURS = f"PRAGMA application_id = {APPLICATION_ID}"


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
            [FOREIGN, OURS, "PRAGMA user_version = 6"],
            UNKNOWN.replace("{schema}", "version 6"),
            id="a version that no server counted",
        ),
        pytest.param(
            [FOREIGN, OURS],
            UNKNOWN.replace("{schema}", "version 0"),
            id="our mark without a version",
        ),
        pytest.param(
            [FOREIGN, OURS, "PRAGMA user_version = -1"],
            UNKNOWN.replace("{schema}", "version -1"),
            id="a version below the first",
        ),
        pytest.param(
            [
                "CREATE TABLE migrations (name VARCHAR NOT NULL, PRIMARY KEY (name))",
                "INSERT INTO migrations VALUES ('0001_first'), ('2001_space'), ('2001_odyssey')",
                OURS,
                f"PRAGMA user_version = {NAMED}",
            ],
            UNKNOWN.replace("{schema}", "2001_odyssey, 2001_space"),
            id="migrations of a newer server",
        ),
    ],
)
def test_a_database_that_is_not_known_is_refused_untouched(
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
    _make(database, "INSERT INTO migrations VALUES ('2001_space')")
    before = database.read_bytes()

    with pytest.raises(DatabaseError, match=r"does not know: 2001_space\. It was not touched"):
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
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of migrations in the place of the shipped ones; it has the first of them."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text((MIGRATIONS / "0001_first.sql").read_text())
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    return folder


def _add_column(folder: Path, name: str, table: str) -> None:
    script = f"-- A column; more of it.\nALTER TABLE {table}\n    ADD COLUMN colour VARCHAR;\n"
    (folder / f"{name}.sql").write_text(script)


def test_an_older_file_is_brought_up_to_date_and_keeps_its_rows(
    connection: sqlite3.Connection, folder: Path
) -> None:
    schema.prepare(connection, "older")
    connection.execute("INSERT INTO sites VALUES ('acme-test', 1700000000, 7)")
    _add_column(folder, "0002_second", "sites")

    schema.prepare(connection, "older")

    assert connection.execute("SELECT * FROM sites").fetchall() == [
        ("acme-test", 1700000000, 7, None)
    ]
    assert _migrations(connection) == ["0001_first", "0002_second"]


def test_two_branches_may_add_a_migration_of_the_same_number(
    connection: sqlite3.Connection, folder: Path
) -> None:
    _add_column(folder, "0002_mine", "sites")
    schema.prepare(connection, "of one branch")
    _add_column(folder, "0002_hers", "orders")

    schema.prepare(connection, "of both")
    schema.prepare(connection, "of both")

    assert _migrations(connection) == ["0001_first", "0002_hers", "0002_mine"]
    for table in ("sites", "orders"):
        assert [column[1] for column in _columns(connection, table)].count("colour") == 1


def test_a_migration_that_fails_half_way_leaves_the_older_file_as_it_was(
    connection: sqlite3.Connection, folder: Path
) -> None:
    schema.prepare(connection, "older")
    before = connection.serialize()
    _add_column(folder, "0002_second", "sites")
    _add_column(folder, "0003_third", "nowhere")

    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        schema.prepare(connection, "older")

    assert connection.serialize() == before


def test_a_statement_may_hold_a_semicolon(connection: sqlite3.Connection, folder: Path) -> None:
    (folder / "0002_second.sql").write_text(
        "INSERT INTO sites VALUES ('a;b', 1, 0); -- two; in one\n-- and;\n"
    )

    schema.prepare(connection, "odd")

    assert connection.execute("SELECT name FROM sites").fetchall() == [("a;b",)]


@pytest.mark.parametrize("version", range(1, len(COUNTED) + 1))
def test_a_file_that_counted_its_migrations_keeps_its_rows(database: Path, version: int) -> None:
    scripts = [(MIGRATIONS / f"{name}.sql").read_text() for name in COUNTED[:version]]
    with closing(sqlite3.connect(database, isolation_level=None)) as older:
        for script in scripts:
            older.executescript(script)
        older.execute(
            "INSERT INTO sites (name, created_at, last_invoice_number) VALUES ('acme-test', 5, 7)"
        )
        older.execute(OURS)
        older.execute(f"PRAGMA user_version = {version}")
        older.execute("PRAGMA journal_mode = WAL")

    open_database(str(database)).close()

    with closing(sqlite3.connect(database)) as migrated:
        kept = migrated.execute("SELECT name, created_at, last_invoice_number FROM sites")
        assert kept.fetchall() == [("acme-test", 5, 7)]
        assert _migrations(migrated) == NAMES
        assert _version(migrated) == (APPLICATION_ID, NAMED)
