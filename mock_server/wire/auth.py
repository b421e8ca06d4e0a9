"""Who calls, and for which site: the host name and the API key of a request."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from mock_server.clock import Clock
from mock_server.wire import errors

_SITE_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?")
MAX_SECRET: Final = 100
"""Characters of an API key that a fixture declares."""

_LONGEST_REMEMBERED: Final = 256
"""Bytes of an Authorization header whose key is remembered."""

_TEST_SUFFIX: Final = "-test"

_MACHINE: Final = Clock()


@dataclass(frozen=True, slots=True)
class Site:
    """A Chargebee site; `name` is the first label of its host, such as `acme-test`."""

    name: str
    clock: Clock = _MACHINE
    sends_emails: bool = False
    """Whether its e-mails leave; else they are only recorded."""
    id_seed: str | None = None
    """What its ids come from; None where they are to be like no others."""

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

    def named_by(self, host: bytes) -> str | None:
        """The site that a Host header names; None where it names none."""

    def opened_by(self, secret: str) -> str | None:
        """The only site that the key with this secret opens; None for a key that opens any."""

    def exists(self, site: str) -> bool:
        """Whether there is a site of that name."""

    def api_key(self, site: str, secret: str) -> ApiKey | None:
        """The key that has this secret on the site, if one was declared there."""

    async def site(self, name: str) -> Site:
        """The site of that name, made when it is new; an ApiError where that is not allowed."""


FULL_ACCESS: Final = ApiKey(name="full_access_key_v1", role="full_access")
"""What a `test_` or `live_` key is that nobody declared."""


async def authenticate(directory: Directory, headers: Mapping[bytes, bytes]) -> tuple[Site, ApiKey]:
    """The site and the key of a request; ApiError 401 or 404 where there is none.

    The site is the one that the host names, else the only one that the key opens, else the default
    one. A `test_` key opens test sites only, a `live_` key live sites only.
    """
    named = directory.named_by(headers.get(b"host", b""))
    try:
        secret = _secret_in(headers.get(b"authorization"))
        opens_test_sites = _opens_test_sites(secret)
        bound = directory.opened_by(secret)
        name = named or bound or default_site(test=opens_test_sites)
        _check_opens(name, bound, test=opens_test_sites)
    except _RefusedError as refused:
        found = f"the host names the site {named}" if named else "the host names no site"
        raise errors.authentication_failed(f"{found}; {refused}") from None
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


class _RefusedError(Exception):
    """Why a key is refused; it says nothing of the key that would give it away."""


def _secret_in(authorization: bytes | None) -> str:
    """The API key: the user name of Basic authentication."""
    if authorization is None:
        raise _RefusedError("no API key was sent")
    return (_remembered if len(authorization) <= _LONGEST_REMEMBERED else _secret)(authorization)


def _secret(authorization: bytes) -> str:
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        raise _RefusedError("the Authorization header is not of the scheme Basic")
    try:
        credentials = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise _RefusedError("the Authorization header is not Base64 of UTF-8") from None
    secret = credentials.partition(":")[0]
    if " " in secret or not secret.isprintable():
        raise _RefusedError("the key holds white space or a control character")
    return secret


_remembered = lru_cache(maxsize=1024)(_secret)


def _opens_test_sites(secret: str) -> bool:
    """Whether the key is one of test sites, else of live ones."""
    if not secret:
        raise _RefusedError("the user name of Basic authentication, which is the key, is empty")
    if not secret.startswith(("test_", "live_")):
        raise _RefusedError("the key starts neither with test_ nor with live_")
    return secret.startswith("test_")


def _check_opens(site: str, bound: str | None, *, test: bool) -> None:
    """Refuse a key that does not open the site; `bound` is the only one that it opens, if any."""
    if bound not in (None, site):
        raise _RefusedError(f"the key opens {bound} alone")
    if is_test_site(site) != test:
        kind, prefix = ("live", "test_") if test else ("test", "live_")
        raise _RefusedError(f"that is a {kind} site, and the key starts with {prefix}")
