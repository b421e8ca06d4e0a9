"""Where webhooks may go: anywhere but to the places where a machine keeps its secrets."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv6Address, ip_address
from typing import Final

_METADATA: Final = frozenset(
    ip_address(address)
    for address in (
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure
        "192.0.0.192",  # Oracle Cloud
        "fd00:ec2::254",  # AWS
        "fd20:ce::254",  # Google Cloud
    )
)
"""Metadata services of clouds that do not have a link-local address."""


class ForbiddenAddressError(Exception):
    """A host has an address to which nothing is sent; the message names both."""


def is_forbidden(address: str) -> bool:
    """Whether an IP address is link-local or a cloud's metadata service; False for a host name."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_link_local or ip in _METADATA


async def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a host, each of them allowed.

    Whoever connects must use one of these: a name that is looked up twice may change in between.
    Raises ForbiddenAddressError, or OSError where the name has no address.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    for address in addresses:
        if is_forbidden(address):
            raise ForbiddenAddressError(f"nothing is sent to {host}: {address} is off limits")
    return addresses
