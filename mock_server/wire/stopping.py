"""What becomes of a request that is under way when the server stops: uvicorn cancels it."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.wire import connection, errors


async def answer_unless_stopped(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the application answer; ApiError 503 where the server stops before it has begun to.

    The connection of an answer that had begun is cut. In a test's own process it is the test that
    cancels, which gets its way.
    """
    begun = False

    async def said(message: Message) -> None:
        nonlocal begun
        begun = True
        await send(message)

    try:
        await app(scope, receive, said)
    except asyncio.CancelledError:
        if not connection.is_lent(scope):
            raise
        if not begun:
            raise errors.temporary("The server is stopping") from None
        await connection.cut(scope, receive)
