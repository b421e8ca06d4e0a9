"""The sites of the database: made with their seed on first use, reset, restored, deleted."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from mock_server.clock import Clock
from mock_server.store import data_keys, snapshots
from mock_server.store.database import Database
from mock_server.store.drafts import Draft, copy, draft
from mock_server.store.queue import WEBHOOKS
from mock_server.store.rows import Row, Rows
from mock_server.wire import errors
from mock_server.wire.auth import MAX_SECRET, ApiKey, Site, default_site, is_test_site
from mock_server.wire.errors import ApiError
from mock_server.wire.hosts import Environments

Plant = Callable[[Rows, Site, int, str | None], None]
"""`plant(rows, site, now, seed)` fills a new site as of a time in whole seconds since 1970.

`seed` is the site's own, as JSON; None for the server's.
"""


class Equipment(Protocol):
    """What every site, new or not, has for the time that the server runs."""

    def are_there(self, rows: Rows, site: str) -> bool:
        """Whether the site has it already."""

    def give(self, rows: Rows, site: str, now: int) -> None:
        """Give it to the site, as of a time in whole seconds since 1970."""


CHANGED: Final = "sites"
"""The channel that is notified when a site was reset, restored, deleted or got other keys."""

ALWAYS_THERE: Final = (default_site(), default_site(test=False))
"""The sites that a server makes by itself."""

_OPENED: Final = """
    SELECT name FROM sites WHERE api_key = :secret
    UNION ALL
    SELECT k.opens FROM api_keys AS k JOIN sites AS s ON s.data_key = k.site
    WHERE k.secret = :secret AND k.opens IS NOT NULL
    LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class _Known:
    """What this process remembers of a site."""

    site: Site
    keys: dict[str, ApiKey]


class Sites:
    """The directory of sites and API keys that `wire.auth` asks."""

    def __init__(
        self,
        database: Database,
        plant: Plant,
        equipment: Equipment,
        environments: Environments,
        *,
        strict: bool,
        limit: int,
        send_emails: bool,
        id_seed: str | None = None,
    ) -> None:
        """No more sites than `limit` are made, but for those that a server always has.

        With `id_seed`, sites that have none of their own are made with it.
        """
        self._database = database
        self._plant = plant
        self._equipment = equipment
        self._environments = environments
        self._equipped: set[str] = set()
        self._strict = strict
        self._limit = limit
        self._send_emails = send_emails
        self._id_seed = id_seed
        self._known: dict[str, _Known] = {}
        self._opened = lru_cache(maxsize=1024)(self._find_opened)
        self._version = database.version()
        database.listen(CHANGED, self._forget)

    def named_by(self, host: bytes) -> str | None:
        return self._environments.site_of(host)

    def opened_by(self, secret: str) -> str | None:
        if len(secret) > MAX_SECRET:  # none such is declared, and none is remembered
            return None
        self._look_for_changes()
        return self._opened(secret)

    def api_key(self, site: str, secret: str) -> ApiKey | None:
        known = self._known.get(site)
        return known.keys.get(secret) if known else None

    async def site(self, name: str) -> Site:
        self._look_for_changes()
        known = self._known.get(name)
        if known is None:
            if self._strict and not self.exists(name):
                raise errors.site_not_found(name)
            known = await self.ensure(name)
        return known.site

    async def ensure(self, name: str) -> _Known:
        """Make the site, unless it is there, and learn its clock and its API keys."""
        if not self._database.read(lambda rows: self._is_complete(rows, name)):
            try:
                await self._database.write(lambda rows: self._make(rows, name))
            except ApiError as refusal:
                if refusal.api_error_code != "site_read_only_mode" or not self.exists(name):
                    raise  # else it is read with what it has
        self._equipped.add(name)
        known = self._database.read(lambda rows: self._learn(rows, name))
        self._known[name] = known
        return known

    async def move_clock(self, name: str, move: Callable[[Clock], Clock]) -> Clock:
        """Move the clock of a site that is there, as it stands when its turn comes."""

        def work(rows: Rows) -> Clock:
            clock = move(read_clock(rows, name))
            changes = {"clock_offset": clock.offset, "clock_frozen_at": clock.frozen_at}
            rows.update("sites", changes, name=name)
            rows.notify(CHANGED)
            rows.notify(WEBHOOKS)
            return clock

        return await self._database.write(work)

    def exists(self, name: str) -> bool:
        """Whether the site was made before."""
        return self._database.read(lambda rows: rows.find("sites", name=name)) is not None

    async def create(self, name: str, seed: str | None, id_seed: str | None = None) -> None:
        """Make a site that starts with this seed (JSON), and whose ids come from this `id_seed`.

        ApiError 400 where its name is taken, or there are too many sites.
        """

        def work(rows: Rows) -> None:
            if rows.find("sites", name=name) is not None:
                raise errors.duplicate("name", name)
            self._check_limit(rows, name)
            self._found(rows, name, seed=seed, id_seed=id_seed)

        await self._database.write(work)
        self._equipped.add(name)

    async def reset(self, name: str) -> None:
        """Give the site back what it was made with, whatever it holds; it keeps its API key."""

        def work(rows: Rows) -> None:
            site = find_site(rows, name)
            data_keys.discard(rows, site["data_key"])
            rows.delete("sites", name=name)
            kept = {column: site[column] for column in ("seed", "id_seed", "api_key", "created_at")}
            self._found(rows, name, data_key=data_keys.fresh(name), **kept)
            rows.notify(CHANGED)

        await self._database.write(work)

    async def delete(self, name: str) -> None:
        """Remove the site with its snapshots; it is made anew when it is next called for."""

        def work(rows: Rows) -> None:
            data_keys.discard(rows, find_site(rows, name)["data_key"])
            snapshots.delete_all(rows, name)
            rows.delete("sites", name=name)
            rows.notify(CHANGED)

        await self._database.write(work)
        self._equipped.discard(name)

    async def restore(self, name: str, snapshot: str) -> None:
        """Give the site back what it held when the snapshot was taken."""
        with self._database.view() as view:
            kept = snapshots.find(view, name, snapshot)
            async with draft(self._database, name) as held:
                await copy(view, kept["data_key"], held)
                await self._database.write(lambda rows: self._give(rows, name, held, kept))

    def _give(self, rows: Rows, name: str, held: Draft, snapshot: Row) -> None:
        snapshots.give(rows, find_site(rows, name), held, snapshot["state"])
        self._equipment.give(rows, name, int(read_clock(rows, name).now()))
        rows.notify(CHANGED)

    def _make(self, rows: Rows, name: str) -> None:
        site = Site(name)
        if rows.find("sites", name=name) is None:
            if name not in ALWAYS_THERE:
                self._check_limit(rows, name)
            self._found(rows, name)
        else:
            self._equipment.give(rows, name, int(site.clock.now()))

    def _check_limit(self, rows: Rows, name: str) -> None:
        """ApiError 400 where there is no room for a site of this name."""
        (counted,) = rows.execute("SELECT count(*) AS sites FROM sites", {})
        if counted["sites"] >= self._limit:
            raise errors.too_many_sites(name, self._limit)

    def _is_complete(self, rows: Rows, name: str) -> bool:
        """Whether nothing is to be written; once equipped, a site is left to other servers."""
        there = rows.find("sites", name=name) is not None
        return there and (name in self._equipped or self._equipment.are_there(rows, name))

    def _found(
        self,
        rows: Rows,
        name: str,
        *,
        seed: str | None = None,
        id_seed: str | None = None,
        **given: object,
    ) -> None:
        """Add the site and plant its seed; `given` are columns of its row."""
        site = Site(name)
        now = int(site.clock.now())
        row: Row = {
            "name": name,
            "created_at": now,
            "last_invoice_number": 0,
            "data_key": data_keys.first(rows, name),
            "api_key": ("test_" if is_test_site(name) else "live_") + secrets.token_hex(16),
            "seed": seed,
            "id_seed": self._id_seed if id_seed is None else id_seed,
        }
        rows.insert("sites", row | given)
        rows.forget_data_keys()
        self._plant(rows, site, now, seed)
        self._equipment.give(rows, name, now)

    def _learn(self, rows: Rows, name: str) -> _Known:
        keys = {
            row["secret"]: ApiKey(name=row["name"], role=row["role"])
            for row in rows.all("api_keys", site=name)
        }
        id_seed = find_site(rows, name)["id_seed"]
        return _Known(Site(name, read_clock(rows, name), self._send_emails, id_seed), keys)

    def _find_opened(self, secret: str) -> str | None:
        found = self._database.read(lambda rows: rows.execute(_OPENED, {"secret": secret}))
        return found[0]["name"] if found else None

    def _look_for_changes(self) -> None:
        version = self._database.version()
        if version != self._version:  # another process may have changed what is known here
            self._version = version
            self._forget()

    def _forget(self) -> None:
        self._known.clear()
        self._opened.cache_clear()


def find_site(rows: Rows, name: str) -> Row:
    """The site's row; ApiError 404 where there is none."""
    row = rows.find("sites", name=name)
    if row is None:
        raise errors.site_not_found(name)
    return row


def read_clock(rows: Rows, site: str) -> Clock:
    """The site's clock."""
    row = rows.find("sites", "clock_offset", "clock_frozen_at", name=site)
    if row is None:
        return Clock()
    return Clock(row["clock_offset"] or 0.0, row["clock_frozen_at"])
