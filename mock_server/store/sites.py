"""The sites of the database, each made with its seed when it is first called for."""

from __future__ import annotations

import time
from collections.abc import Callable

from mock_server.store.database import Database
from mock_server.store.rows import Rows, TakenError
from mock_server.wire import errors
from mock_server.wire.auth import ApiKey, Site

Plant = Callable[[Rows, Site, int], None]
"""Fills a new site with its seed, as of a time in whole seconds since 1970."""


class Sites:
    """The directory of sites and API keys that `wire.auth` asks."""

    def __init__(self, database: Database, plant: Plant, *, strict: bool) -> None:
        self._database = database
        self._plant = plant
        self._strict = strict
        self._sites: dict[str, Site] = {}
        self._keys: dict[str, ApiKey] = {}

    def api_key(self, secret: str) -> ApiKey | None:
        return self._keys.get(secret)

    async def site(self, name: str) -> Site:
        if name not in self._sites:
            if self._strict and not self.exists(name):
                raise errors.site_not_found(name)
            await self.ensure(name)
        return self._sites[name]

    async def ensure(self, name: str) -> None:
        """Make the site, unless it is there, and learn the API keys that it brought."""
        site = Site(name)
        if not self.exists(name):
            await self._database.write(lambda rows: self._make(rows, site))
        self._keys = self._database.read(_declared_keys)
        self._sites[name] = site

    def exists(self, name: str) -> bool:
        """Whether the site was made before."""
        return self._database.read(lambda rows: rows.find("sites", name=name)) is not None

    def _make(self, rows: Rows, site: Site) -> None:
        now = int(time.time())
        try:
            rows.insert("sites", {"name": site.name, "created_at": now, "last_invoice_number": 0})
        except TakenError:  # another process was quicker
            return
        self._plant(rows, site, now)


def _declared_keys(rows: Rows) -> dict[str, ApiKey]:
    return {
        row["secret"]: ApiKey(name=row["name"], role=row["role"], site=row["site"])
        for row in rows.execute("SELECT * FROM api_keys", {})
    }
