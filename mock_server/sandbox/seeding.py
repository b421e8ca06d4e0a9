"""`POST /_mock/seed` loads a fixture into a site, and `GET /_mock/export` makes one of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from mock_server.api.openapi import refusals
from mock_server.resources import seed, site_fixture, webhook_endpoint
from mock_server.resources.fixture import Fixture
from mock_server.resources.seed import CheckedSeed, LostReferenceError, Planting, Seed
from mock_server.sandbox.fixture_body import FixtureReader, described
from mock_server.sandbox.scope import SiteName, SiteNameOrNew
from mock_server.sandbox.spool import spooled
from mock_server.store.database import Database
from mock_server.store.rows import Rows
from mock_server.store.sites import CHANGED, Sites
from mock_server.store.staging import staging

_BODY: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {kind: {"type": "array"} for kind in Seed.model_fields},
    "additionalProperties": False,
    "description": "A fixture; /_mock/seed.schema.json has all of it.",
}


class Loaded(BaseModel):
    """How many of each kind a fixture brought.

    `ignored` is what could not be kept of resources that an API had answered.
    """

    loaded: dict[str, int]
    ignored: list[str] | None = None


def seeding(database: Database, sites: Sites, reader: FixtureReader, *, limited: bool) -> APIRouter:
    """The routes; with `limited`, a site has no more endpoints than Chargebee allows."""
    router = APIRouter(tags=["sites"], responses=refusals(400, 404, 503))

    @router.post(
        "/seed", openapi_extra=described(_BODY, required=True), response_model_exclude_none=True
    )
    async def load_seed(request: Request, site: SiteNameOrNew) -> Loaded:
        """Put a fixture into the site, which is made if need be; all of it or nothing.

        What has the same id is replaced, the rest stays. No events are recorded.
        """
        given, checked, planting = await reader.read(request, _prepare)
        owner = await sites.site(site)

        def load(rows: Rows, plant: Callable[[Rows, str, int], None]) -> None:
            seed.check_references(checked, site=(rows, owner.name))
            plant(rows, owner.name, int(owner.clock.now()))
            if limited:
                webhook_endpoint.check_limit(rows, owner.name)
            rows.notify(CHANGED)

        try:
            if planting.is_large:
                async with staging(database) as staged:
                    await planting.stage(staged)
                    place = partial(planting.place, staged=staged)
                    await database.write(lambda rows: load(rows, place))
            else:
                await database.write(lambda rows: load(rows, planting.plant))
        except LostReferenceError as lost:
            raise await reader.work(partial(given.error, lost.reason, lost.path)) from None
        counts = {kind: len(getattr(checked.seed, kind)) for kind in Seed.model_fields}
        return Loaded(
            loaded={kind: count for kind, count in counts.items() if count},
            ignored=checked.ignored or None,
        )

    @router.get("/export", responses=_answers("application/json", "application/yaml"))
    async def export(
        site: SiteName,
        format: Literal["json", "yaml"] = "json",
        passwords: Annotated[
            bool, Query(description="Whether the passwords of webhook endpoints are in it.")
        ] = False,
    ) -> Response:
        """What the site holds, as a fixture that `/_mock/seed` reads."""
        name = (await sites.site(site)).name
        write = site_fixture.as_json if format == "json" else site_fixture.as_yaml
        with database.view() as view:
            held = site_fixture.export(view, name, passwords=passwords)
            return await spooled(write(held), f"application/{format}")

    @router.get(
        "/seed.schema.json",
        response_class=Response,
        responses=_answers("application/schema+json"),
    )
    async def seed_schema() -> Response:
        """The JSON Schema of fixtures, for editors that complete and check them."""
        return Response(_schema(), media_type="application/schema+json")

    return router


def _prepare(given: Fixture) -> tuple[Fixture, CheckedSeed, Planting]:
    checked = seed.check(given)
    return given, checked, Planting(checked.seed)


def _answers(*types: str) -> dict[int | str, dict[str, Any]]:
    """The description of an answer that may be of these content types."""
    return {200: {"content": {name: {"schema": {"type": ["object", "string"]}} for name in types}}}


@lru_cache
def _schema() -> str:
    return json.dumps(seed.schema(), indent=2) + "\n"
