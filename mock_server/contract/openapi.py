"""The OpenAPI description of operations, composed from their facts when it is asked for.

Parameters have the names under which they are sent: `shipping_address[city]`, and `[0]` for the
first of several.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mock_server.contract.facts import Field, Operation
from mock_server.contract.view import View, view
from mock_server.wire.form import MULTIPART, URLENCODED, bracketed

Schema = dict[str, Any]

_FLAT: Final = {"type": "string"}

ERROR: Final = "Error"
ERROR_SCHEMA: Final[Schema] = {
    "type": "object",
    "description": "What every answer other than 200 says; the last four are for older clients.",
    "properties": {
        "message": _FLAT,
        "type": _FLAT,
        "api_error_code": _FLAT,
        "param": _FLAT,
        "error_code": _FLAT,
        "error_msg": _FLAT,
        "error_param": _FLAT,
        "http_status_code": {"type": "integer"},
    },
    "required": ["message", "api_error_code", "error_code", "error_msg", "http_status_code"],
}
SECURITY: Final = {"apiKey": {"type": "http", "scheme": "basic"}}
"""The API key is the user name; the password is empty."""

_FIRST: Final = "0"
_DISABLED: Final = {"type": "string", "enum": ["all-disabled"]}
_HEADERS: Final[dict[str, Schema]] = {
    "chargebee-request-origin-ip": {"type": "string"},
    "chargebee-request-origin-device": {"type": "string"},
    "chargebee-request-origin-user": {"type": "string"},
    "chargebee-request-origin-user-encoded": {"type": "string"},
}
_WRITE_HEADERS: Final[dict[str, Schema]] = {
    "chargebee-event-webhook": _DISABLED,
    "chargebee-event-email": _DISABLED,
    "chargebee-event-actions": _DISABLED,
    "chargebee-idempotency-key": {"type": "string", "maxLength": 100},
}
_TYPES: Final[dict[str, Schema]] = {
    "any": {},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "decimal": {"type": "number"},
    "email": {"type": "string", "format": "email"},
    "enum": {"type": "string"},
    "filter": {"type": "string"},
    "group": {"type": "object"},
    "integer": {"type": "integer"},
    "map": {"type": "object"},
    "string": {"type": "string"},
    "time": {"type": "integer", "format": "unix-time", "minimum": 0},
}


@dataclass(frozen=True, slots=True)
class Described:
    """An operation that is to be described, with what its facts do not say.

    `more` are parameters beside its own, `meanings` what its statuses other than 200 mean.
    """

    operation: Operation
    more: Sequence[Field] = ()
    about: str | None = None
    meanings: Mapping[int, str] = field(default_factory=dict)


def describe(operations: Iterable[Described]) -> tuple[Schema, Schema]:
    """The paths and the component schemas of the operations."""
    paths: Schema = {}
    schemas: Schema = {ERROR: ERROR_SCHEMA}
    for one in operations:
        path = paths.setdefault(f"/api/{one.operation.version}{one.operation.path}", {})
        path[one.operation.method.lower()] = _operation(one, schemas)
    return paths, schemas


def answer(meaning: str, schema: Schema | str) -> Schema:
    """An answer of this JSON; a text names one of the component schemas."""
    if isinstance(schema, str):
        schema = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


def parameters_of(
    fields: Sequence[Field], path: tuple[str, ...] = (), *, row: bool = False
) -> Iterator[tuple[str, Field]]:
    """Every single parameter by the name under which it is sent."""
    for one in fields:
        place = (*path, one.name)
        if one.type == "group":
            yield from parameters_of(one.fields, place, row=row or one.many)
        elif one.many or row:
            yield bracketed((*place, _FIRST)), one
        else:
            yield bracketed(place), one


def schema_of(declared: Field) -> Schema:
    """What one value of a field may be."""
    schema = dict(_TYPES[declared.type])
    bounds = {
        "minLength": declared.shortest or None,
        "maxLength": declared.limit,
        "minimum": _whole(declared.low),
        "maximum": _whole(declared.high),
        "pattern": declared.pattern,
        "enum": list(declared.values) or None,
        "deprecated": declared.deprecated or None,
    }
    schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    return schema


def _operation(one: Described, schemas: Schema) -> Schema:
    operation = one.operation
    described: Schema = {
        "operationId": operation.name,
        "summary": operation.name.replace("_", " ").replace(".", ": ").capitalize(),
        "tags": [operation.shown[0].kind if operation.shown else operation.name.split(".")[0]],
        "security": [{name: []} for name in SECURITY],
        "parameters": _parameters(operation, one.more),
        "responses": {"200": _success(operation, schemas)}
        | {str(status): answer(meaning, ERROR) for status, meaning in one.meanings.items()},
    }
    if one.about:
        described["description"] = one.about
    if operation.writes:
        described["requestBody"] = _body(operation)
    if operation.deprecated:
        described["deprecated"] = True
    return described


def _parameters(operation: Operation, more: Sequence[Field]) -> list[Schema]:
    headers = _HEADERS | (_WRITE_HEADERS if operation.writes else {})
    fields = () if operation.writes else (*operation.fields, *more)
    return [
        *(
            {"name": id, "in": "path", "required": True, "schema": {"type": "string"}}
            for id in operation.ids
        ),
        *(
            {"name": name, "in": "query", "schema": _sent(field)}
            for name, field in parameters_of(fields)
        ),
        *({"name": name, "in": "header", "schema": schema} for name, schema in headers.items()),
    ]


def _body(operation: Operation) -> Schema:
    named = dict(parameters_of(operation.fields))
    required = [field.name for field in operation.fields if field.required and field.name in named]
    schema: Schema = {
        "type": "object",
        "properties": {name: _sent(field) for name, field in named.items()},
    }
    if required:
        schema["required"] = required
    return {
        "description": "The parameters; those that stand in the query count, too.",
        "required": bool(required),
        "content": {kind: {"schema": schema} for kind in (URLENCODED, MULTIPART)},
    }


def _sent(field: Field) -> Schema:
    """A value as a form has it: JSON is sent as text."""
    schema = schema_of(field)
    return {"type": "string"} if field.type in ("map", "any") else schema


def _success(operation: Operation, schemas: Schema) -> Schema:
    properties: Schema = {}
    for shown in operation.shown:
        if shown.field is not None:
            schema = schema_of(shown.field)
        else:
            schema = _resource(operation.version, shown.kind, schemas)
        properties[shown.name] = {"type": "array", "items": schema} if shown.many else schema
    required = [shown.name for shown in operation.shown if not shown.optional]
    wrapped: Schema = {"type": "object", "properties": properties}
    if required:
        wrapped["required"] = required
    if not operation.lists:
        return answer("What was changed, or asked for.", wrapped)
    listed = {
        "type": "object",
        "properties": {
            "list": {"type": "array", "items": wrapped},
            "next_offset": {"type": "string"},
        },
        "required": ["list"],
    }
    return answer("A page of the list.", listed)


def _resource(version: str, kind: str, schemas: Schema) -> Schema:
    """A reference to the schema of a kind, which is added to `schemas`."""
    name = f"{version}.{kind}"
    if name not in schemas:
        schemas[name] = _viewed(view(version, kind))
    return {"$ref": f"#/components/schemas/{name}"}


def _viewed(shown: View) -> Schema:
    properties: Schema = {}
    for attribute in shown.attributes:
        schema = schema_of(attribute.field) if attribute.part is None else _viewed(attribute.part)
        if attribute.field.many:
            schema = {"type": "array", "items": schema}
        properties[attribute.name] = schema
    if shown.object is not None:
        properties["object"] = {"type": "string", "const": shown.object}
    return {"type": "object", "properties": properties}


def _whole(bound: float | None) -> float | int | None:
    return int(bound) if bound is not None and bound.is_integer() else bound
