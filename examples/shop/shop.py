"""A small shop: it makes an order in Chargebee for each paid cart, and ships what it reports.

It uses Chargebee's official SDK and knows nothing of the sandbox that its tests run against.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, TypeVar

import chargebee
from chargebee.environment import Environment
from chargebee.main import ChargeBee

Result = TypeVar("Result")


@dataclass(frozen=True)
class Chargebee:
    """Where Chargebee is, and the key that opens it."""

    site: str
    api_key: str
    domain: str = "chargebee.com"
    protocol: str = "https"

    def connect(self) -> None:
        Environment.chargebee_domain = self.domain
        Environment.protocol = self.protocol
        ChargeBee.verify_ca_certs = self.protocol == "https"
        chargebee.configure(self.api_key, self.site)


class Shop:
    """`shipped` is what left the warehouse, by order."""

    ATTEMPTS = 3
    PAUSE = 0.05

    def __init__(self, billing: Chargebee) -> None:
        billing.connect()
        self.shipped: dict[str, str] = {}
        self._seen: set[str] = set()

    def fulfil(self, invoice_id: str) -> str:
        """Make the order of a paid invoice, once, however often the call has to be repeated."""
        key = {"chargebee-idempotency-key": uuid.uuid4().hex}
        parameters = {"invoice_id": invoice_id, "fulfillment_status": "Awaiting shipment"}
        order = self._patiently(lambda: chargebee.Order.create(parameters, headers=key)).order
        id: str = order.id
        return id

    def hear(self, event: dict[str, Any]) -> bool:
        """Take an event that Chargebee reports; whether it was new. Reports may come twice."""
        if event["id"] in self._seen:
            return False
        self._seen.add(event["id"])
        if event["event_type"] == "order_created":
            self._ship(event["content"]["order"]["id"])
        return True

    def _ship(self, order_id: str) -> None:
        self.shipped[order_id] = tracking_id = f"parcel-{len(self.shipped) + 1}"
        done = {"status": "complete", "tracking_id": tracking_id, "fulfillment_status": "Shipped"}
        self._patiently(lambda: chargebee.Order.update(order_id, done))

    def _patiently(self, call: Callable[[], Result]) -> Result:
        """Repeat a call that Chargebee was too busy for, or whose answer got lost."""
        for attempt in range(1, self.ATTEMPTS + 1):
            try:
                return call()
            except (chargebee.OperationFailedError, HTTPException, OSError):
                if attempt == self.ATTEMPTS:
                    raise
                time.sleep(self.PAUSE)
        raise AssertionError("unreachable")
