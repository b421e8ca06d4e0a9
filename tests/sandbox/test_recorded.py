"""`/_mock/events`, `/webhooks` and `/emails`: what was recorded, for whom, in pages."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest

from tests.ids import FORM
from tests.server import Server, Site

KINDS = ("events", "webhooks", "emails", "requests")


def recorded(mock: httpx2.Client, kind: str, **asked: Any) -> list[dict[str, Any]]:
    answer = mock.get(f"/{kind}", params=asked)
    assert answer.status_code == 200, answer.text
    return [item[kind.removesuffix("s")] for item in answer.json()["list"]]


def test_the_server_is_healthy(mock: httpx2.Client) -> None:
    answer = mock.get("/health")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json().keys() == {"status", "version"}


def test_an_event_is_recorded_as_the_api_shows_it(
    api: httpx2.Client, mock: httpx2.Client, order_id: str
) -> None:
    (event,) = recorded(mock, "events")

    assert {"event": event} == api.get(f"/events/{event['id']}").json()
    assert event["content"] == api.get(f"/orders/{order_id}").json()


def test_a_webhook_is_recorded_with_its_payload(
    api: httpx2.Client, mock: httpx2.Client, order_id: str
) -> None:
    order = api.get(f"/orders/{order_id}").json()["order"]
    (event,) = recorded(mock, "events")

    (webhook,) = recorded(mock, "webhooks")

    assert webhook["id"] == event["id"].replace("ev_", "wh_") + "_1"
    assert webhook == {
        "id": webhook["id"],
        "event_id": event["id"],
        "event_type": "order_created",
        "order_id": order["id"],
        "webhook_endpoint_id": "whv2_recording",
        "webhook_status": "succeeded",
        "created_at": order["created_at"],
        "attempts": 0,
        "payload": event,
        "object": "webhook",
    }


def test_the_payload_of_a_webhook_does_not_tell_the_origin(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    headers = {"chargebee-request-origin-user": "ada@example.com"}
    api.post("/orders", data={"invoice_id": "__demo_inv__1"}, headers=headers)

    (webhook,) = recorded(mock, "webhooks")

    assert "origin_user" not in webhook["payload"]


def test_an_email_is_recorded_for_the_customer_of_the_invoice(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    data = {"id": "o-1", "invoice_id": "__demo_inv__2"}
    order = api.post("/orders", data=data).json()["order"]
    (event,) = recorded(mock, "events")

    (email,) = recorded(mock, "emails")

    assert re.fullmatch(f"em_{FORM}", email["id"])
    assert email == {
        "id": email["id"],
        "event_id": event["id"],
        "order_id": "o-1",
        "recipient": "grace@example.com",
        "subject": "Your order o-1 has been received",
        "body": "Order o-1 of invoice __demo_inv__2 has been received; it is new.",
        "email_status": "recorded",
        "created_at": order["created_at"],
        "object": "email",
    }


def test_an_update_is_an_event_a_webhook_and_an_email(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    api.post("/orders", data={"id": "o-1", "invoice_id": "__demo_inv__2"})
    api.post("/orders/o-1", data={"status": "complete"})

    event, webhook, email = (recorded(mock, kind)[0] for kind in ("events", "webhooks", "emails"))

    assert event["event_type"] == "order_updated"
    assert webhook["payload"] == event
    assert email["event_id"] == event["id"]
    assert email["subject"] == "Your order o-1 has been updated"
    assert email["body"] == ("Order o-1 of invoice __demo_inv__2 has been updated; it is complete.")


def test_a_customer_without_an_email_address_gets_no_email(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    api.post("/orders", data={"invoice_id": "__demo_inv__5"})

    assert len(recorded(mock, "events")) == len(recorded(mock, "webhooks")) == 1
    assert recorded(mock, "emails") == []


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_listed_in_pages_the_latest_first(
    api: httpx2.Client, mock: httpx2.Client, kind: str
) -> None:
    for _ in range(12):
        api.post("/orders", data={"invoice_id": "__demo_inv__1"})
    name = kind.removesuffix("s")
    everything = mock.get(f"/{kind}", params={"limit": 1000}).json()

    first = mock.get(f"/{kind}").json()
    second = mock.get(f"/{kind}", params={"offset": first["next_offset"]}).json()

    assert "next_offset" not in everything
    assert "next_offset" not in second
    assert len(first["list"]) == 10
    assert first["list"] + second["list"] == everything["list"]
    ids = [item[name]["id"] for item in everything["list"]]
    assert len(ids) == 12
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("limit", ["0", "1001", "ten"])
def test_a_limit_outside_1_to_1000_is_refused(mock: httpx2.Client, kind: str, limit: str) -> None:
    answer = mock.get(f"/{kind}", params={"limit": limit})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "limit"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_offset_that_no_page_gave_is_refused(
    api: httpx2.Client, mock: httpx2.Client, order_id: str, kind: str
) -> None:
    answer = mock.get(f"/{kind}", params={"offset": "next"})

    assert answer.status_code == 400
    assert answer.json()["message"] == "offset : wrong format"


def test_events_are_filtered_by_type(
    api: httpx2.Client, mock: httpx2.Client, order_id: str
) -> None:
    api.post(f"/orders/{order_id}", data={"note": "x"})

    for event_type in ("order_created", "order_updated"):
        (event,) = recorded(mock, "events", event_type=event_type)
        assert event["event_type"] == event_type
    assert recorded(mock, "events", event_type="invoice_generated") == []


def test_webhooks_and_emails_are_filtered(api: httpx2.Client, mock: httpx2.Client) -> None:
    for number in (1, 2):
        api.post("/orders", data={"invoice_id": f"__demo_inv__{number}"})
    event_id = recorded(mock, "events")[1]["id"]

    assert [webhook["event_id"] for webhook in recorded(mock, "webhooks", event_id=event_id)] == [
        event_id
    ]
    assert len(recorded(mock, "webhooks", webhook_status="succeeded")) == 2
    assert recorded(mock, "webhooks", webhook_status="failed") == []
    assert mock.get("/webhooks", params={"webhook_status": "lost"}).status_code == 422
    (email,) = recorded(mock, "emails", event_id=event_id)
    assert recorded(mock, "emails", recipient="ada@example.com") == [email]
    assert recorded(mock, "emails", recipient="nobody@example.com") == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_site_can_be_named_instead_of_its_host(
    server: Server, site: Site, mock: httpx2.Client, order_id: str, kind: str
) -> None:
    by_host = mock.get(f"/{kind}").json()

    with httpx2.Client(base_url=f"{server.url}/_mock", verify=False) as anywhere:
        by_name = anywhere.get(f"/{kind}", params={"site": site.name}).json()
        default = anywhere.get(f"/{kind}", params={"site": "demo-test", "limit": 1}).json()
        by_bare_host = anywhere.get(f"/{kind}", params={"limit": 1})

    assert len(by_host["list"]) == 1
    assert by_name == by_host
    assert by_bare_host.status_code == 200
    assert by_host["list"][0] not in default["list"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_site_is_not_found_and_not_made(mock: httpx2.Client, kind: str) -> None:
    for answer in (mock.get(f"/{kind}"), mock.get(f"/{kind}?site=nowhere")):
        assert answer.status_code == 404
        assert answer.json()["api_error_code"] == "site_not_found"
    assert mock.get(f"/{kind}").status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_that_there_is_not_is_refused_by_name(
    mock: httpx2.Client, order_id: str, kind: str
) -> None:
    answer = mock.get(f"/{kind}", params={"statuss": "failed"})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "statuss"]
    assert "limit" in answer.json()["detail"][0]["msg"]
