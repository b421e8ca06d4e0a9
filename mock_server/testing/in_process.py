"""The server inside the test's own process, called through ASGI without a port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx2

from mock_server.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message

_URL: Final = "http://127.0.0.1"


@asynccontextmanager
async def in_process(
    api_key: str = "test_key", **settings: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a server with these settings, in memory unless they name a database.

    `/api/v1/…` and `/_mock/…` are called by their paths. RuntimeError where it does not start.
    """
    from mock_server.app import build  # the plugin is loaded by test runs that never come here

    app = build(Settings(**{"database": ":memory:", **settings}))
    async with (
        _lifespan(app),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url=_URL, auth=(api_key, "")
        ) as client,
    ):
        yield client


@asynccontextmanager
async def _lifespan(app: ASGIApp) -> AsyncIterator[None]:
    """Run the application's lifespan, as a server does."""
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    running = asyncio.ensure_future(app({"type": "lifespan"}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    started = await from_app.get()
    if started["type"] != "lifespan.startup.complete":
        await running
        raise RuntimeError(started.get("message", "chargebee-mock did not start"))
    try:
        yield
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await from_app.get()
        await running
