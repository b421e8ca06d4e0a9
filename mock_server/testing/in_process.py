"""The server inside the test's own process, called through ASGI without a port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx2

from mock_server.settings import Settings

_URL: Final = "http://127.0.0.1"


@asynccontextmanager
async def in_process(
    api_key: str = "test_key", **settings: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a server with these settings, in memory unless they name a database.

    `/api/v1/…` and `/_mock/…` are called by their paths. Raises what `app.build` and the
    application's lifespan raise where it does not start.
    """
    from mock_server.app import build  # the plugin is loaded by test runs that never come here

    app = build(Settings(**{"database": ":memory:", **settings}))
    async with (
        app.lifespan(),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app.asgi), base_url=_URL, auth=(api_key, "")
        ) as client,
    ):
        yield client
