"""A site's orders, through Chargebee's API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pytest_chargebee_mock.handles.calls import Handle, Json, Mode, Steps, method

Headers = Mapping[str, str] | None


class Orders(Handle[Mode]):
    @method
    def create(self, /, *, headers: Headers = None, **parameters: Any) -> Steps[Json]:
        """A new order; for `__demo_inv__1` unless `invoice_id` says otherwise."""
        given = {"invoice_id": "__demo_inv__1", **parameters}
        answer = yield self._api("POST", "/orders", given, headers)
        return _order(answer)

    @method
    def retrieve(self, id: str) -> Steps[Json]:
        answer = yield self._api("GET", f"/orders/{quote(id, safe='')}")
        return _order(answer)

    @method
    def update(self, /, id: str, *, headers: Headers = None, **parameters: Any) -> Steps[Json]:
        answer = yield self._api("POST", f"/orders/{quote(id, safe='')}", parameters, headers)
        return _order(answer)

    @method
    def list(self) -> Steps[list[Json]]:
        """Every order, the latest first."""
        found = []
        asked: Json = {"limit": 100}
        while True:
            page = yield self._api("GET", "/orders", asked)
            found += [_order(item) for item in page["list"]]
            if "next_offset" not in page:
                return found
            asked["offset"] = page["next_offset"]


def _order(answer: Json) -> Json:
    order: Json = answer["order"]
    return order
