"""Rows put under a fresh data key a few at a time, while other requests are served.

A draft is what a snapshot, or a site, gets when all of it is there: then it is adopted, in the
transaction that makes something refer to its data key. Until then it counts as discarded, so that
what a server had begun when it died is removed (`upkeep`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, NamedTuple

from mock_server.store import data_keys, portions
from mock_server.store.database import Database
from mock_server.store.rows import Rows
from mock_server.wire.errors import ApiError

_KEPT_FOR: Final = 60.0
"""Seconds that a draft is left alone after its last rows."""
_PAUSE: Final = 0.001
_NO_STATE: Final = ("requests", "idempotency_holds")
"""Tables of what is asked of a site and by whom: no part of what it holds."""


class _Portion(NamedTuple):
    """Rows of a table: the values of these columns."""

    table: str
    columns: Sequence[str]
    values: Sequence[Sequence[object]]


class Draft:
    """Rows under a data key of their own; made by `draft`."""

    def __init__(self, database: Database, site: str) -> None:
        self.data_key: Final = data_keys.fresh(site)
        self._database = database
        self._waiting: list[_Portion] = []
        self._begun = False

    async def add(
        self, table: str, columns: Sequence[str], values: Sequence[Sequence[object]]
    ) -> None:
        """Add rows of a table, given by these columns; their `site` is not among them."""
        self._waiting.append(_Portion(table, columns, values))
        if sum(len(portion.values) for portion in self._waiting) < data_keys.BATCH:
            return
        await self._database.write(self._keep)
        self._begun = True
        self._waiting = []
        await asyncio.sleep(_PAUSE)

    def adopt(self, rows: Rows) -> None:
        """Keep all of it, in the transaction that makes something refer to its data key."""
        if self._begun:
            data_keys.release(rows, self.data_key)
        self._put(rows)

    async def abandon(self) -> None:
        """Leave what was added to be removed."""
        if self._begun:
            with suppress(ApiError):  # else it is removed when its time is over
                await self._database.write(lambda rows: data_keys.discard(rows, self.data_key))

    def _keep(self, rows: Rows) -> None:
        reserve = data_keys.renew if self._begun else data_keys.reserve
        reserve(rows, self.data_key, time.time() + _KEPT_FOR)
        self._put(rows)

    def _put(self, rows: Rows) -> None:
        for table, columns, values in self._waiting:
            rows.insert_values(table, columns, self.data_key, values)


@asynccontextmanager
async def draft(database: Database, site: str) -> AsyncIterator[Draft]:
    """A draft for the site, abandoned if the block fails."""
    begun = Draft(database, site)
    try:
        yield begun
    except BaseException:
        await begun.abandon()
        raise


async def copy(view: Rows, data_key: str, target: Draft) -> None:
    """Add what is kept under the data key to the draft.

    `view` shows one state of the database, whatever is written meanwhile (`Database.view`).
    """
    for table, columns in copied(view).items():
        async for values in portions.read(view, table, columns, data_key):
            await target.add(table, columns, values)


def copied(view: Rows) -> dict[str, list[str]]:
    """The tables of what a site holds, each with the columns of which a copy is made.

    What requests leave there is none of that: the journal, and the idempotency keys that requests
    under way hold.
    """
    return {
        table: [column for column in columns if column not in ("seq", "site")]
        for table, columns in data_keys.tables(view).items()
        if table not in _NO_STATE
    }
