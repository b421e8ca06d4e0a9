"""The `chargebee-event-*` and `chargebee-request-origin-*` headers: what they do and do not."""

from __future__ import annotations

import base64
from typing import Any

import httpx2
import pytest

INVOICE = {"invoice_id": "__demo_inv__1"}
ORIGIN = "chargebee-request-origin"


def recorded(mock: httpx2.Client, kind: str) -> list[dict[str, Any]]:
    answer = mock.get(f"/{kind}")
    assert answer.status_code == 200, answer.text
    return [item[kind.removesuffix("s")] for item in answer.json()["list"]]


def create(api: httpx2.Client, headers: dict[str, str]) -> None:
    assert api.post("/orders", data=INVOICE, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "webhooks", "emails"),
    [
        ((), 1, 1),
        (("webhook",), 0, 1),
        (("email",), 1, 0),
        (("actions",), 0, 0),
        (("webhook", "email"), 0, 0),
    ],
)
@pytest.mark.parametrize("updates", [False, True])
def test_the_skip_headers_suppress_what_they_name_and_never_the_event(
    api: httpx2.Client,
    mock: httpx2.Client,
    updates: bool,
    headers: tuple[str, ...],
    webhooks: int,
    emails: int,
) -> None:
    path = "/orders"
    if updates:
        create(api, {"chargebee-event-actions": "all-disabled"})
        path = "/orders/" + api.get("/orders").json()["list"][0]["order"]["id"]

    answer = api.post(
        path,
        data=INVOICE,
        headers={f"chargebee-event-{name}": "all-disabled" for name in headers},
    )

    assert answer.status_code == 200
    event = recorded(mock, "events")[0]
    assert event["event_type"] == ("order_updated" if updates else "order_created")
    assert len(event.get("webhooks", [])) == webhooks
    assert len(recorded(mock, "webhooks")) == webhooks
    assert len(recorded(mock, "emails")) == emails


def test_a_charge_heeds_the_skip_headers_too(api: httpx2.Client, mock: httpx2.Client) -> None:
    api.post(
        "/invoices/charge",
        data={"customer_id": "__demo_cus__1", "amount": "1", "description": "x"},
        headers={"chargebee-event-actions": "all-disabled"},
    )

    assert len(recorded(mock, "events")) == 1
    assert recorded(mock, "webhooks") == []
    assert recorded(mock, "emails") == []


@pytest.mark.parametrize("value", ["all", "ALL-DISABLED", "true", "all-disabled,"])
@pytest.mark.parametrize("name", ["webhook", "email", "actions"])
def test_another_value_of_a_skip_header_is_ignored_and_named_in_the_journal(
    api: httpx2.Client, mock: httpx2.Client, name: str, value: str
) -> None:
    create(api, {f"chargebee-event-{name}": value})

    assert len(recorded(mock, "webhooks")) == 1
    assert len(recorded(mock, "emails")) == 1
    assert recorded(mock, "requests")[0]["remarks"] == [
        f"header chargebee-event-{name}: {value!r} is not all-disabled; ignored"
    ]


def test_an_empty_skip_header_is_ignored_and_named_in_the_journal(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    create(api, {"chargebee-event-email": ""})

    assert len(recorded(mock, "emails")) == 1
    assert recorded(mock, "requests")[0]["remarks"] == [
        "header chargebee-event-email: '' is not all-disabled; ignored"
    ]


@pytest.mark.parametrize("ip", ["203.0.113.7", "2001:db8::7", "app.example.com"])
def test_the_origin_is_kept_with_the_event_and_the_journal(
    api: httpx2.Client, mock: httpx2.Client, ip: str
) -> None:
    origin = {"ip": ip, "device": "iPhone 15, iOS 17", "user": "ada@example.com"}

    create(api, {f"{ORIGIN}-{name}": value for name, value in origin.items()})

    (event,) = recorded(mock, "events")
    assert {name: event[f"origin_{name}"] for name in origin} == origin
    (request,) = recorded(mock, "requests")
    for name, value in origin.items():
        assert [f"{ORIGIN}-{name}", value] in request["headers"]
    assert request["remarks"] == []


def test_the_origin_is_ours_and_not_in_chargebees_event(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    create(api, {f"{ORIGIN}-ip": "203.0.113.7"})

    (event,) = recorded(mock, "events")
    assert api.get(f"/events/{event['id']}").json()["event"].keys() == event.keys() - {"origin_ip"}


def test_an_event_without_an_origin_shows_none(api: httpx2.Client, mock: httpx2.Client) -> None:
    create(api, {})

    assert not any(name.startswith("origin_") for name in recorded(mock, "events")[0])


def test_the_encoded_user_wins_over_the_plain_one(api: httpx2.Client, mock: httpx2.Client) -> None:
    encoded = base64.b64encode("josé@exämple.com".encode()).decode()

    create(api, {f"{ORIGIN}-user": "ada@example.com", f"{ORIGIN}-user-encoded": encoded})

    assert recorded(mock, "events")[0]["origin_user"] == "josé@exämple.com"


@pytest.mark.parametrize("encoded", ["not base64!", "YQ", "/w=="])
def test_an_encoded_user_that_is_broken_is_ignored_and_named_in_the_journal(
    api: httpx2.Client, mock: httpx2.Client, encoded: str
) -> None:
    create(api, {f"{ORIGIN}-user": "ada@example.com", f"{ORIGIN}-user-encoded": encoded})

    assert "origin_user" not in recorded(mock, "events")[0]
    assert recorded(mock, "requests")[0]["remarks"] == [
        f"header {ORIGIN}-user-encoded is not Base64 of UTF-8; ignored"
    ]
