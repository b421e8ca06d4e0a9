"""`POST /api/v1/orders` and `GET /api/v1/orders/{id}`: what they take, what they answer."""

from __future__ import annotations

import re
import time

import httpx2
import pytest

from tests.ids import FORM, milliseconds
from tests.server import Server, Site

STATUSES = ("new", "processing", "complete", "cancelled", "voided")
LIMITS = (
    ("id", 40),
    ("reference_id", 50),
    ("fulfillment_status", 50),
    ("note", 600),
    ("tracking_id", 50),
    ("batch_id", 50),
)


def test_an_order_needs_nothing_but_its_invoice(api: httpx2.Client) -> None:
    answer = api.post("/orders", data={"invoice_id": "__demo_inv__2"})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    order = answer.json()["order"]
    assert answer.json() == {
        "order": {
            "id": order["id"],
            "invoice_id": "__demo_inv__2",
            "status": "new",
            "created_by": "full_access_key_v1",
            "created_at": order["created_at"],
            "status_update_at": order["created_at"],
            "currency_code": "EUR",
            "object": "order",
        }
    }


def test_an_order_shows_everything_that_was_given(api: httpx2.Client) -> None:
    given = {
        "id": "order-1",
        "invoice_id": "__demo_inv__1",
        "status": "processing",
        "reference_id": "ship-7",
        "fulfillment_status": "Shipped",
        "note": "Ring twice",
        "tracking_id": "1Z999",
        "batch_id": "monday",
    }

    answer = api.post("/orders", data=given)

    assert answer.status_code == 200
    order = answer.json()["order"]
    assert order == given | {
        "created_by": "full_access_key_v1",
        "created_at": order["created_at"],
        "status_update_at": order["created_at"],
        "currency_code": "USD",
        "object": "order",
    }


def test_an_order_is_retrieved_as_it_was_created(api: httpx2.Client) -> None:
    created = api.post("/orders", data={"invoice_id": "__demo_inv__1", "note": "Ring twice"})

    answer = api.get(f"/orders/{created.json()['order']['id']}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert answer.content == created.content


def test_the_times_of_an_order_are_whole_seconds_of_its_creation(api: httpx2.Client) -> None:
    before = int(time.time())
    order = api.post("/orders", data={"invoice_id": "__demo_inv__1"}).json()["order"]
    after = int(time.time())

    assert type(order["created_at"]) is int
    assert before <= order["created_at"] <= after
    assert order["status_update_at"] == order["created_at"]


@pytest.mark.parametrize(
    ("invoice_id", "currency_code"),
    [
        ("__demo_inv__1", "USD"),
        ("__demo_inv__2", "EUR"),
        ("__demo_inv__3", "GBP"),
        ("__demo_inv__4", "JPY"),
        ("__demo_inv__5", "USD"),
    ],
)
def test_an_invoice_of_any_status_takes_many_orders_in_its_currency(
    api: httpx2.Client, invoice_id: str, currency_code: str
) -> None:
    answers = [api.post("/orders", data={"invoice_id": invoice_id}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    for answer in answers:
        assert answer.json()["order"]["invoice_id"] == invoice_id
        assert answer.json()["order"]["currency_code"] == currency_code


@pytest.mark.parametrize("status", STATUSES)
def test_an_order_starts_in_the_status_that_was_given(api: httpx2.Client, status: str) -> None:
    answer = api.post("/orders", data={"invoice_id": "__demo_inv__1", "status": status})

    assert answer.status_code == 200
    assert answer.json()["order"]["status"] == status


@pytest.mark.parametrize("status", ["shipped", "NEW", "new "])
def test_a_status_that_orders_do_not_have_is_refused(api: httpx2.Client, status: str) -> None:
    answer = api.post("/orders", data={"invoice_id": "__demo_inv__1", "status": status})

    assert answer.status_code == 400
    assert answer.json()["message"] == (
        f"status : The value {status} is not one of new, processing, complete, cancelled, voided"
    )


@pytest.mark.parametrize(("param", "limit"), LIMITS)
def test_a_value_as_long_as_its_limit_is_kept(api: httpx2.Client, param: str, limit: int) -> None:
    value = "é" * limit  # characters count, not bytes

    answer = api.post("/orders", data={"invoice_id": "__demo_inv__1", param: value})

    assert answer.status_code == 200
    assert answer.json()["order"][param] == value


@pytest.mark.parametrize(("param", "limit"), LIMITS)
def test_a_value_longer_than_its_limit_is_refused(
    api: httpx2.Client, param: str, limit: int
) -> None:
    data = {"invoice_id": "__demo_inv__1", param: "x" * (limit + 1)}

    answer = api.post("/orders", data=data)

    assert answer.status_code == 400
    assert answer.json()["message"] == f"{param} : cannot be longer than {limit} characters"
    assert api.get("/orders").json() == {"list": []}


def test_an_invoice_id_may_have_fifty_characters_and_no_more(api: httpx2.Client) -> None:
    longest = api.post("/orders", data={"invoice_id": "x" * 50})
    longer = api.post("/orders", data={"invoice_id": "x" * 51})

    assert (longest.status_code, longest.json()["message"]) == (404, f"{'x' * 50} not found")
    assert longer.status_code == 400
    assert longer.json()["message"] == "invoice_id : cannot be longer than 50 characters"


@pytest.mark.parametrize("data", [{}, {"invoice_id": ""}, {"invoice_id": " \t"}])
def test_a_missing_invoice_id_is_refused_by_name(api: httpx2.Client, data: dict[str, str]) -> None:
    answer = api.post("/orders", data=data)

    assert answer.status_code == 400
    assert answer.json()["message"] == "invoice_id : cannot be blank"
    assert answer.json()["param"] == "invoice_id"


def test_the_first_parameter_that_is_wrong_is_the_one_that_is_named(api: httpx2.Client) -> None:
    answer = api.post("/orders", data={"note": "x" * 601, "status": "lost", "id": "x" * 41})

    assert answer.json()["param"] == "id"


@pytest.mark.parametrize(
    "param", ["id", "status", "reference_id", "fulfillment_status", "note", "tracking_id"]
)
def test_a_blank_value_counts_as_absent(api: httpx2.Client, param: str) -> None:
    plain = api.post("/orders", data={"invoice_id": "__demo_inv__1"}).json()["order"]

    order = api.post("/orders", data={"invoice_id": "__demo_inv__1", param: " "}).json()["order"]

    assert order.keys() == plain.keys()
    assert order["status"] == "new"
    assert re.fullmatch(FORM, order["id"])


@pytest.mark.parametrize(("suffix", "key"), [("-test", "test_key"), ("", "live_key")])
def test_a_generated_id_has_chargebees_form_and_the_time_of_the_order(
    server: Server, suffix: str, key: str
) -> None:
    name = server.site().name.removesuffix("-test") + suffix

    with server.site(name).api(key) as api:
        answers = [api.post("/orders", data={"invoice_id": "__demo_inv__1"}) for _ in range(5)]

    orders = [answer.json()["order"] for answer in answers]
    for order in orders:
        assert re.fullmatch(FORM, order["id"])
        assert order["created_at"] == milliseconds(order["id"]) // 1000
    assert len({order["id"] for order in orders}) == 5


def test_an_id_is_used_once_in_a_site(api: httpx2.Client) -> None:
    first = api.post("/orders", data={"id": "order-1", "invoice_id": "__demo_inv__1"})

    second = api.post("/orders", data={"id": "order-1", "invoice_id": "__demo_inv__2"})

    assert second.status_code == 400
    assert second.json()["message"] == "id : The value order-1 is already present."
    assert api.get("/orders").json()["list"] == [first.json()]


def test_two_sites_may_use_one_id(server: Server) -> None:
    for site in (server.site(), server.site()):
        with site.api() as api:
            answer = api.post("/orders", data={"id": "order-1", "invoice_id": "__demo_inv__1"})

        assert answer.status_code == 200


def test_an_unknown_invoice_is_refused_by_name(api: httpx2.Client) -> None:
    answer = api.post("/orders", data={"invoice_id": "__demo_inv__9"})

    assert answer.status_code == 404
    assert answer.json()["message"] == "__demo_inv__9 not found"
    assert answer.json()["param"] == "invoice_id"


def test_an_order_knows_the_name_of_the_key_that_made_it(site: Site) -> None:
    with site.api("test_warehouse") as api:
        answer = api.post("/orders", data={"invoice_id": "__demo_inv__1"})

    assert answer.json()["order"]["created_by"] == "warehouse_key_v1"


def test_an_unknown_order_is_not_found(api: httpx2.Client) -> None:
    answer = api.get("/orders/nothing")

    assert answer.status_code == 404
    assert answer.json()["message"] == "nothing not found"
    assert "param" not in answer.json()


@pytest.mark.parametrize(
    ("id", "escaped"), [("a/b", "a%2Fb"), ("50%", "50%25"), ("n°1 ü", "n%C2%B01%20%C3%BC")]
)
def test_an_id_may_hold_what_a_path_escapes(api: httpx2.Client, id: str, escaped: str) -> None:
    api.post("/orders", data={"id": id, "invoice_id": "__demo_inv__1"})

    retrieved = api.get(f"/orders/{escaped}")
    updated = api.post(f"/orders/{escaped}", data={"note": "found"})

    assert retrieved.json()["order"]["id"] == id
    assert updated.json()["order"]["note"] == "found"
