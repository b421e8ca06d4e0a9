"""What Chargebee's official Python SDK raises for each fault."""

from __future__ import annotations

import http.client
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import httpx2
import pytest

from mock_server.wire import errors
from tests.server import Server, Site

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK imports pkg_resources
    import chargebee
    from chargebee.environment import Environment
    from chargebee.main import ChargeBee

RAISED = {
    None: chargebee.APIError,
    "invalid_request": chargebee.InvalidRequestError,
    "operation_failed": chargebee.OperationFailedError,
    "payment": chargebee.PaymentError,
}

Create: TypeAlias = Callable[..., Any]


@pytest.fixture
def create(server: Server, site: Site, monkeypatch: pytest.MonkeyPatch) -> Create:
    """Make an order on the test's own site with the SDK; keyword arguments are headers."""
    port = server.url.rpartition(":")[2]
    monkeypatch.setattr(Environment, "chargebee_domain", f"1:{port}", raising=False)
    monkeypatch.setattr(Environment, "protocol", "http", raising=False)
    monkeypatch.setattr(ChargeBee, "verify_ca_certs", False, raising=False)
    chargebee.configure("test_key", "127.0.0")

    def created(**headers: str) -> Any:
        sent = {"Host": f"{site.name}.localhost"} | headers
        return chargebee.Order.create({"invoice_id": "__demo_inv__1"}, None, sent).order

    return created


def add(mock: httpx2.Client, **rule: Any) -> None:
    assert mock.post("/faults", json={"operation": "create_an_order", **rule}).status_code == 200


def ids(api: httpx2.Client) -> list[str]:
    return [item["order"]["id"] for item in api.get("/orders").json()["list"]]


@pytest.mark.parametrize("code", errors.CODES)
def test_an_error_raises_the_class_of_its_type(
    create: Create, mock: httpx2.Client, code: str
) -> None:
    status, type = errors.CODES[code]
    add(mock, answer=code)

    with pytest.raises(chargebee.APIError) as raised:
        create()

    error = raised.value
    assert error.__class__ is RAISED[type]
    assert (error.http_status_code, error.api_error_code, error.type) == (status, code, type)


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("api_request_limit_exceeded", chargebee.OperationFailedError),
        ("lock_timeout", chargebee.OperationFailedError),
        ("internal_error", chargebee.OperationFailedError),
        ("site_read_only_mode", chargebee.OperationFailedError),
        ("param_wrong_value", chargebee.InvalidRequestError),
        ("payment_processing_failed", chargebee.PaymentError),
        ("api_authentication_failed", chargebee.APIError),
    ],
)
def test_the_classes_are_those_that_shops_catch(
    create: Create, mock: httpx2.Client, code: str, raised: type[Exception]
) -> None:
    add(mock, answer=code, times=1)

    with pytest.raises(raised):
        create()

    assert create().status == "new"


@pytest.mark.parametrize("after", [False, True])
def test_a_cut_connection_is_a_remote_disconnect(
    create: Create, mock: httpx2.Client, api: httpx2.Client, after: bool
) -> None:
    add(mock, answer="cut", after=after, times=1)

    with pytest.raises(http.client.RemoteDisconnected):
        create()

    assert len(ids(api)) == int(after)


@pytest.mark.parametrize("after", [False, True])
def test_a_half_body_is_an_incomplete_read(
    create: Create, mock: httpx2.Client, api: httpx2.Client, after: bool
) -> None:
    add(mock, answer="half_body", after=after, times=1)

    with pytest.raises(http.client.IncompleteRead):
        create()

    assert len(ids(api)) == int(after)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("answer", ["bad_json", "bad_gateway"])
def test_what_is_no_json_is_the_sdks_general_exception(
    create: Create, mock: httpx2.Client, api: httpx2.Client, answer: str, after: bool
) -> None:
    add(mock, answer=answer, after=after, times=1)

    with pytest.raises(Exception, match="Response not in JSON format") as raised:
        create()

    assert raised.type is Exception
    assert len(ids(api)) == int(after)


def test_a_lost_answer_is_got_again_with_the_idempotency_key(
    create: Create, mock: httpx2.Client, api: httpx2.Client
) -> None:
    add(mock, answer="cut", after=True, times=1)
    key = {"chargebee-idempotency-key": "once"}
    with pytest.raises(http.client.RemoteDisconnected):
        create(**key)

    order = create(**key)

    assert ids(api) == [order.id]


def test_without_the_key_the_order_is_made_twice(
    create: Create, mock: httpx2.Client, api: httpx2.Client
) -> None:
    add(mock, answer="cut", after=True, times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        create()

    create()

    assert len(ids(api)) == 2


def test_the_rate_limit_raises_what_is_caught_to_wait(create: Create, mock: httpx2.Client) -> None:
    assert mock.put("/rate_limit", json={"requests": 1, "seconds": 86_400}).status_code == 200
    create()

    with pytest.raises(chargebee.OperationFailedError) as raised:
        create()

    assert raised.value.http_status_code == 429
    assert raised.value.api_error_code == "api_request_limit_exceeded"
