"""What a receiver must survive, switched on per endpoint: copies, delay, another order."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from tests.deliveries import Desk, items
from tests.receiver import Receiver

Start = Callable[[str], Receiver]


def test_duplicates_are_the_same_event_again(desk: Desk, receiver: Start) -> None:
    shop = receiver("200")
    id = desk.add(shop.url, chaos={"duplicates": 2})
    desk.order("o-1")
    desk.order("o-2")

    calls = shop.wait_for(6)

    assert Counter(call.order_id for call in calls) == {"o-1": 3, "o-2": 3}
    assert len({call.event["id"] for call in calls}) == 2
    assert [one["attempts"] for one in desk.attempted(id, 6)] == [3, 3]
    assert {one["webhook_status"] for one in desk.webhooks(id)} == {"succeeded"}


def test_duplicates_begin_with_the_first_success(desk: Desk, receiver: Start) -> None:
    shop = receiver("500,200")
    id = desk.add(shop.url, chaos={"duplicates": 1})
    desk.order()
    desk.settled(id, "re_scheduled")
    assert len(shop.received) == 1

    desk.mock.post("/webhooks/retry-now")

    shop.wait_for(3)
    assert desk.attempted(id, 3)[0]["webhook_status"] == "succeeded"


def test_a_duplicate_that_is_refused_changes_nothing(desk: Desk, receiver: Start) -> None:
    id = desk.add(receiver("200,500,200").url, primary_url=True, chaos={"duplicates": 2})
    desk.order()

    (webhook,) = desk.attempted(id, 3)

    assert [attempt["status"] for attempt in webhook["delivery_attempts"]] == [200, 500, 200]
    assert webhook["webhook_status"] == desk.event()["webhook_status"] == "succeeded"
    assert "webhook_failure_reason" not in webhook
    assert "due_at" not in webhook


def test_a_delay_holds_each_webhook_back_and_keeps_the_order(desk: Desk, receiver: Start) -> None:
    shop = receiver("200")
    desk.add(shop.url, chaos={"delay": 0.5})
    began = {}
    for number in range(5):
        began[f"o-{number}"] = time.time()
        desk.order(f"o-{number}")

    calls = shop.wait_for(5)

    assert [call.order_id for call in calls] == list(began)
    assert all(call.at - began[call.order_id] >= 0.5 for call in calls)


def test_shuffled_webhooks_are_due_in_another_order_within_the_window(desk: Desk) -> None:
    id = desk.add("http://127.0.0.1:1/", chaos={"shuffle": 5000, "delay": 100})
    before = time.time()
    for number in range(20):
        desk.order(f"o-{number}")
    after = time.time()

    dues = [one["due_at"] for one in reversed(items(desk.mock, "webhook", limit=100))]

    assert len(dues) == len(set(dues)) == 20
    assert all(before + 100 <= due <= after + 100 + 5000 for due in dues)
    assert dues != sorted(dues)  # by chance once in 20!
    assert {one["webhook_status"] for one in desk.webhooks(id)} == {"scheduled"}


def test_shuffled_webhooks_all_arrive_once(desk: Desk, receiver: Start) -> None:
    shop = receiver("200")
    id = desk.add(shop.url, chaos={"shuffle": 0.5})
    orders = [desk.order(f"o-{number}") for number in range(10)]

    calls = shop.wait_for(10)

    assert sorted(call.order_id for call in calls) == sorted(orders)
    assert {one["attempts"] for one in desk.settled(id, "succeeded")} == {1}


def test_chaos_is_of_one_endpoint_alone(desk: Desk, receiver: Start) -> None:
    calm, wild = receiver("200"), receiver("200")
    desk.add(wild.url, chaos={"duplicates": 1, "delay": 0.2})
    desk.add(calm.url)
    desk.order()

    assert len(wild.wait_for(2)) == 2
    assert len(calm.received) == 1


def test_chaos_can_be_switched_off(desk: Desk, receiver: Start) -> None:
    shop = receiver("200")
    id = desk.add(shop.url, chaos={"delay": 80_000})
    desk.order("held-back")
    desk.mock.patch(f"/webhook_endpoints/{id}", json={"chaos": None})
    desk.order("at-once")

    assert [call.order_id for call in shop.wait_for(1)] == ["at-once"]
