"""Much that is read, in small portions: other requests get their turn in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

from mock_server.store.data_keys import BATCH
from mock_server.store.rows import Rows


async def read(
    view: Rows, table: str, columns: Sequence[str], data_key: str
) -> AsyncIterator[list[tuple[object, ...]]]:
    """These columns of a table's rows under a data key, in the order of their creation.

    `view` shows one state of the database, whatever is written meanwhile (`Database.view`).
    """
    found = view.values(f"SELECT rowid FROM {table} WHERE site = ? ORDER BY rowid", data_key)
    ids = [id for (id,) in found]
    names = ", ".join(f'"{column}"' for column in columns)
    chosen = (
        f"SELECT {names} FROM {table} WHERE rowid IN (SELECT value FROM json_each(?)) "
        "ORDER BY rowid"
    )
    for start in range(0, len(ids), BATCH):
        yield view.values(chosen, json.dumps(ids[start : start + BATCH]))
        await asyncio.sleep(0)
