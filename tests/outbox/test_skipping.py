"""What does not leave: switched off by header, not wanted by the endpoint, or asked for twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.deliveries import NOBODY, Desk, items
from tests.receiver import Receiver

Start = Callable[[str], Receiver]

WEBHOOK, EMAIL, ACTIONS = (f"chargebee-event-{name}" for name in ("webhook", "email", "actions"))


@pytest.mark.parametrize("header", [WEBHOOK, ACTIONS])
def test_without_webhooks_nothing_leaves_and_the_event_says_so(
    desk: Desk, receiver: Start, header: str
) -> None:
    shop = receiver("200")
    id = desk.add(shop.url)
    desk.order("quiet", header)
    desk.order("loud")

    assert [call.order_id for call in shop.wait_for(1)] == ["loud"]

    assert [one["order_id"] for one in desk.settled(id, "succeeded")] == ["loud"]
    quiet = desk.event("quiet")
    assert (quiet["webhook_failure_reason"], "webhooks" in quiet) == ("", False)
    assert quiet["webhook_status"] == desk.event("loud")["webhook_status"] == "not_configured"
    assert items(desk.mock, "webhook", order_id="quiet") == []


def test_what_a_primary_endpoint_does_not_get_was_skipped(desk: Desk) -> None:
    desk.add(None, primary_url=True)
    desk.order("quiet", WEBHOOK)
    desk.order("loud")

    assert desk.event("quiet")["webhook_status"] == "skipped"
    assert desk.event("loud")["webhook_status"] == "succeeded"


def test_without_e_mails_the_webhook_leaves_all_the_same(desk: Desk, receiver: Start) -> None:
    shop = receiver("200")
    desk.add(shop.url)
    desk.order("o-1", EMAIL)

    assert [call.order_id for call in shop.wait_for(1)] == ["o-1"]
    assert items(desk.mock, "email") == []


def test_an_update_without_webhooks_is_not_sent(desk: Desk, receiver: Start) -> None:
    shop = receiver("200")
    desk.add(shop.url)
    desk.order()
    headers = {WEBHOOK: "all-disabled"}
    assert desk.api.post("/orders/o-1", data={"note": "x"}, headers=headers).status_code == 200
    desk.api.post("/orders/o-1", data={"note": "y"})

    calls = shop.wait_for(2)

    assert [call.event["content"]["order"].get("note") for call in calls] == [None, "y"]


def test_without_an_endpoint_nothing_is_configured(desk: Desk) -> None:
    desk.order("o-1")
    desk.order("o-2", WEBHOOK)

    for id in ("o-1", "o-2"):
        event = desk.event(id)
        assert (event["webhook_status"], event["webhook_failure_reason"]) == ("not_configured", "")
        assert "webhooks" not in event


def test_an_endpoint_gets_only_the_events_that_it_wants(desk: Desk, receiver: Start) -> None:
    everything, updates = receiver("200"), receiver("200")
    desk.add(everything.url)
    desk.add(updates.url, event_types=["order_updated", "invoice_generated"])
    desk.order()
    desk.api.post("/orders/o-1", data={"note": "x"})

    assert [call.event["event_type"] for call in updates.wait_for(1)] == ["order_updated"]
    assert [call.event["event_type"] for call in everything.wait_for(2)] == [
        "order_created",
        "order_updated",
    ]
    assert len(updates.received) == 1


@pytest.mark.parametrize(
    ("primary", "status"), [(True, "not_applicable"), (False, "not_configured")]
)
def test_an_event_that_no_endpoint_wants_has_no_webhooks(
    desk: Desk, primary: bool, status: str
) -> None:
    id = desk.add(None, primary_url=primary, event_types=["invoice_generated"])
    nothing = desk.add(None, event_types=[])
    desk.order()

    event = desk.event()

    assert (event["webhook_status"], event["webhook_failure_reason"]) == (status, "")
    assert "webhooks" not in event
    assert desk.webhooks(id) == desk.webhooks(nothing) == []


def test_an_event_that_its_primary_endpoint_does_not_want_goes_to_others(desk: Desk) -> None:
    desk.add(None, primary_url=True, event_types=["invoice_generated"])
    other = desk.add(NOBODY)
    desk.order()
    desk.settled(other, "re_scheduled")

    event = desk.event()

    assert event["webhook_status"] == "not_applicable"
    assert "webhook_failure_reason" not in event
    assert [(one["id"], one["webhook_status"]) for one in event["webhooks"]] == [
        (other, "re_scheduled")
    ]


def test_a_replayed_request_is_delivered_once(desk: Desk, receiver: Start) -> None:
    shop = receiver("200")
    desk.add(shop.url)
    headers = {"chargebee-idempotency-key": "once"}
    data = {"id": "repeated", "invoice_id": "__demo_inv__1"}
    answers = [desk.api.post("/orders", data=data, headers=headers) for _ in range(3)]
    desk.order("afterwards")

    assert [answer.status_code for answer in answers] == [200] * 3
    assert [call.order_id for call in shop.wait_for(2)] == ["repeated", "afterwards"]


def test_a_refused_request_delivers_nothing(desk: Desk, receiver: Start) -> None:
    shop = receiver("200")
    desk.add(shop.url)
    desk.order("taken")
    for data in ({"id": "taken", "invoice_id": "__demo_inv__1"}, {"invoice_id": "nowhere"}):
        assert desk.api.post("/orders", data=data).status_code in (400, 404)
    desk.order("afterwards")

    assert [call.order_id for call in shop.wait_for(2)] == ["taken", "afterwards"]
