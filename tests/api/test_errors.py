"""Every answer other than 200 under /api/ has Chargebee's body, byte for byte in its order."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.server import Site


def body(
    status: int,
    api_error_code: str,
    error_msg: str,
    *,
    type: str | None = "invalid_request",
    param: str | None = None,
    error_code: str | None = None,
    message: str | None = None,
) -> str:
    """The text of an error, its keys in the order in which Chargebee sends them."""
    keys = {
        "message": message or error_msg,
        "type": type,
        "api_error_code": api_error_code,
        "param": param,
        "error_code": error_code or api_error_code,
        "error_msg": error_msg,
        "error_param": param,
        "http_status_code": status,
    }
    present = {key: value for key, value in keys.items() if value is not None}
    return json.dumps(present, separators=(",", ":"), ensure_ascii=False)


REFUSED = {
    "a required parameter is missing": (
        {"data": {}},
        body(
            400,
            "param_wrong_value",
            "cannot be blank",
            param="invoice_id",
            error_code="param_required",
            message="invoice_id : cannot be blank",
        ),
    ),
    "a value is not one of the allowed": (
        {"data": {"invoice_id": "__demo_inv__1", "status": "lost"}},
        body(
            400,
            "param_wrong_value",
            "The value lost is not one of new, processing, complete, cancelled, voided",
            param="status",
            message="status : The value lost is not one of "
            "new, processing, complete, cancelled, voided",
        ),
    ),
    "a value is too long": (
        {"data": {"invoice_id": "__demo_inv__1", "batch_id": "x" * 51}},
        body(
            400,
            "param_wrong_value",
            "cannot be longer than 50 characters",
            param="batch_id",
            message="batch_id : cannot be longer than 50 characters",
        ),
    ),
    "the id is taken": (
        {"data": {"invoice_id": "__demo_inv__1", "id": "taken"}},
        body(
            400,
            "duplicate_entry",
            "The value taken is already present.",
            param="id",
            error_code="param_not_unique",
            message="id : The value taken is already present.",
        ),
    ),
    "an id that a parameter names is unknown": (
        {"data": {"invoice_id": "nothing"}},
        body(404, "resource_not_found", "nothing not found", param="invoice_id"),
    ),
    "an e-mail address is malformed": (
        {"url": "/orders/taken", "data": {"shipping_address[email]": "ada"}},
        body(
            400,
            "param_wrong_value",
            "wrong format",
            param="shipping_address[email]",
            error_code="wrong_format",
            message="shipping_address[email] : wrong format",
        ),
    ),
    "an id in the path is unknown": (
        {"method": "GET", "url": "/orders/nothing"},
        body(404, "resource_not_found", "nothing not found"),
    ),
    "the path is unknown": (
        {"method": "GET", "url": "/unicorns"},
        body(404, "resource_not_found", "Sorry, we couldn't find that resource"),
    ),
    "the method is not supported": (
        {"method": "DELETE"},
        body(
            405,
            "http_method_not_supported",
            "The method DELETE is not supported here; use GET, POST",
        ),
    ),
    "there is no API key": (
        {"auth": ("", "")},
        body(
            401,
            "api_authentication_failed",
            "Sorry, authentication failed. Invalid api key",
            type=None,
            error_code="api_authentication_invalid_key",
        ),
    ),
    "the key may not write": (
        {"auth": ("test_read_only", "")},
        body(
            403,
            "api_authorization_failed",
            "Sorry, authorization failed. The key does not have the required permissions.",
            type=None,
        ),
    ),
    "the site cannot exist": (
        {"headers": {"Host": "no_such_site-test.localhost"}},
        body(404, "site_not_found", "The site no_such_site-test does not exist", type=None),
    ),
    "the body is of a type that is not read": (
        {"json": {"invoice_id": "__demo_inv__1"}},
        body(
            400,
            "param_wrong_value",
            "cannot be blank",
            param="invoice_id",
            error_code="param_required",
            message="invoice_id : cannot be blank",
        ),
    ),
    "the body is too large": (
        {"data": {"invoice_id": "__demo_inv__1", "note": "x" * 2**20}},
        body(413, "invalid_request", "The request body is longer than 1048576 bytes"),
    ),
    "the idempotency key is taken": (
        {
            "data": {"invoice_id": "__demo_inv__2"},
            "headers": {"chargebee-idempotency-key": "taken"},
        },
        body(
            422,
            "unable_to_process_request",
            "The idempotency key provided has already been used for a different request",
        ),
    ),
}


@pytest.mark.parametrize(("request_", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_an_error_has_chargebees_body(
    api: httpx2.Client, request_: dict[str, Any], expected: str
) -> None:
    api.post(
        "/orders",
        data={"id": "taken", "invoice_id": "__demo_inv__1"},
        headers={"chargebee-idempotency-key": "taken"},
    )

    answer = api.request(**{"method": "POST", "url": "/orders"} | request_)

    assert answer.text == expected
    assert answer.status_code == json.loads(expected)["http_status_code"]
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["x-mock-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/orders", "GET, POST"),
        ("DELETE", "/orders/x", "GET, POST"),
        ("PUT", "/invoices", "GET, POST"),
        ("PATCH", "/invoices/x", "GET"),
        ("POST", "/events/x", "GET"),
        ("GET", "/invoices/charge", "POST"),
        ("OPTIONS", "/customers", "GET, POST"),
    ],
)
def test_a_method_that_a_path_does_not_have_is_refused_with_those_it_has(
    api: httpx2.Client, method: str, path: str, allowed: str
) -> None:
    answer = api.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.json()["api_error_code"] == "http_method_not_supported"


def test_a_head_request_is_a_get_without_its_body(api: httpx2.Client) -> None:
    answer = api.head("/orders")

    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len('{"list":[]}'))
    assert answer.content == b""


def test_a_refused_key_is_told_which_scheme_to_use(site: Site) -> None:
    with site.api("wrong") as api:
        answer = api.get("/orders")

    assert answer.headers["www-authenticate"] == 'Basic realm="Chargebee API"'
