"""The connection under a request, where no server lends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive, Scope

from mock_server.wire import connection


async def _never() -> Message:
    raise AssertionError("nothing is awaited")


@pytest.mark.parametrize("end", [connection.cut, connection.hang_up])
@pytest.mark.parametrize("scope", [{"type": "http"}, {"type": "http", "state": {}}])
def test_a_caller_in_the_same_process_gets_an_exception(
    end: Callable[[Scope, Receive], Awaitable[None]], scope: Scope
) -> None:
    async def called() -> None:
        await end(scope, _never)

    with pytest.raises(ConnectionAbortedError, match="cut by a fault"):
        asyncio.run(called())
