"""The `chargebee-idempotency-key`: what is carried out once, replayed, refused."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing
from typing import Any

import httpx2
import pytest

from tests.server import Server, Site

REPLAYED = "chargebee-idempotency-replayed"
INVOICE = {"invoice_id": "__demo_inv__1"}
IN_PROGRESS = {
    "message": "The previous request is still in progress. Please retry the request",
    "type": "invalid_request",
    "api_error_code": "invalid_state_for_request",
    "error_code": "invalid_state_for_request",
    "error_msg": "The previous request is still in progress. Please retry the request",
    "http_status_code": 409,
}


def post(
    api: httpx2.Client, key: str, data: dict[str, str], path: str = "/orders"
) -> httpx2.Response:
    return api.post(path, data=data, headers={"chargebee-idempotency-key": key})


def delay(mock: httpx2.Client, seconds: float, **rule: Any) -> str:
    """Let the next order under a key take so long; the rule's id."""
    headers = {"chargebee-idempotency-key": "k"}
    made = mock.post("/faults", json={"delay": seconds, "times": 1, "headers": headers} | rule)
    assert made.status_code == 200, made.text
    id: str = made.json()["fault"]["id"]
    return id


def wait_until_fired(mock: httpx2.Client, fault: str) -> None:
    for _ in range(500):
        if mock.get(f"/faults/{fault}").json()["fault"]["fired"]:
            return
        time.sleep(0.01)
    raise AssertionError(f"{fault} did not fire")


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


@pytest.mark.parametrize(
    ("refused", "status"),
    [({}, 400), ({"invoice_id": "nothing"}, 404), (INVOICE | {"id": "taken"}, 400)],
)
def test_a_refusal_is_kept_as_well(
    api: httpx2.Client, refused: dict[str, str], status: int
) -> None:
    api.post("/orders", data=INVOICE | {"id": "taken"})

    first, second = post(api, "k", refused), post(api, "k", refused)
    corrected = post(api, "k", INVOICE)

    assert first.status_code == second.status_code == status
    assert REPLAYED not in first.headers
    assert second.headers[REPLAYED] == "true"
    assert second.headers["content-type"] == "application/json;charset=UTF-8"
    assert first.content == second.content
    assert corrected.status_code == 422


def test_a_key_is_looked_at_before_the_parameters(api: httpx2.Client) -> None:
    post(api, "k", INVOICE)

    assert post(api, "k", {"status": "nonsense"}).status_code == 422


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"auth": ("wrong", "")}, 401),
        ({"auth": ("test_read_only", "")}, 403),
        ({"url": "/unicorns"}, 404),
        ({"method": "DELETE"}, 405),
        ({"content": b"%", "data": None}, 400),
    ],
)
def test_what_is_refused_before_the_key_is_looked_at_leaves_it_as_it_is(
    api: httpx2.Client, change: dict[str, Any], status: int
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    headers = form | {"chargebee-idempotency-key": "k"}
    request: dict[str, Any] = {"method": "POST", "url": "/orders", "data": INVOICE}
    request["headers"] = headers

    assert api.request(**request | change).status_code == status
    assert REPLAYED not in api.request(**request).headers
    assert api.request(**request | change).status_code == status
    assert api.request(**request).headers[REPLAYED] == "true"


DIRECTIVES = [
    "chargebee-event-webhook",
    "chargebee-event-email",
    "chargebee-event-actions",
    "chargebee-request-origin-ip",
    "chargebee-request-origin-user-encoded",
]


@pytest.mark.parametrize("name", DIRECTIVES)
def test_a_header_that_changes_what_happens_makes_another_request(
    api: httpx2.Client, name: str
) -> None:
    headers = {"chargebee-idempotency-key": "k", name: "all-disabled"}

    first, second = (api.post("/orders", data=INVOICE, headers=headers) for _ in range(2))
    without = post(api, "k", INVOICE)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.headers[REPLAYED] == "true"
    assert without.status_code == 422


def test_any_other_header_makes_no_other_request(api: httpx2.Client) -> None:
    post(api, "k", INVOICE)

    headers = {"chargebee-idempotency-key": "k", "X-CB-Retry-Attempt": "1", "User-Agent": "x"}
    assert api.post("/orders", data=INVOICE, headers=headers).headers[REPLAYED] == "true"


def test_an_empty_key_is_none(api: httpx2.Client) -> None:
    post(api, "", INVOICE)
    post(api, "", INVOICE)

    assert count(api, "orders") == 2


def test_requests_at_once_under_one_key_make_one_order(api: httpx2.Client) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: post(api, "k", INVOICE), range(8)))

    answered = [answer for answer in answers if answer.status_code != 409]
    assert {answer.status_code for answer in answered} == {200}
    assert len({answer.content for answer in answered}) == 1
    assert sum(REPLAYED in answer.headers for answer in answered) == len(answered) - 1
    assert count(api, "orders") == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_repeat_while_the_first_is_under_way_is_refused(
    api: httpx2.Client, mock: httpx2.Client, after: bool
) -> None:
    fault = delay(mock, 1.0, after=after)

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(post, api, "k", INVOICE)
        wait_until_fired(mock, fault)
        repeated = post(api, "k", INVOICE)
        another = post(api, "other", INVOICE)
    again = post(api, "k", INVOICE)

    assert repeated.status_code == 409
    assert repeated.json() == IN_PROGRESS
    assert another.status_code == first.result().status_code == 200
    assert REPLAYED not in first.result().headers
    assert (again.content, again.headers[REPLAYED]) == (first.result().content, "true")
    assert count(api, "orders") == 2


def test_what_a_fault_refuses_leaves_its_key_free_once_it_is_answered(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    fault = delay(mock, 1.0, answer="internal_error")

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(post, api, "k", INVOICE)
        wait_until_fired(mock, fault)
        repeated = post(api, "k", INVOICE)
    again = post(api, "k", INVOICE)

    assert (first.result().status_code, repeated.status_code) == (500, 409)
    assert again.status_code == 200
    assert REPLAYED not in again.headers


def test_neither_of_two_sites_waits_for_the_keys_of_the_other(
    server: Server, api: httpx2.Client, mock: httpx2.Client
) -> None:
    fault = delay(mock, 1.0)

    with server.site().api() as neighbour, ThreadPoolExecutor(1) as threads:
        threads.submit(post, api, "k", INVOICE)
        wait_until_fired(mock, fault)

        assert post(neighbour, "k", INVOICE).status_code == 200


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Two servers on one database."""
    database = tmp_path_factory.mktemp("two") / "state.sqlite"
    with Server(database) as one, Server(database) as other:
        yield one, other


def test_servers_on_one_database_know_of_each_others_delayed_requests(
    two: tuple[Server, Server],
) -> None:
    site = two[0].site()
    with site.api() as here, two[1].site(site.name).api() as there, site.mock() as mock:
        fault = delay(mock, 1.0)
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(post, here, "k", INVOICE)
            wait_until_fired(mock, fault)
            repeated = post(there, "k", INVOICE)
        again = post(there, "k", INVOICE)

    assert repeated.status_code == 409
    assert first.result().status_code == 200
    assert (again.content, again.headers[REPLAYED]) == (first.result().content, "true")


def test_a_request_that_waits_for_the_database_is_under_way(two: tuple[Server, Server]) -> None:
    with (
        two[0].site().api() as api,
        closing(sqlite3.connect(two[0].database, isolation_level=None)) as locked,
        ThreadPoolExecutor(2) as threads,
    ):
        api.get("/orders")
        locked.execute("BEGIN IMMEDIATE")
        requests = [threads.submit(post, api, "k", INVOICE) for _ in range(2)]
        done, waiting = wait(requests, return_when=FIRST_COMPLETED, timeout=4)
        locked.execute("ROLLBACK")

    assert [request.result().status_code for request in done] == [409]
    assert [request.result().status_code for request in waiting] == [200]


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
