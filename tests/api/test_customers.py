"""`/api/v1/customers`: the seed's."""

from __future__ import annotations

import json

import httpx2


def test_a_customer_of_the_seed_is_retrieved_with_the_seeds_values(api: httpx2.Client) -> None:
    answer = api.get("/customers/__demo_cus__2")

    assert answer.status_code == 200
    assert json.dumps(answer.json()) == json.dumps(
        {  # in Chargebee's order
            "customer": {
                "id": "__demo_cus__2",
                "first_name": "Grace",
                "last_name": "Hopper",
                "email": "grace@example.com",
                "phone": "+1 202 555 0142",
                "auto_collection": "off",
                "allow_direct_debit": False,
                "created_at": 1700003600,
                "taxability": "taxable",
                "object": "customer",
                "billing_address": {
                    "line1": "1 Navy Yard",
                    "city": "Arlington",
                    "state_code": "VA",
                    "state": "Virginia",
                    "zip": "22202",
                    "country": "US",
                    "object": "billing_address",
                },
                "card_status": "no_card",
                "contacts": [
                    {
                        "id": "contact___demo__1",
                        "first_name": "Howard",
                        "email": "howard@example.com",
                        "enabled": True,
                        "send_account_email": False,
                        "send_billing_email": True,
                        "object": "contact",
                    }
                ],
                "account_credits": 0,
                "refundable_credits": 0,
                "excess_payments": 0,
            }
        }
    )


def test_a_customer_shows_payment_method_and_meta_data(api: httpx2.Client) -> None:
    paying = api.get("/customers/__demo_cus__1").json()["customer"]
    annotated = api.get("/customers/__demo_cus__3").json()["customer"]

    assert list(paying["payment_method"].items()) == [
        ("object", "payment_method"),
        ("type", "card"),
        ("reference_id", "tok___demo_card__1"),
        ("gateway", "chargebee"),
        ("status", "valid"),
    ]
    assert paying["card_status"] == "valid"
    assert annotated["first_name"] == "José"
    assert annotated["meta_data"] == {"segment": "wholesale", "seats": 12}


def test_customers_are_listed_in_pages_the_latest_first(api: httpx2.Client) -> None:
    first = api.get("/customers", params={"limit": 3}).json()
    second = api.get("/customers", params={"limit": 3, "offset": first["next_offset"]}).json()

    assert [item["customer"]["id"] for item in first["list"]] == [
        "__demo_cus__4",
        "__demo_cus__3",
        "__demo_cus__2",
    ]
    assert second == {"list": [api.get("/customers/__demo_cus__1").json()]}


def test_an_unknown_customer_is_not_found(api: httpx2.Client) -> None:
    answer = api.get("/customers/nobody")

    assert answer.status_code == 404
    assert answer.json()["message"] == "Sorry, we couldn't find that resource"
    assert "param" not in answer.json()
