"""What `webhook_status` says of a webhook before it is sent, and of an event as a whole."""

from __future__ import annotations

from mock_server.store.queue import primary_webhook
from mock_server.store.rows import Row, Rows


def initial(endpoint: Row) -> str:
    """An endpoint without a URL has what it wants once the webhook is recorded."""
    if endpoint["disabled"]:
        return "disabled"
    return "scheduled" if endpoint["url"] else "succeeded"


def refresh_event(rows: Rows, site: str, event_id: str) -> None:
    """Bring an event in line with the webhook of its primary endpoint, if that gets one."""
    webhook = primary_webhook(rows, site, event_id)
    if webhook is not None:
        rows.update("events", webhook, site=site, id=event_id)
