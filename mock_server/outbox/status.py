"""What `webhook_status` says of a webhook before it is sent, and of an event as a whole."""

from __future__ import annotations

from typing import Final

from mock_server.store.queue import webhooks_of_event
from mock_server.store.rows import Row, Rows

_DECISIVE: Final = ("re_scheduled", "scheduled", "failed", "succeeded", "disabled", "skipped")
"""An event has the first of these that one of its webhooks has."""


def initial(endpoint: Row) -> str:
    """An endpoint without a URL has what it wants once the webhook is recorded."""
    if endpoint["disabled"]:
        return "disabled"
    return "scheduled" if endpoint["url"] else "succeeded"


def of_event(webhooks: list[tuple[str, bool]]) -> str:
    """An event's status, of its webhooks' statuses; those of a primary endpoint alone decide."""
    statuses = [status for status, primary in webhooks if primary]
    return min(statuses or [status for status, _ in webhooks], key=_DECISIVE.index)


def refresh_event(rows: Rows, site: str, event_id: str) -> None:
    """Bring an event's status and failure reason in line with its webhooks."""
    webhooks = webhooks_of_event(rows, site, event_id)
    status = of_event([(one["webhook_status"], bool(one["primary_url"])) for one in webhooks])
    reasons = [one["webhook_failure_reason"] for one in webhooks if one["webhook_status"] == status]
    changes = {"webhook_status": status, "webhook_failure_reason": reasons[0] if reasons else None}
    rows.update("events", changes, site=site, id=event_id)
