"""The body of a request that is a fixture: YAML or JSON, with the line of everything in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from fastapi import Request

from mock_server.resources import fixture
from mock_server.resources.fixture import Fixture, FixtureError
from mock_server.wire.ceiling import raise_ceiling

MAX_BODY: Final = 16 * 1024 * 1024
"""Bytes that a fixture may have."""

Result = TypeVar("Result")

_MOST_BODIES: Final = 4
"""Bodies that are in memory at once. More than one, so that a slow client holds up nobody."""


class FixtureReader:
    """Works on one fixture at a time, while other requests are answered; so memory is bounded."""

    def __init__(self) -> None:
        self._bodies = asyncio.Semaphore(_MOST_BODIES)
        self._free = asyncio.Lock()

    async def read(self, request: Request, check: Callable[[Fixture], Result]) -> Result:
        """What `check` makes of the fixture that was sent: JSON if its content type is, or YAML.

        FixtureError where it is neither, ApiError 413 where it is too long.
        """
        raise_ceiling(request.scope, MAX_BODY)
        async with self._bodies:
            body = await request.body()
            return await self.work(lambda: check(_fixture(request, body)))

    async def work(self, work: Callable[[], Result]) -> Result:
        """What the work on a fixture returns, or raises."""
        outcome: Future[Result] = Future()

        def carry_out() -> None:
            outcome.set_running_or_notify_cancel()
            try:
                outcome.set_result(work())
            except Exception as error:
                outcome.set_exception(error)

        async with self._free:
            # One that is no daemon would keep a process alive that is to stop.
            threading.Thread(target=carry_out, name="fixture", daemon=True).start()
            return await asyncio.wrap_future(outcome)


def _fixture(request: Request, body: bytes) -> Fixture:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FixtureError("is not written in UTF-8") from None
    return fixture.read(text, is_json=content_type == "application/json")


def described(schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    """What OpenAPI says of the body of a route that reads a fixture by itself."""
    media = {"schema": schema}
    content = {"application/json": media, "application/yaml": media}
    return {"requestBody": {"required": required, "content": content}}
