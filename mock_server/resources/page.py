"""A page of a list, as the rules hand it to the URL space."""

from __future__ import annotations

from dataclasses import dataclass

from mock_server.store.rows import Row
from mock_server.wire.listing import Position


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, the latest first; `last` is the position to go on from, None on the last page."""

    rows: list[Row]
    last: Position | None
