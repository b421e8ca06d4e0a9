"""A snapshot as a file: an SQLite file with our tables that holds the rows of one snapshot.

It has the schema of the server that wrote it, and is migrated when a newer one reads it. What a
stranger may have made of it is looked through before any of it is kept.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from mock_server.store import portions, schema
from mock_server.store.drafts import Draft, copied
from mock_server.store.rows import Row, Rows, read_json
from mock_server.store.snapshots import IDENTITY
from mock_server.wire.errors import ApiError

_DATA_KEY: Final = "snapshot"
"""What the rows of a snapshot are kept under in its file."""
_THE_FILE: Final = "the file"

_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "VARCHAR": (str,),
    "INTEGER": (int,),
    "BOOLEAN": (int,),
    "FLOAT": (int, float),
}
"""What a column of each type may hold."""


class UnreadableError(Exception):
    """The file is no snapshot, or not one that can be kept; the message says why, in one line."""


class SnapshotFile(NamedTuple):
    """A snapshot file that is open: the snapshot's `name`, the site's `state`, and the rows."""

    name: str
    state: dict[str, Any]
    rows: Rows


async def write(view: Rows, snapshot: Row, file: Path) -> None:
    """Write a snapshot (its row) into a new file; `view` is one of `Database.view`."""
    with closing(_connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")  # nobody waits for half a file
        connection.execute("PRAGMA synchronous = OFF")
        schema.prepare(connection, _THE_FILE, schema.SNAPSHOT)
        rows = Rows(connection)
        connection.execute("BEGIN")
        for table, columns in copied(view).items():
            async for values in portions.read(view, table, columns, snapshot["data_key"]):
                rows.insert_values(table, columns, _DATA_KEY, values)
        rows.insert("snapshots", snapshot | {"data_key": _DATA_KEY})
        connection.execute("COMMIT")


async def prepare(file: Path) -> sqlite3.Connection:
    """The file, found sound and brought up to date; UnreadableError where it is no snapshot."""
    return await asyncio.to_thread(_prepare, file)


@contextmanager
def read(connection: sqlite3.Connection) -> Iterator[SnapshotFile]:
    """The snapshot in a file of `prepare`, which is closed at the end.

    UnreadableError where it is not sound, also when that shows later in the block.
    """
    try:
        with closing(connection):
            rows = Rows(connection)
            snapshots = rows.execute("SELECT * FROM snapshots", {})
            if len(snapshots) != 1:
                raise UnreadableError("it does not hold one snapshot")
            state = _state(rows, snapshots[0]["state"])
            yield SnapshotFile(str(snapshots[0]["name"]), state, rows)
    except sqlite3.Error as error:
        raise UnreadableError(f"it is damaged: {error}") from None


async def copy(source: SnapshotFile, target: Draft) -> None:
    """Add the rows of a snapshot file to the draft; UnreadableError where they are none of ours."""
    for table, columns in copied(source.rows).items():
        kinds = list(_kinds(source.rows, table, columns))
        async for values in portions.read(source.rows, table, columns, _DATA_KEY):
            if not all(_fits(row, kinds) for row in values):
                raise UnreadableError(f"it is damaged: {table} has values that do not fit")
            await target.add(table, columns, values)


def _prepare(file: Path) -> sqlite3.Connection:
    try:
        connection = _connect(file)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            schema.check(connection, _THE_FILE, schema.SNAPSHOT)
            ((verdict,),) = connection.execute("PRAGMA integrity_check(1)").fetchall()
            if verdict != "ok":
                raise UnreadableError(f"it is damaged: {verdict}")
            schema.prepare(connection, _THE_FILE, schema.SNAPSHOT)
        except BaseException:
            connection.close()
            raise
    except schema.SchemaError as error:
        raise UnreadableError(str(error)) from None
    except sqlite3.Error as error:
        raise UnreadableError(f"it cannot be read: {error}") from None
    return connection


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, isolation_level=None, check_same_thread=False)


def _state(rows: Rows, text: str) -> dict[str, Any]:
    """The state of a site that a file has; UnreadableError where no site can have it."""
    try:
        state = read_json(text, dict)
    except ApiError:
        raise UnreadableError("it is damaged: the state of its site is none") from None
    columns = {name for (name,) in rows.values("SELECT name FROM pragma_table_info('sites')")}
    unknown = state.keys() - (columns - IDENTITY)
    if unknown or not _fits(list(state.values()), list(_kinds(rows, "sites", state))):
        raise UnreadableError("it is damaged: the state of its site is none")
    return state


def _kinds(rows: Rows, table: str, columns: Iterable[str]) -> Iterator[tuple[type, ...]]:
    types = dict(rows.values("SELECT name, type FROM pragma_table_info(?)", table))
    return (_KINDS[types[column]] for column in columns)


def _fits(values: Sequence[object], kinds: Sequence[tuple[type, ...]]) -> bool:
    pairs = zip(values, kinds, strict=True)
    return all(value is None or isinstance(value, kind) for value, kind in pairs)
