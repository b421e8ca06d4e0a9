"""The resources that are kept in tables have the attributes of the contract."""

from __future__ import annotations

from typing import Final

import pytest
from annotated_types import MaxLen

from mock_server.api import v1
from mock_server.contract.facts import Field
from mock_server.contract.view import view
from mock_server.resources.resource import Resource

RESOURCES: Final = {operation.resource.kind: operation.resource for operation in v1.OPERATIONS}


@pytest.fixture(params=RESOURCES)
def resource(request: pytest.FixtureRequest) -> type[Resource]:
    return RESOURCES[request.param]


def facts_of(resource: type[Resource]) -> dict[str, Field]:
    return {one.name: one.field for one in view("v1", resource.kind).attributes}


def test_a_resource_has_the_attributes_of_the_contract(resource: type[Resource]) -> None:
    assert resource.model_fields.keys() - {"object"} == facts_of(resource).keys()


def test_an_attribute_is_as_long_as_the_contract_lets_it_be(resource: type[Resource]) -> None:
    limits = {name: field.limit for name, field in facts_of(resource).items() if field.limit}
    ours = {
        name: next((one.max_length for one in field.metadata if isinstance(one, MaxLen)), None)
        for name, field in resource.model_fields.items()
        if name in limits
    }

    assert ours == limits
