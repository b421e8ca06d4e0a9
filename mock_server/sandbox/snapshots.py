"""`/_mock/snapshots`: what a site holds, kept under a name and brought back."""

from __future__ import annotations

import time
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Path
from pydantic import BaseModel

from mock_server.api.openapi import refusals
from mock_server.resources.resource import Moment
from mock_server.sandbox.journal import Journal
from mock_server.sandbox.scope import SiteName
from mock_server.store import snapshots as store
from mock_server.store.database import Database
from mock_server.store.rows import Row, Rows
from mock_server.store.sites import Sites, find_site

SnapshotName: TypeAlias = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$",
        description="Letters, digits, and . _ - but no . at the beginning",
    ),
]


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
