"""What is done in the background: discarded rows are removed, and the file gives its room back.

All of it in small portions, so that it holds nobody up.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final

from mock_server.store import data_keys
from mock_server.store.database import Database
from mock_server.store.rows import Rows
from mock_server.wire.errors import ApiError

BATCH: Final = data_keys.BATCH
_LARGE: Final = {"requests": 8}
"""How many rows a row of these tables counts for: it may be a hundred times as long."""
_SPARE: Final = 1024
"""Pages without content that the file keeps for what is written next: 4 MiB."""
_PAGES: Final = 256
"""Pages that the file gives back at a time."""

_INCREMENTAL: Final = 2
"""The mode of a file that can give pages back (`PRAGMA auto_vacuum`)."""

_PAUSE: Final = 0.005
_LOOK_EVERY: Final = 60.0


class Upkeep:
    """Removes and gives back what nobody needs any more."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._woken = asyncio.Event()
        database.listen(data_keys.DISCARDED, self._woken.set)

    async def run(self) -> None:
        """Work for ever, beginning with what was left over from an earlier run."""
        while True:
            with suppress(ApiError):  # the database is busy or read-only: later, then
                for work in (_remove_some, _give_back):
                    while await self._database.write(work):
                        await asyncio.sleep(_PAUSE)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_EVERY)
            self._woken.clear()


def _remove_some(rows: Rows) -> bool:
    """Remove up to BATCH rows of a discarded data key; False where there is none."""
    data_key = data_keys.next_discarded(rows, time.time())
    if data_key is None:
        return False
    left = BATCH
    for table in data_keys.tables(rows):
        size = _LARGE.get(table, 1)
        removed = rows.execute(
            f"DELETE FROM {table} WHERE rowid IN "
            f"(SELECT rowid FROM {table} WHERE site = :data_key LIMIT :most) RETURNING 1",
            {"data_key": data_key, "most": -(-left // size)},
        )
        left -= size * len(removed)
        if left <= 0:
            return True
    rows.delete("discarded", data_key=data_key)
    return True


def _give_back(rows: Rows) -> bool:
    """Give some empty pages back to the file system; False where there are few."""
    ((empty,),) = rows.values("PRAGMA freelist_count")
    ((mode,),) = rows.values("PRAGMA auto_vacuum")
    if empty <= _SPARE or mode != _INCREMENTAL:
        return False
    for _ in range(min(_PAGES, empty - _SPARE)):
        rows.values("PRAGMA incremental_vacuum(1)")  # the driver goes no further than one page
    return True
