"""The ceiling for the bodies of requests, which holds before they are in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.wire import errors

_CEILING: Final = "chargebee_mock.ceiling"
_LONGEST_LENGTH: Final = 20
"""Digits of a Content-Length that are worth reading."""


@dataclass(slots=True)
class _Ceiling:
    limit: int


class BodyCeiling:
    """An ASGI layer. Whoever reads more than `limit` bytes of a body meets an ApiError 413.

    A body that says beforehand that it is longer is not read at all. `raise_ceiling` lets a route
    read more.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ceiling = scope[_CEILING] = _Ceiling(self._limit)
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        received = 0

        async def bounded() -> Message:
            nonlocal received
            if received == 0 and exceeds(declared, ceiling.limit):
                raise errors.body_too_large(ceiling.limit)
            message = await receive()
            received += len(message.get("body", b""))
            if received > ceiling.limit:
                raise errors.body_too_large(ceiling.limit)
            return message

        await self._app(scope, bounded, send)


def raise_ceiling(scope: Scope, limit: int) -> None:
    """Let this request have a body of up to `limit` bytes; to be called before it is read."""
    scope[_CEILING].limit = limit


def exceeds(declared: bytes, limit: int) -> bool:
    """Whether a Content-Length says more than `limit`; what is no number says nothing."""
    digits = declared.lstrip(b"0") or b"0"
    return digits.isdigit() and (len(digits) > _LONGEST_LENGTH or int(digits) > limit)
