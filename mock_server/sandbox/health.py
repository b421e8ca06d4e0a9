"""`GET /_mock/health`: is the server there, and can it read its state."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from mock_server import __version__
from mock_server.api.openapi import refusals
from mock_server.store.database import Database


class Health(BaseModel):
    status: str
    version: str


def health(database: Database) -> APIRouter:
    router = APIRouter(tags=["server"], responses=refusals(503))

    @router.get("/health")
    async def healthy() -> Health:
        """200 while the database answers and is where it was; 503 in Chargebee's form else."""
        database.check()
        database.read(lambda rows: rows.execute("SELECT count(*) FROM sites", {}))
        return Health(status="ok", version=__version__)

    return router
