"""Our parameters, attributes and errors are those of Chargebee's own description of API v1.

Both descriptions are boiled down to facts (`note` is a string of at most 600 characters) and must
hold the same ones, in both directions. What differs on purpose stands in `DEVIATIONS`; an entry
there that no longer differs fails too.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias, get_args

import pytest

from mock_server.api import v1
from mock_server.api.openapi import describe
from mock_server.api.operation import Operation
from mock_server.resources.customer import CardStatus
from mock_server.resources.resource import Resource
from mock_server.wire import errors
from mock_server.wire.errors import ApiError
from mock_server.wire.form import URLENCODED

SPEC: Final = Path(__file__).parents[3] / "shared" / "spec" / "chargebee_api_v1_spec.json"

pytestmark = pytest.mark.skipif(
    not SPEC.is_file(), reason="Chargebee's description is not beside this checkout"
)

Fact: TypeAlias = tuple[str, str]
"""What is described and in which respect: `("body.note", "maxLength")`."""
Facts: TypeAlias = dict[Fact, object]
Schema: TypeAlias = dict[str, Any]


class Deviation(NamedTuple):
    """One fact that is ours alone, theirs alone, or another with us: None is "says nothing"."""

    where: str
    what: str
    respect: str
    ours: object
    theirs: object


ORDER_EVENTS: Final = frozenset({"order_created", "order_updated"})
WEBHOOK_STATUSES: Final = frozenset(
    {
        "not_configured",
        "scheduled",
        "succeeded",
        "re_scheduled",
        "failed",
        "skipped",
        "not_applicable",
        "disabled",
        "rate_limited",
    }
)

CARD_STATUSES: Final = frozenset(get_args(CardStatus))

DEVIATIONS: Final = {
    "An update that names no status leaves it alone: the default is a slip of the description.": [
        Deviation("update_an_order", "body.status", "default", None, "new"),
    ],
    "A charge is kept in a signed 64-bit column.": [
        Deviation(
            "create_invoice_for_a_one-time_charge", "body.amount", "maximum", 2**63 - 1, None
        ),
    ],
    "v1 lists no order events; the sandbox records them, and so they can be asked for.": [
        Deviation("list_events", "query.event_type", "enum", ORDER_EVENTS, frozenset()),
        Deviation("Event", "event_type", "enum", ORDER_EVENTS, frozenset()),
    ],
    "v1's SDKs read an event's own webhook status and the kind of the webhooks in it.": [
        Deviation("Event", "webhook_status", "type", "string", None),
        Deviation("Event", "webhook_status", "enum", WEBHOOK_STATUSES, None),
        Deviation("Event", "webhook_failure_reason", "type", "string", None),
        Deviation("Event", "webhooks[].object", "type", "string", None),
        Deviation("Event", "webhooks[].object", "const", "webhook", None),
        Deviation("Event", "webhooks[].object", "default", "webhook", None),
        Deviation("Event", "webhooks[].object", "required", True, None),
    ],
    "An event says what it is; Chargebee's samples show it, its description leaves it out.": [
        Deviation("Event", "object", respect, ours, None)
        for respect, ours in (
            ("type", "string"),
            ("const", "event"),
            ("default", "event"),
            ("required", True),
        )
    ],
    "So does every other resource, and most of their parts.": [
        Deviation(resource, f"{part}object", respect, ours, None)
        for resource, part, kind in (
            ("Order", "", "order"),
            ("Customer", "", "customer"),
            ("Customer", "billing_address.", "billing_address"),
            ("Customer", "contacts[].", "contact"),
            ("Customer", "payment_method.", "payment_method"),
            ("Invoice", "", "invoice"),
            ("Invoice", "billing_address.", "billing_address"),
            ("Invoice", "shipping_address.", "shipping_address"),
            ("Invoice", "line_items[].", "line_item"),
            ("Invoice", "discounts[].", "discount"),
            ("Invoice", "taxes[].", "tax"),
        )
        for respect, ours in (
            ("type", "string"),
            ("const", kind),
            ("default", kind),
            ("required", True),
        )
    ],
    "Chargebee's customers show the status of their card; its description leaves it out.": [
        Deviation("Customer", "card_status", "type", "string", None),
        Deviation("Customer", "card_status", "default", "no_card", None),
        Deviation("Customer", "card_status", "required", True, None),
        Deviation("Customer", "card_status", "enum", CARD_STATUSES, None),
    ],
    "A seed need not spell out that an amount is nothing.": [
        Deviation("Invoice", "tax", "default", 0, None),
        Deviation("Customer", "account_credits", "default", 0, None),
        Deviation("Customer", "refundable_credits", "default", 0, None),
        Deviation("Customer", "excess_payments", "default", 0, None),
    ],
    "The sandbox keeps no cards: a customer comes without one, as Chargebee's may.": [
        Deviation(operation, f"{item}card", "type", None, "object")
        for operation, item in (("list_customers", "list[]."), ("retrieve_a_customer", ""))
    ],
    "An idempotency key is documented on its own page, and not in the description.": [
        Deviation(operation.name, "header.chargebee-idempotency-key", respect, ours, None)
        for operation in v1.OPERATIONS
        if operation.writes
        for respect, ours in (("type", "string"), ("maxLength", 100), ("required", False))
    ],
    "Who called is kept as it was sent and never refused.": [
        Deviation(operation.name, f"header.chargebee-request-origin-{who}", "format", None, "email")
        for operation in v1.OPERATIONS
        for who in ("user", "user-encoded")
    ],
}

RESPECTS: Final = (
    "type",
    "const",
    "enum",
    "default",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
)
NUMBER_WIDTHS: Final = frozenset({"int32", "int64", "double"})
"""Formats that only say how wide a program keeps a number; its limits are compared."""

NOT_IN_THE_SPEC: Final = {
    408: "What Chargebee does with a request that does not arrive is not described.",
    413: "Chargebee's limit for a body is not described; ours is 413 in Chargebee's form.",
    415: "Only /_mock refuses a body for its type.",
    431: "Chargebee's limit for headers is not described; ours is 431 in Chargebee's form.",
    501: "Chargebee carries out all of its operations.",
}

OPERATIONS: Final = [pytest.param(operation, id=operation.name) for operation in v1.OPERATIONS]
RESOURCES: Final = {operation.resource.__name__: operation.resource for operation in v1.OPERATIONS}


@cache
def spec() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(SPEC.read_text(encoding="utf-8"))
    return read


@cache
def ours() -> tuple[dict[str, Any], dict[str, Any]]:
    return describe({v1.VERSION: v1.OPERATIONS})


def our_operation(operation: Operation) -> Schema:
    described: Schema = ours()[0][f"/api/v1{operation.path}"][operation.method.lower()]
    return described


def their_operation(operation: Operation) -> Schema:
    described: Schema = spec()["paths"][operation.path][operation.method.lower()]
    return described


def their_schemas() -> dict[str, Schema]:
    schemas: dict[str, Schema] = spec()["components"]["schemas"]
    return schemas


def facts_of_schema(schema: Schema, schemas: dict[str, Schema], name: str) -> Iterator[Any]:
    """Each fact of the schema and of what is inside it, as pairs of Fact and value."""
    schema = resolve(schema, schemas)
    is_time = schema.get("format") == "unix-time"
    for respect in RESPECTS:
        # The description bounds no time; ours ends with the year 9999, as its columns do.
        if respect not in schema or (is_time and respect in ("minimum", "maximum")):
            continue
        value = schema[respect]
        yield (name, respect), frozenset(value) if isinstance(value, list) else value
    if "format" in schema and schema["format"] not in NUMBER_WIDTHS:
        yield (name, "format"), schema["format"]
    if "items" in schema:
        yield from facts_of_schema(schema["items"], schemas, f"{name}[]")
    for inner, described in schema.get("properties", {}).items():
        path = f"{name}.{inner}" if name else inner
        yield from facts_of_schema(described, schemas, path)
        if inner in schema.get("required", ()):
            yield (path, "required"), True


def resolve(schema: Schema, schemas: dict[str, Schema]) -> Schema:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return schema


def facts_of_parameters(described: Schema, schemas: dict[str, Schema]) -> Facts:
    """What an operation takes: its headers, the ids in its path, its query and its body."""
    facts: Facts = {}
    for parameter in described["parameters"]:
        name = f"{parameter['in']}.{parameter['name']}"
        facts |= facts_of_schema(parameter["schema"], schemas, name)
        facts[name, "required"] = parameter.get("required", False)
    if "requestBody" in described:
        body = described["requestBody"]["content"][URLENCODED]
        facts |= facts_of_schema(body["schema"], schemas, "body")
        for group, encoding in body.get("encoding", {}).items():
            facts[f"body.{group}", "encoding"] = encoding
    return facts


def facts_of_answer(described: Schema, schemas: dict[str, Schema]) -> Facts:
    """The form of an operation's 200, down to the names of the resources in it."""
    opaque = schemas | {name: {"const": name} for name in RESOURCES} | {"Card": {"type": "object"}}
    answer = described["responses"]["200"]["content"]["application/json"]["schema"]
    return dict(facts_of_schema(answer, opaque, ""))


def differences(where: str, ours: Facts, theirs: Facts) -> set[Deviation]:
    found = set()
    for what, respect in ours.keys() | theirs.keys():
        our, their = ours.get((what, respect)), theirs.get((what, respect))
        if isinstance(our, frozenset) and isinstance(their, frozenset):
            our, their = our - their, their - our
        if our != their:
            found.add(Deviation(where, what, respect, our, their))
    return found


def deviations(where: str, *areas: str) -> set[Deviation]:
    return {
        deviation
        for excused in DEVIATIONS.values()
        for deviation in excused
        if deviation.where == where and deviation.what.startswith(areas)
    }


PARAMETERS: Final = ("header.", "path.", "query.", "body.")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_has_chargebees_path_method_and_name(operation: Operation) -> None:
    assert operation.path in spec()["paths"]
    assert operation.method.lower() in spec()["paths"][operation.path]
    assert their_operation(operation)["operationId"] == operation.name
    assert our_operation(operation)["operationId"] == operation.name


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_takes_chargebees_parameters(operation: Operation) -> None:
    taken = facts_of_parameters(our_operation(operation), ours()[1])
    asked = facts_of_parameters(their_operation(operation), their_schemas())

    assert differences(operation.name, taken, asked) == deviations(operation.name, *PARAMETERS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_answers_in_chargebees_form(operation: Operation) -> None:
    shown = facts_of_answer(our_operation(operation), ours()[1])
    promised = facts_of_answer(their_operation(operation), their_schemas())

    excused = deviations(operation.name, "") - deviations(operation.name, *PARAMETERS)
    assert differences(operation.name, shown, promised) == excused


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=RESOURCES)
def test_a_resource_has_chargebees_attributes(resource: type[Resource]) -> None:
    name = resource.__name__
    shown = dict(facts_of_schema(ours()[1][name], ours()[1], ""))
    promised = dict(facts_of_schema(their_schemas()[name], their_schemas(), ""))

    assert differences(name, shown, promised) == deviations(name, "")


def test_every_deviation_is_about_something_that_is_compared() -> None:
    compared = {operation.name for operation in v1.OPERATIONS} | RESOURCES.keys()
    excused = {deviation.where for listed in DEVIATIONS.values() for deviation in listed}

    assert excused <= compared


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_describes_no_status_that_chargebee_does_not(operation: Operation) -> None:
    described = our_operation(operation)["responses"].keys()
    allowed = their_operation(operation)["responses"].keys() | map(str, NOT_IN_THE_SPEC)

    assert described - allowed == set()


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
