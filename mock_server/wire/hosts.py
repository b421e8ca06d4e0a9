"""The host that a request was sent to, and the site that it names."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Final

ENVIRONMENTS: Final = ("chargebee.com", "localhost")
"""The domains under which a host names a site, wherever the server runs."""

_LONGEST: Final = 253
"""Characters of a domain name; a longer host is none."""
_REMEMBERED: Final = 1024
"""Hosts whose site is remembered; each request asks for it twice."""


class Environments:
    """The domains whose hosts name a site: `{site}.{environment}`, as in `acme-test.localhost`.

    The site is the first label. Labels may follow it before the environment, as Chargebee puts
    some of its services there: `acme-test.ingest.chargebee.com` is a host of `acme-test`.
    """

    def __init__(self, further: tuple[str, ...] = ()) -> None:
        """`further` are domains besides `ENVIRONMENTS`."""
        self._names = frozenset({*ENVIRONMENTS, *(domain.lower() for domain in further)})
        self._suffixes = tuple(f".{name}" for name in self._names)
        self._sites = lru_cache(_REMEMBERED)(self._find_site)

    def site_of(self, host: bytes) -> str | None:
        """The site that a Host header names; None for a bare, a foreign or no name."""
        return (self._sites if len(host) <= _LONGEST else self._find_site)(host)

    def _find_site(self, host: bytes) -> str | None:
        name = parse_host(host)
        if not self.know(name) or name in self._names:
            return None
        return name.partition(".")[0] or None

    def know(self, name: str) -> bool:
        """Whether a host of this name is one of an environment, or an environment itself."""
        return name in self._names or name.endswith(self._suffixes)


def parse_host(host: bytes) -> str:
    """The name or address in a Host header, in small letters; "" where there is none.

    Port, brackets and the dot at the end of a complete domain name are left out.
    """
    name = host.decode("latin-1").strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    name = name.partition(":")[0].removesuffix(".")
    return name if len(name) <= _LONGEST else ""


def is_address(name: str) -> bool:
    """Whether a host is an IP address and no name."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
