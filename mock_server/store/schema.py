"""The stored schema: made new, brought up to date, or refused by name.

The files of `migrations/` make it. A database names those that it has had in its table
`migrations`, so that two branches may each add one, and whichever a database lacks is carried out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from typing import Final

DATABASE: Final = 0x43424D4B
"""`CBMK`: how a file says that it is a database of ours (SQLite's `PRAGMA application_id`)."""
SNAPSHOT: Final = 0x43424D53
"""`CBMS`: how a file says that it holds one snapshot; its tables are the same."""

_KINDS: Final = {
    DATABASE: "a database, not a snapshot",
    SNAPSHOT: "a snapshot, not a database: chargebee-mock snapshot import loads it into a site",
}

_NAMES: Final = 1000
"""The `user_version` of a database that names its migrations."""

_NAMED: Final = "CREATE TABLE IF NOT EXISTS migrations (name VARCHAR NOT NULL, PRIMARY KEY (name))"
_COUNTED: Final = (
    "0001_first",
    "0002_deliveries",
    "0003_faults",
    "0004_sites",
    "0005_requests",
)
"""The migrations of databases that counted them: then `user_version` is their number."""


class SchemaError(Exception):
    """The file is none of ours, or has a schema that this server does not know."""


def prepare(connection: sqlite3.Connection, name: str, kind: int = DATABASE) -> None:
    """Make or migrate the schema of the file called `name`, or raise SchemaError.

    A file that is already up to date is not written to. All migrations that it lacks are one
    transaction, so it is brought up to date or stays as it was, and two servers that open a new
    file at once make its tables once.
    """
    migrations = _migrations()
    had = _had(connection, name, kind, migrations)
    if had == migrations.keys() and _pragma(connection, "user_version") == _NAMES:
        return
    if not had:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only a new file takes it
    connection.execute("BEGIN IMMEDIATE")
    try:
        had = _had(connection, name, kind, migrations)
        for migration, script in migrations.items():
            if migration not in had:
                for statement in _statements(script):
                    connection.execute(statement)
        connection.execute(_NAMED)
        connection.executemany(
            "INSERT OR IGNORE INTO migrations VALUES (?)", [(name,) for name in migrations]
        )
        connection.execute(f"PRAGMA application_id = {kind}")
        connection.execute(f"PRAGMA user_version = {_NAMES}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def recognize(connection: sqlite3.Connection, name: str, kind: int) -> None:
    """SchemaError where the file called `name` is not of that kind, or of a newer server."""
    _had(connection, name, kind, _migrations())


def check(connection: sqlite3.Connection, name: str, kind: int) -> None:
    """SchemaError where the file called `name` has anything but what its migrations made."""
    migrations = _migrations()
    had = _had(connection, name, kind, migrations)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as expected:
        for migration in sorted(had):
            for statement in _statements(migrations[migration]):
                expected.execute(statement)
        expected.execute(_NAMED)
        if _objects(connection) != _objects(expected):
            raise SchemaError(f"{name} has other tables than a chargebee-mock makes")


def _objects(connection: sqlite3.Connection) -> set[tuple[object, ...]]:
    return set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


def _had(connection: sqlite3.Connection, name: str, kind: int, known: dict[str, str]) -> set[str]:
    """The migrations that the file has had; SchemaError where it is not to be touched."""
    application = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and version == 0 and tables == 0:
        return set()
    if application != kind and application in _KINDS:
        raise SchemaError(f"{name} is {_KINDS[application]}")
    if application != kind:
        raise SchemaError(f"{name} is a database of another program; it was not touched")
    if 1 <= version <= len(_COUNTED):
        return set(_COUNTED[:version])
    if version != _NAMES:
        raise _unknown(name, f"version {version}")
    had = {row[0] for row in connection.execute("SELECT name FROM migrations")}
    if had - known.keys():
        raise _unknown(name, ", ".join(sorted(had - known.keys())))
    return had


def _unknown(name: str, schema: str) -> SchemaError:
    return SchemaError(
        f"{name} has a schema that this chargebee-mock does not know: {schema}. "
        "It was not touched: use the chargebee-mock that made it, or another file"
    )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)


def _migrations() -> dict[str, str]:
    """Each migration's SQL by its name, in the order in which they are carried out."""
    folder = resources.files("mock_server.store") / "migrations"
    scripts = {
        file.name.removesuffix(".sql"): file.read_text("utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }
    return dict(sorted(scripts.items()))


def _statements(script: str) -> Iterator[str]:
    """The statements of a script; each ends at the end of a line."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement
