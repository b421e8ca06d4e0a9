"""Orders: made for an invoice, changed, read and listed."""

from __future__ import annotations

import json
from typing import ClassVar, Final, Literal

from mock_server.outbox.record import Email, record_event
from mock_server.resources import customer, invoice
from mock_server.resources.enums import OrderStatus
from mock_server.resources.page import Page, asked
from mock_server.resources.resource import Given, Moment, Resource, required, text
from mock_server.store.ids import new_id
from mock_server.store.paging import page
from mock_server.store.rows import Row, Rows, TakenError, read_json
from mock_server.wire import errors
from mock_server.wire.call import Call

_BILLED: Final = ("customer_id", "currency_code")
"""What an order needs of its invoice."""


class Order(Resource):
    kind: ClassVar[str] = "order"

    id: str = required(40)
    invoice_id: str | None = text(50)
    status: OrderStatus | None = "new"
    reference_id: str | None = text(50)
    fulfillment_status: str | None = text(50)
    note: str | None = text(600)
    tracking_id: str | None = text(50)
    batch_id: str | None = text(50)
    created_by: str | None = text(50)
    created_at: Moment
    status_update_at: Moment | None = None
    object: Literal["order"] = "order"
    currency_code: str | None = text(3)


def create(rows: Rows, call: Call, given: Given) -> Row:
    """A new order for an invoice of the site, whatever the invoice's status."""
    site = call.site.name
    billed = invoice.find(rows, call, given["invoice_id"], *_BILLED, param="invoice_id")
    row: Row = {
        "site": site,
        "id": given.get("id"),
        "invoice_id": given["invoice_id"],
        "status": given.get("status") or "new",
        "reference_id": given.get("reference_id"),
        "fulfillment_status": given.get("fulfillment_status"),
        "note": given.get("note"),
        "tracking_id": given.get("tracking_id"),
        "batch_id": given.get("batch_id"),
        "created_by": call.key.name,
        "created_at": call.now,
        "status_update_at": call.now,
        "currency_code": billed["currency_code"],
    }
    _add(rows, call, row)
    _record(rows, call, "order_created", row, billed, "has been received")
    return row


def update(rows: Rows, call: Call, given: Given, id: str) -> Row:
    """Change what was given: a blank value clears, and `status_update_at` follows the status."""
    row = _find(rows, call, id)
    changes: Row = {
        name: value for name, value in given.items() if name not in ("status", "shipping_address")
    }
    address, status = given.get("shipping_address"), given.get("status")
    if address is not None:
        changes["shipping_address"] = _merge(row["shipping_address"], address)
    if status is not None and status != row["status"]:
        changes |= {"status": status, "status_update_at": call.now}
    if changes:
        rows.update("orders", changes, seq=row["seq"])
    row |= changes
    billed = invoice.find(rows, call, row["invoice_id"], *_BILLED)
    _record(rows, call, "order_updated", row, billed, "has been updated")
    return row


def retrieve(rows: Rows, call: Call, given: Given, id: str) -> Row:
    return _find(rows, call, id)


def list_all(rows: Rows, call: Call, given: Given) -> Page:
    return Page(*page(rows, "orders", call.site.name, **asked(given)))


def list_of_invoice(rows: Rows, call: Call, given: Given, invoice_id: str) -> Page:
    invoice.find(rows, call, invoice_id)
    return Page(
        *page(
            rows,
            "orders",
            call.site.name,
            **asked(given),
            filters={"invoice_id": invoice_id},
        )
    )


def _add(rows: Rows, call: Call, row: Row) -> None:
    """Keep a new order; one without an id gets one that none has, be it out of a fixture."""
    chosen = row["id"] is not None
    while True:
        row["id"] = row["id"] if chosen else new_id(rows, call.site)
        try:
            return rows.insert("orders", row)
        except TakenError:
            if chosen:
                raise errors.duplicate("id", row["id"]) from None


def _find(rows: Rows, call: Call, id: str) -> Row:
    row = rows.find("orders", site=call.site.name, id=id)
    if row is None:
        raise errors.resource_not_found(id)
    return row


def _merge(kept: str | None, given: Given) -> str | None:
    """An address keeps the lines that an update does not name, and loses those it blanks."""
    address = read_json(kept, dict) if kept else {}
    address |= dict(given)
    address = {name: value for name, value in address.items() if value is not None}
    return json.dumps(address) if address else None


def _record(rows: Rows, call: Call, event_type: str, row: Row, billed: Row, what: str) -> None:
    recipient = customer.find(rows, call, billed["customer_id"], "email")["email"]
    email = None
    if recipient is not None:
        email = Email(
            recipient,
            f"Your order {row['id']} {what}",
            f"Order {row['id']} of invoice {row['invoice_id']} {what}; it is {row['status']}.",
        )
    record_event(rows, call, event_type, {"order": Order.show(row)}, email)
