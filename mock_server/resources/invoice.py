"""Invoices: those of the seed, and one for a charge; each knows its orders."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, ClassVar, Final, Literal

from mock_server.outbox.record import Email, record_event
from mock_server.resources import customer
from mock_server.resources.address import BillingAddress, ShippingAddress
from mock_server.resources.enums import OrderStatus
from mock_server.resources.page import Page, asked
from mock_server.resources.resource import (
    Attributes,
    Cents,
    Given,
    Moment,
    Parts,
    Resource,
    number,
    required,
    text,
)
from mock_server.store.paging import page
from mock_server.store.rows import Row, Rows, read_json
from mock_server.wire import errors
from mock_server.wire.call import Call

BASE_CURRENCY: Final = "USD"
"""The currency of a charge: the sandbox's sites have one (docs/fidelity.md)."""


class LineItem(Attributes):
    date_from: Moment
    date_to: Moment
    unit_amount: int
    quantity: int | None = 1
    is_taxed: bool = False
    tax: Cents | None = 0
    tax_rate: float | None = number(0, 100)
    object: Literal["line_item"] = "line_item"
    amount: int | None = None
    description: str = required(250)
    type: Literal["charge", "prorated_charge", "setup_charge"]
    entity_type: Literal["plan", "addon", "adhoc"]
    entity_id: str | None = text(100)
    reference_line_item_id: str | None = text(40)


class Discount(Attributes):
    object: Literal["discount"] = "discount"
    type: Literal["coupon", "credit_adjustment", "account_credits"]
    description: str | None = text(250)
    amount: Cents
    entity_id: str | None = text(100)


class Tax(Attributes):
    object: Literal["tax"] = "tax"
    description: str | None = text(250)
    amount: Cents


class LinkedTransaction(Attributes):
    txn_id: str = required(40)
    applied_amount: Cents
    applied_at: Moment
    txn_type: Literal["authorization", "payment", "refund", "payment_reversal"]
    txn_status: (
        Literal[
            "in_progress",
            "success",
            "voided",
            "failure",
            "timeout",
            "needs_attention",
            "late_failure",
        ]
        | None
    ) = None
    txn_date: Moment | None = None
    txn_amount: Cents | None = None


class LinkedOrder(Attributes):
    id: str = required(40)
    status: OrderStatus | None = "new"
    reference_id: str | None = text(50)
    fulfillment_status: str | None = text(50)
    batch_id: str | None = text(50)
    created_at: Moment


class Note(Attributes):
    note: str = required(65_000)
    entity_id: str | None = text(100)
    entity_type: Literal["plan", "addon", "coupon", "subscription", "customer"] | None = None


class Invoice(Resource):
    kind: ClassVar[str] = "invoice"
    derived: ClassVar[frozenset[str]] = frozenset({"linked_orders"})

    id: str = required(50)
    po_number: str | None = text(100)
    customer_id: str = required(50)
    subscription_id: str | None = text(50)
    recurring: bool = True
    status: Literal["paid", "payment_due", "not_paid", "voided", "pending"]
    vat_number: str | None = text(20)
    price_type: Literal["tax_exclusive", "tax_inclusive"] = "tax_exclusive"
    start_date: Moment
    end_date: Moment | None = None
    amount: Cents | None = None
    amount_paid: Cents | None = None
    amount_adjusted: Cents | None = 0
    credits_applied: Cents | None = 0
    amount_due: Cents | None = None
    paid_on: Moment | None = None
    dunning_status: Literal["in_progress", "exhausted", "stopped", "success"] | None = None
    next_retry: Moment | None = None
    object: Literal["invoice"] = "invoice"
    first_invoice: bool | None = None
    currency_code: str = required(3)
    tax: Cents = 0
    line_items: Parts[LineItem] | None = None
    discounts: Parts[Discount] | None = None
    taxes: Parts[Tax] | None = None
    sub_total: Cents
    linked_transactions: Parts[LinkedTransaction] | None = None
    linked_orders: Parts[LinkedOrder] | None = None
    billing_address: BillingAddress | None = None
    shipping_address: ShippingAddress | None = None
    notes: Parts[Note] | None = None


def charge(rows: Rows, call: Call, given: Given) -> Row:
    """An invoice of one item for a customer, paid at once where the customer pays by itself."""
    customer_id, subscription_id = given.get("customer_id"), given.get("subscription_id")
    amount, coupon = given.get("amount"), given.get("coupon")
    if subscription_id is not None:  # the sandbox has no subscriptions yet
        raise errors.resource_not_found(subscription_id, "subscription_id")
    if customer_id is None:
        raise errors.cannot_be_blank("customer_id")
    if amount is None:
        raise errors.cannot_be_blank("amount")
    if coupon is not None:  # nor coupons
        raise errors.resource_not_found(coupon, "coupon")
    billed = customer.find(rows, call, customer_id, param="customer_id")
    paid = billed["auto_collection"] == "on" and _has_valid_payment_method(billed)
    invoice = Invoice(
        id=_next_number(rows, call),
        customer_id=customer_id,
        recurring=False,
        status="paid" if paid else "payment_due",
        start_date=call.now,
        end_date=call.now,
        po_number=given.get("po_number"),
        vat_number=billed["vat_number"],
        currency_code=BASE_CURRENCY,
        sub_total=amount,
        amount=amount,
        amount_due=0 if paid else amount,
        amount_paid=amount if paid else 0,
        paid_on=call.now if paid else None,
        line_items=[
            LineItem(
                date_from=call.now,
                date_to=call.now,
                unit_amount=amount,
                amount=amount,
                description=given["description"],
                type="charge",
                entity_type="adhoc",
            )
        ],
        linked_transactions=[],
    )
    row = invoice.to_row() | {
        "site": call.site.name,
        "created_at": call.now,
        "billing_address": billed["billing_address"],
    }
    rows.insert("invoices", row)
    row["linked_orders"] = []
    _record_generated(rows, call, row, billed["email"])
    return row


def retrieve(rows: Rows, call: Call, given: Given, id: str) -> Row:
    row = find(rows, call, id)
    _link_orders(rows, call, [row])
    return row


def list_all(rows: Rows, call: Call, given: Given) -> Page:
    found, last = page(
        rows,
        "invoices",
        call.site.name,
        **asked(given),
        filters={"paid_on.after": given.get("paid_on_after")},
    )
    _link_orders(rows, call, found)
    return Page(found, last)


def find(rows: Rows, call: Call, id: str, *columns: str, param: str | None = None) -> Row:
    """The invoice's row without its orders; ApiError 404, which names `param` if given."""
    row = rows.find("invoices", *columns, site=call.site.name, id=id)
    if row is None:
        raise errors.resource_not_found(id, param)
    return row


def _link_orders(rows: Rows, call: Call, invoices: list[Row]) -> None:
    """Derived from the orders whenever an invoice is shown, and so never out of date."""
    linked: dict[str, list[dict[str, Any]]] = defaultdict(list)
    ids = [invoice["id"] for invoice in invoices]
    for order in rows.all_of("orders", call.site.name, "invoice_id", ids):
        linked[order["invoice_id"]].append(
            {name: order[name] for name in LinkedOrder.model_fields if order[name] is not None}
        )
    for invoice in invoices:
        invoice["linked_orders"] = linked[invoice["id"]]


def _next_number(rows: Rows, call: Call) -> str:
    """Chargebee numbers a site's invoices one after another."""
    site = rows.find("sites", name=call.site.name)
    assert site is not None
    number = site["last_invoice_number"] + 1
    while rows.find("invoices", site=call.site.name, id=str(number)) is not None:
        number += 1  # the seed may have taken it
    rows.update("sites", {"last_invoice_number": number}, name=call.site.name)
    return str(number)


def _has_valid_payment_method(billed: Row) -> bool:
    method = read_json(billed["payment_method"] or "{}", dict)
    return method.get("status") in ("valid", "expiring")


def _record_generated(rows: Rows, call: Call, row: Row, recipient: str | None) -> None:
    email = None
    if recipient is not None:
        email = Email(
            recipient,
            f"Your invoice {row['id']}",
            f"Invoice {row['id']} over {row['currency_code']} {row['amount'] / 100:.2f} "
            f"is {row['status'].replace('_', ' ')}.",
        )
    record_event(rows, call, "invoice_generated", {"invoice": Invoice.show(row)}, email)
