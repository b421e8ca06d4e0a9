"""The file of a database: made for its owner alone, and opened as far as its file system lets it.

A file that cannot be written is read. A file system without shared memory costs speed, one without
locks is refused. Whatever is in the way is said in one line.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mock_server import wildcard
from mock_server.store import schema

LOCK_TIMEOUT: Final = 5.0
"""Seconds to wait for another process's transaction."""

_CHECKPOINT: Final = 4000
"""Pages that are written ahead before they go into the file, with the one fsync that WAL needs."""
_MOST_LOG: Final = 32 * 1024 * 1024
"""Bytes that the log of what is written ahead keeps when it begins anew."""

_NO_SHARED_MEMORY: Final = (
    sqlite3.SQLITE_IOERR_SHMOPEN,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMLOCK,
    sqlite3.SQLITE_IOERR_SHMMAP,
)
_NO_LOCKS: Final = (
    sqlite3.SQLITE_IOERR_LOCK,
    sqlite3.SQLITE_IOERR_RDLOCK,
    sqlite3.SQLITE_IOERR_UNLOCK,
    sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
)
_WHILE_RUNNING: Final = "while the server runs; start the server again"
_ALONE: Final = 0o600
_WITH_GROUP: Final = 0o660
_OPEN_TO_READ: Final = 0o644
_CANNOT_WRITE: Final = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)

_log = logging.getLogger("chargebee_mock")


class DatabaseError(Exception):
    """The database cannot be opened; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """An open database: its connection, and where it is kept."""

    connection: sqlite3.Connection
    path: str | None = None
    """The file that other processes may share; None for what is in memory."""
    readers: str | None = None
    """The URI by which another connection reads it as it is while this one writes.

    None where there is no such thing: in memory, and without shared memory.
    """
    identity: tuple[int, int] | None = None
    """Device and inode of the file."""

    def reader(self) -> sqlite3.Connection:
        """A connection that sees what is there now, whatever this one writes later.

        Where another cannot read beside it, that is a copy in memory, made at once.
        """
        if self.readers is None:
            copy = _connect(":memory:")
            self.connection.backup(copy)
            return copy
        with _connected(self.readers) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on
            return reader

    def lost(self) -> str | None:
        """What became of the file at its path, as the end of a sentence; None where it is there."""
        if self.path is None:
            return None
        try:
            found = _identity(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return f"was removed {_WHILE_RUNNING}"
        except OSError as error:  # it may pass: a folder that is locked, a disk that is away
            return f"cannot be reached: {error.strerror or error}"
        return None if found == self.identity else f"was replaced {_WHILE_RUNNING}"


def open_file(name: str) -> DatabaseFile:
    """Open the SQLite file of that path (or `:memory:`), with its schema up to date.

    Accepts `sqlite:///PATH` too. DatabaseError where the file cannot be opened, is none of ours,
    or has a schema that this version does not know.
    """
    path = name.removeprefix("sqlite:///")
    if path == ":memory:":
        connection = _connect(path)
        schema.prepare(connection, path)
        return DatabaseFile(connection)
    try:
        _make(Path(path))
        opened = _open(path)
        _close_to_others(path)
        return opened
    except schema.SchemaError as error:
        raise DatabaseError(str(error)) from None
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(f"cannot open the database {path}: {_reason(error, path)}") from None


def _open(path: str) -> DatabaseFile:
    try:
        return _open_shared(path)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in _NO_SHARED_MEMORY:
            return _open_without_shared_memory(path)
        if error.sqlite_errorcode & 0xFF in _CANNOT_WRITE and _is_settled(path):
            return _open_unchanging(path)
        raise


def _open_shared(path: str) -> DatabaseFile:
    """With a write-ahead log: readers and a writer do not wait for each other."""
    with _connected(path) as connection:
        schema.prepare(connection, path)
        if not _use_log(connection):
            connection.close()
            return _open_without_shared_memory(path)
        if not os.access(path, os.W_OK):
            _warn_of_reading(path, "the file cannot be written")
        connection.execute("PRAGMA synchronous = NORMAL")
        return DatabaseFile(connection, path, f"{_uri(path)}?mode=ro", _identity(path))


def _use_log(connection: sqlite3.Connection) -> bool:
    """Write ahead from now on; False where the system cannot. What is only read stays as it is."""
    try:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise
        return True
    return bool(mode == "wal")


def _open_without_shared_memory(path: str) -> DatabaseFile:
    """With a rollback journal, which needs no more than locks."""
    with _connected(path) as connection:
        # Only who is alone reads a write-ahead log without shared memory, and ends it.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA locking_mode = NORMAL")
        schema.prepare(connection, path)
        _log.warning(
            "the file system of %s has no shared memory: writes take longer, and calls that read "
            "much hold up others",
            path,
        )
        return DatabaseFile(connection, path, identity=_identity(path))


def _open_unchanging(path: str) -> DatabaseFile:
    """As it is: nobody can write in its folder, so nothing is made beside it, no locks either."""
    readers = f"{_uri(path)}?mode=ro&immutable=1"
    with _connected(readers) as connection:
        schema.prepare(connection, path)
        _warn_of_reading(path, "its folder cannot be written")
        return DatabaseFile(connection, path, readers, _identity(path))


@contextmanager
def _connected(path: str) -> Iterator[sqlite3.Connection]:
    """A connection that is closed only if the block fails."""
    connection = _connect(path)
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=LOCK_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
        uri=path.startswith("file:"),
    )
    connection.create_function("fits", 2, wildcard.fits, deterministic=True)
    connection.execute("PRAGMA temp_store = MEMORY")  # a savepoint's undo needs no file
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
    connection.execute(f"PRAGMA journal_size_limit = {_MOST_LOG}")
    return connection


def _make(file: Path) -> None:
    """Make the file, and the folder that it is in, unless they are there."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, _ALONE))  # it holds keys and passwords
    if _is_shared(file.parent):
        file.chmod(_WITH_GROUP)


def _close_to_others(path: str) -> None:
    """Give a file of our own that everybody may read the permissions of a new one.

    That is how earlier versions made them. Any other permissions are somebody's choice.
    """
    found = os.stat(path)
    if stat.S_IMODE(found.st_mode) != _OPEN_TO_READ or found.st_uid != os.geteuid():
        return
    mode = _WITH_GROUP if _is_shared(Path(path).parent) else _ALONE
    for file in (path, f"{path}-wal", f"{path}-shm"):
        with suppress(OSError):  # it is not there, or its file system has no permissions
            os.chmod(file, mode)


def _is_shared(folder: Path) -> bool:
    """Whether the folder hands its group on to what is made in it, and lets that group write."""
    shared = stat.S_ISGID | stat.S_IWGRP
    return folder.stat().st_mode & shared == shared


def _is_settled(path: str) -> bool:
    """Whether all there is stands in the file itself, and nobody can write beside it."""
    log = Path(f"{path}-wal")
    return not os.access(Path(path).parent, os.W_OK) and not (log.exists() and log.stat().st_size)


def _identity(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _uri(path: str) -> str:
    return Path(path).absolute().as_uri()


def _warn_of_reading(path: str, reason: str) -> None:
    _log.warning("%s is only read, and what writes is refused: %s", path, reason)


def _reason(error: sqlite3.Error | OSError, path: str) -> str:
    """Why the file cannot be opened, and where somebody can do something about it, what."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code in _NO_LOCKS:
            return "its file system has no locks; name a file on another with --database"
        if code & 0xFF == sqlite3.SQLITE_READONLY:
            return "it cannot be written, and its schema must be brought up to date"
        if code & 0xFF != sqlite3.SQLITE_CANTOPEN or not Path(path).is_file():
            return str(error)
    elif error.errno == errno.EROFS:
        return f"{_first_there(path)} is read-only; name a file elsewhere with --database"
    elif not isinstance(error, PermissionError):
        return str(error)
    return _permissions(path) if hasattr(os, "geteuid") else str(error)


def _permissions(path: str) -> str:
    """Whose the file or its folder is that is in the way, who we are, and what to do."""
    place = _first_there(path)
    if place.is_file() and os.access(place, os.R_OK):
        place = place.parent
    kind = "folder" if place.is_dir() else "file"
    owner, user = place.stat().st_uid, os.geteuid()
    if owner == user:
        told = f"belongs to {_user(user)}, whose server this is; permit it (chmod u+rwX {place})"
    else:
        told = (
            f"belongs to {_user(owner)}, and this server is {_user(user)}'s; give it to that user "
            f"(chown {user} {place}), start the server as its owner"
        )
    return f"the {kind} {place} {told}, or name another file with --database"


def _user(uid: int) -> str:
    """`mock (10001)`, or `user 10001` where it has no name here."""
    import pwd

    try:
        return f"{pwd.getpwuid(uid).pw_name} ({uid})"
    except KeyError:
        return f"user {uid}"


def _first_there(path: str) -> Path:
    """The path, or the nearest folder above it that can be seen."""
    place = Path(path).absolute()
    while not os.path.lexists(place):
        place = place.parent
    return place
