"""New ids on a site, within the transaction that keeps what they name."""

from __future__ import annotations

from typing import Final

from mock_server.store.rows import Rows
from mock_server.wire import ids
from mock_server.wire.auth import Site

_COUNT: Final = """
    UPDATE sites SET ids_made = coalesce(ids_made, 0) + 1 WHERE name = :name RETURNING ids_made
"""


def new_id(rows: Rows, site: Site, prefix: str = "") -> str:
    """An id that the site does not have, after its prefix (`ev_`).

    With an id seed, ids follow from it and from how many were made before; without one they are
    like no others.
    """
    if site.id_seed is not None:
        counted = rows.execute(_COUNT, {"name": site.name})
        if counted:  # else the site was deleted meanwhile
            number = counted[0]["ids_made"] - 1
            return ids.seeded(site.id_seed).id(number, site.clock.now(), prefix)
    return ids.new_id(site.clock.now(), prefix)
