"""The connection under a request, for whoever must break it.

ASGI has no word for it: the server lends each request its transport, in the scope's state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from starlette.types import Receive, Scope

_TRANSPORT: Final = "chargebee_mock.transport"


def lend(state: Mapping[str, Any], transport: asyncio.Transport) -> dict[str, Any]:
    """The state of a connection's requests, with its transport."""
    return {**state, _TRANSPORT: transport}


def is_lent(scope: Scope) -> bool:
    """Whether there is a connection; not where the application is called in its own process."""
    return _TRANSPORT in scope.get("state", {})


async def cut(scope: Scope, receive: Receive) -> None:
    """End the connection at once, and return when it is gone.

    ConnectionAbortedError where there is none: the application is called in its own process.
    """
    _transport(scope).abort()
    await _gone(receive)


async def hang_up(scope: Scope, receive: Receive) -> None:
    """End the connection once what was sent is on its way; otherwise like `cut`."""
    _transport(scope).close()
    await _gone(receive)


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport | None = scope.get("state", {}).get(_TRANSPORT)
    if transport is None:
        raise ConnectionAbortedError("the connection was cut by a fault")
    return transport


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
