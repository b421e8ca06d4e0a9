"""What cannot be delivered at all fails by itself, and those behind it have their turn."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.deliveries import Desk
from tests.receiver import Receiver
from tests.server import Server

Start = Callable[[str], Receiver]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET content = '{' WHERE seq = 1",
        "UPDATE events SET content = CAST(x'ff' AS TEXT) WHERE seq = 1",
        "DELETE FROM events WHERE seq = 1",
    ],
)
def test_an_event_that_cannot_be_read_does_not_stop_what_follows(
    database: Path, receiver: Start, damage: str
) -> None:
    shop = receiver("200")
    with Server(database) as server:
        desk = Desk(server.site("a-test"))
        id = desk.add(shop.url, chaos={"delay": 3600})
        desk.order("poison")
        with closing(sqlite3.connect(database, isolation_level=None)) as file:
            file.execute(damage)
        desk.mock.patch(f"/webhook_endpoints/{id}", json={"chaos": None})
        desk.mock.post("/clock/advance", json={"hours": 1})
        desk.order("harmless")

        assert [call.order_id for call in shop.wait_for(1)] == ["harmless"]
        desk.mock.post("/webhooks/retry-now")  # which waits for the call that is under way
        desk.close()
    with closing(sqlite3.connect(database)) as file:
        kept = file.execute("SELECT webhook_status, webhook_failure_reason FROM webhooks")
        (poison, reason), harmless = kept.fetchall()
    assert (poison, harmless) == ("failed", ("succeeded", None))
    assert reason.startswith("It cannot be delivered: ")
