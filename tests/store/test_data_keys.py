"""Data keys: whatever a site holds, in whichever table, is copied, left behind and removed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table
from sqlmodel import SQLModel

from mock_server.resources.webhook_endpoint import EndpointsOfTheRun
from mock_server.store import data_keys, snapshots, tables, upkeep
from mock_server.store.database import Database, open_database
from mock_server.store.rows import Row, Rows
from mock_server.store.sites import Sites, find_site
from mock_server.store.upkeep import Upkeep
from mock_server.wire.hosts import Environments

HELD = sorted(name for name, table in SQLModel.metadata.tables.items() if "site" in table.c)
ROWS = 2 * upkeep.BATCH + 1
NAME = "acme-test"


@pytest.fixture
def opened(database: Path) -> Iterator[Database]:
    with closing(open_database(str(database))) as usable:
        yield usable


@pytest.fixture
def sites(opened: Database) -> Sites:
    """A directory whose sites start with nothing."""
    return Sites(
        opened,
        lambda rows, site, now, seed: None,
        EndpointsOfTheRun([], limited=True),
        Environments(),
        strict=False,
        limit=100,
        send_emails=False,
    )


def _any_row(table: Table, number: int, site: str) -> Row:
    """A row of the site with something in each column."""
    values: dict[str, Any] = {}
    for column in table.c:
        if column.name != "seq":
            numeric = column.type.python_type in (int, float, bool)
            values[column.name] = number if numeric else f"v{number}"
    return values | {"site": site}


def _filled(count: int) -> dict[str, int]:
    """How many rows each table has of a site that was filled so far."""
    tables = SQLModel.metadata.tables
    single = {name for name in HELD if list(tables[name].primary_key) == [tables[name].c.site]}
    return {name: min(count, 1) if name in single else count for name in HELD}


def _fill(rows: Rows, site: str, count: int) -> None:
    for name, wanted in _filled(count).items():
        table = SQLModel.metadata.tables[name]
        rows.insert_all(name, [_any_row(table, number, site) for number in range(wanted)])


def _held(database: Database, site: str) -> dict[str, int]:
    return {
        name: database.read(
            lambda rows, name=name: len(  # type: ignore[misc]
                rows.execute(f"SELECT 1 FROM {name} WHERE site = :site", {"site": site})
            )
        )
        for name in HELD
    }


def _in_all(database: Database) -> dict[str, int]:
    return {
        name: database.read(
            lambda rows, name=name: rows.execute(  # type: ignore[misc]
                f"SELECT count(*) AS n FROM {name}", {}
            )[0]["n"]
        )
        for name in HELD
    }


async def _purge(database: Database) -> None:
    """Run the purge until nothing is discarded."""
    purge = asyncio.create_task(Upkeep(database).run())
    async with asyncio.timeout(20):
        while database.read(lambda rows: rows.execute("SELECT * FROM discarded", {})):
            await asyncio.sleep(0.001)
    purge.cancel()
    await asyncio.gather(purge, return_exceptions=True)


def test_every_table_of_sites_is_meant() -> None:
    assert tables.OrderRow.__tablename__ in HELD
    assert tables.SnapshotRow.__tablename__ not in HELD


def test_a_reset_leaves_nothing_in_any_table_and_purge_removes_it(
    opened: Database, sites: Sites
) -> None:
    async def work() -> None:
        for name in (NAME, "other-test"):
            await sites.create(name, None)
        await opened.write(lambda rows: _fill(rows, NAME, ROWS))
        await opened.write(lambda rows: _fill(rows, "other-test", 3))
        assert _held(opened, NAME) == _filled(ROWS)

        await sites.reset(NAME)

        assert _held(opened, NAME) == dict.fromkeys(HELD, 0)
        assert _in_all(opened) == {name: _filled(ROWS)[name] + _filled(3)[name] for name in HELD}
        await _purge(opened)
        assert _in_all(opened) == _filled(3)
        assert _held(opened, "other-test") == _filled(3)

    asyncio.run(work())


def test_a_snapshot_has_every_table_but_what_was_asked_of_the_site(
    opened: Database, sites: Sites
) -> None:
    async def work() -> None:
        await sites.create(NAME, None)
        await opened.write(lambda rows: _fill(rows, NAME, 3))
        with opened.view() as view:
            await snapshots.take(opened, view, find_site(view, NAME), "s", 0)
        await sites.reset(NAME)
        await _purge(opened)

        await sites.restore(NAME, "s")

        left_out = {"requests": 0, "idempotency_holds": 0}
        assert _held(opened, NAME) == _filled(3) | left_out

    asyncio.run(work())


def test_a_reset_that_fails_changes_nothing(opened: Database, sites: Sites) -> None:
    async def work() -> None:
        await sites.create(NAME, None)
        await opened.write(lambda rows: _fill(rows, NAME, 3))

        def fail(rows: Rows) -> None:
            data_keys.discard(rows, find_site(rows, NAME)["data_key"])
            rows.update("sites", {"data_key": data_keys.fresh(NAME)}, name=NAME)
            rows.forget_data_keys()
            assert rows.find("orders", site=NAME, id="v0") is None
            raise KeyError("a mistake")

        # In one transaction with another write, that must not see the undone data key.
        failed, after = await asyncio.gather(
            opened.write(fail),
            opened.write(lambda rows: rows.find("orders", site=NAME, id="v0")),
            return_exceptions=True,
        )
        assert isinstance(failed, KeyError)
        assert isinstance(after, dict)
        assert _held(opened, NAME) == _filled(3)

    asyncio.run(work())


def test_a_site_made_anew_sees_nothing_of_the_deleted_one(opened: Database, sites: Sites) -> None:
    async def work() -> None:
        await sites.create(NAME, None)
        await opened.write(lambda rows: _fill(rows, NAME, ROWS))
        await sites.delete(NAME)

        await sites.site(NAME)

        assert _held(opened, NAME) == dict.fromkeys(HELD, 0)
        await opened.write(lambda rows: _fill(rows, NAME, 1))
        await _purge(opened)
        assert _in_all(opened) == dict.fromkeys(HELD, 1)

    asyncio.run(work())
