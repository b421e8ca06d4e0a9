"""Paths: how ids and slashes are read, and what is said of a path that leads nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import Server, Site

NOT_FOUND = "Sorry, we couldn't find that resource"
ID = "INV/2024/001"


@pytest.fixture
def client(server: Server, site: Site) -> Iterator[httpx2.Client]:
    """A client of the whole server, as the site's host."""
    host = {"Host": f"{site.name}.localhost"}
    with httpx2.Client(base_url=server.url, headers=host, auth=("test_key", "")) as client:
        yield client


def journalled(mock: httpx2.Client, answer: httpx2.Response) -> dict[str, Any]:
    found = mock.get(f"/requests/{answer.headers['x-mock-request-id']}", params={"site": "*"})
    request: dict[str, Any] = found.json()["request"]
    return request


def invoice(id: str) -> dict[str, Any]:
    given = {"id": id, "customer_id": "__demo_cus__1", "status": "paid", "start_date": 0}
    return {"invoices": [given | {"currency_code": "EUR", "sub_total": 0}]}


@pytest.mark.parametrize("sent", [ID, f"/{ID}/", "INV%2F2024%2F001", "INV%2f2024/001"])
def test_an_id_may_hold_slashes(api: httpx2.Client, mock: httpx2.Client, sent: str) -> None:
    mock.post("/seed", json=invoice(ID))
    created = api.post("/orders", data={"id": ID, "invoice_id": ID}).json()

    assert api.get(f"/orders/{sent}").json() == created
    assert api.post(f"/orders/{sent}", data={"note": "x"}).json()["order"]["note"] == "x"
    assert len(api.get(f"/invoices/{sent}/orders").json()["list"]) == 1
    assert api.get(f"/invoices/{sent}").json()["invoice"]["id"] == ID


@pytest.mark.parametrize(("sent", "remarked"), [(ID, False), ("INV%2F2024%2F001", True)])
def test_an_escaped_slash_is_remarked_upon(api: httpx2.Client, sent: str, remarked: bool) -> None:
    answer = api.get(f"/orders/{sent}")

    assert answer.json()["message"] == f"{ID} not found"
    assert ("escaped slash" in answer.headers.get("x-mock-remark", "")) == remarked


def test_a_slip_after_an_id_is_told(api: httpx2.Client, client: httpx2.Client) -> None:
    update = api.post("/orders/o1/cancle", data={"note": "x"})
    elsewhere = client.post("/api/v1/invoices/i1/cancle")
    unsupported = client.post("/api/v1/invoices/i1/orders")

    assert update.json()["message"] == "o1/cancle not found"
    assert update.headers["x-mock-remark"] == "the id is taken to be o1/cancle"
    assert (elsewhere.status_code, elsewhere.json()["message"]) == (404, NOT_FOUND)
    assert elsewhere.headers["x-mock-remark"] == "API v1 has no path /invoices/i1/cancle"
    assert unsupported.status_code == 405


@pytest.mark.parametrize("path", ["/orders/", "//orders", "/orders//", "/orders/?limit=1"])
def test_empty_segments_do_not_count(site: Site, api: httpx2.Client, path: str) -> None:
    assert api.get(f"{site.url}/api/v1{path}").json() == {"list": []}


@pytest.mark.parametrize(
    ("path", "remark"),
    [
        ("/api/v3/orders", "there is no API v3, only v1 and v2; did you mean /api/v1/orders?"),
        ("/api/v1/item_prices", "has no path /item_prices; did you mean /api/v2/item_prices?"),
        ("/api/v1/unicorns/x", "API v1 has no path /unicorns/x"),
        ("/api/v1/api/v1/orders", "has no path /api/v1/orders; did you mean /api/v1/orders?"),
        ("/api/v1", "API v1 has no path /"),
        ("/api/v1/", "API v1 has no path /"),
        ("/api/orders", "after /api comes the version: v1 and v2; did you mean /api/v1/orders?"),
        ("/api/", "after /api comes the version: v1 and v2"),
        ("/api/V1/orders", "there is no API V1, only v1 and v2; did you mean /api/v1/orders?"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_of_an_unknown_path_of_the_api_the_remark_says_what_was_meant(
    client: httpx2.Client, mock: httpx2.Client, path: str, remark: str, method: str
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == 404
    assert answer.json() == {
        "message": NOT_FOUND,
        "type": "invalid_request",
        "api_error_code": "resource_not_found",
        "error_code": "resource_not_found",
        "error_msg": NOT_FOUND,
        "http_status_code": 404,
    }
    assert answer.headers["x-mock-remark"].endswith(remark)
    request = journalled(mock, answer)
    assert (request["method"], request["path"], request["status"]) == (method, path, 404)
    assert request["remarks"] == [answer.headers["x-mock-remark"]]


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/v1/orders", "/api/v1/orders"),
        ("/API/v1/orders", "/api/v1/orders"),
        ("/orders/x%20y", "/api/v1/orders/x%20y"),
        ("/chargebee/api/v1/orders", "/api/v1/orders"),
        ("/", None),
        ("/favicon.ico", None),
        ("/_mocks/health", None),
        ("//_mock/health", None),
        ("/" * 500, None),
        ("/a" * 5000, None),
    ],
)
def test_of_any_other_path_the_message_says_where_the_api_is(
    server: Server, client: httpx2.Client, mock: httpx2.Client, path: str, meant: str | None
) -> None:
    answer = client.get(f"{server.url}{path}")

    assert answer.status_code == 404
    assert answer.json()["api_error_code"] == "resource_not_found"
    message = answer.json()["message"]
    assert message.startswith(f"There is nothing at {path[:200]}; Chargebee's API is at /api/v1")
    assert message.endswith(f"; did you mean {meant}?" if meant else "/_mock/docs")
    assert journalled(mock, answer)["path"] == path


def test_a_call_of_our_own_interface_that_there_is_not_is_not_journalled(
    client: httpx2.Client,
) -> None:
    for path in ("/_mock", "/_mock/", "/_mock/unicorns"):
        answer = client.get(path)

        assert answer.status_code == 404
        assert "x-mock-request-id" not in answer.headers


def test_a_request_outside_the_api_is_a_line_of_the_log(database: Path) -> None:
    with Server(database, "--log-level", "info") as server:
        httpx2.get(f"{server.url}/v1/orders")

    assert "GET /v1/orders 404" in server.said
