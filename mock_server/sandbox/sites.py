"""`/_mock/sites`: the sites there are, new ones, deleted ones; and `POST /_mock/reset`."""

from __future__ import annotations

import secrets
from typing import Any, Final, Literal, NamedTuple

from fastapi import APIRouter, Request
from pydantic import BaseModel

from mock_server.api.openapi import refusals
from mock_server.resources import seed
from mock_server.resources.fixture import Fixture
from mock_server.resources.resource import Moment
from mock_server.sandbox.fixture_body import FixtureReader, described
from mock_server.sandbox.journal import Journal
from mock_server.sandbox.scope import SiteNameOrEvery
from mock_server.settings import MAX_ID_SEED
from mock_server.store.database import Database
from mock_server.store.rows import Row
from mock_server.store.sites import Sites, find_site
from mock_server.wire.auth import is_site_name

_BODY: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "A label of a host; else one is invented."},
        "seed": {
            "type": ["object", "null"],
            "description": "A fixture (/_mock/seed.schema.json); else the server's seed.",
        },
        "id_seed": {
            "type": ["string", "integer", "null"],
            "description": "What its ids come from, the same each time; else the server's.",
        },
    },
    "additionalProperties": False,
}


class ASite(BaseModel):
    """A site and how it is reached: `api_key` opens it alone, and at any of the server's addresses.

    `host` is what a request's `Host` names it by. `seed` tells what a reset brings back: the
    server's own, or one that the site was made with. `id_seed` is what its ids come from; without
    one they are like no others.
    """

    name: str
    api_key: str
    host: str
    seed: Literal["default", "own"]
    id_seed: str | None = None
    created_at: Moment
    object: Literal["site"] = "site"


class ShownSite(BaseModel):
    """A site; of one that was made, `ignored` is what could not be kept of its own seed."""

    site: ASite
    ignored: list[str] | None = None


class SiteList(BaseModel):
    list: list[ShownSite]


def sites_and_reset(
    database: Database, sites: Sites, journal: Journal, reader: FixtureReader
) -> APIRouter:
    router = APIRouter(tags=["sites"], responses=refusals(400, 404, 503))

    def shown(request: Request, name: str) -> ShownSite:
        return as_asked(request, database.read(lambda rows: find_site(rows, name)))

    def as_asked(request: Request, row: Row) -> ShownSite:
        asked = request.headers.get("host", "")
        names_a_site = sites.named_by(asked.encode("latin-1")) is not None
        return _shown(row, _host(asked, row["name"], names_a_site=names_a_site))

    @router.get("/sites", response_model_exclude_none=True)
    async def list_sites(request: Request) -> SiteList:
        """Every site, in the order in which they were made."""
        statement = "SELECT * FROM sites ORDER BY created_at, name"
        found = database.read(lambda rows: rows.execute(statement, {}))
        return SiteList(list=[as_asked(request, row) for row in found])

    @router.post(
        "/sites",
        openapi_extra=described(_BODY, required=False),
        response_model_exclude_none=True,
    )
    async def create_site(request: Request) -> ShownSite:
        """A new site, ready at once; `{"seed": {}}` makes an empty one."""
        asked = await reader.read(request, _read)
        await sites.create(asked.name, asked.seed, asked.id_seed)
        made = shown(request, asked.name)
        return made.model_copy(update={"ignored": asked.ignored or None})

    @router.get("/sites/{name}", response_model_exclude_none=True)
    async def retrieve_site(request: Request, name: str) -> ShownSite:
        return shown(request, name)

    @router.delete("/sites/{name}", response_model_exclude_none=True)
    async def delete_site(request: Request, name: str) -> ShownSite:
        """Remove a site with all it has. When it is called again, it is made anew."""
        removed = shown(request, name)
        await journal.flush()
        await sites.delete(name)
        return removed

    @router.post("/reset", response_model_exclude_none=True)
    async def reset(request: Request, site: SiteNameOrEvery) -> ShownSite | SiteList:
        """Give the site back what it was made with. Its API key and its snapshots stay.

        `site=*` does so with every site, one after the other, and lists them.
        """
        if site is not None:
            name = (await sites.site(site)).name
            await journal.flush()
            await sites.reset(name)
            return shown(request, name)
        await journal.flush()
        for (name,) in database.read(lambda rows: rows.values("SELECT name FROM sites")):
            if sites.exists(name):  # it may have been deleted meanwhile
                await sites.reset(name)
        return await list_sites(request)

    return router


class _NewSite(NamedTuple):
    """What a new site is to be; `seed` is its own as JSON, of which `ignored` is left out."""

    name: str
    id_seed: str | None
    seed: str | None = None
    ignored: list[str] = []


def _read(given: Fixture) -> _NewSite:
    """The site that is asked for; FixtureError where something is not as it must be."""
    if not isinstance(given.value, dict):
        raise given.error("is no mapping of name, seed and id_seed", ())
    for key in given.value.keys() - {"name", "seed", "id_seed"}:
        raise given.error("is no attribute that is known here", (key,))
    name = given.value.get("name")
    if name is None:
        name = f"site-{secrets.token_hex(6)}-test"
    elif not isinstance(name, str) or not is_site_name(name):
        reason = "is no name for a site: up to 50 small letters, digits and inner hyphens"
        raise given.error(reason, ("name",))
    id_seed = _read_id_seed(given)
    if given.value.get("seed") is None:
        return _NewSite(name, id_seed)
    own = seed.check_whole(given, at=("seed",))
    return _NewSite(name, id_seed, own.seed.model_dump_json(exclude_unset=True), own.ignored)


def _read_id_seed(given: Fixture) -> str | None:
    value = given.value.get("id_seed")
    if value is None:
        return None
    is_text = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    if not is_text or not 0 < len(str(value)) <= MAX_ID_SEED:
        raise given.error(f"is no text of up to {MAX_ID_SEED} characters", ("id_seed",))
    return str(value)


def _shown(row: Row, host: str) -> ShownSite:
    return ShownSite(
        site=ASite(
            name=row["name"],
            api_key=row["api_key"],
            host=host,
            seed="default" if row["seed"] is None else "own",
            id_seed=row["id_seed"],
            created_at=row["created_at"],
        )
    )


def _host(asked: str, site: str, *, names_a_site: bool) -> str:
    """The host that names the site, as far as possible in the form of the one that was asked."""
    if names_a_site:
        return f"{site}.{asked.partition('.')[2]}"
    _, colon, port = asked.rpartition(":")
    return f"{site}.localhost:{port}" if colon and port.isdecimal() else f"{site}.localhost"
