"""The database of a server process: one SQLite connection, and transactions on it.

A transaction runs start to end without giving up the event loop, so requests of one process
never see each other half done; processes that share a file wait for each other outside of it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from mock_server.store import schema
from mock_server.store.rows import Row, Rows
from mock_server.wire import errors
from mock_server.wire.errors import ApiError

Result = TypeVar("Result")

LOCK_TIMEOUT: Final = 5.0
"""Seconds to wait for another process's transaction."""

_FIRST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.02

_UNAVAILABLE: Final = {
    sqlite3.SQLITE_BUSY: "The database is locked by another process",
    sqlite3.SQLITE_LOCKED: "The database is locked by another process",
    sqlite3.SQLITE_FULL: "The disk is full",
    sqlite3.SQLITE_IOERR: "The database cannot be read or written",
    sqlite3.SQLITE_CANTOPEN: "The database cannot be opened",
    sqlite3.SQLITE_CORRUPT: "The database file is damaged",
    sqlite3.SQLITE_NOTADB: "The database file is damaged",
    sqlite3.SQLITE_NOMEM: "The database has no memory left",
}


class DatabaseError(Exception):
    """The database cannot be opened; the message says why, in one line."""


class Database:
    """Transactions of one process. Made by `open_database`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows = Rows(connection)

    async def write(self, work: Callable[[Rows], Result]) -> Result:
        """Run `work` in one transaction: all of what it writes is kept, or nothing if it raises.

        Waits up to LOCK_TIMEOUT for another process; ApiError 503 after that, and where the
        database is full, read-only or broken.
        """
        await self._begin_immediate()
        return self._finish(work)

    def read(self, work: Callable[[Rows], Result]) -> Result:
        """Run `work`, which only reads, on one state of the database."""
        try:
            self._connection.execute("BEGIN")
        except sqlite3.Error as error:
            raise _unavailable(error) from error
        return self._finish(work)

    def close(self) -> None:
        self._connection.close()

    async def _begin_immediate(self) -> None:
        deadline = time.monotonic() + LOCK_TIMEOUT
        pause = _FIRST_PAUSE
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.Error as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    raise _unavailable(error) from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _finish(self, work: Callable[[Rows], Result]) -> Result:
        try:
            result = work(self._rows)
            self._connection.execute("COMMIT")
            return result
        except BaseException as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise _unavailable(error) from error
            raise


def open_database(name: str) -> Database:
    """Open the SQLite file of that path (or `:memory:`), with its schema up to date.

    Accepts `sqlite:///PATH` too. DatabaseError where the file cannot be opened, is none of ours,
    or has a schema that this version does not know.
    """
    path = name.removeprefix("sqlite:///")
    try:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            path, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        schema.prepare(connection, path)
        _use_wal(connection)
    except schema.SchemaError as error:
        raise DatabaseError(str(error)) from None
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(f"cannot open the database {path}: {error}") from None
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA busy_timeout = 0")
    connection.row_factory = _as_row
    return Database(connection)


def _use_wal(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if _primary_code(error) != sqlite3.SQLITE_READONLY:
            raise


def _as_row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _is_busy(error: sqlite3.Error) -> bool:
    return _primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _unavailable(error: sqlite3.Error) -> ApiError | sqlite3.Error:
    """What a client is told; the error itself where it is a mistake of ours."""
    code = _primary_code(error)
    if code == sqlite3.SQLITE_READONLY:
        return errors.site_read_only()
    if code in _UNAVAILABLE:
        return errors.temporary(_UNAVAILABLE[code])
    return error
