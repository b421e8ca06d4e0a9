"""Who calls, and for which site: the host name and the API key of a request."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, Protocol

from mock_server.clock import Clock
from mock_server.wire import errors

_SITE_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?")
_TEST_SUFFIX: Final = "-test"
_BARE_HOSTS: Final = frozenset({"host.docker.internal", "host.containers.internal"})
"""Names of several labels by which a container reaches its own machine: they name no site."""


_MACHINE: Final = Clock()


@dataclass(frozen=True, slots=True)
class Site:
    """A Chargebee site; `name` is the first label of its host, such as `acme-test`."""

    name: str
    clock: Clock = _MACHINE
    sends_emails: bool = False
    """Whether its e-mails leave; else they are only recorded."""

    @property
    def is_test(self) -> bool:
        return is_test_site(self.name)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What a key may do. `name` is the display name that `created_by` and events show."""

    name: str
    role: str

    @property
    def may_write(self) -> bool:
        return self.role != "read_only_access"


class Directory(Protocol):
    """Where sites and API keys are looked up."""

    def opened_by(self, secret: str) -> str | None:
        """The only site that the key with this secret opens; None for a key that opens any."""

    def api_key(self, site: str, secret: str) -> ApiKey | None:
        """The key that has this secret on the site, if one was declared there."""

    async def site(self, name: str) -> Site:
        """The site of that name, made when it is new; an ApiError where that is not allowed."""


FULL_ACCESS: Final = ApiKey(name="full_access_key_v1", role="full_access")
"""What a `test_` or `live_` key is that nobody declared."""


async def authenticate(directory: Directory, headers: Mapping[bytes, bytes]) -> tuple[Site, ApiKey]:
    """The site and the key of a request; ApiError 401 or 404 where there is none.

    A `test_` key opens test sites only, a `live_` key live sites only.
    """
    secret = _secret(headers.get(b"authorization", b""))
    named = site_of_host(headers.get(b"host", b""))
    opens_test_sites = secret.startswith("test_")
    if not opens_test_sites and not secret.startswith("live_"):
        raise errors.authentication_failed()
    bound = directory.opened_by(secret)
    name = named or bound or default_site(test=opens_test_sites)
    if is_test_site(name) != opens_test_sites or bound not in (None, name):
        raise errors.authentication_failed()
    check_site_name(name)
    site = await directory.site(name)
    return site, directory.api_key(name, secret) or FULL_ACCESS


def check_site_name(name: str) -> None:
    """ApiError 404 where no site can have this name."""
    if not is_site_name(name):
        raise errors.site_not_found(name)


def is_site_name(name: str) -> bool:
    """Whether a site may have this name: the label of a host, of at most 50 characters."""
    return _SITE_NAME.fullmatch(name) is not None


def is_test_site(name: str) -> bool:
    return name.endswith(_TEST_SUFFIX)


def default_site(*, test: bool = True) -> str:
    """The site of a request whose host names none."""
    return "demo-test" if test else "demo"


@lru_cache(maxsize=1024)
def site_of_host(host: bytes) -> str | None:
    """The site that a Host header names by its first label; None for a bare host or an address."""
    name = host.decode("latin-1").lower()
    if name.startswith("["):
        return None
    name = name.rpartition(":")[0] or name
    label, dot, _ = name.rstrip(".").partition(".")
    if not dot or name in _BARE_HOSTS or _is_address(name):
        return None
    return label


@lru_cache(maxsize=1024)
def _secret(authorization: bytes) -> str:
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return ""
    try:
        credentials = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return credentials.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
