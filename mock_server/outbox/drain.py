"""Waiting for the workers: until whatever is due on a site has been delivered."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from mock_server.store.database import Database
from mock_server.store.queue import count_due
from mock_server.store.rows import Rows
from mock_server.store.sites import read_clock

_LOOK_EVERY: Final = 0.02


async def drained(database: Database, site: str, deadline: float, seq: int | None = None) -> int:
    """Return when nothing is due on the site, or at `deadline`, a moment of `time.monotonic`.

    With `seq`, only the webhook that has it is waited for. How many webhooks are due then; calls
    that are under way count.
    """

    def count(rows: Rows) -> int:
        return count_due(rows, site, read_clock(rows, site).now(), seq)

    while due := database.read(count):
        if time.monotonic() >= deadline:
            break
        await asyncio.sleep(_LOOK_EVERY)
    return due
