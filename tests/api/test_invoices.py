"""`/api/v1/invoices`: the seed's, their orders, and a charge."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from typing import Any

import httpx2
import pytest

from tests.server import Server, Site

CHARGE = {"customer_id": "__demo_cus__2", "amount": "1250", "description": "Repair"}


def ids(page: dict[str, Any]) -> list[str]:
    return [item["invoice"]["id"] for item in page["list"]]


def test_an_invoice_of_the_seed_is_retrieved_with_the_seeds_values(api: httpx2.Client) -> None:
    answer = api.get("/invoices/__demo_inv__2")

    assert answer.status_code == 200
    assert json.dumps(answer.json()) == json.dumps(  # in Chargebee's order
        {
            "invoice": {
                "id": "__demo_inv__2",
                "customer_id": "__demo_cus__2",
                "recurring": False,
                "status": "payment_due",
                "price_type": "tax_exclusive",
                "start_date": 1700200000,
                "amount": 2380,
                "amount_paid": 0,
                "amount_adjusted": 0,
                "credits_applied": 0,
                "amount_due": 2380,
                "dunning_status": "in_progress",
                "next_retry": 1700459200,
                "object": "invoice",
                "currency_code": "EUR",
                "tax": 380,
                "line_items": [
                    {
                        "date_from": 1700200000,
                        "date_to": 1700200000,
                        "unit_amount": 1000,
                        "quantity": 2,
                        "is_taxed": True,
                        "tax": 380,
                        "tax_rate": 19.0,
                        "object": "line_item",
                        "amount": 2000,
                        "description": "Replacement filter",
                        "type": "charge",
                        "entity_type": "adhoc",
                    }
                ],
                "taxes": [{"object": "tax", "description": "VAT 19 %", "amount": 380}],
                "sub_total": 2000,
                "linked_transactions": [],
                "linked_orders": [],
            }
        }
    )


def test_invoices_are_listed_the_latest_first(api: httpx2.Client) -> None:
    page = api.get("/invoices").json()

    assert ids(page) == [f"__demo_inv__{number}" for number in (5, 4, 3, 2, 1)]
    assert page["list"][3] == api.get("/invoices/__demo_inv__2").json()
    assert "next_offset" not in page


def test_invoices_are_listed_in_pages(api: httpx2.Client) -> None:
    first = api.get("/invoices", params={"limit": 3}).json()
    second = api.get("/invoices", params={"limit": 3, "offset": first["next_offset"]}).json()

    assert [ids(first), ids(second)] == [
        ["__demo_inv__5", "__demo_inv__4", "__demo_inv__3"],
        ["__demo_inv__2", "__demo_inv__1"],
    ]


@pytest.mark.parametrize(
    ("paid_on_after", "listed"), [("1700099999", ["__demo_inv__1"]), ("1700100000", [])]
)
def test_invoices_are_filtered_by_the_time_of_their_payment(
    api: httpx2.Client, paid_on_after: str, listed: list[str]
) -> None:
    assert ids(api.get("/invoices", params={"paid_on_after": paid_on_after}).json()) == listed


def test_invoices_paid_in_one_second_are_listed_the_latest_first(
    server: Server, site: Site, api: httpx2.Client
) -> None:
    for _ in range(3):
        api.post("/invoices/charge", data=CHARGE | {"customer_id": "__demo_cus__1"})
    with closing(sqlite3.connect(server.database, isolation_level=None)) as database:
        database.execute(
            "UPDATE invoices SET created_at = 1800000000, paid_on = 1800000000 "
            "WHERE site = ? AND id IN ('1', '2', '3')",
            [site.name],
        )

    first = api.get("/invoices", params={"paid_on_after": "1700100000", "limit": 2}).json()
    rest = {"paid_on_after": "1700100000", "offset": first["next_offset"]}

    assert ids(first) == ["3", "2"]
    assert ids(api.get("/invoices", params=rest).json()) == ["1"]


@pytest.mark.parametrize("value", ["yesterday", "2024-01-01", "1.5"])
def test_a_time_that_is_no_number_of_seconds_is_refused(api: httpx2.Client, value: str) -> None:
    answer = api.get("/invoices", params={"paid_on_after": value})

    assert answer.status_code == 400
    assert answer.json()["message"] == "paid_on_after : wrong format"


def test_an_unknown_invoice_is_not_found(api: httpx2.Client) -> None:
    answer = api.get("/invoices/nothing")

    assert answer.status_code == 404
    assert answer.json()["message"] == "nothing not found"
    assert "param" not in answer.json()


def test_linked_orders_follow_every_change_of_an_order(api: httpx2.Client) -> None:
    def linked() -> object:
        return api.get("/invoices/__demo_inv__1").json()["invoice"]["linked_orders"]

    order = api.post("/orders", data={"id": "o-1", "invoice_id": "__demo_inv__1"}).json()["order"]
    expected = {"id": "o-1", "status": "new", "created_at": order["created_at"]}
    assert linked() == [expected]

    shown = {
        "status": "complete",
        "reference_id": "r",
        "fulfillment_status": "Shipped",
        "batch_id": "b",
    }
    api.post("/orders/o-1", data=shown | {"note": "hidden", "tracking_id": "hidden"})
    assert linked() == [expected | shown]

    api.post("/orders", data={"id": "o-2", "invoice_id": "__demo_inv__2"})
    assert linked() == [expected | shown]

    listed = {
        item["invoice"]["id"]: item["invoice"] for item in api.get("/invoices").json()["list"]
    }
    assert [order["id"] for order in listed["__demo_inv__1"]["linked_orders"]] == ["o-1"]
    assert [order["id"] for order in listed["__demo_inv__2"]["linked_orders"]] == ["o-2"]


def test_a_charge_makes_an_invoice_that_is_due(api: httpx2.Client) -> None:
    before = int(time.time())
    answer = api.post("/invoices/charge", data=CHARGE | {"po_number": "PO-7"})
    after = int(time.time())

    assert answer.status_code == 200
    now = answer.json()["invoice"]["start_date"]
    assert before <= now <= after
    assert answer.json() == {
        "invoice": {
            "id": "1",
            "customer_id": "__demo_cus__2",
            "recurring": False,
            "status": "payment_due",
            "start_date": now,
            "end_date": now,
            "po_number": "PO-7",
            "price_type": "tax_exclusive",
            "currency_code": "USD",
            "tax": 0,
            "sub_total": 1250,
            "amount": 1250,
            "amount_due": 1250,
            "amount_adjusted": 0,
            "amount_paid": 0,
            "credits_applied": 0,
            "line_items": [
                {
                    "date_from": now,
                    "date_to": now,
                    "unit_amount": 1250,
                    "quantity": 1,
                    "is_taxed": False,
                    "tax": 0,
                    "object": "line_item",
                    "amount": 1250,
                    "description": "Repair",
                    "type": "charge",
                    "entity_type": "adhoc",
                }
            ],
            "linked_transactions": [],
            "linked_orders": [],
            "billing_address": {
                "line1": "1 Navy Yard",
                "city": "Arlington",
                "state_code": "VA",
                "state": "Virginia",
                "zip": "22202",
                "country": "US",
                "object": "billing_address",
            },
            "object": "invoice",
        }
    }
    assert api.get("/invoices/1").json() == answer.json()


def test_a_charge_is_paid_at_once_by_a_customer_who_pays_by_card(api: httpx2.Client) -> None:
    answer = api.post("/invoices/charge", data=CHARGE | {"customer_id": "__demo_cus__1"})

    invoice = answer.json()["invoice"]
    assert invoice["status"] == "paid"
    assert (invoice["amount_due"], invoice["amount_paid"]) == (0, 1250)
    assert invoice["paid_on"] == invoice["start_date"]


def test_a_charged_invoice_carries_the_customers_vat_number(api: httpx2.Client) -> None:
    answer = api.post("/invoices/charge", data=CHARGE | {"customer_id": "__demo_cus__3"})

    assert answer.json()["invoice"]["vat_number"] == "ESX1234567X"


def test_charged_invoices_are_numbered_one_after_another(api: httpx2.Client) -> None:
    first = api.post("/invoices/charge", data=CHARGE)
    refused = api.post("/invoices/charge", data=CHARGE | {"coupon": "WELCOME"})
    second = api.post("/invoices/charge", data=CHARGE)

    assert first.json()["invoice"]["id"] == "1"
    assert refused.status_code == 404
    assert second.json()["invoice"]["id"] == "2"
    assert ids(api.get("/invoices").json())[:2] == ["2", "1"]


def test_an_order_can_be_made_for_a_charged_invoice(api: httpx2.Client) -> None:
    invoice = api.post("/invoices/charge", data=CHARGE).json()["invoice"]

    order = api.post("/orders", data={"invoice_id": invoice["id"]}).json()["order"]

    assert (order["invoice_id"], order["currency_code"]) == ("1", "USD")


@pytest.mark.parametrize(
    ("change", "status", "message", "param"),
    [
        ({"customer_id": ""}, 400, "customer_id : cannot be blank", "customer_id"),
        ({"customer_id": "nobody"}, 404, "nobody not found", "customer_id"),
        (
            {"customer_id": "x" * 51},
            400,
            "customer_id : cannot be longer than 50 characters",
            "customer_id",
        ),
        ({"subscription_id": "sub"}, 404, "sub not found", "subscription_id"),
        (
            {"subscription_id": "x" * 51},
            400,
            "subscription_id : cannot be longer than 50 characters",
            "subscription_id",
        ),
        ({"amount": ""}, 400, "amount : cannot be blank", "amount"),
        ({"amount": "0"}, 400, "amount : cannot be less than 1", "amount"),
        ({"amount": "-5"}, 400, "amount : cannot be less than 1", "amount"),
        ({"amount": "12.50"}, 400, "amount : wrong format", "amount"),
        ({"amount": "a lot"}, 400, "amount : wrong format", "amount"),
        ({"amount": str(2**63)}, 400, f"amount : cannot be greater than {2**63 - 1}", "amount"),
        ({"amount": "9" * 20}, 400, "amount : wrong format", "amount"),
        ({"description": ""}, 400, "description : cannot be blank", "description"),
        (
            {"description": "x" * 251},
            400,
            "description : cannot be longer than 250 characters",
            "description",
        ),
        ({"coupon": "WELCOME"}, 404, "WELCOME not found", "coupon"),
        (
            {"coupon": "x" * 101},
            400,
            "coupon : cannot be longer than 100 characters",
            "coupon",
        ),
        (
            {"po_number": "x" * 101},
            400,
            "po_number : cannot be longer than 100 characters",
            "po_number",
        ),
    ],
)
def test_a_charge_that_is_wrong_is_refused_by_name(
    api: httpx2.Client, change: dict[str, str], status: int, message: str, param: str
) -> None:
    answer = api.post("/invoices/charge", data=CHARGE | change)

    assert answer.status_code == status
    assert answer.json()["message"] == message
    assert answer.json()["param"] == param
    assert len(ids(api.get("/invoices").json())) == 5


def test_a_charge_takes_values_up_to_their_limits(api: httpx2.Client) -> None:
    longest = {"amount": str(2**63 - 1), "description": "é" * 250, "po_number": "é" * 100}

    answer = api.post("/invoices/charge", data=CHARGE | longest)

    assert answer.status_code == 200
    invoice = answer.json()["invoice"]
    assert invoice["amount"] == 2**63 - 1
    assert invoice["line_items"][0]["description"] == "é" * 250
    assert invoice["po_number"] == "é" * 100


def test_a_charge_is_an_event_and_an_email(api: httpx2.Client, mock: httpx2.Client) -> None:
    charged = api.post("/invoices/charge", data=CHARGE).json()

    (event,) = (item["event"] for item in mock.get("/events").json()["list"])
    assert event["event_type"] == "invoice_generated"
    assert event["content"] == charged
    (email,) = (item["email"] for item in mock.get("/emails").json()["list"])
    assert email["event_id"] == event["id"]
    assert email["recipient"] == "grace@example.com"
    assert email["subject"] == "Your invoice 1"
    assert email["body"] == "Invoice 1 over USD 12.50 is payment due."
