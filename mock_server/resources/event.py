"""Events: what happened, with the resources as they were right after it."""

from __future__ import annotations

from collections import defaultdict
from typing import ClassVar, Literal

from pydantic_core import to_json

from mock_server.resources.enums import EventType, Source, WebhookStatus
from mock_server.resources.page import Page, asked
from mock_server.resources.resource import Attributes, Given, Map, Moment, Resource, required, text
from mock_server.store.paging import page
from mock_server.store.rows import Row, Rows
from mock_server.wire import errors
from mock_server.wire.call import Call


class EventWebhook(Attributes):
    """What became of the event at one endpoint; `id` is the endpoint's."""

    id: str = required(40)
    webhook_status: WebhookStatus
    object: Literal["webhook"] = "webhook"


class Event(Resource):
    """An event; `webhook_status` and `webhook_failure_reason` are those of a primary endpoint."""

    kind: ClassVar[str] = "event"

    id: str = required(40)
    occurred_at: Moment
    source: Source = "none"
    user: str | None = text(150)
    object: Literal["event"] = "event"
    api_version: Literal["v1", "v2"] | None = "v1"
    content: Map
    event_type: EventType | None = None
    webhook_status: WebhookStatus | None = None
    webhook_failure_reason: str | None = None
    webhooks: list[EventWebhook] | None = None


def retrieve(rows: Rows, call: Call, given: Given, id: str) -> Row:
    row = rows.find("events", site=call.site.name, id=id)
    if row is None:
        raise errors.resource_not_found(id)
    link_webhooks(rows, call.site.name, [row])
    return row


def list_all(rows: Rows, call: Call, given: Given) -> Page:
    found, last = page(
        rows,
        "events",
        call.site.name,
        **asked(given),
        filters={
            "occurred_at.from": given.get("start_time"),
            "occurred_at.until": given.get("end_time"),
            "webhook_status": given.get("webhook_status"),
            "event_type": given.get("event_type"),
        },
        time="occurred_at",
    )
    link_webhooks(rows, call.site.name, found)
    return Page(found, last)


def payload(rows: Rows, site: str, id: str) -> bytes:
    """The event as JSON, as a webhook endpoint is sent it."""
    row = rows.find("events", site=site, id=id)
    if row is None:  # a webhook's event is never removed before it
        raise errors.damaged()
    link_webhooks(rows, site, [row])
    return to_json(Event.show(row))


def link_webhooks(rows: Rows, site: str, events: list[Row]) -> None:
    """Give each event its webhooks; one that has none has an empty failure reason instead."""
    linked: dict[str, list[Row]] = defaultdict(list)
    for webhook in rows.all_of("webhooks", site, "event_id", [event["id"] for event in events]):
        linked[webhook["event_id"]].append(
            {"id": webhook["webhook_endpoint_id"], "webhook_status": webhook["webhook_status"]}
        )
    for event in events:
        event["webhooks"] = linked.get(event["id"])
        if event["webhooks"] is None:
            event["webhook_failure_reason"] = ""
