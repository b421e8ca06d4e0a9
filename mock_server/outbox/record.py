"""Events and what follows from them, written in the transaction of the change itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mock_server.store.rows import Row, Rows
from mock_server.wire.call import Call
from mock_server.wire.ids import new_id


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
    call's directives suppress webhooks and the e-mail, never the event.
    """
    site = call.site.name
    event_id = new_id(call.site, "ev_")
    endpoints = rows.all("webhook_endpoints", site=site)
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
            "webhook_status": _event_status(call, endpoints),
            "content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
            "origin_ip": call.directives.origin_ip,
            "origin_device": call.directives.origin_device,
            "origin_user": call.directives.origin_user,
        },
    )
    if call.directives.webhooks:
        for endpoint in endpoints:
            rows.insert(
                "webhooks",
                {
                    "site": site,
                    "id": new_id(call.site, "wh_"),
                    "event_id": event_id,
                    "webhook_endpoint_id": endpoint["id"],
                    "webhook_status": _webhook_status(endpoint),
                    "created_at": call.now,
                },
            )
    if email is not None and call.directives.emails:
        rows.insert(
            "emails",
            {
                "site": site,
                "id": new_id(call.site, "em_"),
                "event_id": event_id,
                "recipient": email.recipient,
                "subject": email.subject,
                "body": email.body,
                "created_at": call.now,
            },
        )


def _event_status(call: Call, endpoints: list[Row]) -> str:
    """The event's `webhook_status` before anything is delivered."""
    if not endpoints:
        return "not_configured"
    if not call.directives.webhooks:
        return "skipped"
    statuses = {_webhook_status(endpoint) for endpoint in endpoints}
    return "scheduled" if "scheduled" in statuses else "succeeded"


def _webhook_status(endpoint: Row) -> str:
    """An endpoint without a URL has what it wants once the webhook is recorded."""
    return "scheduled" if endpoint["url"] else "succeeded"
