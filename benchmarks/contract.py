"""`make bench-contract`: what the facts cost, version by version, at the start and at each request.

The index is read when the server starts, an operation's parameters and a view with their first use;
a form and a document cost their time again and again. Each figure is the best of several runs: the
machine's other work only makes one slower.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Final, TypeAlias, TypeVar

from mock_server.contract import values
from mock_server.contract.facts import VERSIONS, Facts, Operation
from mock_server.contract.ours import our_facts
from mock_server.contract.view import Views
from mock_server.wire.form import nest, parse_urlencoded

Measure: TypeAlias = Callable[[str, int], float]
"""Seconds that something takes in a version, the best of so many runs."""

_One = TypeVar("_One")

_ORDER: Final = {"v1": "create_an_order", "v2": "order.create"}
_LARGE: Final = {"v1": "create_a_subscription", "v2": "subscription.create_with_items"}
_FORM: Final = b"invoice_id=__demo_inv__1&note=Ring+twice&reference_id=r-1&status=new"
_ROWS: Final = b"&".join(
    [
        b"plan_id=basic&customer[email]=jane%40example.com&billing_address[city]=Oslo",
        *(b"subscription_items[item_price_id][%d]=day" % row for row in range(5)),
        *(b"subscription_items[quantity][%d]=2" % row for row in range(5)),
        *(b"addons[id][%d]=wrap" % row for row in range(5)),
    ]
)
_DOCUMENT: Final = {
    "id": "AzqOd0VMyVsW3aOz",
    "invoice_id": "__demo_inv__1",
    "status": "new",
    "note": "Ring twice",
    "created_by": "full_access_key_v1",
    "created_at": 1781856121,
    "status_update_at": 1781856121,
    "updated_at": 1781856121,
    "resource_version": 1781856121780,
    "deleted": False,
    "shipping_address": {"first_name": "Jane", "city": "Oslo", "country": "NO"},
    "order_line_items": [{"id": f"o_li{row}", "amount": 100, "unit_price": 50} for row in range(5)],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="of which the best counts")
    runs: int = parser.parse_args().runs
    print(f"{f'microseconds, the best of {runs} runs':40}", *(f"{name:>9}" for name in VERSIONS))
    for name, measure in MEASURED.items():
        times = (measure(version, runs) for version in VERSIONS)
        print(f"{name:40}", *(f"{taken * 1e6:9.1f}" for taken in times))


def _index(version: str, runs: int) -> float:
    text = _text(version)
    return _best(lambda _: Facts(version, text), [None] * runs)


def _first_fields(names: dict[str, str]) -> Measure:
    def measure(version: str, runs: int) -> float:
        fresh = [_operation(version, names) for _ in range(runs)]
        return _best(lambda operation: operation.fields, fresh)

    return measure


def _first_view(version: str, runs: int) -> float:
    fresh = [Views(Facts(version, _text(version)), our_facts(version)) for _ in range(runs)]
    return _best(lambda views: views.of_resource("order"), fresh)


def _form(names: dict[str, str], encoded: bytes) -> Measure:
    def measure(version: str, runs: int) -> float:
        fields = _operation(version, names).fields
        sent = nest(parse_urlencoded(encoded)).values
        hundred = [None] * 100
        return (
            _best(lambda _: [values.read(fields, sent, []) for _ in hundred], [None] * runs) / 100
        )

    return measure


def _shown(version: str, runs: int) -> float:
    view = Views(Facts(version, _text(version)), our_facts(version)).of_resource("order")
    hundred = [None] * 100
    return _best(lambda _: [view.show(_DOCUMENT) for _ in hundred], [None] * runs) / 100


def _best(work: Callable[[_One], object], on: Sequence[_One]) -> float:
    """Seconds of the quickest of these pieces of work."""
    taken = []
    for one in on:
        started = time.perf_counter()
        work(one)
        taken.append(time.perf_counter() - started)
    return min(taken)


def _text(version: str) -> str:
    return (files("mock_server.contract") / f"{version}.facts").read_text("utf-8")


def _operation(version: str, names: dict[str, str]) -> Operation:
    operations = Facts(version, _text(version)).operations
    return next(one for one in operations if one.name == names[version])


MEASURED: Final[dict[str, Measure]] = {
    "index of all operations": _index,
    "first parameters of an order": _first_fields(_ORDER),
    "first parameters of a subscription": _first_fields(_LARGE),
    "first view of an order": _first_view,
    "a form of 4 parameters": _form(_ORDER, _FORM),
    "a form of 18 parameters, 5 rows": _form(_LARGE, _ROWS),
    "an order with 5 items, shown": _shown,
}


if __name__ == "__main__":
    main()
