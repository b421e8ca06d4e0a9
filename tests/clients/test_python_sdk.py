"""Chargebee's official Python SDK that speaks v1, pointed at the sandbox."""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.clients.refusals import INVOICE, KEYED, REFUSALS, TAKEN, Refusal
from tests.server import IMPATIENT, Server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK imports pkg_resources
    import chargebee
    from chargebee.environment import Environment
    from chargebee.main import ChargeBee

Point: TypeAlias = Callable[[Server], Any]


@pytest.fixture
def point(monkeypatch: pytest.MonkeyPatch) -> Point:
    """Points the SDK at a server, and gives it."""

    def at(server: Server) -> Any:
        port = server.url.rpartition(":")[2]
        monkeypatch.setattr(Environment, "chargebee_domain", f"1:{port}", raising=False)
        monkeypatch.setattr(Environment, "protocol", "http", raising=False)
        monkeypatch.setattr(ChargeBee, "verify_ca_certs", False, raising=False)
        chargebee.configure("test_key", "127.0.0")
        return chargebee

    return at


@pytest.fixture
def sdk(server: Server, point: Point) -> Any:
    return point(server)


def test_every_order_operation_works(sdk: Any) -> None:
    created = sdk.Order.create({"invoice_id": "__demo_inv__3", "note": "Fragile"}).order
    updated = sdk.Order.update(created.id, {"status": "complete"}).order
    retrieved = sdk.Order.retrieve(created.id).order
    listed = sdk.Order.list({"limit": 1})
    of_invoice = sdk.Order.orders_for_invoice("__demo_inv__3", {"limit": 1})

    assert created.status == "new"
    assert (updated.status, retrieved.status, retrieved.note) == ("complete", "complete", "Fragile")
    assert [entry.order.id for entry in listed] == [created.id]
    assert [entry.order.id for entry in of_invoice] == [created.id]


def test_a_list_goes_on_from_its_next_offset(sdk: Any) -> None:
    created = [sdk.Order.create({"invoice_id": "__demo_inv__4"}).order.id for _ in range(3)]

    for listed in (
        sdk.Order.list,
        lambda params: sdk.Order.orders_for_invoice("__demo_inv__4", params),
    ):
        first = listed({"limit": 2})
        second = listed({"limit": 1, "offset": first.next_offset})

        assert [entry.order.id for entry in (*first, *second)] == created[::-1]


def test_a_shipping_address_is_taken(sdk: Any, server: Server) -> None:
    order = sdk.Order.create(INVOICE).order
    address = {"first_name": "José", "line1": "4 Quiet Lane", "city": "Cork", "zip": "T12 & +"}

    updated = sdk.Order.update(order.id, {"shipping_address": address, "note": "Ring"}).order

    assert updated.note == "Ring"
    with closing(sqlite3.connect(server.database)) as database:
        (kept,) = database.execute(
            "SELECT shipping_address FROM orders WHERE id = ?", [order.id]
        ).fetchone()
    assert json.loads(kept) == address


@pytest.mark.parametrize("header", ["webhook", "email", "actions"])
def test_a_skip_header_is_sent_with_a_call(sdk: Any, header: str) -> None:
    quiet = {f"chargebee-event-{header}": "all-disabled"}

    sdk.Order.create(INVOICE, headers=quiet)

    event = sdk.Event.list({"limit": 1})[0].event
    assert event.event_type == "order_created"
    assert (event.webhooks is not None) is (header == "email")


def test_a_call_repeated_under_its_idempotency_key_is_carried_out_once(sdk: Any) -> None:
    # The SDK puts headers of its own into the mapping that it is given.
    first = sdk.Order.create(INVOICE, headers={"chargebee-idempotency-key": "python"}).order
    again = sdk.Order.create(INVOICE, headers={"chargebee-idempotency-key": "python"}).order

    assert again.id == first.id


def _refused(sdk: Any, refusal: Refusal) -> Any:
    """The SDK's error of the call."""
    resource, _, operation = refusal.call.partition(".")
    call = getattr(getattr(sdk, resource.capitalize()), operation)
    with pytest.raises(sdk.APIError) as refused:
        call(*refusal.arguments, headers=dict(refusal.headers))
    return refused.value


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_the_sdks_error_of_its_type(sdk: Any, refusal: Refusal) -> None:
    sdk.Order.create(TAKEN, headers=dict(KEYED))  # once: the others are replayed
    sdk.configure(refusal.key, "127.0.0")

    error = _refused(sdk, refusal)

    expected = {
        "invalid_request": sdk.InvalidRequestError,
        "operation_failed": sdk.OperationFailedError,
        None: sdk.APIError,
    }
    assert type(error) is expected[refusal.type]
    assert (error.http_status_code, error.type, error.api_error_code, error.param) == (
        refusal.status,
        refusal.type,
        refusal.api_error_code,
        refusal.param,
    )


def test_a_server_that_cannot_write_is_the_sdks_operation_failed(
    database: Path, point: Point
) -> None:
    with (
        Server(database, prelude=IMPATIENT) as server,
        closing(sqlite3.connect(database, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        error = _refused(
            point(server), Refusal("order.create", (INVOICE,), 503, "internal_temporary_error")
        )

    assert type(error) is chargebee.OperationFailedError
    assert (error.http_status_code, error.api_error_code) == (503, "internal_temporary_error")
