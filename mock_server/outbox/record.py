"""Events and what follows from them, written in the transaction of the change itself."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mock_server.outbox import status
from mock_server.store.ids import new_id
from mock_server.store.queue import EMAILS, WEBHOOKS
from mock_server.store.rows import Row, Rows, read_json
from mock_server.wire.call import Call

_ROUTING: Final = ("id", "url", "primary_url", "disabled", "enabled_events", "chaos")
"""What decides of an endpoint whether, when and how often it gets an event."""


@dataclass(frozen=True, slots=True)
class Email:
    """An e-mail that a change sends to a customer."""

    recipient: str
    subject: str
    body: str


def record_event(
    rows: Rows, call: Call, event_type: str, content: dict[str, Any], email: Email | None
) -> None:
    """Record the event of a change, a webhook for each endpoint, and the e-mail if there is one.

    `content` holds the changed resources by name, as the call's API version shows them. The
    call's directives suppress webhooks and the e-mail, never the event. What is to leave is
    scheduled here and fetched by the outbox's workers after the commit.
    """
    site = call.site.name
    endpoints = rows.all("webhook_endpoints", *_ROUTING, site=site)
    takers = [endpoint for endpoint in endpoints if _takes(endpoint, event_type)]
    event_id = new_id(rows, call.site, "ev_")
    order_id = content.get("order", {}).get("id")
    rows.insert(
        "events",
        {
            "site": site,
            "id": event_id,
            "occurred_at": call.now,
            "source": "api",
            "user": call.key.name,
            "event_type": event_type,
            "api_version": call.version,
            "webhook_status": _event_status(call, endpoints, takers),
            "content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
            "origin_ip": call.directives.origin_ip,
            "origin_device": call.directives.origin_device,
            "origin_user": call.directives.origin_user,
        },
    )
    if call.directives.webhooks:
        webhooks = [
            {
                "id": f"{event_id.replace('ev_', 'wh_', 1)}_{number}",
                "event_id": event_id,
                "event_type": event_type,
                "order_id": order_id,
                **_webhook(call, endpoint),
            }
            for number, endpoint in enumerate(takers, start=1)
        ]
        rows.insert_all("webhooks", webhooks)
        if any(webhook["due_at"] is not None for webhook in webhooks):
            rows.notify(WEBHOOKS)
    if email is not None and call.directives.emails:
        rows.insert(
            "emails",
            {
                "site": site,
                "id": new_id(rows, call.site, "em_"),
                "event_id": event_id,
                "order_id": order_id,
                "recipient": email.recipient,
                "subject": email.subject,
                "body": email.body,
                "email_status": "scheduled" if call.site.sends_emails else "recorded",
                "created_at": call.now,
            },
        )
        if call.site.sends_emails:
            rows.notify(EMAILS)


def _takes(endpoint: Row, event_type: str) -> bool:
    return endpoint["enabled_events"] is None or event_type in read_json(
        endpoint["enabled_events"], list
    )


def _webhook(call: Call, endpoint: Row) -> Row:
    """The endpoint's part of a webhook's row."""
    chaos = read_json(endpoint["chaos"], dict) if endpoint["chaos"] else {}
    initial = status.initial(endpoint)
    due_at: float | None = None
    if initial == "scheduled":
        due_at = call.now
        if chaos:  # which may be of less than a second; `call.now` is not
            due_at = call.site.clock.now() + _held_back(chaos)
    return {
        "site": call.site.name,
        "webhook_endpoint_id": endpoint["id"],
        "webhook_status": initial,
        "created_at": call.now,
        "due_at": due_at,
        "attempts": 0,
        "retries": 0,
        "copies": chaos.get("duplicates", 0),
        "unreached": False,
    }


def _held_back(chaos: Mapping[str, float]) -> float:
    """Seconds that the endpoint's chaos keeps a webhook back."""
    return chaos.get("delay", 0) + random.uniform(0, chaos.get("shuffle", 0))  # noqa: S311


def _event_status(call: Call, endpoints: list[Row], takers: list[Row]) -> str:
    """The event's `webhook_status` before anything is delivered: its primary endpoint's."""
    primary = next((endpoint for endpoint in endpoints if endpoint["primary_url"]), None)
    if primary is None:
        return "not_configured"
    if not call.directives.webhooks:
        return "skipped"
    return status.initial(primary) if primary in takers else "not_applicable"
