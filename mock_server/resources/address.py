"""Addresses: a group of parameters and of attributes, the same in every resource of v1."""

from __future__ import annotations

from mock_server.resources.resource import Attributes
from mock_server.wire.parameters import Parameters, email, text


class AddressParameters(Parameters):
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


class Address(Attributes):
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
