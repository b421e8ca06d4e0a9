"""What waits to leave: which webhooks are due, and which is next at each endpoint.

Webhooks of one endpoint form a lane: they go one after another, in the order of their due times
and then of their events. Lanes are independent of each other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from mock_server.store.rows import Row, Rows

WEBHOOKS: Final = "webhooks"
"""The channel that is notified when a webhook was scheduled (`Rows.notify`)."""
EMAILS: Final = "emails"
"""The channel that is notified when an e-mail was scheduled."""

_LANES: Final = """
    SELECT * FROM (
        SELECT s.name AS site, s.data_key, e.id AS endpoint_id, (
            SELECT min(w.due_at) FROM webhooks AS w
            WHERE w.site = e.site AND w.webhook_endpoint_id = e.id AND w.due_at IS NOT NULL
        ) AS due_at
        FROM sites AS s JOIN webhook_endpoints AS e ON e.site = s.data_key
        WHERE e.url IS NOT NULL
    ) AS lanes WHERE due_at IS NOT NULL
"""
_DUE: Final = """
    SELECT *, :name AS site FROM webhooks
    WHERE site = :site AND webhook_endpoint_id = :endpoint_id AND due_at <= :now
    ORDER BY due_at, seq LIMIT 1
"""
_MISSED: Final = """
    SELECT *, :name AS site FROM webhooks
    WHERE site = :site AND webhook_endpoint_id = :endpoint_id AND unreached AND seq < :seq
    ORDER BY seq LIMIT 1
"""
_COUNT_DUE: Final = """
    SELECT count(*) AS due FROM webhooks
    WHERE site = :site AND due_at <= :now AND seq = coalesce(:seq, seq)
"""
_NEXT_DUE: Final = "SELECT min(due_at) AS due_at FROM webhooks WHERE site = :site"
_STATUSES: Final = """
    SELECT webhook_status, count(*) AS number FROM webhooks
    WHERE seq IN (SELECT value FROM json_each(:seqs)) GROUP BY webhook_status
"""
_HASTEN: Final = """
    UPDATE webhooks SET due_at = :now
    WHERE site = :site AND due_at > :now AND webhook_status = 're_scheduled'
    RETURNING seq
"""
_WITHDRAW: Final = """
    UPDATE webhooks SET due_at = NULL, unreached = FALSE, webhook_failure_reason = NULL,
        webhook_status = CASE webhook_status WHEN 'succeeded' THEN 'succeeded' ELSE :status END
    WHERE site = :site AND webhook_endpoint_id = :endpoint_id AND due_at IS NOT NULL
    RETURNING event_id
"""
_PRIMARY: Final = """
    SELECT w.webhook_status, w.webhook_failure_reason
    FROM webhooks AS w
    JOIN webhook_endpoints AS e ON e.site = w.site AND e.id = w.webhook_endpoint_id
    WHERE w.site = :site AND w.event_id = :event_id AND e.primary_url
"""
_FORGET_ATTEMPTS: Final = """
    DELETE FROM webhook_attempts WHERE seq <= (SELECT max(seq) FROM webhook_attempts) - :limit
"""
_SCHEDULED_EMAILS: Final = """
    SELECT e.*, s.name AS site FROM emails AS e JOIN sites AS s ON s.data_key = e.site
    WHERE e.email_status = 'scheduled' ORDER BY e.seq LIMIT :limit
"""


class Lane(NamedTuple):
    """An endpoint for which something waits; `due_at` is when the first of it is due.

    A lane with another `data_key` is another: its site was reset or restored in between.
    """

    site: str
    data_key: str
    endpoint_id: str
    due_at: float


class Claim(NamedTuple):
    """What is next at an endpoint.

    `due` is the webhook whose time has come. `first` goes before it: an earlier one that found
    nobody at the endpoint's address, or else `due` itself.
    """

    first: Row
    due: Row
    endpoint: Row


def lanes(rows: Rows) -> list[Lane]:
    """Every endpoint for which something waits."""
    return [Lane(**row) for row in rows.execute(_LANES, {})]


def claim(rows: Rows, site: str, endpoint_id: str, now: float) -> Claim | None:
    """What the endpoint gets next, None where nothing is due there."""
    endpoint = rows.find("webhook_endpoints", site=site, id=endpoint_id)
    where = {"site": site, "name": site, "endpoint_id": endpoint_id}
    due = rows.execute(_DUE, {**where, "now": now})
    if endpoint is None or not due:
        return None
    missed = rows.execute(_MISSED, {**where, "seq": due[0]["seq"]})
    return Claim((missed or due)[0], due[0], endpoint)


def count_due(rows: Rows, site: str, now: float, seq: int | None = None) -> int:
    """How many of the site's webhooks are due and not through yet; with `seq`, of that one."""
    count: int = rows.execute(_COUNT_DUE, {"site": site, "now": now, "seq": seq})[0]["due"]
    return count


def statuses(rows: Rows, seqs: list[int]) -> dict[str, int]:
    """How many of these webhooks have which `webhook_status`."""
    found = rows.execute(_STATUSES, {"seqs": json.dumps(seqs)})
    return {row["webhook_status"]: row["number"] for row in found}


def next_due_at(rows: Rows, site: str) -> float | None:
    """When the site's next webhook is due; past where some are due already."""
    moment: float | None = rows.execute(_NEXT_DUE, {"site": site})[0]["due_at"]
    return moment


def hasten(rows: Rows, site: str, now: float) -> list[int]:
    """Make every webhook that waits for its retry due now; the `seq` of each."""
    hastened = rows.execute(_HASTEN, {"site": site, "now": now})
    if hastened:
        rows.notify(WEBHOOKS)
    return [row["seq"] for row in hastened]


def withdraw(rows: Rows, site: str, endpoint_id: str, status: str) -> list[str]:
    """Take back whatever waits for the endpoint; the ids of the events that it concerns.

    A webhook of which only copies wait has succeeded, and stays so.
    """
    where = {"site": site, "endpoint_id": endpoint_id, "status": status}
    return [row["event_id"] for row in rows.execute(_WITHDRAW, where)]


def find_webhook(rows: Rows, site: str, id: str) -> Row | None:
    """The webhook of that id, `wh_` and its event's id and a number."""
    event_id = f"ev_{id.removeprefix('wh_').rpartition('_')[0]}"
    return rows.find("webhooks", site=site, event_id=event_id, id=id)


def primary_webhook(rows: Rows, site: str, event_id: str) -> Row | None:
    """Status and failure reason of the event's webhook for the site's primary endpoint."""
    found = rows.execute(_PRIMARY, {"site": site, "event_id": event_id})
    return found[0] if found else None


def keep_attempt(rows: Rows, attempt: Mapping[str, object], limit: int) -> None:
    """Add an attempt, and forget those before the latest `limit` of all sites."""
    rows.insert("webhook_attempts", attempt)
    rows.execute(_FORGET_ATTEMPTS, {"limit": limit})


def scheduled_emails(rows: Rows, limit: int) -> list[Row]:
    """The first e-mails that wait to be sent."""
    return rows.execute(_SCHEDULED_EMAILS, {"limit": limit})
