"""What is carried out, and what says that it is not."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from scripts import coverage_page
from tests.server import Server, Site


@pytest.fixture
def v2(site: Site) -> Iterator[httpx2.Client]:
    """A client of API v2, with full access."""
    with site.api() as client:
        client.base_url = httpx2.URL(f"{site.url}/api/v2")
        yield client


def test_the_page_of_coverage_is_that_of_the_application() -> None:
    assert coverage_page.PAGE.read_text("utf-8") == coverage_page.page()


def test_every_operation_of_both_versions_is_in_the_coverage(mock: httpx2.Client) -> None:
    operations = mock.get("/coverage").json()["operations"]

    names = {one["operation"]: one["carried_out"] for one in operations}
    assert len(operations) == len(names) == 104 + 502
    assert names["create_an_order"] is True
    assert names["order.create"] is False
    assert {
        "version": "v1",
        "operation": "list_orders_for_an_invoice",
        "method": "GET",
        "path": "/api/v1/invoices/{invoice-id}/orders",
        "carried_out": True,
    } in operations


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", "/orders", "order.create"),
        ("GET", "/orders/INV/2024/001", "order.retrieve"),
        ("POST", "/orders/x/cancel", "order.cancel"),
        ("HEAD", "/item_prices", "item_price.list"),
    ],
)
def test_what_is_not_carried_out_answers_501_and_is_marked_in_the_journal(
    v2: httpx2.Client, mock: httpx2.Client, method: str, path: str, operation: str
) -> None:
    answer = v2.request(method, path)

    said = f"The sandbox does not carry out {operation} of API v2 yet"
    assert answer.status_code == 501
    if method != "HEAD":
        assert answer.json() == {
            "message": said,
            "type": "operation_failed",
            "api_error_code": "not_implemented",
            "error_code": "not_implemented",
            "error_msg": said,
            "http_status_code": 501,
        }
    assert "/_mock/coverage" in answer.headers["x-mock-remark"]
    (request,) = mock.get("/requests").json()["list"]
    assert request["request"]["operation"] == operation
    assert "; ".join(request["request"]["remarks"]) == answer.headers["x-mock-remark"]


def test_keys_are_asked_before_an_operation_is_found_missing(site: Site, server: Server) -> None:
    with httpx2.Client(base_url=server.url, headers={"Host": f"{site.name}.localhost"}) as client:
        assert client.get("/api/v2/orders").status_code == 401
        read_only = client.post("/api/v2/orders", auth=("test_read_only", ""))
    assert read_only.status_code == 403
