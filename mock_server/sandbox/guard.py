"""The layer in front of /_mock: a browser runs pages of strangers, and may be made to call here.

No key protects /_mock. A page of another origin cannot read its answers, but it can send it forms
and texts without asking; and a page whose own name leads to this machine by now is of the same
origin.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.wire import errors
from mock_server.wire.errors import ApiError
from mock_server.wire.headers import read_headers
from mock_server.wire.hosts import Environments, is_address, parse_host

ANY: Final = "*"
"""What stands for every host or origin in a list of those that are allowed."""

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_NEVER_PUBLIC: Final = (".internal", ".test")
"""Top-level domains that no name server of the internet answers for."""
_SENT_UNASKED: Final = frozenset(
    {b"", b"application/x-www-form-urlencoded", b"multipart/form-data", b"text/plain"}
)
"""The types of a body that a page may send to any server without asking it first (CORS)."""
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_LONGEST: Final = 200
"""Characters that are quoted of a header."""


class Guard:
    """An ASGI layer that refuses what pages of strangers may send, and keeps answers from frames.

    With `local_only` the host of a call must be a name of this machine: an address, a name without
    a dot, or one under an environment. `hosts` and `origins` are allowed besides.
    """

    def __init__(
        self,
        app: ASGIApp,
        environments: Environments,
        *,
        local_only: bool,
        hosts: Collection[str],
        origins: Collection[str],
    ) -> None:
        self._app = app
        self._environments = environments
        self._local_only = local_only
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        try:
            self._check(scope["method"], read_headers(scope))
        except ApiError as error:
            await JSONResponse(error.body(), error.status)(scope, receive, guarded)
        else:
            await self._app(scope, receive, guarded)

    def _check(self, method: str, headers: Mapping[bytes, bytes]) -> None:
        host = headers.get(b"host", b"")
        if self._local_only:
            self._check_host(parse_host(host))
        if method not in _READING:
            self._check_origin(headers, host)
            _check_type(headers)

    def _check_host(self, name: str) -> None:
        """ApiError 403 where a page may have been given this name to reach this machine."""
        is_local = (
            "." not in name
            or is_address(name)
            or name.endswith(_NEVER_PUBLIC)
            or self._environments.know(name)
        )
        if not is_local and self._hosts.isdisjoint({name, ANY}):
            raise errors.request_blocked(
                f"The server listens on this machine alone, where nobody should call it {name}; "
                f"--allowed-host {name} allows it"
            )

    def _check_origin(self, headers: Mapping[bytes, bytes], host: bytes) -> None:
        """ApiError 403 where the call comes from a page of another origin."""
        if ANY in self._origins:
            return
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if not origin and headers.get(b"sec-fetch-site") == b"cross-site":
            raise errors.request_blocked(
                "A page of another site may not change anything here; "
                f"--allowed-origin '{ANY}' allows it"
            )
        own = host.decode("latin-1").lower()
        if origin and origin.partition("://")[2] != own and origin not in self._origins:
            named = origin[:_LONGEST]
            raise errors.request_blocked(
                f"A page of {named} may not change anything here; "
                f"--allowed-origin {named} allows it"
            )


def _check_type(headers: Mapping[bytes, bytes]) -> None:
    """ApiError 415 where there is a body of a type that any page may send."""
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    content_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if has_body and content_type in _SENT_UNASKED:
        raise errors.unsupported_type(content_type.decode("latin-1"))
