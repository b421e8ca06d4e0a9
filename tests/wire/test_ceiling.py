"""The ceiling for bodies under /_mock, whatever they say of their length."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx2
import pytest

from mock_server.sandbox.body import MAX_BODY
from tests.server import Server


def _pieces(length: int) -> Iterator[bytes]:
    for start in range(0, length, 65_536):
        yield b"a" * min(65_536, length - start)


@pytest.mark.parametrize("path", ["/faults", "/requests/verify", "/webhook_endpoints", "/sites"])
def test_a_body_that_does_not_say_how_long_it_is_is_refused_all_the_same(
    mock: httpx2.Client, path: str
) -> None:
    answer = mock.post(
        path, content=_pieces(20 * 1024 * 1024), headers={"content-type": "application/json"}
    )

    assert answer.status_code == 413
    assert answer.json()["api_error_code"] == "invalid_request"


@pytest.mark.parametrize("declared", [MAX_BODY + 1, 10**15, "9" * 19, f"{10**9:0500}"])
def test_a_body_that_says_it_is_too_long_is_not_asked_for(
    server: Server, declared: int | str
) -> None:
    address = httpx2.URL(server.url)
    assert address.port is not None
    with socket.create_connection((address.host, address.port), timeout=20) as connection:
        connection.sendall(
            b"POST /_mock/faults HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"content-length: %s\r\nexpect: 100-continue\r\n\r\n" % str(declared).encode()
        )

        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_a_route_may_take_more(mock: httpx2.Client) -> None:
    comment = b"#" * (MAX_BODY + 1)

    loaded = mock.post("/seed", content=comment, headers={"content-type": "application/yaml"})

    assert loaded.status_code == 200
