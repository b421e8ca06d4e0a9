"""What waits to leave, asked of the database itself where a server would take too long."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

from mock_server.store import queue
from mock_server.store.database import open_database
from mock_server.store.rows import Row, Rows

MANY = 50


def webhook(number: int) -> Row:
    return {
        "site": "a-test",
        "id": f"wh_{number}",
        "event_id": "ev_1",
        "event_type": "order_created",
        "webhook_endpoint_id": "e",
        "webhook_status": "re_scheduled",
        "created_at": 0,
        "due_at": 100.0,
        "attempts": 1,
        "retries": 1,
        "copies": 0,
        "unreached": True,
    }


def test_more_webhooks_are_retried_at_once_than_a_statement_has_parameters() -> None:
    def work(rows: Rows) -> tuple[list[int], dict[str, int]]:
        rows.insert_all("webhooks", [webhook(number) for number in range(MANY)])
        hastened = queue.hasten(rows, "a-test", now=50)
        return hastened, queue.statuses(rows, hastened)

    with closing(open_database(":memory:")) as database:
        database._connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, MANY - 1)
        hastened, statuses = asyncio.run(database.write(work))

    assert len(hastened) == MANY
    assert statuses == {"re_scheduled": MANY}
