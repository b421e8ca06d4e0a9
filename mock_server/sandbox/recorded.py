"""What was recorded: `GET /_mock/events`, `/webhooks`, `/emails` and `/requests`, latest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeAlias

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from mock_server.resources.enums import WebhookStatus
from mock_server.resources.event import Event, link_webhooks
from mock_server.resources.resource import Map, Moment, Resource
from mock_server.sandbox.journal import Journal
from mock_server.store.database import Database
from mock_server.store.paging import page
from mock_server.store.rows import Row, Rows
from mock_server.wire.auth import default_site, site_of_host
from mock_server.wire.errors import site_not_found
from mock_server.wire.listing import MAX_OFFSET, Listing, Position, next_offset


class RecordedEvent(Event):
    """An event, and who was behind the request that caused it."""

    origin_ip: str | None = None
    origin_device: str | None = None
    origin_user: str | None = None


class Webhook(Resource):
    """An event on its way to one endpoint; `payload` is what the endpoint gets."""

    kind: ClassVar[str] = "webhook"

    id: str
    event_id: str
    webhook_endpoint_id: str
    webhook_status: WebhookStatus
    created_at: Moment
    payload: Map


class SentEmail(Resource):
    kind: ClassVar[str] = "email"

    id: str
    event_id: str
    recipient: str
    subject: str
    body: str
    created_at: Moment


class JournalledRequest(Resource):
    """A request under /api/ and its answer; a credential's value is shown as `…`.

    `remarks` says what the server did not use: unknown parameters, header values that mean
    nothing. `duration_us` is in microseconds.
    """

    kind: ClassVar[str] = "request"

    id: str
    created_at: Moment
    method: str
    path: str
    query: str
    headers: list[list[str]]
    body: str
    operation: str | None = None
    key_name: str | None = None
    status: int
    answer: str
    duration_us: int
    remarks: list[str]


class RecordedPage(BaseModel):
    """Items, each under the name of its kind; `next_offset` is there while more follow."""

    list: list[dict[str, Any]]
    next_offset: str | None = None


Complete: TypeAlias = Callable[[Rows, str, list[Row]], None]
"""Gives rows of a site what other tables know of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which site's records, and which page of them."""

    site: str
    size: int
    after: Position | None


def asked(
    request: Request,
    site: Annotated[str | None, Query(description="Whose records; else the host's site.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
    offset: Annotated[
        str | None,
        Query(max_length=MAX_OFFSET, description="A page's next_offset, for the next."),
    ] = None,
) -> Asked:
    named = site or site_of_host(request.headers.get("host", "").encode("latin-1"))
    return Asked(named or default_site(), limit, Listing(offset=offset).after())


AskedPage: TypeAlias = Annotated[Asked, Depends(asked)]


def recorded(database: Database, journal: Journal) -> APIRouter:
    """The routes that read records."""
    router = APIRouter(tags=["recorded"])

    def listed(
        resource: type[Resource],
        table: str,
        wanted: Asked,
        filters: Mapping[str, object],
        complete: Complete | None = None,
        time: str = "created_at",
    ) -> RecordedPage:
        def work(rows: Rows) -> RecordedPage:
            if rows.find("sites", name=wanted.site) is None:
                raise site_not_found(wanted.site)
            found, last = page(
                rows,
                table,
                wanted.site,
                size=wanted.size,
                after=wanted.after,
                filters=filters,
                time=time,
            )
            if complete is not None:
                complete(rows, wanted.site, found)
            return RecordedPage(
                list=[{resource.kind: resource.show(row)} for row in found],
                next_offset=next_offset(last) if last else None,
            )

        return database.read(work)

    @router.get("/events", response_model_exclude_none=True)
    async def events(wanted: AskedPage, event_type: str | None = None) -> RecordedPage:
        filters = {"event_type": event_type}
        return listed(RecordedEvent, "events", wanted, filters, link_webhooks, "occurred_at")

    @router.get("/webhooks", response_model_exclude_none=True)
    async def webhooks(
        wanted: AskedPage, event_id: str | None = None, webhook_status: WebhookStatus | None = None
    ) -> RecordedPage:
        filters = {"event_id": event_id, "webhook_status": webhook_status}
        return listed(Webhook, "webhooks", wanted, filters, _link_payloads)

    @router.get("/emails", response_model_exclude_none=True)
    async def emails(
        wanted: AskedPage, event_id: str | None = None, recipient: str | None = None
    ) -> RecordedPage:
        return listed(SentEmail, "emails", wanted, {"event_id": event_id, "recipient": recipient})

    @router.get("/requests", response_model_exclude_none=True)
    async def requests(
        wanted: AskedPage,
        status: Annotated[int | None, Query(ge=100, le=599)] = None,
        operation: str | None = None,
    ) -> RecordedPage:
        await journal.flush()
        filters = {"status": status, "operation": operation}
        return listed(JournalledRequest, "requests", wanted, filters)

    return router


def _link_payloads(rows: Rows, site: str, webhooks: list[Row]) -> None:
    events = rows.all_of("events", site, "id", [webhook["event_id"] for webhook in webhooks])
    link_webhooks(rows, site, events)
    payloads = {event["id"]: Event.show(event) for event in events}
    for webhook in webhooks:
        webhook["payload"] = payloads[webhook["event_id"]]
