"""API v1: the operations that are carried out, a line each."""

from __future__ import annotations

from typing import Final

from mock_server.api.operation import Operation
from mock_server.resources import customer, event, invoice, order
from mock_server.resources.customer import Customer
from mock_server.resources.event import Event, ListEvents
from mock_server.resources.invoice import Charge, Invoice, ListInvoices
from mock_server.resources.order import CreateOrder, Order, UpdateOrder
from mock_server.wire.listing import Listing
from mock_server.wire.parameters import Parameters

VERSION: Final = "v1"

# fmt: off
OPERATIONS: Final = (
    Operation("create_an_order", "POST", "/orders", order.create, CreateOrder, Order),
    Operation("list_orders", "GET", "/orders", order.list_all, Listing, Order),
    Operation("retrieve_an_order", "GET", "/orders/{order-id}", order.retrieve, Parameters, Order),
    Operation("update_an_order", "POST", "/orders/{order-id}", order.update, UpdateOrder, Order),
    Operation("list_invoices", "GET", "/invoices", invoice.list_all, ListInvoices, Invoice),
    Operation("create_invoice_for_a_one-time_charge", "POST", "/invoices/charge", invoice.charge, Charge, Invoice),  # noqa: E501
    Operation("retrieve_an_invoice", "GET", "/invoices/{invoice-id}", invoice.retrieve, Parameters, Invoice),  # noqa: E501
    Operation("list_orders_for_an_invoice", "GET", "/invoices/{invoice-id}/orders", order.list_of_invoice, Listing, Order),  # noqa: E501
    Operation("list_customers", "GET", "/customers", customer.list_all, Listing, Customer),
    Operation("retrieve_a_customer", "GET", "/customers/{customer-id}", customer.retrieve, Parameters, Customer),  # noqa: E501
    Operation("list_events", "GET", "/events", event.list_all, ListEvents, Event),
    Operation("retrieve_an_event", "GET", "/events/{event-id}", event.retrieve, Parameters, Event),
)
# fmt: on
