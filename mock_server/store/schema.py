"""The stored schema's version: made new, brought up to date, or refused by name."""

from __future__ import annotations

import re
import sqlite3
from importlib import resources
from typing import Final

APPLICATION_ID: Final = 0x43424D4B
"""`CBMK`: how a file says that it is ours (SQLite's `PRAGMA application_id`)."""


class SchemaError(Exception):
    """The file is none of ours, or of a version that this server does not know."""


def prepare(connection: sqlite3.Connection, name: str) -> None:
    """Make or migrate the schema of the database called `name`, or raise SchemaError.

    A file that is already up to date is not written to. All migrations that it lacks are one
    transaction, so it is brought up to date or stays as it was, and two servers that open a new
    file at once make its tables once.
    """
    migrations = _migrations()
    if _version(connection, name, len(migrations)) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = _version(connection, name, len(migrations))
        for script in migrations[done:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, name: str, newest: int) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and version == 0 and tables == 0:
        return 0
    if application != APPLICATION_ID:
        raise SchemaError(f"{name} is a database of another program; it was not touched")
    if not 1 <= version <= newest:
        raise SchemaError(
            f"{name} has schema version {version}; this chargebee-mock knows 1 to {newest}. "
            "It was not touched: use the chargebee-mock that made it, or another file"
        )
    return int(version)


def _migrations() -> list[str]:
    folder = resources.files("mock_server.store") / "migrations"
    scripts = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda f: f.name
    )
    return [script.read_text("utf-8") for script in scripts]


def _statements(script: str) -> list[str]:
    statements = re.sub(r"^--.*$", "", script, flags=re.MULTILINE).split(";")
    return [statement for statement in statements if statement.strip()]
