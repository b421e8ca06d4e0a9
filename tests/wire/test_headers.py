"""Headers as they may stand on the wire: white space around a value is no part of it."""

from __future__ import annotations

import socket

import httpx2
import pytest

from tests.server import Site

BODY = b"invoice_id=__demo_inv__1"


def post_order(site: Site, headers: dict[str, str]) -> bytes:
    """The answer to an order whose headers are sent with blanks and tabs around their values."""
    url = httpx2.URL(site.url)
    all_headers = {
        "host": f"{site.name}.localhost",
        "authorization": "Basic dGVzdF9rZXk6",  # test_key
        "content-type": "application/x-www-form-urlencoded",
        "content-length": str(len(BODY)),
        "connection": "close",
    } | headers
    lines = [f"{name}:\t {value} \t" for name, value in all_headers.items()]
    head = "\r\n".join(["POST /api/v1/orders HTTP/1.1", *lines, "", ""]).encode()
    with socket.create_connection((url.host, url.port or 80), timeout=30) as connection:
        connection.sendall(head + BODY)
        answer = b""
        while received := connection.recv(65536):
            answer += received
    return answer


def test_a_request_is_read_as_if_there_were_none(site: Site, mock: httpx2.Client) -> None:
    answer = post_order(site, {})

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"x-mock-remark" not in answer
    (request,) = mock.get("/requests").json()["list"]
    assert request["request"]["params"] == {"invoice_id": "__demo_inv__1"}


def test_a_directive_is_followed(site: Site, mock: httpx2.Client) -> None:
    directives = {
        "chargebee-event-webhook": "all-disabled",
        "chargebee-event-email": "all-disabled",
        "chargebee-request-origin-user-encoded": "YWRh",
        "chargebee-request-origin-device": "a  phone",
    }

    answer = post_order(site, directives)

    assert b"x-mock-remark" not in answer
    assert mock.get("/webhooks").json() == mock.get("/emails").json() == {"list": []}
    (event,) = mock.get("/events").json()["list"]
    assert event["event"]["origin_user"] == "ada"
    assert event["event"]["origin_device"] == "a  phone"


def test_a_length_of_any_number_of_digits_is_read(site: Site) -> None:
    answer = post_order(site, {"content-length": f"{len(BODY):05000}"})

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_an_idempotency_key_is_the_same_key(site: Site, api: httpx2.Client) -> None:
    post_order(site, {"chargebee-idempotency-key": "k" * 100})
    key = {"chargebee-idempotency-key": "k" * 100}

    again = api.post("/orders", content=BODY, headers=key)

    assert again.headers["chargebee-idempotency-replayed"] == "true"


@pytest.mark.parametrize("name", ["x-run", "X-Run"])
def test_a_fault_and_a_verification_see_the_same_value(
    site: Site, mock: httpx2.Client, name: str
) -> None:
    mock.post("/faults", json={"headers": {name: "42"}, "answer": "internal_error"})

    answer = post_order(site, {"x-run": "42"})

    assert answer.startswith(b"HTTP/1.1 500 ")
    verified = mock.post("/requests/verify", json={"headers": {name: "42"}})
    assert verified.json()["verified"] is True
