"""A page of a list: what a list is asked for, and what the rules hand to the URL space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from mock_server.store.rows import Row
from mock_server.wire.listing import Position, read_offset

_SIZE: Final = 10


class Asked(TypedDict):
    """How many rows, and after which."""

    size: int
    after: Position | None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, the latest first; `last` is the position to go on from, None on the last page."""

    rows: list[Row]
    last: Position | None


def asked(given: Mapping[str, Any]) -> Asked:
    """The page that a list's parameters ask for; ApiError where `offset` is none of ours."""
    return {"size": given.get("limit") or _SIZE, "after": read_offset(given.get("offset"))}
