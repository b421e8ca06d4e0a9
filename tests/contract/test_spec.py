"""Our errors and the statuses that we describe are those of Chargebee's description of API v1.

Operations, parameters and attributes are facts: `test_contract_script.py` holds them against the
description.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from mock_server.api import v1
from mock_server.api.openapi import describe
from mock_server.api.operation import Operation
from mock_server.wire import errors
from mock_server.wire.errors import ApiError

SPEC: Final = Path(__file__).parents[3] / "shared" / "spec" / "chargebee_api_v1_spec.json"

pytestmark = pytest.mark.skipif(
    not SPEC.is_file(), reason="Chargebee's description is not beside this checkout"
)

Schema: TypeAlias = dict[str, Any]

NOT_IN_THE_SPEC: Final = {
    408: "What Chargebee does with a request that does not arrive is not described.",
    413: "Chargebee's limit for a body is not described; ours is 413 in Chargebee's form.",
    415: "Only /_mock refuses a body for its type.",
    431: "Chargebee's limit for headers is not described; ours is 431 in Chargebee's form.",
    501: "Chargebee carries out all of its operations.",
}

OPERATIONS: Final = [pytest.param(operation, id=operation.name) for operation in v1.OPERATIONS]


@cache
def spec() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(SPEC.read_text(encoding="utf-8"))
    return read


def their_schemas() -> dict[str, Schema]:
    schemas: dict[str, Schema] = spec()["components"]["schemas"]
    return schemas


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_describes_no_status_that_chargebee_does_not(operation: Operation) -> None:
    known, method = operation.known, operation.known.method.lower()
    paths, _ = describe({v1.VERSION: (operation,)})
    described = paths[f"/api/v1{known.path}"][method]["responses"].keys()
    theirs = spec()["paths"][known.path][method]["responses"].keys()

    assert described - theirs == set(map(str, NOT_IN_THE_SPEC)) & described


def _error_makers() -> list[Callable[..., ApiError]]:
    return [
        maker
        for _, maker in inspect.getmembers(errors, inspect.isfunction)
        if maker.__module__ == errors.__name__ and not maker.__name__.startswith("_")
    ]


@pytest.mark.parametrize("maker", _error_makers(), ids=lambda maker: maker.__name__)
def test_an_error_has_a_status_code_and_type_of_chargebees(
    maker: Callable[..., ApiError],
) -> None:
    parameters = inspect.signature(maker).parameters.values()
    error = maker(*(1 if parameter.annotation == "int" else "x" for parameter in parameters))

    if error.status in NOT_IN_THE_SPEC:
        assert str(error.status) not in their_schemas()
        return
    described = their_schemas()[str(error.status)]["properties"]
    assert error.api_error_code in described["api_error_code"]["enum"]
    assert (error.type or "untyped") in described["type"]["enum"]  # untyped errors send no type
