"""Receiver and sandbox are killed in the middle: every event arrives, none is made up, in order."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.receiver import Receiver
from tests.server import Server, Site

ORDERS = 5_000


def _create(site: Site, count: int) -> list[str]:
    with site.api() as api:
        answers = [api.post("/orders", data={"invoice_id": "__demo_inv__1"}) for _ in range(count)]
    return [answer.json()["order"]["id"] for answer in answers]


def _events(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as file:
        return [id for (id,) in file.execute("SELECT id FROM events ORDER BY seq")]


def _await_deliveries(database: Path, within: float) -> None:
    deadline = time.monotonic() + within
    with closing(sqlite3.connect(database)) as file:
        while True:
            (due,) = file.execute("SELECT count(*) FROM webhooks WHERE due_at > 0").fetchone()
            if not due:
                return
            assert time.monotonic() < deadline, f"{due} webhooks are still due"
            time.sleep(0.1)


def test_every_event_arrives_in_order_though_receiver_and_sandbox_are_killed(
    database: Path, tmp_path: Path
) -> None:
    receiver = Receiver(tmp_path).start()
    options = ["--webhook-url", receiver.url, "--webhook-retry-scale", "0.001"]
    quarter = ORDERS // 4

    first = Server(database, *options).start()
    answered = _create(first.site("demo-test"), quarter)
    receiver.stop()
    answered += _create(first.site("demo-test"), quarter)
    receiver.start()
    answered += _create(first.site("demo-test"), quarter)
    first.stop(signal.SIGKILL)
    with Server(database, *options) as second:
        answered += _create(second.site("demo-test"), quarter)
        _await_deliveries(database, within=120)
    receiver.stop()

    arrived = receiver.received
    first_arrivals = list(dict.fromkeys(received.event["id"] for received in arrived))
    assert first_arrivals == _events(database)
    assert {received.order_id for received in arrived} == set(answered)
    assert len(answered) == ORDERS
