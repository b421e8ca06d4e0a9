"""`/_mock/clock`: a site's own time, and what falls due when it moves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.ids import milliseconds
from tests.receiver import Receiver
from tests.server import Server, Site

INVOICE = {"invoice_id": "__demo_inv__1"}
NOON = 1_900_000_000
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def move(mock: httpx2.Client, verb: str, **asked: Any) -> dict[str, Any]:
    answer = mock.post(f"/clock/{verb}", json=asked)
    assert answer.status_code == 200, answer.text
    state: dict[str, Any] = answer.json()
    return state


def create(api: httpx2.Client, **headers: str) -> dict[str, Any]:
    order: dict[str, Any] = api.post("/orders", data=INVOICE, headers=headers).json()["order"]
    return order


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(tmp_path, "500") as receiver:
        yield receiver


def attempts(mock: httpx2.Client) -> list[dict[str, Any]]:
    """The attempts of the site's latest webhook."""
    webhook = mock.get("/webhooks").json()["list"][0]["webhook"]
    shown = mock.get(f"/webhooks/{webhook['id']}").json()["webhook"]
    found: list[dict[str, Any]] = shown["delivery_attempts"]
    return found


def add_endpoint(mock: httpx2.Client, receiver: Receiver) -> None:
    answer = mock.post("/webhook_endpoints", json={"name": "test", "url": receiver.url})
    assert answer.status_code == 200, answer.text


def test_a_site_starts_with_the_time_of_the_machine(mock: httpx2.Client) -> None:
    before = time.time()
    shown = mock.get("/clock").json()

    assert before <= shown["now"] <= time.time()
    assert (shown["frozen"], shown["due"]) == (False, 0)


def test_a_frozen_clock_stamps_everything_with_its_time(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    frozen = move(mock, "freeze", at=NOON)
    first, second = create(api), create(api)
    event = api.get("/events").json()["list"][0]["event"]

    assert frozen["now"] == mock.get("/clock").json()["now"] == NOON
    assert frozen["frozen"] is True
    assert frozen["iso"] == "2030-03-17T17:46:40Z"
    assert first["created_at"] == second["created_at"] == event["occurred_at"] == NOON
    assert milliseconds(first["id"]) == milliseconds(second["id"]) == NOON * 1000
    assert first["id"] != second["id"]


def test_sites_have_clocks_of_their_own(server: Server, mock: httpx2.Client) -> None:
    move(mock, "freeze", at=NOON)

    with server.site().mock() as other:
        assert other.get("/clock").json()["now"] < NOON


@pytest.mark.parametrize("at", [NOON, "2030-03-17T17:46:40Z", "2030-03-17T18:46:40+01:00"])
def test_a_time_is_seconds_or_iso_8601(mock: httpx2.Client, at: object) -> None:
    assert move(mock, "freeze", at=at)["now"] == NOON


def test_a_clock_that_runs_on_goes_on_from_where_it_stood(mock: httpx2.Client) -> None:
    move(mock, "freeze", at=NOON)

    running = move(mock, "run")

    assert NOON <= running["now"] < NOON + MINUTE
    assert running["frozen"] is False
    assert mock.get("/clock").json()["now"] > running["now"]


def test_a_clock_can_be_set_back_and_reset(api: httpx2.Client, mock: httpx2.Client) -> None:
    past = 1_500_000_000

    assert past <= move(mock, "set", now=past)["now"] < past + MINUTE
    assert past <= create(api)["created_at"] < past + MINUTE
    assert abs(move(mock, "reset")["now"] - time.time()) < MINUTE


def test_six_hours_bring_the_retries_that_fall_due_in_them(
    api: httpx2.Client, mock: httpx2.Client, failing: Receiver
) -> None:
    add_endpoint(mock, failing)
    move(mock, "freeze", at=NOON)
    create(api)

    moved = move(mock, "advance", hours=6)

    assert moved == {"now": NOON + 6 * HOUR, "iso": moved["iso"], "frozen": True, "due": 0}
    after = [attempt["attempted_at"] - NOON for attempt in attempts(mock)]
    assert after == [0, 2 * MINUTE, 8 * MINUTE, 38 * MINUTE, 98 * MINUTE]
    assert len(failing.received) == 5


def test_a_month_brings_the_end_of_a_webhook_that_always_fails(
    api: httpx2.Client, mock: httpx2.Client, failing: Receiver
) -> None:
    add_endpoint(mock, failing)
    move(mock, "freeze", at=NOON)
    create(api)

    move(mock, "advance", days=30)

    (item,) = mock.get("/webhooks", params={"webhook_status": "failed"}).json()["list"]
    assert item["webhook"]["webhook_failure_reason"].startswith("Received error code 500 from ")
    after = [attempt["attempted_at"] - NOON for attempt in attempts(mock)]
    assert after[-2:] == [6 * HOUR + 38 * MINUTE + DAY, 6 * HOUR + 38 * MINUTE + 3 * DAY]
    assert len(after) == len(failing.received) == 8


def test_retries_of_several_webhooks_come_in_the_order_of_their_times(
    api: httpx2.Client, mock: httpx2.Client, failing: Receiver
) -> None:
    add_endpoint(mock, failing)
    move(mock, "freeze", at=NOON)
    first = create(api)["id"]
    move(mock, "advance", minutes=1)
    second = create(api)["id"]

    move(mock, "advance", minutes=10)

    assert [received.order_id for received in failing.received] == [first, second] * 3


def test_an_idempotency_key_is_forgotten_after_half_an_hour_of_the_site(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    key = {"chargebee-idempotency-key": "once"}
    first = create(api, **key)
    move(mock, "advance", minutes=29)
    repeated = create(api, **key)
    move(mock, "advance", minutes=1)

    assert repeated == first
    assert create(api, **key)["id"] != first["id"]


def test_a_site_in_the_future_does_not_forget_the_keys_of_another(
    server: Server, api: httpx2.Client, mock: httpx2.Client
) -> None:
    key = {"chargebee-idempotency-key": "once"}
    first = create(api, **key)
    elsewhere = server.site()
    with elsewhere.mock() as other_mock, elsewhere.api() as other_api:
        move(other_mock, "advance", days=1)
        create(other_api, **key)

    assert create(api, **key) == first


def test_another_process_follows_a_clock_that_was_moved(database: Path) -> None:
    with Server(database) as first, Server(database) as second:
        site = Site(second.url, "demo-test")
        with site.api() as api, first.site("demo-test").mock() as mock:
            create(api)
            move(mock, "freeze", at=NOON)

            assert create(api)["created_at"] == NOON


@pytest.mark.parametrize(
    ("verb", "asked", "field"),
    [
        ("freeze", {"at": "noon"}, "at"),
        ("freeze", {"at": "1969-12-31"}, "at"),
        ("freeze", {"now": NOON}, "now"),
        ("set", {}, "now"),
        ("set", {"now": "2201-01-01"}, "now"),
        ("set", {"now": 253402300799}, "now"),
        ("advance", {"hours": -1}, "hours"),
        ("advance", {"weeks": 1}, "weeks"),
    ],
)
def test_a_time_that_is_none_is_refused_by_name(
    mock: httpx2.Client, verb: str, asked: dict[str, Any], field: str
) -> None:
    answer = mock.post(f"/clock/{verb}", json=asked)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][-1] == field
    assert mock.get("/clock").json()["frozen"] is False


def test_moves_at_once_are_all_made(mock: httpx2.Client, site: Site) -> None:
    move(mock, "freeze", at=NOON)

    def advance(_: int) -> None:
        with site.mock() as client:
            move(client, "advance", hours=1)

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(advance, range(20)))

    assert mock.get("/clock").json()["now"] == NOON + 20 * HOUR


def test_a_server_that_stops_answers_a_call_that_waits(database: Path, tmp_path: Path) -> None:
    with Receiver(tmp_path, "hang") as receiver, Server(database) as server:
        site = server.site()
        with site.mock() as mock, site.api() as api, ThreadPoolExecutor(1) as threads:
            add_endpoint(mock, receiver)
            create(api)
            receiver.wait_for(1)
            waiting = threads.submit(mock.post, "/clock/advance?wait=300", json={"hours": 1})
            while not mock.get("/clock").json()["due"]:
                time.sleep(0.01)

            assert server.stop() == 0

            answer = waiting.result()
    assert answer.status_code == 503
    assert answer.json()["message"] == "The server is stopping"
