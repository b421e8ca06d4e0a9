"""Many writers at once, and a server that is killed among them: nothing lost, nothing twice."""

from __future__ import annotations

import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

from tests.server import Server, Site

INVOICE = {"invoice_id": "__demo_inv__1"}


def _listed(api: httpx2.Client) -> Iterator[str]:
    offset: dict[str, str] = {}
    while True:
        page = api.get("/orders", params={"limit": "100", **offset}).json()
        yield from (item["order"]["id"] for item in page["list"])
        if "next_offset" not in page:
            return
        offset = {"offset": page["next_offset"]}


def test_of_32_creations_of_one_id_at_once_one_succeeds(site: Site) -> None:
    def create(_: int) -> httpx2.Response:
        with site.api() as api:
            return api.post("/orders", data=INVOICE | {"id": "wanted"})

    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(create, range(32)))

    codes = Counter(answer.json().get("api_error_code") for answer in answers)
    assert codes == {None: 1, "duplicate_entry": 31}
    with site.api() as api:
        assert list(_listed(api)) == ["wanted"]
        assert len(api.get("/events").json()["list"]) == 1


def test_2000_creations_from_16_threads_are_all_listed_once(site: Site) -> None:
    def create(_: int) -> list[str]:
        with site.api() as api:
            answers = [api.post("/orders", data=INVOICE) for _ in range(125)]
        return [answer.json()["order"]["id"] for answer in answers]

    with ThreadPoolExecutor(16) as threads:
        created = [id for ids in threads.map(create, range(16)) for id in ids]

    assert len(set(created)) == 2000
    with site.api() as api:
        assert sorted(_listed(api)) == sorted(created)


def test_a_killed_server_has_kept_every_order_that_it_answered(database: Path) -> None:
    answered: list[str] = []
    streaming = threading.Event()

    def create(site: Site) -> None:
        with site.api() as api:
            while True:
                try:
                    answer = api.post("/orders", data=INVOICE)
                except httpx2.TransportError:
                    return
                answered.append(answer.json()["order"]["id"])
                if len(answered) == 200:
                    streaming.set()

    first = Server(database).start()
    site = first.site("demo-test")
    with ThreadPoolExecutor(8) as threads:
        for _ in range(8):
            threads.submit(create, site)
        streamed = streaming.wait(timeout=30)
        first.stop(signal.SIGKILL)

    with Server(database) as second, second.site("demo-test").api() as api:
        listed = set(_listed(api))
    assert streamed
    assert set(answered) <= listed
    rows = sqlite3.connect(database)
    events = rows.execute("SELECT json_extract(content, '$.order.id'), id FROM events").fetchall()
    webhooks = {id for (id,) in rows.execute("SELECT event_id FROM webhooks")}
    rows.close()
    assert {order for order, _ in events} == listed
    assert {event for _, event in events} == webhooks
