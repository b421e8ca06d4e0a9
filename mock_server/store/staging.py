"""Many rows that wait beside the database, so that to put them in their places takes a moment.

They are in tables of this connection alone, where nobody sees them and no index is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count, islice
from typing import Final

from mock_server.store.data_keys import BATCH
from mock_server.store.database import Database
from mock_server.store.rows import Row, Rows

_numbers: Final = count()


class Staging:
    """Rows on their way into tables; made by `staging`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._staged: dict[str, tuple[str, Sequence[str]]] = {}

    async def add(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Add all that is to go into a table; a column that a row lacks is NULL."""
        name = f"staged_{next(_numbers)}"
        names = ", ".join(f'"{column}"' for column in columns)
        self._database.read(lambda to: to.values(f"CREATE TEMP TABLE {name} ({names})"))
        self._staged[table] = name, columns
        left = iter(rows)
        while values := [tuple(map(row.get, columns)) for row in islice(left, BATCH)]:
            self._database.read(lambda to, values=values: to.add_values(name, columns, values))  # type: ignore[misc]
            await asyncio.sleep(0)

    def place(
        self,
        rows: Rows,
        table: str,
        site: str,
        defaults: Mapping[str, str] | None = None,
        now: int = 0,
    ) -> None:
        """Put what was added for the table into it, in the place of what has the same keys.

        `defaults` has an expression for each column that may be NULL here and not there; it may
        use the other columns, `:data_key` and `:now`.
        """
        name, columns = self._staged[table]
        names = ", ".join(f'"{column}"' for column in columns)
        values = ", ".join(
            f'coalesce("{column}", {defaults[column]})'
            if defaults and column in defaults
            else f'"{column}"'
            for column in columns
        )
        rows.execute(
            f"INSERT OR REPLACE INTO {table} (site, {names}) "
            f"SELECT :data_key, {values} FROM {name} ORDER BY rowid",
            {"data_key": rows.data_key(site), "now": now},
        )

    def close(self) -> None:
        """Forget what was added."""
        for name, _ in self._staged.values():
            self._database.read(lambda to, name=name: to.values(f"DROP TABLE {name}"))  # type: ignore[misc]


@asynccontextmanager
async def staging(database: Database) -> AsyncIterator[Staging]:
    """Room for rows, for as long as the block takes."""
    staged = Staging(database)
    try:
        yield staged
    finally:
        staged.close()
