"""What a JSON body under /_mock may hold: not too much of it, and text that can be kept."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field

from mock_server import wildcard

MAX_BODY: Final = 256 * 1024
"""Bytes of a body, unless its route raises the ceiling."""
MAX_VALUES: Final = 1000
"""Values in a body. Each may be wrong in a way of its own, and all mistakes are looked for."""
MAX_DEPTH: Final = 50
"""Levels of objects and lists in a body."""

Text: TypeAlias = Annotated[str, Field(max_length=wildcard.MAX_LENGTH)]
"""A text that is compared with others, which may take as long as the text is."""
Wildcard: TypeAlias = Annotated[Text, Field(description="`*` stands for any characters.")]
"""A `Text` that is a pattern of `wildcard.fits`."""


async def only_small_body(request: Request) -> None:
    """Refuse a body that is full or deep (422), before its values are looked at."""
    if request.scope["route"].body_field is None:
        return
    try:
        body = await request.json()
    except ValueError:  # no JSON, which is said where it is read
        return
    if (reason := _excess(body)) is not None:
        raise RequestValidationError([{"type": "too_long", "loc": ("body",), "msg": reason}])


def _excess(body: Any) -> str | None:
    """What there is too much of in the body; None where it is small enough."""
    level, values = [body], 0
    for _ in range(MAX_DEPTH):
        groups = [group for group in level if isinstance(group, dict | list)]
        values += sum(map(len, groups))
        if values > MAX_VALUES:
            return f"has more than {MAX_VALUES} values"
        if not groups:
            return None
        level = [
            inner
            for group in groups
            for inner in (group.values() if isinstance(group, dict) else group)
        ]
    return f"is nested more than {MAX_DEPTH} levels deep"
