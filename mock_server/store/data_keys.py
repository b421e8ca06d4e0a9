"""What a site's rows are kept under: its data key, in the column `site` of every table that has it.

A site that is emptied gets a fresh data key, which costs the same however much it holds; the rows
under the old one are `discarded` and removed little by little (`upkeep`). A snapshot is a copy of
the rows under a data key of its own, so it lives in the same tables and is migrated with them.
"""

from __future__ import annotations

import secrets
from typing import Final

from mock_server.store.rows import Rows
from mock_server.wire import errors

DISCARDED: Final = "discarded"
"""The channel that is notified when there is something to remove."""

BATCH: Final = 400
"""Rows that are removed or copied at a time: a few milliseconds, and requests go in between."""

_TOO_LATE: Final = "The server stood still for too long; try again"

_NEXT: Final = """
    SELECT data_key, kept_until FROM discarded
    WHERE kept_until IS NULL OR kept_until < :now LIMIT 1
"""
_RENEW: Final = """
    UPDATE discarded SET kept_until = :until
    WHERE data_key = :data_key AND kept_until IS NOT NULL RETURNING 1
"""
_RELEASE: Final = """
    DELETE FROM discarded WHERE data_key = :data_key AND kept_until IS NOT NULL RETURNING 1
"""
_COLUMNS: Final = """
    SELECT t.name AS "table", c.name AS "column"
    FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
    WHERE t.type = 'table' ORDER BY t.name, c.cid
"""


def first(rows: Rows, site: str) -> str:
    """A data key for a new site: its name, unless rows of a deleted site still have that."""
    return site if rows.find("discarded", data_key=site) is None else fresh(site)


def fresh(site: str) -> str:
    """A data key that nothing of the site ever had."""
    return f"{site}#{secrets.token_hex(8)}"


def site_of(data_key: str) -> str:
    """The name of the site whose data key this is or was."""
    return data_key.partition("#")[0]


def discard(rows: Rows, data_key: str) -> None:
    """Leave what is kept under the data key to `upkeep`; nothing may refer to it any more."""
    rows.replace("discarded", {"data_key": data_key})
    rows.notify(DISCARDED)


def reserve(rows: Rows, data_key: str, until: float) -> None:
    """Count the data key as discarded from then on (in seconds since 1970), and not before."""
    rows.insert("discarded", {"data_key": data_key, "kept_until": until})


def renew(rows: Rows, data_key: str, until: float) -> None:
    """Reserve the data key for longer; ApiError 503 where its rows are being removed already."""
    if not rows.execute(_RENEW, {"data_key": data_key, "until": until}):
        raise errors.temporary(_TOO_LATE)


def release(rows: Rows, data_key: str) -> None:
    """Let something refer to a data key that was reserved; ApiError 503 as of `renew`."""
    if not rows.execute(_RELEASE, {"data_key": data_key}):
        raise errors.temporary(_TOO_LATE)


def next_discarded(rows: Rows, now: float) -> str | None:
    """A data key whose rows are to be removed: nobody can reserve it any more."""
    found = rows.execute(_NEXT, {"now": now})
    if not found:
        return None
    data_key: str = found[0]["data_key"]
    if found[0]["kept_until"] is not None:
        discard(rows, data_key)
    return data_key


def tables(rows: Rows) -> dict[str, list[str]]:
    """The tables that hold rows of sites, with their columns; asked of the database itself."""
    found: dict[str, list[str]] = {}
    for row in rows.execute(_COLUMNS, {}):
        found.setdefault(row["table"], []).append(row["column"])
    return {table: columns for table, columns in found.items() if "site" in columns}
