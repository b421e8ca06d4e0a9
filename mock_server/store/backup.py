"""A consistent copy of a database, made while it is written."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from mock_server.store import schema
from mock_server.store.database import Database
from mock_server.store.rows import Rows


class UnreadableError(Exception):
    """The file to copy is no database of ours; the message says why, in one line."""


async def backup(database: Database, file: Path) -> None:
    """Copy what the database holds now into a new file, which a server can be started with.

    FileExistsError where the file is there.
    """
    with database.view() as view:
        await asyncio.to_thread(_copy, view, file)


def backup_file(source: Path, file: Path) -> None:
    """Copy a database as `backup` does, whether a server runs with it or not.

    UnreadableError where the source is none of ours or cannot be read.
    """
    uri = f"{source.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
            schema.recognize(connection, str(source), schema.DATABASE)
            _copy(Rows(connection), file)
    except schema.SchemaError as error:
        raise UnreadableError(str(error)) from None
    except sqlite3.Error as error:
        raise UnreadableError(f"cannot copy {source}: {error}") from None


def _copy(view: Rows, file: Path) -> None:
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        view.copy_into(str(file))
    except BaseException:
        file.unlink(missing_ok=True)
        raise
