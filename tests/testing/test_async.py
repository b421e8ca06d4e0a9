"""The handles awaited: a receiver on the test's own loop is answered while a call is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from mock_server.testing import (
    AsyncSite,
    CallError,
    NoAnswerError,
    Site,
    VerificationError,
    create_site,
)
from tests.server import Server
from tests.testing.loop_receiver import loop_receiver


@pytest.fixture
def site(server: Server) -> Iterator[Site]:
    with create_site(server.url) as site:
        yield site


def test_a_receiver_on_the_loop_is_answered_while_the_clock_advances(site: Site) -> None:
    async def month() -> list[Any]:
        mine = AsyncSite.of(site)
        async with loop_receiver(503, 503, 503) as (url, events):
            await mine.webhooks.deliver_to(url)
            await mine.clock.freeze()
            await mine.orders.create()
            await mine.clock.advance(days=1)
            return events

    events = asyncio.run(month())

    assert len(events) == 4
    assert len({event["id"] for event in events}) == 1


def test_every_call_is_awaited_under_its_own_name(site: Site) -> None:
    async def use() -> None:
        mine = AsyncSite.of(site)
        await mine.orders.create(id="kept")
        taken = await mine.snapshot()
        await mine.orders.update("kept", status="voided")
        await taken.restore()
        assert (await mine.orders.retrieve("kept"))["status"] == "new"
        assert [order["id"] for order in await mine.orders.list()] == ["kept"]
        assert len(await mine.events.list()) == len(await mine.emails.list()) == 1
        assert len(await mine.requests.verify(operation="list_orders", count=1)) == 1
        assert "GET /api/v1/orders" in await mine.requests.told()
        await mine.clock.freeze(0)
        assert await mine.clock.now == 0
        fixture = await mine.export()
        await mine.reset()
        await mine.seed(fixture)
        assert len(await mine.orders.list()) == 1

    asyncio.run(use())


def test_what_is_refused_is_raised_where_it_is_awaited(site: Site) -> None:
    async def use() -> None:
        mine = AsyncSite.of(site)
        with pytest.raises(CallError, match="answered 404"):
            await mine.orders.retrieve("nobody")
        with pytest.raises(VerificationError, match="expected 7 calls"):
            await mine.requests.verify(operation="create_an_order", count=7)
        with pytest.raises(NoAnswerError, match="got no answer"):
            await AsyncSite("http://127.0.0.1:9", "none", "none").orders.list()

    asyncio.run(use())


def test_a_site_is_gone_after_its_async_with(server: Server) -> None:
    site = create_site(server.url)

    async def use() -> None:
        async with AsyncSite.of(site) as mine:
            await mine.orders.create()

    asyncio.run(use())
    site.close()
    assert httpx2.get(f"{server.url}/_mock/sites/{site.name}").status_code == 404
