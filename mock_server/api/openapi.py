"""Our own OpenAPI description of the API, composed from the operations when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import (
    GenerateJsonSchema,
    JsonSchemaMode,
    JsonSchemaValue,
    models_json_schema,
)
from pydantic_core.core_schema import NullableSchema

from mock_server.api.operation import Operation
from mock_server.resources.resource import Resource
from mock_server.wire.form import MULTIPART, URLENCODED
from mock_server.wire.listing import MAX_OFFSET
from mock_server.wire.parameters import Parameters

SECURITY: Final = {"apiKey": {"type": "http", "scheme": "basic"}}
"""The API key is the user name; the password is empty."""

_ERRORS: Final = {
    400: "A parameter is missing or wrong, or the id is taken.",
    401: "No API key, or one that does not open this site.",
    403: "The API key may not do this.",
    404: "Nothing has this id, or no site has this name.",
    409: "The state forbids it, or a request under the same idempotency key is under way.",
    413: "The body is too long.",
    422: "The idempotency key was used for another request.",
    429: "A fault or the site's rate limit, where they are switched on.",
    500: "A bug of the sandbox.",
    503: "The database is locked, full or read-only.",
}
_BOUNDS: Final = {"ge": "minimum", "le": "maximum"}
"""What pydantic leaves in its own words where a number has a validator before it."""
_WRITE_ERRORS: Final = frozenset({409, 413, 422})
_DISABLED: Final = {"type": "string", "enum": ["all-disabled"]}
_HEADERS: Final = {
    "chargebee-request-origin-ip": {"type": "string"},
    "chargebee-request-origin-device": {"type": "string"},
    "chargebee-request-origin-user": {"type": "string"},
    "chargebee-request-origin-user-encoded": {"type": "string"},
}
_WRITE_HEADERS: Final = {
    "chargebee-event-webhook": _DISABLED,
    "chargebee-event-email": _DISABLED,
    "chargebee-event-actions": _DISABLED,
    "chargebee-idempotency-key": {"type": "string", "maxLength": 100},
}


class Error(BaseModel):
    """What every answer other than 200 says; the last four are for older clients."""

    message: str
    type: str | None = None
    api_error_code: str
    param: str | None = None
    error_code: str
    error_msg: str
    error_param: str | None = None
    http_status_code: int


class _Dialect(GenerateJsonSchema):
    """JSON Schema of what is on the wire, where nothing is ever null."""

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        described = super().generate_inner(schema)
        for bound, keyword in _BOUNDS.items():
            if bound in described:
                described[keyword] = described.pop(bound)
        return described

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if described.get("default", ...) is None:
            del described["default"]
        return described


def describe(
    versions: Mapping[str, tuple[Operation, ...]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The paths and the component schemas of the API's versions."""
    operations = [operation for declared in versions.values() for operation in declared]
    models: dict[type[BaseModel], None] = {Error: None}
    for operation in operations:
        models |= {operation.parameters: None, operation.resource: None}
    _, definitions = models_json_schema(
        [(model, _mode(model)) for model in models],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Dialect,
    )
    schemas: dict[str, Any] = definitions["$defs"]
    paths: dict[str, Any] = {}
    for version, declared in versions.items():
        for operation in declared:
            path = paths.setdefault(f"/api/{version}{operation.path}", {})
            path[operation.method.lower()] = _describe(operation, schemas)
    queried = {operation.parameters.__name__ for operation in operations if not operation.writes}
    return paths, {name: schema for name, schema in schemas.items() if name not in queried}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Answers of these statuses with Chargebee's error body, as FastAPI's `responses`."""
    return {status: _answer(_ERRORS[status], _ref(Error)) for status in statuses}


def _mode(model: type[BaseModel]) -> JsonSchemaMode:
    """Resources are answered, and parameters sent."""
    return "serialization" if issubclass(model, Resource) else "validation"


def _describe(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.name.replace("_", " ").capitalize(),
        "tags": [operation.resource.kind],
        "security": [{name: []} for name in SECURITY],
        "parameters": _parameters(operation, schemas),
        "responses": {"200": _success(operation)}
        | {
            str(status): _answer(meaning, _ref(Error))
            for status, meaning in _ERRORS.items()
            if operation.writes or status not in _WRITE_ERRORS
        },
    }
    if operation.rule.__doc__:
        described["description"] = operation.rule.__doc__
    if operation.writes:
        described["requestBody"] = _body(operation.parameters, schemas)
    return described


def _parameters(operation: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    headers = _HEADERS | (_WRITE_HEADERS if operation.writes else {})
    query = {} if operation.writes else schemas[operation.parameters.__name__].get("properties", {})
    return [
        *(
            {"name": id, "in": "path", "required": True, "schema": {"type": "string"}}
            for id in operation.ids
        ),
        *({"name": name, "in": "query", "schema": schema} for name, schema in query.items()),
        *({"name": name, "in": "header", "schema": schema} for name, schema in headers.items()),
    ]


def _body(parameters: type[Parameters], schemas: dict[str, Any]) -> dict[str, Any]:
    properties = schemas[parameters.__name__].get("properties", {})
    groups = {
        name: {"style": "deepObject", "explode": True}
        for name, schema in properties.items()
        if "$ref" in schema
    }
    content = {"schema": _ref(parameters)} | ({"encoding": groups} if groups else {})
    return {
        "description": "The parameters; those that stand in the query count, too.",
        "required": bool(schemas[parameters.__name__].get("required")),
        "content": {URLENCODED: content, MULTIPART: {"schema": _ref(parameters)}},
    }


def _success(operation: Operation) -> dict[str, Any]:
    kind = operation.resource.kind
    wrapped = {
        "type": "object",
        "properties": {kind: _ref(operation.resource)},
        "required": [kind],
    }
    if not operation.lists:
        return _answer(f"The {kind}.", wrapped)
    listed = {
        "type": "object",
        "properties": {
            "list": {"type": "array", "items": wrapped},
            "next_offset": {"type": "string", "maxLength": MAX_OFFSET},
        },
        "required": ["list"],
    }
    return _answer("A page, the latest first.", listed)


def _answer(meaning: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


def _ref(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
