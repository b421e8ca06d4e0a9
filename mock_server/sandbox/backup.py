"""`GET /_mock/backup`: the whole database as a file."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from mock_server.api.openapi import refusals
from mock_server.sandbox import spool
from mock_server.sandbox.journal import Journal
from mock_server.store import backup as store
from mock_server.store.database import Database

FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {spool.SQLITE: {"schema": {"type": "string", "format": "binary"}}}}
}
"""The description of an answer that is an SQLite file."""


def backup(database: Database, journal: Journal) -> APIRouter:
    router = APIRouter(tags=["server"], responses=refusals(503))

    @router.get("/backup", response_class=Response, responses=FILE)
    async def back_up() -> StreamingResponse:
        """All that the server holds now, of all sites, as a database to start a server with."""
        await journal.settle()
        with spool.room() as folder:
            file = folder / "backup.sqlite"
            await store.backup(database, file)
            return spool.sent(file, "chargebee.sqlite")

    return router
