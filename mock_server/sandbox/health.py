"""`GET /_mock/health`: is the server there, and can it read its state."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from mock_server import __version__
from mock_server.api.openapi import refusals
from mock_server.store.database import Database
from mock_server.store.lease import Lease


class Health(BaseModel):
    """`deliveries` is there only where something waits that nobody can deliver, and says why."""

    status: str
    version: str
    deliveries: str | None = None


def health(database: Database, lease: Lease) -> APIRouter:
    router = APIRouter(tags=["server"], responses=refusals(503))

    @router.get("/health", response_model_exclude_none=True)
    async def healthy() -> Health:
        """200 while the database answers and is where it was; 503 in Chargebee's form else."""
        database.check()
        database.read(lambda rows: rows.execute("SELECT count(*) FROM sites", {}))
        return Health(status="ok", version=__version__, deliveries=lease.failure)

    return router
