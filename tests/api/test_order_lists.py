"""`GET /api/v1/orders` and `GET /api/v1/invoices/{id}/orders`: order, pages, refusals."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

PATHS = ("/orders", "/invoices/__demo_inv__1/orders")

each_list = pytest.mark.parametrize("path", PATHS)


def create(api: httpx2.Client, count: int, invoice_id: str = "__demo_inv__1") -> list[str]:
    """Orders for the invoice; their ids, the latest first."""
    created = [api.post("/orders", data={"invoice_id": invoice_id}) for _ in range(count)]
    return [answer.json()["order"]["id"] for answer in reversed(created)]


def ids(page: dict[str, Any]) -> list[str]:
    return [item["order"]["id"] for item in page["list"]]


@each_list
def test_a_list_without_rows_is_empty_and_has_no_next_page(api: httpx2.Client, path: str) -> None:
    answer = api.get(path)

    assert answer.status_code == 200
    assert answer.json() == {"list": []}


@each_list
def test_a_list_shows_each_order_as_it_is_retrieved(
    api: httpx2.Client, order_id: str, path: str
) -> None:
    assert api.get(path).json() == {"list": [api.get(f"/orders/{order_id}").json()]}


@each_list
@pytest.mark.parametrize("query", ["", "?limit="])
def test_a_page_has_ten_rows_unless_asked_otherwise_the_latest_first(
    api: httpx2.Client, path: str, query: str
) -> None:
    created = create(api, 11)

    first = api.get(path + query).json()
    second = api.get(path, params={"offset": first["next_offset"]}).json()

    assert ids(first) == created[:10]
    assert ids(second) == created[10:]
    assert "next_offset" not in second


@each_list
def test_next_offset_is_an_array_of_strings_in_a_string(api: httpx2.Client, path: str) -> None:
    create(api, 2)

    page = api.get(path, params={"limit": 1}).json()

    milliseconds, sequence = json.loads(page["next_offset"])
    assert milliseconds == str(page["list"][0]["order"]["created_at"] * 1000)
    assert sequence.isdigit()


@each_list
def test_a_page_has_up_to_a_hundred_rows(api: httpx2.Client, path: str) -> None:
    created = create(api, 101)

    page = api.get(path, params={"limit": 100}).json()

    assert ids(page) == created[:100]
    assert "next_offset" in page


@each_list
@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("0", "cannot be less than 1"),
        ("-1", "cannot be less than 1"),
        ("101", "cannot be greater than 100"),
        ("ten", "wrong format"),
        ("1.0", "wrong format"),
        ("1_0", "wrong format"),
        ("٣", "wrong format"),
    ],
)
def test_a_limit_outside_1_to_100_is_refused(
    api: httpx2.Client, path: str, limit: str, message: str
) -> None:
    answer = api.get(path, params={"limit": limit})

    assert answer.status_code == 400
    assert answer.json()["message"] == f"limit : {message}"


@each_list
@pytest.mark.parametrize(
    "offset",
    [
        "1",
        "[]",
        '["1"]',
        '["1","2","3"]',
        '["a","b"]',
        '["-1","1"]',
        '[1630848839000,"42903379"]',
        f'["1","{9 * 10**18}"]',
    ],
)
def test_an_offset_that_no_page_gave_is_refused(api: httpx2.Client, path: str, offset: str) -> None:
    answer = api.get(path, params={"offset": offset})

    assert answer.status_code == 400
    assert answer.json()["message"] == "offset : wrong format"


def test_an_offset_with_a_space_after_the_comma_is_read(api: httpx2.Client) -> None:
    created = create(api, 2)
    page = api.get("/orders", params={"limit": 1}).json()

    offset = page["next_offset"].replace(",", ", ")

    assert ids(api.get("/orders", params={"offset": offset}).json()) == created[1:]


@each_list
def test_pages_show_every_order_once_while_orders_are_added(api: httpx2.Client, path: str) -> None:
    created = create(api, 7)
    shown: list[str] = []
    page = api.get(path, params={"limit": 3}).json()
    while "next_offset" in page:
        shown += ids(page)
        create(api, 2)
        page = api.get(path, params={"limit": 3, "offset": page["next_offset"]}).json()
    shown += ids(page)

    assert shown == created
    assert len(ids(api.get(path, params={"limit": 100}).json())) == 11


@each_list
def test_a_full_last_page_has_no_next_page(api: httpx2.Client, path: str) -> None:
    create(api, 4)

    first = api.get(path, params={"limit": 2}).json()
    last = api.get(path, params={"limit": 2, "offset": first["next_offset"]}).json()

    assert len(last["list"]) == 2
    assert "next_offset" not in last


def test_the_orders_of_an_invoice_are_those_of_no_other(api: httpx2.Client) -> None:
    of_first = create(api, 2, "__demo_inv__1")
    of_second = create(api, 3, "__demo_inv__2")

    assert ids(api.get("/invoices/__demo_inv__1/orders").json()) == of_first
    assert ids(api.get("/invoices/__demo_inv__2/orders").json()) == of_second
    assert ids(api.get("/orders").json()) == of_second + of_first


def test_an_unknown_invoice_has_no_list_of_orders(api: httpx2.Client) -> None:
    answer = api.get("/invoices/nothing/orders")

    assert answer.status_code == 404
    assert answer.json()["message"] == "nothing not found"
    assert "param" not in answer.json()
