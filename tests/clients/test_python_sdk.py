"""Chargebee's official Python SDK that speaks v1, pointed at the sandbox."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tests.server import Server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK imports pkg_resources
    import chargebee
    from chargebee.environment import Environment
    from chargebee.main import ChargeBee


@pytest.fixture
def sdk(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    port = server.url.rpartition(":")[2]
    monkeypatch.setattr(Environment, "chargebee_domain", f"1:{port}", raising=False)
    monkeypatch.setattr(Environment, "protocol", "http", raising=False)
    monkeypatch.setattr(ChargeBee, "verify_ca_certs", False, raising=False)
    chargebee.configure("test_key", "127.0.0")
    return chargebee


def test_every_order_operation_works(sdk: Any) -> None:
    created = sdk.Order.create({"invoice_id": "__demo_inv__3", "note": "Fragile"}).order
    updated = sdk.Order.update(created.id, {"status": "complete"}).order
    retrieved = sdk.Order.retrieve(created.id).order
    listed = sdk.Order.list({"limit": 1})
    of_invoice = sdk.Order.orders_for_invoice("__demo_inv__3", {"limit": 1})

    assert created.status == "new"
    assert (updated.status, retrieved.status, retrieved.note) == ("complete", "complete", "Fragile")
    assert len(listed) == 1
    assert of_invoice[0].order.invoice_id == "__demo_inv__3"


@pytest.mark.parametrize(
    ("parameters", "status", "code", "param"),
    [
        ({}, 400, "param_wrong_value", "invoice_id"),
        ({"invoice_id": "nowhere"}, 404, "resource_not_found", "invoice_id"),
        ({"invoice_id": "__demo_inv__1", "status": "lost"}, 400, "param_wrong_value", "status"),
    ],
)
def test_a_refused_order_is_an_invalid_request(
    sdk: Any, parameters: dict[str, str], status: int, code: str, param: str
) -> None:
    with pytest.raises(sdk.InvalidRequestError) as refused:
        sdk.Order.create(parameters)

    error = refused.value
    assert (error.http_status_code, error.api_error_code, error.param) == (status, code, param)


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        ("nonsense", 401, "api_authentication_failed"),
        ("test_read_only", 403, "api_authorization_failed"),
    ],
)
def test_a_key_that_may_not_is_the_general_error(
    sdk: Any, key: str, status: int, code: str
) -> None:
    sdk.configure(key, "127.0.0")

    with pytest.raises(sdk.APIError) as refused:
        sdk.Order.create({"invoice_id": "__demo_inv__1"})

    assert (refused.value.http_status_code, refused.value.api_error_code) == (status, code)
