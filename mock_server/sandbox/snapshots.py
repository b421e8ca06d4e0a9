"""`/_mock/snapshots`: what a site holds, kept under a name and brought back."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import fastapi
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from mock_server.api.openapi import refusals
from mock_server.resources.resource import Moment
from mock_server.sandbox import spool
from mock_server.sandbox.backup import FILE
from mock_server.sandbox.journal import Journal
from mock_server.sandbox.scope import SiteName
from mock_server.store import snapshot_files
from mock_server.store import snapshots as store
from mock_server.store.database import Database
from mock_server.store.drafts import draft
from mock_server.store.rows import Row, Rows
from mock_server.store.sites import Sites, find_site
from mock_server.store.snapshot_files import UnreadableError
from mock_server.wire import errors
from mock_server.wire.ceiling import raise_ceiling

NAME: Final = r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$"
MAX_FILE: Final = 512 * 1024 * 1024
"""Bytes that the file of a snapshot may have."""

_NAMING: Final = "Letters, digits, and . _ - but no . at the beginning"

SnapshotName: TypeAlias = Annotated[str, fastapi.Path(pattern=NAME, description=_NAMING)]
WantedName: TypeAlias = Annotated[str | None, Query(pattern=NAME, description=_NAMING)]

_FILE_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {spool.SQLITE: {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Snapshot(BaseModel):
    """`created_at` is the machine's time, not the site's."""

    name: str
    created_at: Moment
    object: Literal["snapshot"] = "snapshot"


class ShownSnapshot(BaseModel):
    snapshot: Snapshot


class SnapshotList(BaseModel):
    list: list[ShownSnapshot]


def snapshots(database: Database, sites: Sites, journal: Journal) -> APIRouter:
    router = APIRouter(prefix="/snapshots", tags=["sites"], responses=refusals(400, 404, 503))

    @router.get("")
    async def list_snapshots(site: SiteName) -> SnapshotList:
        """The site's snapshots, in the order in which they were taken."""
        name = (await sites.site(site)).name
        found = database.read(lambda rows: rows.all("snapshots", of_site=name))
        return SnapshotList(list=[_shown(row) for row in found])

    @router.post("/{name}")
    async def take_snapshot(site: SiteName, name: SnapshotName) -> ShownSnapshot:
        """Keep all that the site holds but its journal, in the place of one with that name."""
        owner = (await sites.site(site)).name

        with database.view() as view:
            await store.take(database, view, find_site(view, owner), name, int(time.time()))
        return _shown(database.read(lambda rows: store.find(rows, owner, name)))

    @router.get("/{name}/file", response_class=Response, responses=FILE)
    async def export_snapshot(site: SiteName, name: SnapshotName) -> StreamingResponse:
        """The snapshot as a file, which `POST /_mock/snapshots` takes on any server and site."""
        owner = (await sites.site(site)).name
        with spool.room() as folder, database.view() as view:
            kept = store.find(view, owner, name)
            file = folder / "snapshot.sqlite"
            await snapshot_files.write(view, kept, file)
            return spool.sent(file, f"{name}.snapshot")

    @router.post("", openapi_extra=_FILE_BODY)
    async def import_snapshot(
        request: Request, site: SiteName, name: WantedName = None
    ) -> ShownSnapshot:
        """Keep a snapshot that came as a file, under its own name or another."""
        owner = (await sites.site(site)).name
        raise_ceiling(request.scope, MAX_FILE)
        with spool.room() as folder:
            file = folder / "snapshot.sqlite"
            with file.open("wb") as received:
                async for piece in request.stream():
                    received.write(piece)
            try:
                taken = await _import(file, owner, name)
            except UnreadableError as error:
                raise errors.wrong_file(str(error)) from None
        return _shown(database.read(lambda rows: store.find(rows, owner, taken)))

    async def _import(file: Path, owner: str, name: str | None) -> str:
        with snapshot_files.read(await snapshot_files.prepare(file)) as source:
            if name is None and not re.fullmatch(NAME, source.name):
                raise UnreadableError("its snapshot has an odd name; give it another")
            taken, now = name or source.name, int(time.time())
            async with draft(database, owner) as held:
                await snapshot_files.copy(source, held)
                await database.write(
                    lambda rows: store.put(rows, owner, taken, held, source.state, now)
                )
        return taken

    @router.post("/{name}/restore")
    async def restore_snapshot(site: SiteName, name: SnapshotName) -> ShownSnapshot:
        """Bring the site back to the snapshot; its journal begins anew."""
        owner = (await sites.site(site)).name
        await journal.flush()
        await sites.restore(owner, name)
        return _shown(database.read(lambda rows: store.find(rows, owner, name)))

    @router.delete("/{name}")
    async def delete_snapshot(site: SiteName, name: SnapshotName) -> ShownSnapshot:
        owner = (await sites.site(site)).name

        def work(rows: Rows) -> Row:
            row = store.find(rows, owner, name)
            store.delete(rows, owner, name)
            return row

        return _shown(await database.write(work))

    return router


def _shown(row: Row) -> ShownSnapshot:
    return ShownSnapshot(snapshot=Snapshot(name=row["name"], created_at=row["created_at"]))
