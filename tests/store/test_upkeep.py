"""What is done in the background: the file gives back the room of what was removed."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from pathlib import Path

from mock_server.store.database import open_database
from mock_server.store.upkeep import Upkeep

SITE = {"created_at": 1, "last_invoice_number": 0}


def test_a_file_gives_back_the_room_of_what_was_removed(database: Path) -> None:
    async def work() -> None:
        for number in range(20):
            site = SITE | {"name": f"{number}" * 500_000}
            await opened.write(lambda rows, site=site: rows.insert("sites", site))  # type: ignore[misc]
        await opened.write(lambda rows: rows.execute("DELETE FROM sites", {}))
        upkeep = asyncio.create_task(Upkeep(opened).run())
        async with asyncio.timeout(20):
            while opened.read(lambda rows: rows.values("PRAGMA freelist_count"))[0][0] > 1024:
                await asyncio.sleep(0.01)
        upkeep.cancel()
        with suppress(asyncio.CancelledError):
            await upkeep

    with closing(open_database(str(database))) as opened:
        asyncio.run(work())

    assert database.stat().st_size < 5_000_000
