"""Where webhooks may go: anywhere but to the places where a machine keeps its secrets."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
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


_LAST_32_BITS: Final = frozenset(
    int(ip_address(prefix)) >> 32
    for prefix in (
        "::",  # IPv4-compatible
        "::ffff:0:0",  # IPv4-mapped
        "::ffff:0:0:0",  # IPv4-translated
        "64:ff9b::",  # NAT64
    )
)
"""What precedes an IPv4 address in the last 32 bits."""
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""The 32 bits before it in any network that tunnels so."""
_LOCAL_NAT64: Final = int(ip_address("64:ff9b:1::")) >> 80
"""Of NAT64 within a network, whose prefix may be longer than these 48 bits."""


class ForbiddenAddressError(Exception):
    """A host has an address to which nothing is sent; the message names both."""


def is_forbidden(address: str) -> bool:
    """Whether an IP address is link-local or a cloud's metadata service, or wraps one that is.

    False for a host name.
    """
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    wrapped = _wrapped(ip) if isinstance(ip, IPv6Address) else ()
    return any(one.is_link_local or one in _METADATA for one in (ip, *wrapped))


def _wrapped(ip: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 address leads to by one of the ways from one to the other."""
    bits = int(ip)
    if bits >> 32 in _LAST_32_BITS or bits >> 32 & 0xFFFF_FFFF in _ISATAP:
        yield IPv4Address(bits & 0xFFFF_FFFF)
    if ip.sixtofour is not None:
        yield ip.sixtofour
    if ip.teredo is not None:
        yield from ip.teredo
    if bits >> 80 == _LOCAL_NAT64:
        for length in (48, 56, 64, 96):
            yield _embedded(bits, length)


def _embedded(bits: int, prefix: int) -> IPv4Address:
    """The address after a NAT64 prefix of that length; bits 64 to 71 are no part of it."""
    above = 64 - prefix
    if above < 0:
        return IPv4Address(bits & 0xFFFF_FFFF)
    before = (bits >> 64) & ((1 << above) - 1)
    after = (bits >> (24 + above)) & ((1 << (32 - above)) - 1)
    return IPv4Address((before << (32 - above)) | after)
