"""The shop against a local Chargebee: a fresh site for each test, by the pytest plugin."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest
from chargebee import OperationFailedError
from shop import Chargebee, Shop
from webhooks import PASSWORD, USER, receiver

from mock_server.testing import Site, WebhookReceiver

PAID = "__demo_inv__1"


@pytest.fixture
def shop(chargebee_site: Site) -> Shop:
    site, domain = chargebee_site.sdk_address
    return Shop(Chargebee(site, chargebee_site.api_key, domain, "http"))


@pytest.fixture
def webhook_url(shop: Shop) -> Iterator[str]:
    """The shop's own receiver, running."""
    with receiver(shop) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{USER}:{PASSWORD}@127.0.0.1:{server.server_port}/webhooks"
        server.shutdown()
        thread.join()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it did not come about within 10 s"
        time.sleep(0.02)


def test_a_paid_cart_is_shipped(shop: Shop, webhook_url: str, chargebee_site: Site) -> None:
    chargebee_site.webhooks.deliver_to(webhook_url)

    order_id = shop.fulfil(PAID)
    eventually(lambda: chargebee_site.orders.retrieve(order_id)["status"] == "complete")

    order = chargebee_site.orders.retrieve(order_id)
    assert order["tracking_id"] == shop.shipped[order_id] == "parcel-1"
    chargebee_site.requests.verify(
        in_order=[
            {"operation": "create_an_order", "params": {"invoice_id": PAID}},
            {"operation": "update_an_order", "params": {"status": "complete"}},
        ]
    )


def test_a_webhook_that_comes_three_times_ships_once(
    shop: Shop, webhook_url: str, chargebee_site: Site
) -> None:
    endpoint = chargebee_site.webhooks.deliver_to(
        webhook_url, enabled_events=["order_created"], chaos={"duplicates": 2}
    )

    shop.fulfil(PAID)

    def deliveries() -> int:
        listed = chargebee_site.webhooks.list(webhook_endpoint_id=endpoint["id"])
        return sum(webhook["attempts"] for webhook in listed)

    eventually(lambda: deliveries() == 3)
    assert len(shop.shipped) == 1
    chargebee_site.requests.verify(operation="update_an_order", count=1)


def test_a_webhook_of_somebody_else_is_refused(shop: Shop, webhook_url: str) -> None:
    answer = httpx2.post(webhook_url.replace(PASSWORD, "guessed"), json={})

    assert answer.status_code == 401


def test_a_busy_chargebee_is_asked_again(shop: Shop, chargebee_site: Site) -> None:
    chargebee_site.faults.add(
        operation="create_an_order", answer="api_request_limit_exceeded", times=1
    )

    order_id = shop.fulfil(PAID)

    assert [order["id"] for order in chargebee_site.orders.list()] == [order_id]
    chargebee_site.requests.verify(operation="create_an_order", status=429, count=1)
    chargebee_site.requests.verify(operation="create_an_order", status=200, count=1)


def test_a_chargebee_that_stays_busy_is_given_up(shop: Shop, chargebee_site: Site) -> None:
    chargebee_site.faults.add(operation="create_an_order", answer="api_request_limit_exceeded")

    with pytest.raises(OperationFailedError):
        shop.fulfil(PAID)

    chargebee_site.requests.verify(operation="create_an_order", count=Shop.ATTEMPTS)


def test_an_order_whose_answer_got_lost_is_made_once(shop: Shop, chargebee_site: Site) -> None:
    chargebee_site.faults.add(operation="create_an_order", answer="cut", after=True, times=1)

    order_id = shop.fulfil(PAID)

    assert [order["id"] for order in chargebee_site.orders.list()] == [order_id]
    chargebee_site.requests.verify(operation="create_an_order", count=2)


def test_a_month_in_which_the_shop_is_down(
    shop: Shop, chargebee_site: Site, webhook_receiver: WebhookReceiver
) -> None:
    chargebee_site.clock.freeze()
    webhook_receiver.answer_with(*[503] * 7)
    shop.fulfil(PAID)

    chargebee_site.clock.advance(days=30)

    (event,) = chargebee_site.events.list()
    assert {webhook["webhook_status"] for webhook in event["webhooks"]} == {"succeeded"}
    deliveries = webhook_receiver.wait_for(8)
    assert {webhook.event["id"] for webhook in deliveries} == {event["id"]}
    assert [shop.hear(webhook.event) for webhook in deliveries].count(True) == 1
