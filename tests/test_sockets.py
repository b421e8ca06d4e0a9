"""Listening on one family of addresses or both, and what the address is then called."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2
import pytest

from mock_server import sockets
from tests.ports import free_port, has_ipv6
from tests.server import Server

CREATE = socket.create_server


ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@contextmanager
def _listening(host: str, port: int = 0) -> Iterator[list[tuple[str, int]]]:
    """The addresses that are listened on."""
    with ExitStack() as opened:
        listeners = sockets.listen_on(host, port)
        for listener in listeners:
            opened.enter_context(listener)
        yield [listener.getsockname()[:2] for listener in listeners]


def _failing(number: int, fails: Callable[[str, int], bool]) -> Callable[..., socket.socket]:
    """`socket.create_server` that refuses some addresses."""

    def create(address: tuple[str, int], **given: Any) -> socket.socket:
        if fails(*address):
            raise OSError(number, "refused by the test")
        return CREATE(address, **given)

    return create


@ipv6
@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("localhost", ["127.0.0.1", "::1"]),
        ("LocalHost", ["127.0.0.1", "::1"]),
        ("::", ["0.0.0.0", "::"]),
    ],
)
def test_both_families_have_the_same_port(host: str, addresses: list[str]) -> None:
    with _listening(host) as found:
        assert [address for address, _ in found] == addresses
        assert len({port for _, port in found}) == 1


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.2", "0.0.0.0", pytest.param("::1", marks=ipv6)]
)
def test_an_address_is_listened_on_alone(host: str) -> None:
    with _listening(host) as found:
        assert [address for address, _ in found] == [host]


@pytest.mark.parametrize("host", ["localhost", "::"])
@pytest.mark.parametrize("number", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT])
def test_a_family_that_the_machine_does_not_have_is_left_out(
    monkeypatch: pytest.MonkeyPatch, host: str, number: int
) -> None:
    monkeypatch.setattr(
        socket, "create_server", _failing(number, lambda address, port: ":" in address)
    )

    with _listening(host) as found:
        assert [":" in address for address, _ in found] == [False]


def test_an_address_that_was_asked_for_is_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        socket, "create_server", _failing(errno.EADDRNOTAVAIL, lambda address, port: True)
    )

    for host in ("::1", "127.0.0.1", "localhost"):
        with pytest.raises(OSError, match="refused by the test"):
            sockets.listen_on(host, 0)


@ipv6
def test_a_free_port_is_free_on_both_families(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def is_taken(address: str, port: int) -> bool:
        if address == "::1" and len(taken) < 3:
            taken.append(port)
            return True
        return False

    monkeypatch.setattr(socket, "create_server", _failing(errno.EADDRINUSE, is_taken))

    with _listening("localhost") as found:
        assert found[0][1] == found[1][1]
        assert len(taken) == 3


@ipv6
def test_a_port_that_another_has_on_one_family_is_in_use() -> None:
    port = free_port()
    with (
        CREATE(("::1", port), family=socket.AF_INET6),
        pytest.raises(OSError, match=os.strerror(errno.EADDRINUSE)),
    ):
        sockets.listen_on("localhost", port)

    CREATE(("127.0.0.1", port)).close()  # nothing was left open


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost", "http://127.0.0.1:1"),
        ("::", "http://127.0.0.1:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("127.0.0.2", "http://127.0.0.2:1"),
        ("::1", "http://[::1]:1"),
        ("mock.example.com", "http://mock.example.com:1"),
    ],
)
def test_a_server_is_called_at_an_address_that_this_machine_finds(host: str, url: str) -> None:
    assert sockets.url_at(host, 1) == url


@ipv6
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_by_default_the_server_answers_at_localhost_however_it_resolves(
    server: Server, host: str
) -> None:
    port = httpx2.URL(server.url).port

    assert server.url == f"http://127.0.0.1:{port}"
    assert httpx2.get(f"http://{host}:{port}/_mock/health").status_code == 200
