"""Named copies of a site's rows and state, to which it can be brought back any number of times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from mock_server.store import data_keys
from mock_server.store.database import Database
from mock_server.store.drafts import Draft, copy, draft
from mock_server.store.rows import Row, Rows, read_json
from mock_server.wire import errors

IDENTITY: Final = frozenset({"name", "created_at", "data_key", "api_key", "seed", "id_seed"})
"""Columns of a site that say what it is; the others hold its state."""


async def take(database: Database, view: Rows, site: Row, name: str, now: int) -> None:
    """Keep what the site (its row) holds in the view, in the place of one of that name."""
    state = {column: value for column, value in site.items() if column not in IDENTITY}
    async with draft(database, site["name"]) as held:
        await copy(view, site["data_key"], held)
        await database.write(lambda rows: put(rows, site["name"], name, held, state, now))


def put(
    rows: Rows, site: str, name: str, held: Draft, state: Mapping[str, object], now: int
) -> None:
    """Make a snapshot of a draft, with the site's state, in the place of one of that name."""
    if rows.find("sites", "name", name=site) is None:  # it was deleted meanwhile
        raise errors.site_not_found(site)
    if rows.find("snapshots", of_site=site, name=name) is not None:
        delete(rows, site, name)
    held.adopt(rows)
    rows.insert(
        "snapshots",
        {
            "of_site": site,
            "name": name,
            "data_key": held.data_key,
            "state": json.dumps(state),
            "created_at": now,
        },
    )


def give(rows: Rows, site: Row, held: Draft, state: str) -> None:
    """Give the site (its row) a copy of what a snapshot holds, and its `state`."""
    held.adopt(rows)
    data_keys.discard(rows, site["data_key"])
    columns = read_json(state, dict) | {"data_key": held.data_key}
    rows.update("sites", columns, name=site["name"])
    rows.forget_data_keys()


def find(rows: Rows, site: str, name: str) -> Row:
    """The snapshot's row; ApiError 404 where there is none."""
    row = rows.find("snapshots", of_site=site, name=name)
    if row is None:
        raise errors.resource_not_found(name)
    return row


def delete(rows: Rows, site: str, name: str) -> None:
    data_keys.discard(rows, find(rows, site, name)["data_key"])
    rows.delete("snapshots", of_site=site, name=name)


def delete_all(rows: Rows, site: str) -> None:
    """Remove every snapshot of the site."""
    for snapshot in rows.all("snapshots", of_site=site):
        delete(rows, site, snapshot["name"])
