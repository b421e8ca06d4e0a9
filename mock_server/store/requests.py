"""The journal's rows: the latest, within a number of requests and of bytes.

What is beyond is dropped some at a time, for a request may be a hundred times as long as another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

from mock_server.store.database import Database
from mock_server.store.rows import Row, Rows

_AT_ONCE: Final = 50
"""Requests that are dropped in a transaction: ten megabytes at most."""
_OVERHEAD: Final = 200
"""Bytes of a row beside its texts."""

_DROP: Final = """
    DELETE FROM requests WHERE seq IN (
        SELECT seq FROM requests WHERE {condition} ORDER BY {order} LIMIT :most
    ) RETURNING 1
"""
_BEYOND_COUNT: Final = _DROP.format(
    condition="seq <= (SELECT max(seq) FROM requests) - :kept", order="seq"
)
_BEYOND_BYTES: Final = _DROP.format(
    condition="position <= (SELECT max(position) FROM requests) - :kept", order="position, seq"
)
_OF_SITE: Final = _DROP.format(condition="site = :site AND seq <= :last", order="created_at, seq")


class Bounds(NamedTuple):
    """How many of the latest requests are kept, and how many bytes of them."""

    requests: int
    bytes: int


def keep(rows: Rows, requests: list[Row]) -> None:
    """Add requests to those of all sites."""
    ((position,),) = rows.values("SELECT coalesce(max(position), 0) FROM requests")
    for request in requests:
        position += _size(request)
        request["position"] = position
    rows.insert_all("requests", requests)


def drop_some(rows: Rows, bounds: Bounds) -> bool:
    """Drop some of the earliest requests that are beyond the bounds; whether there may be more."""
    for statement, kept in ((_BEYOND_COUNT, bounds.requests), (_BEYOND_BYTES, bounds.bytes)):
        if len(rows.execute(statement, {"kept": kept, "most": _AT_ONCE})) == _AT_ONCE:
            return True
    return False


async def forget(database: Database, site: str) -> int:
    """Drop the requests that the site has by now; how many there were."""
    ((last,),) = database.read(lambda rows: rows.values("SELECT max(seq) FROM requests"))
    where = {"site": site, "last": last, "most": _AT_ONCE}
    forgotten = 0
    while dropped := len(await database.write(lambda rows: rows.execute(_OF_SITE, where))):
        forgotten += dropped
        await asyncio.sleep(0)
    return forgotten


def _size(request: Mapping[str, object]) -> int:
    texts = (value for value in request.values() if isinstance(value, str))
    return _OVERHEAD + sum(len(text) if text.isascii() else len(text.encode()) for text in texts)
