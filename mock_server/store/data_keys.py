"""What a site's rows are kept under: its data key, in the column `site` of every table that has it.

A site that is emptied gets a fresh data key, which costs the same however much it holds; the rows
under the old one are `discarded` and removed little by little. A snapshot is a copy of the rows
under a data key of its own, so it lives in the same tables and is migrated with them.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import Final

from mock_server.store.database import Database
from mock_server.store.rows import Rows
from mock_server.wire.errors import ApiError

_DISCARDED: Final = "discarded"
"""The channel that is notified when there is something to remove."""

BATCH: Final = 400
"""Rows that are removed at a time: about a millisecond, and requests go in between."""
_PAUSE: Final = 0.005
_LOOK_EVERY: Final = 60.0
_JOURNAL: Final = "requests"

_COLUMNS: Final = """
    SELECT t.name AS "table", c.name AS "column"
    FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
    WHERE t.type = 'table' ORDER BY t.name, c.cid
"""


def first(rows: Rows, site: str) -> str:
    """A data key for a new site: its name, unless rows of a deleted site still have that."""
    return site if rows.find("discarded", data_key=site) is None else fresh(site)


def fresh(site: str) -> str:
    """A data key that nothing of the site ever had."""
    return f"{site}#{secrets.token_hex(8)}"


def site_of(data_key: str) -> str:
    """The name of the site whose data key this is or was."""
    return data_key.partition("#")[0]


def copy(rows: Rows, source: str, target: str) -> None:
    """Copy what is kept under one data key under another, but for the journal."""
    for table, columns in _tables(rows).items():
        if table == _JOURNAL:  # what was asked of a site is no part of its state
            continue
        names = ", ".join(f'"{column}"' for column in columns if column not in ("seq", "site"))
        order = "seq" if "seq" in columns else "rowid"
        rows.execute(
            f"INSERT INTO {table} (site, {names}) "
            f"SELECT :target, {names} FROM {table} WHERE site = :source ORDER BY {order}",
            {"source": source, "target": target},
        )


def discard(rows: Rows, data_key: str) -> None:
    """Leave what is kept under the data key to `Purge`; nothing may refer to it any more."""
    rows.insert("discarded", {"data_key": data_key})
    rows.notify(_DISCARDED)


class Purge:
    """Removes what was discarded, in small portions, so that it holds nobody up."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._woken = asyncio.Event()
        database.listen(_DISCARDED, self._woken.set)

    async def run(self) -> None:
        """Remove for ever, beginning with what was left over from an earlier run."""
        while True:
            with suppress(ApiError):  # the database is busy or read-only: later, then
                while await self._database.write(_remove_some):
                    await asyncio.sleep(_PAUSE)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_EVERY)
            self._woken.clear()


def _remove_some(rows: Rows) -> bool:
    """Remove up to BATCH rows of a discarded data key; False where there is none."""
    discarded = rows.execute("SELECT data_key FROM discarded LIMIT 1", {})
    if not discarded:
        return False
    (where,) = discarded
    left = BATCH
    for table in _tables(rows):
        statement = (
            f"DELETE FROM {table} WHERE rowid IN "
            f"(SELECT rowid FROM {table} WHERE site = :data_key LIMIT :left) RETURNING 1"
        )
        left -= len(rows.execute(statement, {**where, "left": left}))
        if not left:
            return True
    rows.delete("discarded", **where)
    return True


def _tables(rows: Rows) -> dict[str, list[str]]:
    """The tables that hold rows of sites, with their columns; asked of the database itself."""
    tables: dict[str, list[str]] = {}
    for row in rows.execute(_COLUMNS, {}):
        tables.setdefault(row["table"], []).append(row["column"])
    return {table: columns for table, columns in tables.items() if "site" in columns}
