"""The database of a server process: one SQLite connection, and transactions on it.

A transaction runs from its first statement to its commit without giving up the event loop, so
requests of one process never see each other half done. Processes that share a file wait for each
other before they begin.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final, TypeGuard, TypeVar

from mock_server.store.database_file import LOCK_TIMEOUT, DatabaseFile, open_file
from mock_server.store.rows import Rows
from mock_server.wire import errors

Result = TypeVar("Result")

_FIRST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.02
_BATCH: Final = 64
"""Writes that share a transaction at most, so that the event loop is not held for long."""
_PATIENCE: Final = 1000
"""Milliseconds for which a statement waits where reading and writing exclude each other."""

_NO_TEXT: Final = "Could not decode to UTF-8"
"""How the driver's complaint begins of a text that is none; it has no code."""

_UNAVAILABLE: Final = {
    sqlite3.SQLITE_BUSY: "The database is locked by another process",
    sqlite3.SQLITE_LOCKED: "The database is locked by another process",
    sqlite3.SQLITE_PROTOCOL: "The database is locked by another process",
    sqlite3.SQLITE_FULL: "The disk is full",
    sqlite3.SQLITE_IOERR: "The database cannot be read or written",
    sqlite3.SQLITE_CANTOPEN: "The database cannot be opened",
    sqlite3.SQLITE_NOMEM: "The database has no memory left",
}
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_log = logging.getLogger("chargebee_mock")


class Database:
    """Transactions of one process. Made by `open_database`.

    Writes that arrive together share one transaction on disk, because the commit is what costs.
    Each still is all or nothing by itself, and none is answered before the commit.
    """

    def __init__(self, file: DatabaseFile) -> None:
        self.path: Final = file.path
        """The file that other processes may share; None for what is in memory."""
        self._file = file
        self._connection = file.connection
        self._connection.execute(f"PRAGMA busy_timeout = {0 if file.readers else _PATIENCE}")
        self._rows = Rows(self._connection)
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

    @contextmanager
    def view(self) -> Iterator[Rows]:
        """The database as it is now, for as long as the block takes, whatever is written meanwhile.

        It is for what reads much: some at a time, with others served in between.
        """
        self.check()
        try:
            with closing(self._file.reader()) as reader:
                yield Rows(reader)
        except Exception as error:
            raise _told(error) from None

    def check(self) -> None:
        """ApiError 503 where the file is not there any more, so that what is written is lost."""
        lost = self._file.lost()
        if lost is not None:
            raise errors.temporary(f"The database file {lost}")

    def close(self) -> None:
        self._connection.close()

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                failure = await self._begin()
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]
                if failure is None:
                    failure = self._carry_out(batch)
                for write in batch:
                    write.settle(failure)
                self._wake()
        finally:
            self._writer = None

    async def _begin(self) -> Exception | None:
        """Begin a transaction, or say why there is none."""
        try:
            self.check()
        except Exception as refusal:  # whatever it is, those who wait are told
            return refusal
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
                try:
                    woken()
                except Exception:  # what waits to be written does not wait for it
                    _log.exception("what listens to %s failed", channel)

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

    def settle(self, failure: Exception | None) -> None:
        """Tell the outcome; `failure` is why the whole transaction was not kept."""
        if self._outcome.done():  # nobody waits any more
            return
        refusal = failure or self._refusal
        if refusal is None:
            self._outcome.set_result(self._result)
        else:
            self._outcome.set_exception(_told(refusal))


def open_database(name: str) -> Database:
    """The database of that SQLite file, or `:memory:`; see `database_file.open_file`."""
    return Database(open_file(name))


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _is_busy(error: sqlite3.Error) -> bool:
    return _primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _is_fault(error: Exception) -> TypeGuard[sqlite3.Error]:
    """Whether the database is at fault, and not the statement that it refused."""
    if not isinstance(error, sqlite3.Error):
        return False
    code = _primary_code(error)
    return code == sqlite3.SQLITE_READONLY or code in _DAMAGED or code in _UNAVAILABLE


def _told(error: Exception) -> Exception:
    """What a client is told of a failure; the failure itself where the database is not at fault."""
    if isinstance(error, sqlite3.OperationalError) and str(error).startswith(_NO_TEXT):
        return errors.damaged()
    if not _is_fault(error):
        return error
    code = _primary_code(error)
    if code == sqlite3.SQLITE_READONLY:
        return errors.site_read_only()
    if code in _DAMAGED:
        return errors.damaged()
    return errors.temporary(_UNAVAILABLE[code])
