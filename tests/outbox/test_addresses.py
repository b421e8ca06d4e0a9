"""Where nothing is sent: link-local addresses and the metadata services of clouds."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from mock_server.outbox import address
from mock_server.outbox.delivery import Outcome, WebhookClient
from mock_server.store.rows import Row

FORBIDDEN = [
    "169.254.169.254",
    "169.254.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fe80::1",
    "fe80::1%eth0",
    "febf::ffff%2",
    "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::ffff:168.63.129.16",
]
ALLOWED = [
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.17.0.1",
    "192.168.1.2",
    "100.64.0.1",
    "203.0.113.7",
    "::1",
    "::ffff:127.0.0.1",
    "fd00::1",
    "2001:db8::1",
]


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every host name have these addresses."""

    async def getaddrinfo(self: Any, host: str, port: int, **wanted: Any) -> list[Any]:
        assert wanted == {"type": socket.SOCK_STREAM}
        return [
            (
                socket.AF_INET6 if ":" in one else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (one, port, 0, 0) if ":" in one else (one, port),
            )
            for one in addresses
        ]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("ip", FORBIDDEN)
def test_a_link_local_or_metadata_address_is_forbidden(ip: str) -> None:
    assert address.is_forbidden(ip)


@pytest.mark.parametrize("ip", ALLOWED)
def test_loopback_private_and_public_addresses_are_allowed(ip: str) -> None:
    assert not address.is_forbidden(ip)


@pytest.mark.parametrize("name", ["metadata.google.internal", "localhost", "shop.example", ""])
def test_a_name_is_judged_by_its_addresses_not_by_itself(name: str) -> None:
    assert not address.is_forbidden(name)


@pytest.mark.parametrize("ip", FORBIDDEN)
def test_a_name_with_a_forbidden_address_is_not_resolved(
    monkeypatch: pytest.MonkeyPatch, ip: str
) -> None:
    names(monkeypatch, "203.0.113.7", ip)

    with pytest.raises(address.ForbiddenAddressError) as refused:
        asyncio.run(address.resolve("shop.example", 80))

    assert str(refused.value) == f"nothing is sent to shop.example: {ip} is off limits"


def test_a_name_has_each_of_its_addresses_once(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "127.0.0.1", "::1", "127.0.0.1")

    assert asyncio.run(address.resolve("shop.example", 80)) == ["127.0.0.1", "::1"]


def endpoint(url: str) -> Row:
    return {"url": url, "basic_auth_username": None, "basic_auth_password": None}


def sent(url: str) -> Outcome:
    async def call() -> Outcome:
        client = WebhookClient(timeout=5)
        try:
            return await client.send(client.request(endpoint(url), b"{}"))
        finally:
            await client.close()

    return asyncio.run(call())


def test_a_name_that_turns_out_to_be_a_metadata_service_is_not_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names(monkeypatch, "169.254.169.254")

    outcome = sent("http://shop.example/latest/meta-data")

    assert outcome == Outcome(
        "nothing is sent to shop.example: 169.254.169.254 is off limits", connected=False
    )


@pytest.mark.parametrize("host", ["2852039166", "0xa9fea9fe", "169.254.43518"])
def test_a_metadata_service_in_disguise_is_not_called(host: str) -> None:
    outcome = sent(f"http://{host}/latest/meta-data")

    assert not outcome.connected
    assert outcome.failure is not None
    assert outcome.failure.endswith(": 169.254.169.254 is off limits")


def test_the_address_that_was_checked_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        names(monkeypatch, "127.0.0.1")
        port = listener.getsockname()[1]

        async def call() -> bytes:
            client = WebhookClient(timeout=5)
            request = client.request(endpoint(f"http://shop.example:{port}/hook"), b"{}")
            sending = asyncio.create_task(client.send(request))
            loop = asyncio.get_running_loop()
            connection, _ = await loop.run_in_executor(None, listener.accept)
            with connection:
                head = await loop.run_in_executor(None, connection.recv, 65_536)
            await sending
            await client.close()
            return head

        head = asyncio.run(call())

    assert head.startswith(b"POST /hook HTTP/1.1\r\n")
    assert f"host: shop.example:{port}\r\n".encode() in head.lower()
