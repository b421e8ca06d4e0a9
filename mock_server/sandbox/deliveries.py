"""`/_mock/webhooks/…`: one webhook with every attempt to deliver it, and sending it again."""

from __future__ import annotations

import time
from typing import Annotated, Any, ClassVar, TypeAlias

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from mock_server.api.openapi import refusals
from mock_server.outbox.drain import drained
from mock_server.outbox.status import refresh_event
from mock_server.resources import webhook_endpoint
from mock_server.resources.resource import Resource
from mock_server.sandbox.answer import shown
from mock_server.sandbox.recorded import Webhook, link_payloads
from mock_server.sandbox.scope import SiteName
from mock_server.store import queue
from mock_server.store.database import Database
from mock_server.store.rows import Row, Rows
from mock_server.store.sites import Sites
from mock_server.wire import errors

Wait: TypeAlias = Annotated[
    float, Query(ge=0, le=300, description="Seconds to wait until the calls have been made.")
]


class Attempt(Resource):
    """One call of an endpoint. `status` is the answer's; without one, `failure_reason` says why.

    Credentials are shown as `…`, and of the answer's body only the start.
    """

    kind: ClassVar[str] = "webhook_attempt"

    number: int
    attempted_at: float
    duration_us: int
    request_url: str
    request_headers: list[list[str]]
    request_body: str
    status: int | None = None
    failure_reason: str | None = None
    response_headers: list[list[str]] | None = None
    response_body: str | None = None


class DeliveredWebhook(Webhook):
    """A webhook and the attempts to deliver it, the earliest first."""

    delivery_attempts: list[Attempt]


class ShownWebhook(BaseModel):
    webhook: DeliveredWebhook


class Retried(BaseModel):
    """What became of the webhooks that were retried, by `webhook_status`."""

    retried: int
    statuses: dict[str, int]


def deliveries(database: Database, sites: Sites) -> APIRouter:
    router = APIRouter(
        prefix="/webhooks", tags=["recorded"], responses=refusals(400, 404, 409, 503)
    )

    @router.post("/retry-now")
    async def retry_now(site: SiteName, wait: Wait = 10) -> Retried:
        """Try again at once what waits for its retry, and answer when that has been done."""
        clock = (await sites.site(site)).clock
        deadline = time.monotonic() + wait
        await drained(database, site, deadline)  # a first call that is under way may yet fail
        hastened = await database.write(lambda rows: queue.hasten(rows, site, clock.now()))
        await drained(database, site, deadline)
        statuses = database.read(lambda rows: queue.statuses(rows, hastened))
        return Retried(retried=len(hastened), statuses=statuses)

    @router.get("/{id}", response_model=ShownWebhook)
    async def retrieve_webhook(site: SiteName, id: str) -> Response:
        """A webhook with its payload and its attempts."""
        return shown(database.read(lambda rows: _webhook(rows, site, id)))

    @router.post("/{id}/resend", response_model=ShownWebhook)
    async def resend(site: SiteName, id: str, wait: Wait = 10) -> Response:
        """Deliver a webhook again, whatever became of it before; its retries begin anew."""
        now = (await sites.site(site)).clock.now()
        seq = await database.write(lambda rows: _reschedule(rows, site, id, now))
        await drained(database, site, time.monotonic() + wait, seq)
        return shown(database.read(lambda rows: _webhook(rows, site, id)))

    return router


def _webhook(rows: Rows, site: str, id: str) -> dict[str, Any]:
    row = _find(rows, site, id)
    link_payloads(rows, site, [row])
    row["delivery_attempts"] = [
        Attempt.show(attempt) for attempt in rows.all("webhook_attempts", site=site, webhook_id=id)
    ]
    return {Webhook.kind: DeliveredWebhook.show(row)}


def _reschedule(rows: Rows, site: str, id: str, now: float) -> int:
    """Make a webhook due, as if for the first time; its `seq`."""
    webhook = _find(rows, site, id)
    endpoint = webhook_endpoint.find(rows, site, webhook["webhook_endpoint_id"])
    if endpoint["url"] is None or endpoint["disabled"]:
        state = "is disabled" if endpoint["disabled"] else "has no URL"
        raise errors.invalid_state(f"The webhook endpoint {endpoint['id']} {state}")
    anew = {
        "webhook_status": "scheduled",
        "webhook_failure_reason": None,
        "due_at": now,
        "retries": 0,
        "unreached": False,
    }
    rows.update("webhooks", anew, seq=webhook["seq"])
    refresh_event(rows, site, webhook["event_id"])
    rows.notify(queue.WEBHOOKS)
    seq: int = webhook["seq"]
    return seq


def _find(rows: Rows, site: str, id: str) -> Row:
    row = queue.find_webhook(rows, site, id)
    if row is None:
        raise errors.resource_not_found(id)
    return row
