"""Addresses: a group of parameters and of attributes, the same in every resource of v1."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from mock_server.resources.resource import Attributes, email, text


class _Lines(BaseModel):
    model_config = ConfigDict(defer_build=True)

    first_name: str | None = text(150)
    last_name: str | None = text(150)
    email: str | None = email(70)
    company: str | None = text(250)
    phone: str | None = text(50)
    line1: str | None = text(150)
    line2: str | None = text(150)
    line3: str | None = text(150)
    city: str | None = text(50)
    state_code: str | None = text(50)
    state: str | None = text(50)
    zip: str | None = text(20)
    country: str | None = text(50)


class BillingAddress(_Lines, Attributes):
    """Where a customer or an invoice is billed to."""

    object: Literal["billing_address"] = "billing_address"


class ShippingAddress(_Lines, Attributes):
    """Where an invoice or an order is sent to."""

    object: Literal["shipping_address"] = "shipping_address"
