"""What becomes of a webhook whose call is under way when something happens to its database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import httpx2
import pytest

from mock_server.outbox import worker as outbox_worker
from mock_server.outbox.delivery import Outcome, Timeouts, WebhookClient
from mock_server.outbox.trust import Trust
from mock_server.outbox.worker import WebhookWorker
from mock_server.store.database import Database, open_database
from mock_server.store.lease import Lease
from mock_server.store.rows import Row, Rows
from mock_server.wire import errors

REFUSED = Outcome("Cannot connect", connected=False, unreached=True)
SUCCEEDED = Outcome(None, httpx2.Response(200))

SITE: Row = {"name": "s", "created_at": 1, "last_invoice_number": 0, "data_key": "s"}
ENDPOINT: Row = {
    "site": "s",
    "id": "we_1",
    "name": "shop",
    "url": "http://shop.example/hook",
    "primary_url": False,
    "disabled": False,
    "api_version": "v1",
    "created_at": 1,
}


def webhook(number: int, **columns: object) -> Row:
    return {
        "site": "s",
        "id": f"wh_{number}_1",
        "event_id": f"ev_{number}",
        "event_type": "order_created",
        "webhook_endpoint_id": "we_1",
        "webhook_status": "scheduled",
        "created_at": 1,
        "due_at": 1.0,
        "attempts": 0,
        "retries": 0,
        "copies": 0,
        "unreached": False,
        **columns,
    }


def empty(rows: Rows) -> None:
    """Give the site a fresh data key, as a reset and a restored snapshot do."""
    rows.update("sites", {"data_key": "s#fresh"}, name="s")
    rows.forget_data_keys()


def payload(rows: Rows, site: str, event_id: str) -> bytes:
    if not rows.all("webhooks", site=site, event_id=event_id):
        raise errors.damaged()
    return event_id.encode()


class Client(WebhookClient):
    """Calls nobody: each call has the next of these outcomes, and `meanwhile` happens in it."""

    def __init__(self, outcomes: list[Outcome], meanwhile: Callable[[Rows], object]) -> None:
        super().__init__(Timeouts(), Trust())
        self.database: Database
        self.outcomes = outcomes
        self._meanwhile = meanwhile

    async def send(self, site: str, request: httpx2.Request) -> Outcome:
        if not self.outcomes:
            await asyncio.Event().wait()  # for ever
        await self.database.write(self._meanwhile)
        return self.outcomes.pop(0)


@pytest.fixture
def opened() -> Iterator[Database]:
    with closing(open_database(":memory:")) as database:
        yield database


def deliver(database: Database, client: Client, read: outbox_worker.Payload, *given: Row) -> None:
    """Have these webhooks delivered, until each call was made and the worker has seen to it."""

    def plant(rows: Rows) -> None:
        rows.insert("sites", SITE)
        rows.insert("webhook_endpoints", ENDPOINT)
        rows.insert_all("webhooks", list(given))

    async def work() -> None:
        client.database = database
        await database.write(plant)
        worker = WebhookWorker(
            database, Lease(database), read, client, retry_scale=1, attempts_limit=100
        )
        running = asyncio.create_task(worker.run())
        async with asyncio.timeout(10):
            while client.outcomes:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(work())


def kept(database: Database) -> list[tuple[object, ...]]:
    return database.read(
        lambda rows: rows.values(
            "SELECT site, id, webhook_status, attempts FROM webhooks ORDER BY seq"
        )
    )


def test_a_passing_fault_of_the_database_fails_no_webhook(
    opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_worker, "_PAUSE_AFTER_FAULT", 0)
    faults = [errors.temporary("The database is locked by another process")]

    def read(rows: Rows, site: str, event_id: str) -> bytes:
        if faults:
            raise faults.pop()
        return payload(rows, site, event_id)

    deliver(opened, Client([SUCCEEDED], lambda _: None), read, webhook(1))

    assert kept(opened) == [("s", "wh_1_1", "succeeded", 1)]


def test_a_site_that_is_emptied_during_a_call_costs_no_traceback(
    opened: Database, caplog: pytest.LogCaptureFixture
) -> None:
    missed, due = webhook(1, unreached=True, due_at=9e9), webhook(2)

    deliver(opened, Client([REFUSED], empty), payload, missed, due)

    assert [status for _, _, status, _ in kept(opened)] == ["scheduled", "scheduled"]
    assert caplog.text == ""


def test_the_outcome_of_a_call_is_no_other_webhooks_of_the_same_id(opened: Database) -> None:
    def restore(rows: Rows) -> None:
        empty(rows)
        rows.insert("webhook_endpoints", ENDPOINT)
        rows.insert("webhooks", webhook(1, due_at=9e9))

    deliver(opened, Client([SUCCEEDED], restore), payload, webhook(1))

    assert kept(opened) == [
        ("s", "wh_1_1", "scheduled", 0),
        ("s#fresh", "wh_1_1", "scheduled", 0),
    ]
