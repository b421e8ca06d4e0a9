"""Drafts: rows copied a few at a time are there at once, or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from mock_server.store import data_keys, drafts
from mock_server.store.data_keys import BATCH
from mock_server.store.database import Database, open_database
from mock_server.store.drafts import Draft, copy, draft
from mock_server.store.idempotency import check_free, hold
from mock_server.store.rows import Row, Rows
from mock_server.store.upkeep import Upkeep
from mock_server.wire.errors import ApiError

ROWS = 2 * BATCH + 1


@pytest.fixture(params=["file", "memory"])
def opened(request: pytest.FixtureRequest, database: Path) -> Iterator[Database]:
    name = ":memory:" if request.param == "memory" else str(database)
    with closing(open_database(name)) as usable:
        asyncio.run(
            usable.write(lambda rows: rows.insert_all("emails", [*map(_email, range(ROWS))]))
        )
        yield usable


def _email(number: int, site: str = "source") -> Row:
    needed = ("event_id", "recipient", "subject", "body", "email_status")
    return {"site": site, "id": f"em_{number}", "created_at": 1, **dict.fromkeys(needed, "x")}


def _ids(rows: Rows, data_key: str) -> list[str]:
    found = rows.values("SELECT id FROM emails WHERE site = ? ORDER BY seq", data_key)
    return [id for (id,) in found]


async def _copied(database: Database) -> Draft:
    with database.view() as view:
        begun = Draft(database, "target")
        await copy(view, "source", begun)
    return begun


async def _kept_up(database: Database) -> None:
    """Let the upkeep run for a moment."""
    upkeep = asyncio.create_task(Upkeep(database).run())
    await asyncio.sleep(0.2)
    upkeep.cancel()
    with suppress(asyncio.CancelledError):
        await upkeep


def test_what_is_adopted_is_a_copy_of_what_there_was_at_the_beginning(opened: Database) -> None:
    async def work() -> str:
        with opened.view() as view:
            await opened.write(lambda rows: rows.insert("emails", _email(-1)))
            await opened.write(lambda rows: rows.delete("emails", site="source", id="em_0"))
            async with draft(opened, "target") as target:
                await copy(view, "source", target)
                await opened.write(target.adopt)
        await _kept_up(opened)
        return target.data_key

    data_key = asyncio.run(work())

    assert opened.read(lambda rows: _ids(rows, data_key)) == [f"em_{n}" for n in range(ROWS)]
    assert opened.read(lambda rows: rows.values("SELECT * FROM discarded")) == []


def test_a_copy_holds_no_idempotency_key_for_a_request_that_is_under_way(opened: Database) -> None:
    async def work() -> str:
        await opened.write(lambda rows: hold(rows, "source", "k", "req_1", 0.0, 60.0))
        with opened.view() as view:
            async with draft(opened, "target") as target:
                await copy(view, "source", target)
                await opened.write(target.adopt)
        return target.data_key

    data_key = asyncio.run(work())

    opened.read(lambda rows: check_free(rows, data_key, "k", "req_2", 1.0))


def test_a_draft_that_fails_leaves_nothing(opened: Database) -> None:
    async def work() -> str:
        with opened.view() as view:
            async with draft(opened, "target") as target:
                await copy(view, "source", target)
                raise KeyError(target.data_key)

    with pytest.raises(KeyError) as failed:
        asyncio.run(work())
    asyncio.run(_kept_up(opened))

    data_key = failed.value.args[0]
    assert opened.read(lambda rows: _ids(rows, data_key)) == []
    assert opened.read(lambda rows: rows.values("SELECT * FROM discarded")) == []


def test_a_draft_of_a_server_that_died_is_removed_after_its_time(
    opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = asyncio.run(_copied(opened))
    asyncio.run(_kept_up(opened))
    assert len(opened.read(lambda rows: _ids(rows, left.data_key))) == 2 * BATCH

    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    asyncio.run(_kept_up(opened))

    assert opened.read(lambda rows: _ids(rows, left.data_key)) == []


def test_a_draft_whose_time_is_over_is_not_adopted(
    opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "_KEPT_FOR", -1.0)
    late = asyncio.run(_copied(opened))
    asyncio.run(opened.write(lambda rows: data_keys.next_discarded(rows, time.time())))

    with pytest.raises(ApiError, match="stood still for too long"):
        asyncio.run(opened.write(late.adopt))

    asyncio.run(_kept_up(opened))
    assert opened.read(lambda rows: _ids(rows, late.data_key)) == []
