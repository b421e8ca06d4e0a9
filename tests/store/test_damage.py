"""A damaged database as a client meets it: whatever text stands in a column, never a 500."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlmodel import SQLModel

from mock_server.store import tables  # noqa: F401  (fills SQLModel.metadata)
from tests.server import Server

INVOICE = {"invoice_id": "__demo_inv__1"}
READS = {
    "customers": ("/api/v1/customers", "/_mock/export"),
    "invoices": ("/api/v1/invoices", "/_mock/export"),
    "orders": ("/api/v1/orders", "/_mock/export"),
    "events": ("/api/v1/events", "/_mock/events", "/_mock/webhooks"),
    "webhooks": ("/api/v1/events", "/_mock/webhooks"),
    "webhook_attempts": ("/_mock/webhooks",),
    "webhook_endpoints": ("/_mock/webhook_endpoints", "/_mock/export"),
    "emails": ("/_mock/emails",),
    "api_keys": ("/api/v1/orders", "/_mock/export"),
    "idempotency_keys": (),
    "faults": ("/api/v1/orders", "/_mock/faults"),
    "rate_limits": ("/api/v1/orders", "/_mock/rate_limit"),
    "rate_limit_calls": ("/api/v1/orders",),
    "sites": ("/api/v1/orders", "/_mock/sites"),
    "snapshots": ("/_mock/snapshots",),
}
"""What shows each table."""
WRITES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/api/v1/orders", INVOICE),
    ("/api/v1/orders/kept", {"note": "more", "shipping_address[city]": "Oslo"}),
    ("/api/v1/invoices/charge", {"customer_id": "__demo_cus__1", "amount": 1, "description": "x"}),
    ("/_mock/snapshots/again", {}),
)
KEYS = {"/api/v1/orders": {"chargebee-idempotency-key": "k"}}
INDIFFERENT = ("sites", "rate_limits", "rate_limit_calls", "webhook_attempts")
"""Tables without a text that anything shows."""
IDENTITY = [("sites", column) for column in ("name", "data_key", "api_key")]
NO_TEXT = b"\xc3\x28"
NO_JSON = b'["\\ud800"]'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of which the default site has rows in every table, and a snapshot."""
    folder = tmp_path_factory.mktemp("state")
    said = folder / "said"
    with said.open("w") as log, Server(folder / "state.sqlite", stderr=log.fileno()) as server:
        site = server.site("demo-test")
        with site.api() as api, site.mock() as mock:
            nobody = {"name": "Nobody", "url": "http://127.0.0.1:9/"}
            chosen = {"event_types": ["order_created"], "chaos": {"duplicates": 1}}
            mock.post("/webhook_endpoints", json=nobody | chosen).raise_for_status()
            fault = {"operation": "retrieve_a_customer", "answer": "lock_timeout"}
            mock.post("/faults", json=fault).raise_for_status()
            mock.put("/rate_limit", json={"requests": 10_000, "seconds": 1}).raise_for_status()
            address = {"shipping_address[city]": "Rome"}
            api.post("/orders", data=INVOICE | address | {"id": "kept"}).raise_for_status()
            api.post("/orders", data=INVOICE, headers=KEYS["/api/v1/orders"]).raise_for_status()
            mock.post("/webhooks/retry-now").raise_for_status()
            mock.post("/snapshots/kept").raise_for_status()
            mock.get("/requests").raise_for_status()
        yield server
    assert "Exception in ASGI application" not in said.read_text()


@contextmanager
def damaged(file: Path | str, table: str, column: str, damage: bytes) -> Iterator[None]:
    """The text in place of every other that the column has, while the block runs."""
    with (
        closing(sqlite3.connect(file, isolation_level=None, timeout=5)) as connection,
        closing(sqlite3.connect(":memory:")) as sound,
    ):
        connection.backup(sound)
        connection.execute(
            f'UPDATE OR IGNORE {table} SET "{column}" = CAST(? AS TEXT) '
            f'WHERE "{column}" IS NOT NULL',
            (damage,),
        )
        yield
        sound.backup(connection)


@pytest.mark.parametrize(("table", "reads"), READS.items(), ids=READS)
def test_damaged_text_is_a_503_or_does_not_matter(
    server: Server, table: str, reads: tuple[str, ...]
) -> None:
    answers: dict[tuple[str, bytes, str], int] = {}
    with httpx2.Client(base_url=server.url, auth=("test_key", ""), timeout=30) as client:
        for column in SQLModel.metadata.tables[table].c:
            if str(column.type) != "VARCHAR" or (table, column.name) in IDENTITY:
                continue
            for damage in (NO_TEXT, NO_JSON):
                with damaged(server.database, table, column.name, damage):
                    for path in reads:
                        answers[column.name, damage, path] = client.get(path).status_code
                    for path, form in WRITES:
                        answer = client.post(path, data=form, headers=KEYS.get(path))
                        answers[column.name, damage, path] = answer.status_code

    assert 503 in answers.values() or table in INDIFFERENT
    wrong = {at: status for at, status in answers.items() if status >= 500 and status != 503}
    assert wrong == {}


@pytest.mark.parametrize("path", ["/_mock/requests", "/_mock/requests.har", "/_mock/requests.sh"])
def test_an_answer_that_meets_damaged_text_breaks_off(server: Server, path: str) -> None:
    with httpx2.Client(base_url=server.url, timeout=30) as client:
        client.get("/api/v1/orders", auth=("test_key", ""))
        client.get("/_mock/requests")  # which has the journal write it
        with (
            damaged(server.database, "requests", "headers", NO_TEXT),
            pytest.raises(httpx2.RemoteProtocolError, match="incomplete"),
        ):
            client.get(path)
