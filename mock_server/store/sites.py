"""The sites of the database, each made with its seed when it is first called for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from mock_server.clock import Clock
from mock_server.store.database import Database
from mock_server.store.queue import WEBHOOKS
from mock_server.store.rows import Rows, TakenError
from mock_server.wire import errors
from mock_server.wire.auth import ApiKey, Site

Plant = Callable[[Rows, Site, int], None]
"""Fills a new site with its seed, as of a time in whole seconds since 1970."""


class Equipment(Protocol):
    """What every site, new or not, has for the time that the server runs."""

    def are_there(self, rows: Rows, site: str) -> bool:
        """Whether the site has it already."""

    def give(self, rows: Rows, site: str, now: int) -> None:
        """Give it to the site, as of a time in whole seconds since 1970."""


class Sites:
    """The directory of sites and API keys that `wire.auth` asks."""

    def __init__(
        self,
        database: Database,
        plant: Plant,
        equipment: Equipment,
        *,
        strict: bool,
        send_emails: bool,
    ) -> None:
        self._database = database
        self._plant = plant
        self._equipment = equipment
        self._strict = strict
        self._send_emails = send_emails
        self._sites: dict[str, Site] = {}
        self._keys: dict[str, ApiKey] = {}
        self._version = database.version()

    def api_key(self, secret: str) -> ApiKey | None:
        return self._keys.get(secret)

    async def site(self, name: str) -> Site:
        version = self._database.version()
        if version != self._version:  # another process may have moved a site's clock
            self._version = version
            self._sites.clear()
        if name not in self._sites:
            if self._strict and not self.exists(name):
                raise errors.site_not_found(name)
            await self.ensure(name)
        return self._sites[name]

    async def ensure(self, name: str) -> None:
        """Make the site, unless it is there; learn its clock, and the API keys that it brought."""
        if not self._database.read(lambda rows: self._is_complete(rows, name)):
            await self._database.write(lambda rows: self._make(rows, Site(name)))
        self._keys = self._database.read(_declared_keys)
        clock = self._database.read(lambda rows: read_clock(rows, name))
        self._sites[name] = Site(name, clock, self._send_emails)

    async def set_clock(self, name: str, clock: Clock) -> None:
        """Give a site that is there this time from now on."""

        def work(rows: Rows) -> None:
            changes = {"clock_offset": clock.offset, "clock_frozen_at": clock.frozen_at}
            rows.update("sites", changes, name=name)
            rows.notify(WEBHOOKS)

        await self._database.write(work)
        self._sites[name] = replace(self._sites[name], clock=clock)

    def exists(self, name: str) -> bool:
        """Whether the site was made before."""
        return self._database.read(lambda rows: rows.find("sites", name=name)) is not None

    def _make(self, rows: Rows, site: Site) -> None:
        now = int(site.clock.now())
        try:
            rows.insert("sites", {"name": site.name, "created_at": now, "last_invoice_number": 0})
        except TakenError:
            pass
        else:
            self._plant(rows, site, now)
        self._equipment.give(rows, site.name, now)

    def _is_complete(self, rows: Rows, name: str) -> bool:
        there = rows.find("sites", name=name) is not None
        return there and self._equipment.are_there(rows, name)


def read_clock(rows: Rows, site: str) -> Clock:
    """The site's clock."""
    row = rows.find("sites", "clock_offset", "clock_frozen_at", name=site)
    if row is None:
        return Clock()
    return Clock(row["clock_offset"] or 0.0, row["clock_frozen_at"])


def _declared_keys(rows: Rows) -> dict[str, ApiKey]:
    return {
        row["secret"]: ApiKey(name=row["name"], role=row["role"], site=row["site"])
        for row in rows.execute("SELECT * FROM api_keys", {})
    }
