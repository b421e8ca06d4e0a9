"""The OpenAPI description of an operation has what its facts say."""

from __future__ import annotations

from typing import Any

from mock_server.contract.facts import facts
from mock_server.contract.openapi import Described, describe


def described(name: str) -> dict[str, Any]:
    operation = next(one for one in facts("v2").operations if one.name == name)
    paths, _ = describe([Described(operation)])
    method: dict[str, Any] = paths[f"/api/v2{operation.path}"][operation.method.lower()]
    return method


def test_what_is_deprecated_is_described_as_such() -> None:
    assert described("invoice.invoices_for_customer")["deprecated"] is True
    assert "deprecated" not in described("invoice.list")

    form = described("subscription.create")["requestBody"]["content"]
    parameters = form["application/x-www-form-urlencoded"]["schema"]["properties"]
    assert parameters["coupon"] == {"type": "string", "maxLength": 100, "deprecated": True}


def test_a_filter_is_described_with_its_pattern_or_type() -> None:
    parameters = {
        one["name"]: one["schema"] for one in described("subscription.list")["parameters"]
    }

    assert parameters["created_at[after]"] == {"type": "string", "pattern": r"^\d{10}$"}
    assert parameters["has_scheduled_changes[is]"] == {"type": "boolean"}
    assert parameters["sort_by[asc]"]["enum"] == ["created_at", "updated_at"]


def test_a_plain_value_of_an_answer_is_described_with_its_type() -> None:
    answer = described("usage_event.batch_ingest")["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]

    assert schema["properties"] == {
        "batch_id": {"type": "string"},
        "failed_events": {"type": "array", "items": {}},
    }


def test_every_operation_is_described() -> None:
    for version in ("v1", "v2"):
        operations = facts(version).operations
        paths, _ = describe(map(Described, operations))
        assert sum(len(methods) for methods in paths.values()) == len(operations)
