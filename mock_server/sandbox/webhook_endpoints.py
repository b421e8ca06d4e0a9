"""`/_mock/webhook_endpoints`: where a site's webhooks go."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from mock_server.api.openapi import refusals
from mock_server.resources import webhook_endpoint
from mock_server.resources.webhook_endpoint import EndpointChanges, NewEndpoint, WebhookEndpoint
from mock_server.sandbox.answer import shown
from mock_server.sandbox.scope import SiteName
from mock_server.store.database import Database
from mock_server.store.ids import new_id
from mock_server.store.rows import Row, Rows
from mock_server.store.sites import Sites


class ShownEndpoint(BaseModel):
    webhook_endpoint: WebhookEndpoint


class EndpointList(BaseModel):
    list: list[ShownEndpoint]


def webhook_endpoints(database: Database, sites: Sites, *, limited: bool) -> APIRouter:
    """The routes; with `limited`, a site has no more endpoints than Chargebee allows."""
    router = APIRouter(
        prefix="/webhook_endpoints",
        tags=["webhook endpoints"],
        responses=refusals(400, 404, 503),
    )

    def check(rows: Rows, site: str) -> None:
        if limited:
            webhook_endpoint.check_limit(rows, site)

    @router.get("", response_model=EndpointList)
    async def list_endpoints(site: SiteName) -> Response:
        """All of the site's endpoints, in the order in which they were made."""
        name = (await sites.site(site)).name
        found = database.read(lambda rows: rows.all("webhook_endpoints", site=name))
        return shown({"list": [_wrapped(row) for row in found]})

    @router.post("", response_model=ShownEndpoint)
    async def create_endpoint(site: SiteName, given: NewEndpoint) -> Response:
        """A new endpoint; without `url` it only records what it would be sent."""
        owner = await sites.site(site)

        def work(rows: Rows) -> Row:
            id, now = new_id(rows, owner, "whv2_"), int(owner.clock.now())
            row = webhook_endpoint.create(rows, owner.name, id, given, now)
            check(rows, owner.name)
            return row

        return shown(_wrapped(await database.write(work)))

    @router.get("/{id}", response_model=ShownEndpoint)
    async def retrieve_endpoint(site: SiteName, id: str) -> Response:
        name = (await sites.site(site)).name
        return shown(_wrapped(database.read(lambda rows: webhook_endpoint.find(rows, name, id))))

    @router.patch("/{id}", response_model=ShownEndpoint)
    async def update_endpoint(site: SiteName, id: str, given: EndpointChanges) -> Response:
        """Change what is given; what waits for an endpoint that is disabled is taken back."""
        name = (await sites.site(site)).name

        def work(rows: Rows) -> Row:
            row = webhook_endpoint.update(rows, name, id, given)
            if given.url is not None:
                check(rows, name)
            return row

        return shown(_wrapped(await database.write(work)))

    @router.delete("/{id}", response_model=ShownEndpoint)
    async def delete_endpoint(site: SiteName, id: str) -> Response:
        """Remove the endpoint; what waits for it is skipped."""
        name = (await sites.site(site)).name
        removed = await database.write(lambda rows: webhook_endpoint.delete(rows, name, id))
        return shown(_wrapped(removed))

    return router


def _wrapped(row: Row) -> dict[str, Any]:
    return {WebhookEndpoint.kind: WebhookEndpoint.show(row)}
