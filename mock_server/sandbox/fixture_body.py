"""The body of a request that is a fixture: YAML or JSON, with the line of everything in it."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request

from mock_server.resources import fixture
from mock_server.resources.fixture import Fixture, FixtureError
from mock_server.wire.ceiling import raise_ceiling

MAX_BODY: Final = 16 * 1024 * 1024
"""Bytes that a fixture may have."""


async def read_fixture(request: Request) -> Fixture:
    """The fixture that was sent: JSON where the content type says so, else YAML.

    FixtureError where it is neither, ApiError 413 where it is too long.
    """
    raise_ceiling(request.scope, MAX_BODY)
    body = await request.body()
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
