"""What the tests of deliveries do over and over: add an endpoint, place an order, await the end."""

from __future__ import annotations

import time
from typing import Any

import httpx2

from tests.server import Site

NOBODY = "http://127.0.0.1:1/hook"
"""Where nobody listens."""

_WITHIN = 30


class Desk:
    """One site, seen by whoever tests its deliveries, with the endpoints that the test makes.

    Its clients are closed by `close`.
    """

    def __init__(self, site: Site) -> None:
        self.api = site.api()
        self.mock = site.mock()
        self.mock.delete("/webhook_endpoints/whv2_recording")  # the seed's

    def clear(self) -> None:
        """Take back what waits: a later test may get the port of an endpoint of this one."""
        for endpoint in items(self.mock, "webhook_endpoint"):
            self.mock.delete(f"/webhook_endpoints/{endpoint['id']}")

    def close(self) -> None:
        self.api.close()
        self.mock.close()

    def add(self, url: str | None, **given: Any) -> str:
        """A new endpoint's id."""
        return created(
            self.mock.post("/webhook_endpoints", json={"name": "n", "url": url, **given})
        )

    def order(self, id: str = "o-1", *skipped: str) -> str:
        """The id of a new order; `skipped` are headers that switch something off."""
        headers = dict.fromkeys(skipped, "all-disabled")
        data = {"id": id, "invoice_id": "__demo_inv__1"}
        answer = self.api.post("/orders", data=data, headers=headers)
        assert answer.status_code == 200, answer.text
        return id

    def event(self, order_id: str = "o-1") -> dict[str, Any]:
        """The event of that order as the sandbox shows it."""
        events = items(self.mock, "event", limit=1000)
        return next(one for one in events if one["content"]["order"]["id"] == order_id)

    def webhooks(self, endpoint_id: str, **asked: Any) -> list[dict[str, Any]]:
        """The endpoint's webhooks, the earliest first, each with its attempts."""
        listed = items(self.mock, "webhook", limit=1000, webhook_endpoint_id=endpoint_id, **asked)
        return [self.webhook(one["id"]) for one in reversed(listed)]

    def webhook(self, id: str) -> dict[str, Any]:
        answer = self.mock.get(f"/webhooks/{id}")
        assert answer.status_code == 200, answer.text
        webhook: dict[str, Any] = answer.json()["webhook"]
        return webhook

    def attempted(self, endpoint_id: str, count: int = 1) -> list[dict[str, Any]]:
        """The endpoint's webhooks, once `count` calls have been made in all."""
        deadline = time.monotonic() + _WITHIN
        while True:
            found = self.webhooks(endpoint_id)
            if sum(one["attempts"] for one in found) >= count:
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.02)

    def settled(self, endpoint_id: str, status: str) -> list[dict[str, Any]]:
        """The endpoint's webhooks, once all of them have this status."""
        deadline = time.monotonic() + _WITHIN
        while True:
            listed = items(self.mock, "webhook", limit=1000, webhook_endpoint_id=endpoint_id)
            if listed and {one["webhook_status"] for one in listed} == {status}:
                return self.webhooks(endpoint_id)
            assert time.monotonic() < deadline, listed
            time.sleep(0.02)


def created(answer: httpx2.Response) -> str:
    """The id of what was just made."""
    assert answer.status_code == 200, answer.text
    id: str = answer.json()["webhook_endpoint"]["id"]
    return id


def items(mock: httpx2.Client, kind: str, **asked: Any) -> list[dict[str, Any]]:
    """What a list of `/_mock` shows: events, webhooks, e-mails, endpoints."""
    answer = mock.get(f"/{kind}s", params=asked)
    assert answer.status_code == 200, answer.text
    return [item[kind] for item in answer.json()["list"]]
