"""Named copies of a site's rows and state, to which it can be brought back any number of times."""

from __future__ import annotations

import json
from typing import Final

from mock_server.store import data_keys
from mock_server.store.rows import Row, Rows, read_json
from mock_server.wire import errors

_IDENTITY: Final = frozenset({"name", "created_at", "data_key", "api_key", "seed", "id_seed"})
"""Columns of a site that say what it is; the others hold its state."""


def take(rows: Rows, site: Row, name: str, now: int) -> None:
    """Copy what the site (its row) holds, in the place of an earlier snapshot of that name."""
    if rows.find("snapshots", of_site=site["name"], name=name) is not None:
        delete(rows, site["name"], name)
    data_key = data_keys.fresh(site["name"])
    data_keys.copy(rows, site["data_key"], data_key)
    state = {column: value for column, value in site.items() if column not in _IDENTITY}
    rows.insert(
        "snapshots",
        {
            "of_site": site["name"],
            "name": name,
            "data_key": data_key,
            "state": json.dumps(state),
            "created_at": now,
        },
    )


def restore(rows: Rows, site: Row, name: str) -> None:
    """Give the site (its row) a copy of what the snapshot holds."""
    snapshot = find(rows, site["name"], name)
    data_key = data_keys.fresh(site["name"])
    data_keys.copy(rows, snapshot["data_key"], data_key)
    data_keys.discard(rows, site["data_key"])
    state = read_json(snapshot["state"], dict) | {"data_key": data_key}
    rows.update("sites", state, name=site["name"])
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
