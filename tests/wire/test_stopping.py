"""A stop meets requests before their answers, within them, and in a test's own process."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest
from starlette.types import Message, Receive, Scope, Send

from mock_server.wire import connection
from mock_server.wire.errors import ApiError
from mock_server.wire.stopping import answer_unless_stopped

START: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}


async def stop(transport: Mock | None, *begun: Message) -> list[Message]:
    """Cancel an application that has said this much; all that was sent of its answer."""
    sent: list[Message] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        for message in begun:
            await send(message)
        await asyncio.sleep(300)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"state": connection.lend({}, transport) if transport else {}}
    task = asyncio.create_task(answer_unless_stopped(application, scope, receive, send))
    await asyncio.sleep(0)
    task.cancel()
    await task
    return sent


def test_a_request_without_an_answer_is_told() -> None:
    transport = Mock()

    with pytest.raises(ApiError, match="The server is stopping"):
        asyncio.run(stop(transport))

    transport.abort.assert_not_called()


def test_an_answer_that_has_begun_is_cut_and_no_second_one_begins() -> None:
    transport = Mock()

    assert asyncio.run(stop(transport, START)) == [START]
    transport.abort.assert_called_once_with()


@pytest.mark.parametrize("begun", [[], [START]])
def test_a_test_that_cancels_its_own_call_gets_its_way(begun: list[Message]) -> None:
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stop(None, *begun))
