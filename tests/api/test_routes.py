"""Routes: whatever is in its ids, a path leads to its own template."""

from __future__ import annotations

import re
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.api import v1
from mock_server.api.routes import MOST_SLASHES, Match, Routes

TEMPLATES = sorted(
    {operation.known.path for operation in v1.OPERATIONS}
    | {
        "/orders/{order-id}/cancel",
        "/invoices/{invoice-id}/line_items/{line-item-id}",
        "/invoices/{invoice-id}/line_items/{line-item-id}/orders",
        "/{kind}/{id}/notes",
    }
)
ROUTES = Routes({template: template for template in TEMPLATES})

segments = st.sampled_from(["orders", "cancel", "charge", "line_items", "notes", "INV", "é", "2 %"])
ids = st.lists(segments, min_size=1, max_size=4).map("/".join)


def find(path: bytes) -> Match[str] | None:
    return ROUTES.find(path, lambda template: True)


def fits(template: str, path: str, an_id: str) -> bool:
    pattern = re.sub(r"\\{[^}]*}", an_id, re.escape(template))
    return re.fullmatch(pattern, path) is not None


@given(st.sampled_from(TEMPLATES), st.data())
def test_a_filled_template_leads_to_itself_unless_another_fits_as_well(
    template: str, data: st.DataObject
) -> None:
    path = re.sub(r"{[^}]*}", lambda _: data.draw(ids), template)
    fitting = [other for other in TEMPLATES if fits(other, path, ".+")]
    plain = [other for other in TEMPLATES if fits(other, path, "[^/]+")]

    found = find(quote(path).encode())

    assert found is not None
    assert found.target in (plain or fitting)
    assert found.target == path or path not in TEMPLATES
    filled = iter(found.ids)
    assert re.sub(r"{[^}]*}", lambda _: next(filled), found.target) == path


@given(st.lists(segments, max_size=6).map("/".join))
def test_what_fits_no_template_leads_nowhere(path: str) -> None:
    found = find(quote(path).encode())

    assert (found is None) == (not any(fits(one, f"/{path}", ".+") for one in TEMPLATES))


@pytest.mark.parametrize(
    ("path", "template", "ids"),
    [
        ("/orders", "/orders", ()),
        ("//orders///", "/orders", ()),
        ("/orders/", "/orders", ()),
        ("/%6Frders/a%2Fb", "/orders/{order-id}", ("a/b",)),
        ("/invoices/charge", "/invoices/charge", ()),
        ("/invoices/charge/orders", "/invoices/{invoice-id}/orders", ("charge",)),
        ("/orders/INV/2024/001", "/orders/{order-id}", ("INV/2024/001",)),
        ("/orders/a/cancel", "/orders/{order-id}/cancel", ("a",)),
        ("/orders/a/cancel/b", "/orders/{order-id}", ("a/cancel/b",)),
        ("/orders/a/b/cancel", "/orders/{order-id}/cancel", ("a/b",)),
        ("/invoices/a/orders/orders", "/invoices/{invoice-id}/orders", ("a/orders",)),
        (
            "/invoices/a/line_items/b/line_items/c",
            "/invoices/{invoice-id}/line_items/{line-item-id}",
            ("a", "b/line_items/c"),
        ),
    ],
)
def test_a_path_leads_to_one_template(path: str, template: str, ids: tuple[str, ...]) -> None:
    found = find(path.encode())

    assert found is not None
    assert (found.target, found.ids) == (template, ids)


def test_an_id_has_several_segments_only_where_the_request_is_taken() -> None:
    taken = ["/orders/{order-id}", "/invoices/{invoice-id}/orders"]

    def found(path: bytes) -> Match[str] | None:
        return ROUTES.find(path, taken.__contains__)

    assert found(b"/orders/o1/cancle") == Match(taken[0], ("o1/cancle",), joined=True)
    assert found(b"/invoices/i/1/orders") == Match(taken[1], ("i/1",), joined=True)
    assert found(b"/invoices/i/1") is None
    assert found(b"/invoices/i") == Match("/invoices/{invoice-id}", ("i",))


@pytest.mark.parametrize("path", ["", "/", "/unicorns", "/Orders", "/a" * 31_000])
def test_a_path_that_there_is_not_leads_nowhere(path: str) -> None:
    assert find(path.encode()) is None


@pytest.mark.parametrize("segment", ["line_items", "orders", "x"])
def test_no_path_takes_long(segment: str) -> None:
    path = f"/invoices{f'/{segment}' * (MOST_SLASHES - 1)}".encode()

    start = time.perf_counter()
    for _ in range(10):
        find(path)

    assert time.perf_counter() - start < 1
