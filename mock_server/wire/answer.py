"""Answers as Chargebee sends them: its headers and one JSON body, by hand, for speed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from pydantic_core import to_json
from starlette.types import Scope, Send

from mock_server.wire import errors
from mock_server.wire.call import trace_of
from mock_server.wire.errors import ApiError

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]

_SUCCESS: Final = (b"content-type", b"application/json;charset=utf-8")
_ERROR: Final = (b"content-type", b"application/json;charset=UTF-8")
_ON_ALL: Final = (
    (b"cache-control", b"no-store, no-cache, must-revalidate"),
    (b"pragma", b"no-cache"),
    (b"server", b"ChargeBee"),
)
_ON_GET: Final = (_ON_ALL[0], (b"expires", b"Thu, 01 Jan 1970 00:00:00 UTC"), *_ON_ALL[1:])

_log = logging.getLogger("chargebee_mock")


def answer_headers(method: str, status: int, length: int) -> list[tuple[bytes, bytes]]:
    """The headers of a JSON answer of `length` bytes to a request of that method, in order."""
    return [
        _SUCCESS if status == 200 else _ERROR,
        (b"content-length", str(length).encode()),
        *(_ON_GET if method in ("GET", "HEAD") else _ON_ALL),
    ]


async def send_error(scope: Scope, send: Send, error: ApiError) -> None:
    headers = [(name.encode(), value.encode()) for name, value in error.headers.items()]
    await send_json(scope, send, error.status, to_json(error.body()), headers)


async def send_internal_error(scope: Scope, send: Send) -> None:
    """Answer that something failed which should not, and log the exception that is handled."""
    request_id = trace_of(scope).request_id
    _log.exception("request %s failed", request_id)
    await send_error(scope, send, errors.internal_error(request_id))


async def send_json(
    scope: Scope, send: Send, status: int, body: bytes, headers: Headers = ()
) -> None:
    """Answer the request of the scope with `body`, which is JSON already."""
    start: dict[str, Any] = {
        "type": "http.response.start",
        "status": status,
        "headers": [*answer_headers(scope["method"], status, len(body)), *headers],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})
