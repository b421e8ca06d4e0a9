"""The handles of `mock_server.testing`, for tests of any framework; and the server in-process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mock_server.testing import (
    CallError,
    MockServer,
    Site,
    VerificationError,
    WebhookReceiver,
    create_site,
    in_process,
)
from tests.server import Server


@pytest.fixture
def mine(server: Server) -> Iterator[Site]:
    """A site by the handles, on the server that all tests share."""
    with create_site(server.url) as site:
        yield site


def test_a_server_starts_gives_sites_and_stops() -> None:
    with MockServer("--strict-sites") as server, server.site("acme-test") as site:
        assert site.base_url == f"{server.url}/api/v1"
        assert site.name == "acme-test"
        assert site.orders.create()["status"] == "new"
        url = server.url

    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)


def test_a_site_is_gone_after_its_test(server: Server) -> None:
    with create_site(server.url) as site:
        path = f"{server.url}/_mock/sites/{site.name}"
        assert httpx2.get(path).status_code == 200

    assert httpx2.get(path).status_code == 404


def test_a_server_that_cannot_start_says_why() -> None:
    with pytest.raises(RuntimeError, match="did not start: Error: cannot read the seed nowhere"):
        MockServer("--seed", "nowhere.yaml").start()


def test_orders_are_made_changed_and_read(mine: Site) -> None:
    order = mine.orders.create(id="o-1", note="Ring twice")
    changed = mine.orders.update("o-1", status="complete", shipping_address={"city": "Oslo"})

    assert order["note"] == "Ring twice"
    assert changed["status"] == "complete"
    assert mine.orders.retrieve("o-1") == changed
    assert mine.orders.list() == [changed]


def test_a_refusal_is_an_error_with_status_and_body(mine: Site) -> None:
    with pytest.raises(CallError, match="invoice_id") as refused:
        mine.orders.create(invoice_id="")

    assert refused.value.status == 400
    assert refused.value.body["error_code"] == "param_required"


def test_records_are_listed_whole_whatever_their_number(mine: Site) -> None:
    for _ in range(3):
        mine.orders.create()

    (first, *_) = mine.events.list(limit=2)
    assert len(mine.events.list(limit=2)) == len(mine.emails.list()) == 3
    assert first["event_type"] == "order_created"
    assert mine.webhooks.list(event_id=first["id"])[0]["payload"]["id"] == first["id"]


def test_a_receiver_gets_what_is_delivered_resent_and_retried(mine: Site) -> None:
    with WebhookReceiver() as receiver:
        endpoint = mine.webhooks.deliver_to(receiver.url)
        receiver.answer_with(500, 200, 200)
        mine.orders.create()
        receiver.wait_for(1)
        retried = mine.webhooks.retry_now()
        (webhook,) = mine.webhooks.list(webhook_endpoint_id=endpoint["id"])
        mine.webhooks.resend(webhook["id"])

        assert len(receiver.wait_for(3)) == 3
    assert retried["statuses"] == {"succeeded": 1}
    assert len(mine.webhooks.retrieve(webhook["id"])["delivery_attempts"]) == 3


def test_a_receiver_says_what_stayed_out() -> None:
    with WebhookReceiver() as receiver, pytest.raises(AssertionError, match="0 of 1 webhooks of"):
        receiver.wait_for(1, event_type="order_created", within=0.05)


def test_the_clock_is_moved(mine: Site) -> None:
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)

    mine.clock.freeze(noon)
    assert mine.orders.create()["created_at"] == noon.timestamp()
    mine.clock.advance(hours=6)
    assert mine.clock.now == noon.timestamp() + 6 * 3600
    mine.clock.set(noon)
    assert mine.clock.now == noon.timestamp()
    mine.clock.run()
    mine.clock.reset()
    assert mine.clock.now < noon.timestamp()


def test_faults_are_added_and_cleared(mine: Site) -> None:
    rule = mine.faults.add(operation="create_an_order", answer="internal_error")

    with pytest.raises(CallError, match="answered 500"):
        mine.orders.create()
    assert [one["id"] for one in mine.faults.list()] == [rule["id"]]
    mine.faults.clear()
    assert mine.orders.create()["status"] == "new"


def test_what_was_called_is_verified(mine: Site) -> None:
    mine.orders.create(note="Ring once")

    assert len(mine.requests.verify(operation="create_an_order", count=1)) == 1
    with pytest.raises(VerificationError, match="near: POST /api/v1/orders 200"):
        mine.requests.verify(operation="create_an_order", params={"note": "Ring twice"})
    with pytest.raises(CallError, match="answered 422"):
        mine.requests.verify(operation="create_an_order", counts=1)


def test_what_is_told_of_a_request_does_nothing_in_a_terminal(mine: Site) -> None:
    sent: dict[str, Any] = {"a\x1b[2J\n": "\u202e"}
    mine.orders.create(**sent)

    first, *others = mine.requests.told().split("\n")

    assert first.startswith("POST /api/v1/orders ")
    assert all(line.startswith("    ") for line in others)
    assert others[-1] == r"    parameter a\x1b[2J\n is not used; ignored"


def test_snapshots_reset_and_fixtures(mine: Site) -> None:
    mine.orders.create(id="kept")
    taken = mine.snapshot()
    mine.orders.create(id="lost")

    taken.restore()
    assert [order["id"] for order in mine.orders.list()] == ["kept"]
    fixture = mine.export()
    mine.reset()
    assert mine.orders.list() == []
    mine.seed({"orders": fixture["orders"]})
    assert [order["id"] for order in mine.orders.list()] == ["kept"]


def test_a_site_may_start_with_a_seed_of_its_own(server: Server) -> None:
    with create_site(server.url, seed={}) as site, pytest.raises(CallError, match="not found"):
        site.orders.create()


def test_the_server_runs_inside_the_process() -> None:
    async def make_and_look() -> tuple[int, str]:
        async with in_process() as client:
            created = await client.post("/api/v1/orders", data={"invoice_id": "__demo_inv__1"})
            events = await client.get("/_mock/events")
            return created.status_code, events.json()["list"][0]["event"]["event_type"]

    assert asyncio.run(make_and_look()) == (200, "order_created")


def test_a_cut_is_an_exception_inside_the_process() -> None:
    async def cut() -> None:
        async with in_process() as client:
            made = await client.post("/_mock/faults", json={"answer": "cut"})
            assert made.status_code == 200
            with pytest.raises(ConnectionAbortedError):
                await client.get("/api/v1/orders")

    asyncio.run(cut())


def test_a_test_that_fails_leaves_nothing_of_the_server_inside_the_process(tmp_path: Path) -> None:
    database = str(tmp_path / "mock.db")

    async def fail() -> None:
        async with in_process(database=database) as client:
            await client.get("/api/v1/orders/nothing")
            raise ZeroDivisionError

    async def look() -> None:
        with pytest.raises(ZeroDivisionError):
            await fail()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        async with in_process(database=database) as client:
            journal = await client.get("/_mock/requests")
        assert [entry["request"]["path"] for entry in journal.json()["list"]] == [
            "/api/v1/orders/nothing"
        ]

    asyncio.run(look())
