"""What an event's `webhook_status` is, by the endpoints that the site has."""

from __future__ import annotations

import asyncio
from contextlib import closing

import pytest

from mock_server.outbox.record import record_event
from mock_server.resources.webhook_endpoint import NewEndpoint, create
from mock_server.store.database import open_database
from mock_server.store.rows import Row, Rows
from mock_server.wire.auth import FULL_ACCESS, Site
from mock_server.wire.call import Call
from mock_server.wire.directives import Directives

NOW = 1_700_000_000
RECORDING = None
DELIVERED = "http://127.0.0.1:9/hook"
PRIMARY = "http://127.0.0.1:9/primary"


@pytest.mark.parametrize(
    ("urls", "wanted", "event_status", "webhook_statuses"),
    [
        ([], True, "not_configured", []),
        ([], False, "not_configured", []),
        ([RECORDING], True, "not_configured", ["succeeded"]),
        ([RECORDING], False, "not_configured", []),
        ([DELIVERED], True, "not_configured", ["scheduled"]),
        ([RECORDING, PRIMARY], True, "scheduled", ["succeeded", "scheduled"]),
        ([RECORDING, PRIMARY], False, "skipped", []),
    ],
)
def test_an_event_says_how_its_primary_endpoint_stands(
    urls: list[str | None], wanted: bool, event_status: str, webhook_statuses: list[str]
) -> None:
    call = Call(Site("a-test"), FULL_ACCESS, "v1", Directives(webhooks=wanted), now=NOW)

    def work(rows: Rows) -> tuple[list[Row], list[Row]]:
        for number, url in enumerate(urls):
            endpoint = NewEndpoint(name="n", url=url, primary_url=url == PRIMARY)
            create(rows, "a-test", f"e{number}", endpoint, NOW)
        create(rows, "b-test", "elsewhere", NewEndpoint(name="n"), NOW)
        record_event(rows, call, "order_created", {}, email=None)
        return rows.all("events", site="a-test"), rows.all("webhooks", site="a-test")

    with closing(open_database(":memory:")) as database:
        (event,), webhooks = asyncio.run(database.write(work))

    assert event["webhook_status"] == event_status
    assert [webhook["webhook_status"] for webhook in webhooks] == webhook_statuses
    assert {webhook["event_id"] for webhook in webhooks} <= {event["id"]}
