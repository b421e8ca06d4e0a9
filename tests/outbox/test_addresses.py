"""Where nothing is sent: link-local addresses and the metadata services of clouds."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from mock_server.outbox import address
from mock_server.outbox.delivery import Outcome, Timeouts, WebhookClient
from mock_server.outbox.resolver import Resolver
from mock_server.outbox.trust import Trust
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
    "64:ff9b::169.254.169.254",  # NAT64
    "64:ff9b:1::169.254.169.254",  # of a network's own, by each length of its prefix
    "64:ff9b:1:a9fe:a9:fe00::",
    "64:ff9b:1:a9:fe:a9fe::",
    "64:ff9b:1:7:a9:fea9:fe00:0",
    "2002:a9fe:a9fe::1",  # 6to4
    "2001:0:c633:6401:0:0:5601:5601",  # Teredo, which turns the bits of the client's
    "::169.254.169.254",  # IPv4-compatible
    "::ffff:0:169.254.169.254",  # IPv4-translated
    "2001:db8::5efe:169.254.169.254",  # ISATAP
    "2001:db8::200:5efe:168.63.129.16",
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
    "64:ff9b::127.0.0.1",
    "64:ff9b:1::203.0.113.7",
    "2002:7f00:1::1",
    "2001:0:c633:6401:0:0:80ff:fffe",
    "::127.0.0.1",
    "2001:db8::5efe:10.1.2.3",
]


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every host name have these addresses."""

    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int | None, **wanted: Any) -> list[Any]:
        if wanted["flags"] & socket.AI_NUMERICHOST:
            return real(host, port, **wanted)
        assert wanted == {"type": socket.SOCK_STREAM, "flags": 0}
        return [
            (
                socket.AF_INET6 if ":" in one else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (one, 0, 0, 0) if ":" in one else (one, 0),
            )
            for one in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


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
def test_a_name_with_a_forbidden_address_is_not_called(
    monkeypatch: pytest.MonkeyPatch, ip: str
) -> None:
    names(monkeypatch, "203.0.113.7", ip)

    outcome = sent("http://shop.example/latest/meta-data")

    assert outcome == Outcome(
        f"nothing is sent to shop.example: {ip} is off limits", connected=False
    )


def test_a_name_has_each_of_its_addresses_once(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "127.0.0.1", "::1", "127.0.0.1")

    assert asyncio.run(Resolver().resolve("shop.example", within=5)) == ["127.0.0.1", "::1"]


def endpoint(url: str) -> Row:
    return {"url": url, "basic_auth_username": None, "basic_auth_password": None}


def sent(url: str) -> Outcome:
    async def call() -> Outcome:
        client = WebhookClient(Timeouts(total=5), Trust())
        try:
            return await client.send("a-test", client.request(endpoint(url), b"{}"))
        finally:
            await client.close()

    return asyncio.run(call())


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
            client = WebhookClient(Timeouts(total=5), Trust())
            request = client.request(endpoint(f"http://shop.example:{port}/hook"), b"{}")
            sending = asyncio.create_task(client.send("a-test", request))
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
