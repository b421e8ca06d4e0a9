"""Chargebee's official Node SDK that speaks v1, pointed at the sandbox."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.clients.node import NodeError, Sdk
from tests.clients.refusals import INVOICE, KEYED, REFUSALS, TAKEN, Refusal
from tests.server import IMPATIENT, Server


def _pointed_at(server: Server, packages: Path) -> Sdk:
    port = httpx2.URL(server.url).port
    assert port is not None
    return Sdk(packages, port)


@pytest.fixture
def sdk(server: Server, node_packages: Path) -> Sdk:
    return _pointed_at(server, node_packages)


def test_every_order_operation_works(sdk: Sdk) -> None:
    given = {"invoice_id": "__demo_inv__3", "note": "Fragile", "batch_id": "Été & +"}
    created = sdk.call("order.create", given)
    id = created["order"]["id"]
    updated = sdk.call("order.update", id, {"status": "complete"})
    retrieved = sdk.call("order.retrieve", id)
    listed = sdk.call("order.list", {"limit": 1})
    of_invoice = sdk.call("order.orders_for_invoice", "__demo_inv__3", {"limit": 1})

    assert {name: created["order"][name] for name in given} == given
    assert created["order"]["status"] == "new"
    assert updated["order"]["status"] == "complete"
    assert retrieved == updated
    assert listed["list"] == of_invoice["list"] == [updated]


def test_a_list_goes_on_from_its_next_offset(sdk: Sdk) -> None:
    given = {"invoice_id": "__demo_inv__4"}
    created = [sdk.call("order.create", given)["order"]["id"] for _ in range(3)]

    for call, *path in (["order.list"], ["order.orders_for_invoice", "__demo_inv__4"]):
        first = sdk.call(call, *path, {"limit": 2})
        second = sdk.call(call, *path, {"limit": 1, "offset": first["next_offset"]})

        listed = [entry["order"]["id"] for entry in first["list"] + second["list"]]
        assert listed == created[::-1]


def test_a_shipping_address_is_taken(sdk: Sdk, server: Server) -> None:
    id = sdk.call("order.create", INVOICE)["order"]["id"]
    address = {"first_name": "José", "line1": "4 Quiet Lane", "city": "Cork", "zip": "T12 & +"}

    updated = sdk.call("order.update", id, {"shipping_address": address, "note": "Ring"})

    assert updated["order"]["note"] == "Ring"
    with closing(sqlite3.connect(server.database)) as database:
        (kept,) = database.execute(
            "SELECT shipping_address FROM orders WHERE id = ?", [id]
        ).fetchone()
    assert json.loads(kept) == address


@pytest.mark.parametrize("header", ["webhook", "email", "actions"])
def test_a_skip_header_is_sent_with_a_call(sdk: Sdk, header: str) -> None:
    quiet = {f"chargebee-event-{header}": "all-disabled"}

    sdk.call("order.create", INVOICE, headers=quiet)

    event = sdk.call("event.list", {"limit": 1})["list"][0]["event"]
    assert event["event_type"] == "order_created"
    assert ("webhooks" in event) is (header == "email")


def test_a_call_repeated_under_its_idempotency_key_is_carried_out_once(sdk: Sdk) -> None:
    key = {"chargebee-idempotency-key": "node"}

    first, again = (sdk.call("order.create", INVOICE, headers=key) for _ in range(2))

    assert again == first


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_an_error_of_its_type(sdk: Sdk, refusal: Refusal) -> None:
    sdk.call("order.create", TAKEN, headers=KEYED)  # once: the others are replayed

    with pytest.raises(NodeError) as refused:
        sdk.call(refusal.call, *refusal.arguments, headers=refusal.headers, key=refusal.key)

    error = refused.value.error
    assert (
        error["http_status_code"],
        error.get("type"),
        error["api_error_code"],
        error.get("param"),
    ) == (refusal.status, refusal.type, refusal.api_error_code, refusal.param)


def test_a_server_that_cannot_write_is_an_operation_that_failed(
    database: Path, node_packages: Path
) -> None:
    with (
        Server(database, prelude=IMPATIENT) as server,
        closing(sqlite3.connect(database, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NodeError) as refused:
            _pointed_at(server, node_packages).call("order.create", INVOICE)

    error = refused.value.error
    assert (error["http_status_code"], error["type"], error["api_error_code"]) == (
        503,
        "operation_failed",
        "internal_temporary_error",
    )
