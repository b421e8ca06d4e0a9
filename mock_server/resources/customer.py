"""Customers of the seed: read and listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from mock_server.resources.address import BillingAddress
from mock_server.resources.enums import Gateway, PaymentMethodType
from mock_server.resources.page import Page, asked
from mock_server.resources.resource import (
    Attributes,
    Cents,
    Given,
    Map,
    Moment,
    Parts,
    Resource,
    email,
    required,
    required_email,
    text,
)
from mock_server.store.paging import page
from mock_server.store.rows import Row, Rows, read_json
from mock_server.wire import errors
from mock_server.wire.call import Call

CardStatus: TypeAlias = Literal[
    "no_card", "valid", "expiring", "expired", "pending_verification", "invalid"
]


class Contact(Attributes):
    id: str = required(150)
    first_name: str | None = text(150)
    last_name: str | None = text(150)
    email: str = required_email(70)
    phone: str | None = text(50)
    label: str | None = text(50)
    enabled: bool = False
    send_account_email: bool = False
    send_billing_email: bool = False
    object: Literal["contact"] = "contact"


class PaymentMethod(Attributes):
    object: Literal["payment_method"] = "payment_method"
    type: PaymentMethodType
    reference_id: str = required(200)
    gateway: Gateway
    status: Literal["valid", "expiring", "expired", "invalid"] = "valid"


class Customer(Resource):
    kind: ClassVar[str] = "customer"
    derived: ClassVar[frozenset[str]] = frozenset({"card_status"})

    id: str = required(50)
    first_name: str | None = text(150)
    last_name: str | None = text(150)
    email: str | None = email(70)
    phone: str | None = text(50)
    company: str | None = text(250)
    vat_number: str | None = text(20)
    auto_collection: Literal["on", "off"] = "on"
    allow_direct_debit: bool = False
    created_at: Moment
    created_from_ip: str | None = text(50)
    taxability: Literal["taxable", "exempt"] | None = "taxable"
    invoice_notes: str | None = text(2000)
    object: Literal["customer"] = "customer"
    billing_address: BillingAddress | None = None
    card_status: CardStatus = "no_card"
    contacts: Parts[Contact] | None = None
    payment_method: PaymentMethod | None = None
    account_credits: Cents = 0
    refundable_credits: Cents = 0
    excess_payments: Cents = 0
    meta_data: Map | None = None

    @classmethod
    def show(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return super().show({**values, "card_status": card_status(values.get("payment_method"))})


def card_status(payment_method: str | None) -> CardStatus:
    """The status of the card that a payment method (JSON) is; `no_card` where it is none."""
    method = read_json(payment_method or "{}", dict)
    status: CardStatus = method["status"] if method.get("type") == "card" else "no_card"
    return status


def retrieve(rows: Rows, call: Call, given: Given, id: str) -> Row:
    return find(rows, call, id)


def list_all(rows: Rows, call: Call, given: Given) -> Page:
    return Page(*page(rows, "customers", call.site.name, **asked(given)))


def find(rows: Rows, call: Call, id: str, *columns: str, param: str | None = None) -> Row:
    """The customer's row; ApiError 404, which names `param` where the id came as one.

    Of a customer in a path Chargebee says what it says of a path that there is not.
    """
    row = rows.find("customers", *columns, site=call.site.name, id=id)
    if row is None:
        raise errors.resource_not_found(id, param) if param else errors.path_not_found()
    return row
