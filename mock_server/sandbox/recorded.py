"""What was recorded: `GET /_mock/events`, `/webhooks` and `/emails`, latest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from mock_server.api.openapi import refusals
from mock_server.resources.enums import WebhookStatus
from mock_server.resources.event import Event, link_webhooks
from mock_server.resources.resource import Map, Moment, Resource
from mock_server.sandbox.scope import SiteName
from mock_server.store.database import Database
from mock_server.store.paging import page
from mock_server.store.rows import Row, Rows
from mock_server.wire.errors import damaged, site_not_found
from mock_server.wire.listing import MAX_OFFSET, Position, next_offset, read_offset

EmailStatus: TypeAlias = Literal["recorded", "scheduled", "sent", "failed"]


class RecordedEvent(Event):
    """An event, and who was behind the request that caused it."""

    origin_ip: str | None = None
    origin_device: str | None = None
    origin_user: str | None = None


class Webhook(Resource):
    """An event on its way to one endpoint; `payload` is what the endpoint gets.

    `due_at` is when it is delivered next, on the site's clock; `attempts` counts the calls so far.
    """

    kind: ClassVar[str] = "webhook"

    id: str
    event_id: str
    event_type: str
    order_id: str | None = None
    webhook_endpoint_id: str
    webhook_status: WebhookStatus
    webhook_failure_reason: str | None = None
    created_at: Moment
    due_at: float | None = None
    attempts: int
    payload: Map


class SentEmail(Resource):
    """An e-mail; `sent` and `failed` come of an SMTP server, without one it is `recorded`."""

    kind: ClassVar[str] = "email"

    id: str
    event_id: str
    order_id: str | None = None
    recipient: str
    subject: str
    body: str
    email_status: EmailStatus
    failure_reason: str | None = None
    created_at: Moment


class RecordedPage(BaseModel):
    """Items, each under the name of its kind; `next_offset` is there while more follow."""

    list: list[dict[str, Any]]
    next_offset: str | None = None


Complete: TypeAlias = Callable[[Rows, str, list[Row]], None]
"""Gives rows of a site what other tables know of them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page of the records."""

    size: int
    after: Position | None


async def asked(
    limit: Annotated[int, Query(ge=1, le=1000)] = 10,
    offset: Annotated[
        str | None,
        Query(max_length=MAX_OFFSET, description="A page's next_offset, for the next."),
    ] = None,
) -> Asked:
    return Asked(limit, read_offset(offset))


AskedPage: TypeAlias = Annotated[Asked, Depends(asked)]


def check_site(rows: Rows, site: str) -> None:
    """ApiError 404 where the site was never made."""
    if rows.find("sites", name=site) is None:
        raise site_not_found(site)


def records(
    database: Database,
    resource: type[Resource],
    table: str,
    site: str,
    wanted: Asked,
    filters: Mapping[str, object],
    complete: Complete | None = None,
    time: str = "created_at",
) -> RecordedPage:
    """The page that is wanted of a site's table; `filters` are those of `store.paging.page`."""

    def work(rows: Rows) -> RecordedPage:
        check_site(rows, site)
        found, last = page(
            rows,
            table,
            site,
            size=wanted.size,
            after=wanted.after,
            filters=filters,
            time=time,
        )
        if complete is not None:
            complete(rows, site, found)
        return RecordedPage(
            list=[{resource.kind: resource.show(row)} for row in found],
            next_offset=next_offset(last) if last else None,
        )

    return database.read(work)


def recorded(database: Database) -> APIRouter:
    """The routes that read records."""
    router = APIRouter(tags=["recorded"], responses=refusals(400, 404, 503))

    @router.get("/events", response_model_exclude_none=True)
    async def events(
        site: SiteName, wanted: AskedPage, event_type: str | None = None
    ) -> RecordedPage:
        filters = {"event_type": event_type}
        return records(
            database, RecordedEvent, "events", site, wanted, filters, link_webhooks, "occurred_at"
        )

    @router.get("/webhooks", response_model_exclude_none=True)
    async def webhooks(
        site: SiteName,
        wanted: AskedPage,
        event_id: str | None = None,
        event_type: str | None = None,
        order_id: str | None = None,
        webhook_endpoint_id: str | None = None,
        webhook_status: WebhookStatus | None = None,
    ) -> RecordedPage:
        filters = {
            "event_id": event_id,
            "event_type": event_type,
            "order_id": order_id,
            "webhook_endpoint_id": webhook_endpoint_id,
            "webhook_status": webhook_status,
        }
        return records(database, Webhook, "webhooks", site, wanted, filters, link_payloads)

    @router.get("/emails", response_model_exclude_none=True)
    async def emails(
        site: SiteName,
        wanted: AskedPage,
        event_id: str | None = None,
        order_id: str | None = None,
        recipient: str | None = None,
        email_status: EmailStatus | None = None,
    ) -> RecordedPage:
        filters = {
            "event_id": event_id,
            "order_id": order_id,
            "recipient": recipient,
            "email_status": email_status,
        }
        return records(database, SentEmail, "emails", site, wanted, filters)

    return router


def link_payloads(rows: Rows, site: str, webhooks: list[Row]) -> None:
    """Give each webhook the event that its endpoint gets."""
    events = rows.all_of("events", site, "id", [webhook["event_id"] for webhook in webhooks])
    link_webhooks(rows, site, events)
    payloads = {event["id"]: Event.show(event) for event in events}
    for webhook in webhooks:
        if webhook["event_id"] not in payloads:  # an event is never removed before its webhooks
            raise damaged()
        webhook["payload"] = payloads[webhook["event_id"]]
