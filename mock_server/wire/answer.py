"""Answers as Chargebee sends them: one JSON body, by hand, for speed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic_core import to_json
from starlette.types import Send

from mock_server.wire.errors import ApiError

_CONTENT_TYPE = (b"content-type", b"application/json;charset=utf-8")


async def send_error(send: Send, error: ApiError) -> None:
    headers = [(name.encode(), value.encode()) for name, value in error.headers.items()]
    await send_json(send, error.status, to_json(error.body()), headers)


async def send_json(
    send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Send `body`, which is JSON already."""
    length = (b"content-length", str(len(body)).encode())
    start: dict[str, Any] = {
        "type": "http.response.start",
        "status": status,
        "headers": [_CONTENT_TYPE, length, *headers],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})
