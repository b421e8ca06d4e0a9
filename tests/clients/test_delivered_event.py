"""A delivered webhook is what Chargebee's official Python SDK for v1 reads."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.deliveries import Desk
from tests.ids import FORM
from tests.receiver import Receiver

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK imports pkg_resources
    from chargebee import Event


@pytest.fixture
def delivered(desk: Desk, tmp_path: Path) -> Any:
    """The event of an order that was made and then changed, out of the webhook's body."""
    with Receiver(tmp_path) as receiver:
        desk.add(receiver.url, basic_auth_username="shop", basic_auth_password="s3cret")
        desk.order()
        desk.api.post("/orders/o-1", data={"status": "complete", "note": "Grüße, 世界"})
        _, call = receiver.wait_for(2)
    return Event.deserialize(call.body)


def test_the_sdk_reads_a_delivered_event(delivered: Any) -> None:
    assert re.fullmatch(f"ev_{FORM}", delivered.id)
    assert delivered.event_type == "order_updated"
    assert delivered.api_version == "v1"
    assert delivered.source == "api"
    assert delivered.user == "full_access_key_v1"
    assert delivered.occurred_at > 1_700_000_000
    assert delivered.webhook_status == "not_configured"
    (webhook,) = delivered.webhooks  # which the SDK leaves as they are
    assert re.fullmatch(f"whv2_{FORM}", webhook["id"])
    assert webhook["webhook_status"] == "scheduled"


def test_the_sdk_reads_the_order_in_a_delivered_event(delivered: Any) -> None:
    order = delivered.content.order

    assert (order.id, order.invoice_id, order.status) == ("o-1", "__demo_inv__1", "complete")
    assert order.note == "Grüße, 世界"
    assert order.currency_code == "USD"
    assert order.created_at <= order.status_update_at == delivered.occurred_at
