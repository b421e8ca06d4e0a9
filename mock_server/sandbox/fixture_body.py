"""The body of a request that is a fixture: YAML or JSON, with the line of everything in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from fastapi import Request

from mock_server.resources import fixture
from mock_server.resources.fixture import Fixture, FixtureError
from mock_server.wire.ceiling import raise_ceiling

MAX_BODY: Final = 16 * 1024 * 1024
"""Bytes that a fixture may have."""

Result = TypeVar("Result")

_reader: Final = ThreadPoolExecutor(1, thread_name_prefix="fixtures")
"""Reads one fixture at a time, so that others are answered meanwhile, and memory is bounded."""


async def read_fixture(request: Request, check: Callable[[Fixture], Result]) -> Result:
    """What `check` makes of the fixture that was sent: JSON if the content type says so, or YAML.

    FixtureError where it is neither, ApiError 413 where it is too long.
    """
    raise_ceiling(request.scope, MAX_BODY)
    body = await request.body()
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()

    def read() -> Result:
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise FixtureError("is not written in UTF-8") from None
        return check(fixture.read(text, is_json=content_type == "application/json"))

    return await beside(read)


async def beside(work: Callable[[], Result]) -> Result:
    """Do work on a fixture while other requests are answered."""
    return await asyncio.get_running_loop().run_in_executor(_reader, work)


def described(schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    """What OpenAPI says of the body of a route that reads a fixture by itself."""
    media = {"schema": schema}
    content = {"application/json": media, "application/yaml": media}
    return {"requestBody": {"required": required, "content": content}}
