"""API v1: the operations that are carried out, a line each, by Chargebee's own names."""

from __future__ import annotations

from typing import Final

from mock_server.api.operation import Operation, Rule
from mock_server.contract.facts import facts
from mock_server.resources import customer, event, invoice, order
from mock_server.resources.customer import Customer
from mock_server.resources.event import Event
from mock_server.resources.invoice import Invoice
from mock_server.resources.order import Order
from mock_server.resources.resource import Resource

VERSION: Final = "v1"

_RULES: Final[dict[str, tuple[Rule, type[Resource]]]] = {
    "create_an_order": (order.create, Order),
    "list_orders": (order.list_all, Order),
    "retrieve_an_order": (order.retrieve, Order),
    "update_an_order": (order.update, Order),
    "list_invoices": (invoice.list_all, Invoice),
    "create_invoice_for_a_one-time_charge": (invoice.charge, Invoice),
    "retrieve_an_invoice": (invoice.retrieve, Invoice),
    "list_orders_for_an_invoice": (order.list_of_invoice, Order),
    "list_customers": (customer.list_all, Customer),
    "retrieve_a_customer": (customer.retrieve, Customer),
    "list_events": (event.list_all, Event),
    "retrieve_an_event": (event.retrieve, Event),
}

_KNOWN: Final = {operation.name: operation for operation in facts(VERSION).operations}

OPERATIONS: Final = tuple(
    Operation(_KNOWN[name], *carried_out) for name, carried_out in _RULES.items()
)
