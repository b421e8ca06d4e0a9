"""The database of a server process: one SQLite connection, and transactions on it.

A transaction runs from its first statement to its commit without giving up the event loop, so
requests of one process never see each other half done. Processes that share a file wait for each
other before they begin.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeGuard, TypeVar

from mock_server import wildcard
from mock_server.store import schema
from mock_server.store.rows import Rows
from mock_server.wire import errors

Result = TypeVar("Result")

LOCK_TIMEOUT: Final = 5.0
"""Seconds to wait for another process's transaction."""

_FIRST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.02
_BATCH: Final = 64
"""Writes that share a transaction at most, so that the event loop is not held for long."""

_CHECKPOINT: Final = 4000
"""Pages that are written ahead before they go into the file, with the one fsync that WAL needs."""

_UNAVAILABLE: Final = {
    sqlite3.SQLITE_BUSY: "The database is locked by another process",
    sqlite3.SQLITE_LOCKED: "The database is locked by another process",
    sqlite3.SQLITE_PROTOCOL: "The database is locked by another process",
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
    """Transactions of one process. Made by `open_database`.

    Writes that arrive together share one transaction on disk, because the commit is what costs.
    Each still is all or nothing by itself, and none is answered before the commit.
    """

    def __init__(self, connection: sqlite3.Connection, path: str | None) -> None:
        self.path: Final = path
        """The file that other processes may share; None for what is in memory."""
        self._connection = connection
        self._rows = Rows(connection)
        self._waiting: deque[_Write] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._listeners: dict[str, list[Callable[[], None]]] = defaultdict(list)

    def listen(self, channel: str, woken: Callable[[], None]) -> None:
        """Call `woken` after each commit of this process that notified the channel."""
        self._listeners[channel].append(woken)

    def version(self) -> int:
        """A number that changes when another process has committed something."""
        try:
            version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise _told(error) from None
        return version

    async def write(self, work: Callable[[Rows], Result]) -> Result:
        """Run `work`: all of what it writes is kept, or nothing if it raises.

        Waits up to LOCK_TIMEOUT for another process; ApiError 503 after that, and where the
        database is full, read-only or broken.
        """
        outcome: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Write(work, outcome))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting())
        return await outcome

    def read(self, work: Callable[[Rows], Result]) -> Result:
        """Run `work`, which only reads, on one state of the database."""
        try:
            self._connection.execute("BEGIN")
            self._rows.forget_data_keys()
            result = work(self._rows)
            self._connection.execute("COMMIT")
        except Exception as error:
            self._roll_back()
            raise _told(error) from None
        return result

    def close(self) -> None:
        self._connection.close()

    async def _write_waiting(self) -> None:
        while self._waiting:
            failure = await self._begin()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]
            if failure is None:
                failure = self._carry_out(batch)
            for write in batch:
                write.settle(failure)
            self._wake()
        self._writer = None

    async def _begin(self) -> sqlite3.Error | None:
        """Begin a transaction, or say why there is none."""
        deadline = time.monotonic() + LOCK_TIMEOUT
        pause = _FIRST_PAUSE
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if not _is_busy(error) or time.monotonic() > deadline:
                    return error
            else:
                self._rows.forget_data_keys()
                return None
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _carry_out(self, batch: list[_Write]) -> sqlite3.Error | None:
        """Run each write in the transaction and commit it, or say why none of them is kept."""
        try:
            for write in batch:
                self._connection.execute("SAVEPOINT write")
                if not write.run(self._rows):
                    self._connection.execute("ROLLBACK TO write")
                    self._rows.forget_data_keys()
                self._connection.execute("RELEASE write")
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            return error
        return None

    def _wake(self) -> None:
        channels, self._rows.noticed = self._rows.noticed, set()
        for channel in channels:
            for woken in self._listeners[channel]:
                woken()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


class _Write:
    """A piece of work that waits for its transaction, and whoever waits for its outcome."""

    def __init__(self, work: Callable[[Rows], Any], outcome: asyncio.Future[Any]) -> None:
        self._work = work
        self._outcome = outcome
        self._result: Any = None
        self._refusal: Exception | None = None

    def run(self, rows: Rows) -> bool:
        """Do the work; False where it raised. A fault of the database itself passes through."""
        try:
            self._result = self._work(rows)
        except Exception as refusal:
            if _is_fault(refusal):
                raise
            self._refusal = refusal
            return False
        return True

    def settle(self, failure: sqlite3.Error | None) -> None:
        """Tell the outcome; `failure` is why the whole transaction was not kept."""
        if self._outcome.done():  # nobody waits any more
            return
        refusal = self._refusal if failure is None else _told(failure)
        if refusal is None:
            self._outcome.set_result(self._result)
        else:
            self._outcome.set_exception(refusal)


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
    connection.create_function("fits", 2, wildcard.fits, deterministic=True)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA temp_store = MEMORY")  # a savepoint's undo needs no file
    connection.execute("PRAGMA busy_timeout = 0")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
    return Database(connection, None if path == ":memory:" else path)


def _use_wal(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if _primary_code(error) != sqlite3.SQLITE_READONLY:
            raise


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _is_busy(error: sqlite3.Error) -> bool:
    return _primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _is_fault(error: Exception) -> TypeGuard[sqlite3.Error]:
    """Whether the database is at fault, and not the statement that it refused."""
    if not isinstance(error, sqlite3.Error):
        return False
    code = _primary_code(error)
    return code == sqlite3.SQLITE_READONLY or code in _UNAVAILABLE


def _told(error: Exception) -> Exception:
    """What a client is told of a failure; the failure itself where the database is not at fault."""
    if not _is_fault(error):
        return error
    code = _primary_code(error)
    if code == sqlite3.SQLITE_READONLY:
        return errors.site_read_only()
    return errors.temporary(_UNAVAILABLE[code])
