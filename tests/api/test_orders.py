"""`/api/v1/orders`: what it takes, what it answers."""

from __future__ import annotations

import httpx


def test_an_order_needs_nothing_but_its_invoice(api: httpx.Client) -> None:
    answer = api.post("/orders", data={"invoice_id": "__demo_inv__2"})

    assert answer.status_code == 200
    order = answer.json()["order"]
    assert order["id"].startswith("__test__")
    assert order == {
        "id": order["id"],
        "invoice_id": "__demo_inv__2",
        "status": "new",
        "created_by": "full_access_key_v1",
        "created_at": order["created_at"],
        "status_update_at": order["created_at"],
        "currency_code": "EUR",
        "object": "order",
    }


def test_an_order_is_retrieved_as_it_was_created(api: httpx.Client, order_id: str) -> None:
    answer = api.get(f"/orders/{order_id}")

    assert answer.status_code == 200
    assert answer.json()["order"]["id"] == order_id
