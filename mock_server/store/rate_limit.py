"""A site's limit of requests: a window that slides along the site's clock.

Requests are counted in the database, so several processes keep one limit together.
"""

from __future__ import annotations

import math
from typing import Final

from mock_server.store.rows import Row, Rows

_FORGET: Final = """
    DELETE FROM rate_limit_calls WHERE site = :site AND (at <= :since OR at > :now)
"""
_COUNT: Final = """
    SELECT count(*) AS calls, min(at) AS oldest FROM rate_limit_calls WHERE site = :site
"""


def find(rows: Rows, site: str) -> Row | None:
    """The limit: `requests` in `seconds`; None where the site has none."""
    return rows.find("rate_limits", "requests", "seconds", site=site)


def put(rows: Rows, site: str, requests: int, seconds: int) -> None:
    """Limit the site; what was asked of it before does not count."""
    remove(rows, site)
    rows.insert("rate_limits", {"site": site, "requests": requests, "seconds": seconds})


def remove(rows: Rows, site: str) -> None:
    """Take the limit away, if there is one."""
    rows.delete("rate_limits", site=site)
    rows.delete("rate_limit_calls", site=site)


def take(rows: Rows, site: str, now: float) -> int | None:
    """Count a request at `now`; where it is one too many, whole seconds until there is room.

    A request that is refused does not count. What a clock that was set back left in its future is
    forgotten.
    """
    limit = find(rows, site)
    if limit is None:
        return None
    since = now - limit["seconds"]
    rows.execute(_FORGET, {"site": site, "since": since, "now": now})
    (window,) = rows.execute(_COUNT, {"site": site})
    if window["calls"] >= limit["requests"]:
        wait: float = window["oldest"] - since
        return max(1, math.ceil(wait))
    rows.insert("rate_limit_calls", {"site": site, "at": now})
    return None
