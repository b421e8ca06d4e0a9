"""`/api/v1/events`: what happened, its filters, its pages."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from typing import Any

import httpx2
import pytest

from tests.ids import FORM
from tests.server import Server, Site

LONG_AGO = 1_700_000_000


@pytest.fixture
def history(server: Server, site: Site, api: httpx2.Client, mock: httpx2.Client) -> list[str]:
    """The ids of three events of different seconds, the latest first.

    An order is created at LONG_AGO, updated without webhooks a second later, updated again at
    present. The site's endpoint is its primary one.
    """
    mock.patch("/webhook_endpoints/whv2_recording", json={"primary_url": True})
    api.post("/orders", data={"id": "o", "invoice_id": "__demo_inv__1"})
    api.post("/orders/o", data={"note": "x"}, headers={"chargebee-event-webhook": "all-disabled"})
    api.post("/orders/o", data={"note": "y"})
    ids = [item["event"]["id"] for item in api.get("/events").json()["list"]]
    with closing(sqlite3.connect(server.database, isolation_level=None)) as database:
        for occurred_at, id in ((LONG_AGO, ids[2]), (LONG_AGO + 1, ids[1])):
            database.execute("UPDATE events SET occurred_at = ? WHERE id = ?", (occurred_at, id))
    return ids


def listed(api: httpx2.Client, **filters: Any) -> list[str]:
    answer = api.get("/events", params=filters)
    assert answer.status_code == 200, answer.text
    return [item["event"]["id"] for item in answer.json()["list"]]


def test_creating_an_order_is_an_event(api: httpx2.Client) -> None:
    created = api.post("/orders", data={"invoice_id": "__demo_inv__1", "note": "é"})

    answer = api.get("/events")

    assert answer.status_code == 200
    (item,) = answer.json()["list"]
    expected = {
        "event": {
            "id": item["event"]["id"],
            "occurred_at": created.json()["order"]["created_at"],
            "source": "api",
            "user": "full_access_key_v1",
            "object": "event",
            "api_version": "v1",
            "content": created.json(),
            "event_type": "order_created",
            "webhook_status": "not_configured",
            "webhooks": [
                {"id": "whv2_recording", "webhook_status": "succeeded", "object": "webhook"}
            ],
        }
    }
    assert json.dumps(item) == json.dumps(expected)  # in the recorded order
    assert re.fullmatch(f"ev_{FORM}", item["event"]["id"])
    assert api.get(f"/events/{item['event']['id']}").json() == item


def test_an_event_of_a_site_without_endpoints_is_as_recorded(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    mock.delete("/webhook_endpoints/whv2_recording")
    created = api.post("/orders", data={"invoice_id": "__demo_inv__1"}).json()

    (item,) = api.get("/events").json()["list"]

    expected = {
        "id": item["event"]["id"],
        "occurred_at": created["order"]["created_at"],
        "source": "api",
        "user": "full_access_key_v1",
        "object": "event",
        "api_version": "v1",
        "content": created,
        "event_type": "order_created",
        "webhook_status": "not_configured",
        "webhook_failure_reason": "",
    }
    assert json.dumps(item["event"]) == json.dumps(expected)


def test_updating_an_order_is_an_event_with_the_order_after_the_change(
    api: httpx2.Client, order_id: str
) -> None:
    updated = api.post(f"/orders/{order_id}", data={"status": "complete"}).json()

    latest = api.get("/events").json()["list"][0]["event"]

    assert latest["event_type"] == "order_updated"
    assert latest["content"] == updated
    assert latest["content"]["order"]["status"] == "complete"


def test_an_event_keeps_the_order_as_it_was(api: httpx2.Client) -> None:
    created = api.post("/orders", data={"id": "o", "invoice_id": "__demo_inv__1"}).json()
    api.post("/orders/o", data={"note": "later"})

    first = api.get("/events").json()["list"][1]["event"]

    assert first["content"] == created


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/orders", {"invoice_id": "nothing"}),
        ("/orders", {"id": "o", "invoice_id": "__demo_inv__1"}),
        ("/orders", {"invoice_id": "__demo_inv__1", "status": "lost"}),
        ("/orders/nothing", {"note": "x"}),
        ("/orders/o", {"note": "x" * 601}),
    ],
)
def test_a_refused_request_is_no_event(api: httpx2.Client, path: str, data: dict[str, str]) -> None:
    api.post("/orders", data={"id": "o", "invoice_id": "__demo_inv__1"})
    before = api.get("/events").json()

    refused = api.post(path, data=data)

    assert refused.is_client_error
    assert api.get("/events").json() == before


def test_an_event_knows_the_key_that_caused_it(site: Site) -> None:
    with site.api("test_warehouse") as api:
        api.post("/orders", data={"invoice_id": "__demo_inv__1"})

        (item,) = api.get("/events").json()["list"]

    assert item["event"]["user"] == "warehouse_key_v1"


def test_events_are_listed_in_pages_the_latest_first(
    api: httpx2.Client, history: list[str]
) -> None:
    first = api.get("/events", params={"limit": 2}).json()
    second = api.get("/events", params={"limit": 2, "offset": first["next_offset"]}).json()

    assert [item["event"]["id"] for item in first["list"]] == history[:2]
    assert [item["event"]["id"] for item in second["list"]] == history[2:]
    assert "next_offset" not in second


def test_events_are_filtered_by_type(api: httpx2.Client, history: list[str]) -> None:
    assert listed(api, event_type="order_updated") == history[:2]
    assert listed(api, event_type="order_created") == history[2:]
    assert listed(api, event_type="invoice_generated") == []


def test_events_are_filtered_by_webhook_status(api: httpx2.Client, history: list[str]) -> None:
    assert listed(api, webhook_status="skipped") == [history[1]]
    assert listed(api, webhook_status="succeeded") == [history[0], history[2]]
    assert listed(api, webhook_status="failed") == []


def test_events_are_filtered_by_time_both_ends_included(
    api: httpx2.Client, history: list[str]
) -> None:
    assert listed(api, start_time=LONG_AGO) == history
    assert listed(api, start_time=LONG_AGO + 1) == history[:2]
    assert listed(api, end_time=LONG_AGO) == history[2:]
    assert listed(api, end_time=LONG_AGO - 1) == []
    assert listed(api, start_time=LONG_AGO + 1, end_time=LONG_AGO + 1) == [history[1]]


def test_filters_combine_and_go_on_over_pages(api: httpx2.Client, history: list[str]) -> None:
    asked: dict[str, str | int] = {
        "event_type": "order_updated",
        "start_time": LONG_AGO,
        "limit": 1,
    }
    first = api.get("/events", params=asked).json()

    assert first["list"][0]["event"]["id"] == history[0]
    assert listed(api, **asked, offset=first["next_offset"]) == [history[1]]


@pytest.mark.parametrize(
    ("param", "value", "start"),
    [
        ("event_type", "order_eaten", "The value order_eaten is not one of "),
        ("webhook_status", "lost", "The value lost is not one of not_configured, "),
        ("start_time", "yesterday", "wrong format"),
        ("end_time", "-1", "cannot be less than 0"),
        ("limit", "101", "cannot be greater than 100"),
    ],
)
def test_a_filter_that_is_wrong_is_refused_by_name(
    api: httpx2.Client, param: str, value: str, start: str
) -> None:
    answer = api.get("/events", params={param: value})

    assert answer.status_code == 400
    assert answer.json()["param"] == param
    assert answer.json()["error_msg"].startswith(start)


def test_an_unknown_event_is_not_found(api: httpx2.Client) -> None:
    answer = api.get("/events/ev_nothing")

    assert answer.status_code == 404
    assert answer.json()["message"] == "ev_nothing not found"
    assert "param" not in answer.json()
