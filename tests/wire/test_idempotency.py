"""The `chargebee-idempotency-key`: what is carried out once, replayed, refused."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx2
import pytest

from tests.server import Server, Site

REPLAYED = "chargebee-idempotency-replayed"
INVOICE = {"invoice_id": "__demo_inv__1"}


def post(
    api: httpx2.Client, key: str, data: dict[str, str], path: str = "/orders"
) -> httpx2.Response:
    return api.post(path, data=data, headers={"chargebee-idempotency-key": key})


def count(client: httpx2.Client, kind: str) -> int:
    return len(client.get(f"/{kind}").json()["list"])


def test_a_repeated_request_is_answered_again_and_carried_out_once(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    first, second, third = (post(api, "k", INVOICE) for _ in range(3))

    assert first.status_code == second.status_code == third.status_code == 200
    assert REPLAYED not in first.headers
    assert second.headers[REPLAYED] == third.headers[REPLAYED] == "true"
    assert first.content == second.content == third.content
    assert [count(api, "orders"), count(api, "events")] == [1, 1]
    assert [count(mock, "webhooks"), count(mock, "emails")] == [1, 1]


def test_a_replay_shows_the_first_answer_whatever_happened_since(api: httpx2.Client) -> None:
    first = post(api, "k", INVOICE | {"id": "o"})
    api.post("/orders/o", data={"note": "later"})

    assert post(api, "k", INVOICE | {"id": "o"}).json() == first.json()


def test_an_update_and_a_charge_are_carried_out_once_too(api: httpx2.Client, order_id: str) -> None:
    charge = {"customer_id": "__demo_cus__1", "amount": "1", "description": "x"}
    for path, data in ((f"/orders/{order_id}", {"note": "x"}), ("/invoices/charge", charge)):
        first, second = (post(api, path, data, path) for _ in range(2))

        assert second.headers[REPLAYED] == "true"
        assert second.content == first.content

    assert [count(api, "events"), count(api, "invoices")] == [3, 6]


def test_the_order_and_the_encoding_of_parameters_make_no_other_request(api: httpx2.Client) -> None:
    post(api, "k", {"invoice_id": "__demo_inv__1", "note": "x"})

    answer = api.post(
        "/orders",
        files={"note": (None, "x"), "invoice_id": (None, "__demo_inv__1")},
        headers={"chargebee-idempotency-key": "k"},
    )

    assert answer.headers[REPLAYED] == "true"


def test_another_request_under_the_same_key_is_refused(api: httpx2.Client, order_id: str) -> None:
    post(api, "k", INVOICE)

    others = [
        post(api, "k", {"invoice_id": "__demo_inv__2"}),
        post(api, "k", INVOICE | {"note": "x"}),
        post(api, "k", INVOICE, f"/orders/{order_id}"),
    ]

    for other in others:
        assert other.status_code == 422
        assert other.json()["api_error_code"] == "unable_to_process_request"
        assert REPLAYED not in other.headers
    assert count(api, "orders") == 2


def test_each_key_is_a_request_of_its_own(api: httpx2.Client) -> None:
    first, second = post(api, "k1", INVOICE), post(api, "k2", INVOICE)

    assert first.json()["order"]["id"] != second.json()["order"]["id"]
    assert REPLAYED not in second.headers


def test_each_site_has_keys_of_its_own(server: Server, api: httpx2.Client) -> None:
    post(api, "k", INVOICE)

    with server.site().api() as neighbour:
        answer = post(neighbour, "k", {"invoice_id": "__demo_inv__2"})

    assert answer.status_code == 200


def test_a_key_has_up_to_a_hundred_characters(api: httpx2.Client) -> None:
    longest, longer = post(api, "k" * 100, INVOICE), post(api, "k" * 101, INVOICE)

    assert longest.status_code == 200
    assert longer.status_code == 400
    assert longer.json()["message"] == (
        "chargebee-idempotency-key : cannot be longer than 100 characters"
    )
    assert count(api, "orders") == 1


@pytest.mark.parametrize("refused", [{}, {"invoice_id": "nothing"}, INVOICE | {"id": "taken"}])
def test_a_refused_request_leaves_its_key_free(api: httpx2.Client, refused: dict[str, str]) -> None:
    api.post("/orders", data=INVOICE | {"id": "taken"})
    assert post(api, "k", refused).is_client_error

    answer = post(api, "k", INVOICE)

    assert answer.status_code == 200
    assert REPLAYED not in answer.headers


def test_an_empty_key_is_none(api: httpx2.Client) -> None:
    post(api, "", INVOICE)
    post(api, "", INVOICE)

    assert count(api, "orders") == 2


def test_requests_at_once_under_one_key_make_one_order(api: httpx2.Client) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: post(api, "k", INVOICE), range(8)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum(REPLAYED in answer.headers for answer in answers) == 7
    assert count(api, "orders") == 1


def test_reading_takes_no_notice_of_a_key(api: httpx2.Client) -> None:
    headers = {"chargebee-idempotency-key": "k" * 101}
    assert api.get("/orders", headers=headers).json() == {"list": []}
    api.post("/orders", data=INVOICE)

    answer = api.get("/orders", headers=headers)

    assert len(answer.json()["list"]) == 1
    assert REPLAYED not in answer.headers


@pytest.mark.parametrize(("age", "status", "orders"), [(1795, 422, 1), (1800, 200, 2)])
def test_a_key_is_remembered_for_half_an_hour(
    server: Server, site: Site, api: httpx2.Client, age: int, status: int, orders: int
) -> None:
    post(api, "k", INVOICE)
    with closing(sqlite3.connect(server.database, isolation_level=None)) as database:
        database.execute(
            "UPDATE idempotency_keys SET created_at = created_at - ? WHERE site = ?",
            (age, site.name),
        )

    answer = post(api, "k", {"invoice_id": "__demo_inv__2"})

    assert answer.status_code == status
    assert count(api, "orders") == orders


def test_another_sites_clock_makes_no_key_older(
    server: Server, site: Site, api: httpx2.Client
) -> None:
    api.get("/orders")
    with closing(sqlite3.connect(server.database, isolation_level=None)) as database:
        database.execute("UPDATE sites SET clock_frozen_at = 5.0 WHERE name = ?", (site.name,))
    first = post(api, "k", INVOICE)

    with server.site().api() as elsewhere:
        post(elsewhere, "k", INVOICE)

    assert post(api, "k", INVOICE).content == first.content
