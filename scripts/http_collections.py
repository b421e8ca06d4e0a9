"""Ready-made requests for HTTP clients, out of our OpenAPI: a Postman collection and a .http file.

`python -m scripts.http_collections` writes both into `fixtures/`.
"""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx2

from mock_server.app import build
from mock_server.sandbox.spool import SQLITE
from mock_server.settings import Settings

FIXTURES: Final = Path(__file__).parent.parent / "fixtures"

_BASE_URL: Final = f"http://127.0.0.1:{Settings().port}"
_API_KEY: Final = "test_key"
_IDS: Final = {"invoice_id": "__demo_inv__1", "customer_id": "__demo_cus__1"}
"""Those that a fresh site has."""
_MADE: Final = {"order_id": "first-order"}
"""What a .http file, which keeps nothing of an answer, makes under an id of its own."""
_EXAMPLES: Final = {
    "amount": "1000",
    "customer_id": "{{customer_id}}",
    "description": "Setup fee",
    "invoice_id": "{{invoice_id}}",
    "note": "Ring twice",
}
"""The parameters that a first try sends, with values that a fresh site takes."""
_FORM: Final = "application/x-www-form-urlencoded"
_REMEMBER_IDS: Final = """\
const text = pm.response.text();
const answer = text.startsWith("{") ? JSON.parse(text) : {};
const shown = Array.isArray(answer.list) ? answer.list[0] || {} : answer;
for (const [kind, resource] of Object.entries(shown)) {
  if (resource && resource.id) pm.collectionVariables.set(kind + "_id", resource.id);
}"""
"""Postman runs it after each request: `order_id` is the order of the latest answer, and so on."""


@dataclass(frozen=True)
class Request:
    """One operation, as a client sends it; ids stand in it as `{{order_id}}`."""

    name: str
    about: str
    folder: str
    method: str
    path: str
    query: tuple[str, ...]
    headers: tuple[str, ...]
    form: tuple[str, ...] | None
    """The parameters that Chargebee takes in a form."""
    body: Any
    """The JSON that the sandbox's own interface takes; None for nothing."""

    @property
    def is_chargebees(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def ids(self) -> list[str]:
        return re.findall(r"\{\{(\w+)\}\}", self.path)


def postman(requests: list[Request]) -> str:
    """The collection, in version 2.1 of Postman's format, which Bruno imports too."""
    folders = dict.fromkeys(request.folder for request in requests)
    variables = {"base_url": _BASE_URL, "api_key": _API_KEY} | _ids(requests)
    collection = {
        "info": {
            "name": "chargebee-mock",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": {
            "type": "basic",
            "basic": [
                {"key": "username", "value": "{{api_key}}", "type": "string"},
                {"key": "password", "value": "", "type": "string"},
            ],
        },
        "variable": [{"key": key, "value": value} for key, value in variables.items()],
        "event": [{"listen": "test", "script": {"exec": _REMEMBER_IDS.splitlines()}}],
        "item": [
            {"name": name, "item": [_item(each) for each in requests if each.folder == name]}
            for name in folders
        ],
    }
    return json.dumps(collection, indent=2, ensure_ascii=False) + "\n"


def http_file(requests: list[Request]) -> str:
    """The requests in the format of VS Code's REST Client, JetBrains' editors and httpyac."""
    authorization = b64encode(f"{_API_KEY}:".encode()).decode()
    head = [
        f"@base_url = {_BASE_URL}",
        f"# {_API_KEY} and an empty password",
        f"@authorization = Basic {authorization}",
        "# The order that is created below, what the seed has, and ids to copy out of an answer.",
        *(f"@{name} = {value}" for name, value in (_ids(requests) | _MADE).items()),
    ]
    return "\n".join(["\n".join(head) + "\n", *(_written(request) for request in requests)])


def read() -> list[Request]:
    """All operations of our OpenAPI, in its order, but those that take a file."""
    described = asyncio.run(_openapi())
    schemas = described["components"]["schemas"]
    return [
        _request(path, method, operation, schemas)
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        if SQLITE not in operation.get("requestBody", {}).get("content", {})
    ]


async def _openapi() -> dict[str, Any]:
    transport = httpx2.ASGITransport(app=build(Settings(database=":memory:")).asgi)
    async with httpx2.AsyncClient(transport=transport, base_url=_BASE_URL) as client:
        described: dict[str, Any] = (await client.get("/_mock/openapi.json")).json()
    return described


def _request(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Request:
    parameters = operation.get("parameters", [])
    content = operation.get("requestBody", {}).get("content", {})
    form, body = content.get(_FORM), content.get("application/json")
    return Request(
        name=operation["summary"],
        about=operation.get("description", ""),
        folder=operation["tags"][0],
        method=method.upper(),
        path=_with_variables(path),
        query=tuple(each["name"] for each in parameters if each["in"] == "query"),
        headers=tuple(each["name"] for each in parameters if each["in"] == "header"),
        form=tuple(_names(form["schema"], schemas)) if form else None,
        body=_sample(body["schema"], schemas) if body else None,
    )


def _with_variables(path: str) -> str:
    """`/orders/{order-id}` with `{{order_id}}`; a mere `{id}` is that of the collection before."""
    path = re.sub(r"/(\w+?)s/\{id\}", r"/\1s/{\1-id}", path)
    return re.sub(r"\{([\w-]+)\}", lambda match: "{{" + match[1].replace("-", "_") + "}}", path)


def _names(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    """The names of a form's parameters, those of a group in Chargebee's brackets."""
    for name, parameter in _resolved(schema, schemas)["properties"].items():
        if "$ref" in parameter:
            yield from (f"{name}[{inner}]" for inner in _names(parameter, schemas))
        else:
            yield name


def _sample(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """What the schema takes: its own example, else as little as is valid."""
    schema = _resolved(schema, schemas)
    for keyword in ("example", "const", "default"):
        if keyword in schema:
            return schema[keyword]
    for keyword in ("examples", "enum"):
        if keyword in schema:
            return schema[keyword][0]
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return _sample(schema[keyword][0], schemas)
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: _sample(properties[name], schemas) for name in schema.get("required", ())}
        case "array":
            return []
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return False
        case _:
            return "example"


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    resolved: dict[str, Any] = schemas[reference.rpartition("/")[2]] if reference else schema
    return resolved


def _ids(requests: list[Request]) -> dict[str, str]:
    """Every id that a path names, with one that there is or a word that is none."""
    return {name: _IDS.get(name, "none") for request in requests for name in request.ids} | _IDS


def _item(request: Request) -> dict[str, Any]:
    path = request.path.removeprefix("/").split("/")
    sent: dict[str, Any] = {
        "method": request.method,
        "header": [
            {
                "key": name,
                "value": "all-disabled" if name.startswith("chargebee-event-") else "",
                "disabled": True,
            }
            for name in request.headers
        ],
        "url": {
            "raw": "{{base_url}}" + request.path,
            "host": ["{{base_url}}"],
            "path": path,
            "query": [{"key": name, "value": "", "disabled": True} for name in request.query],
        },
        "description": request.about,
    }
    if not request.is_chargebees:
        sent["auth"] = {"type": "noauth"}
    if request.form is not None:
        sent["body"] = {
            "mode": "urlencoded",
            "urlencoded": [
                {
                    "key": name,
                    "value": _EXAMPLES.get(name, ""),
                    "disabled": name not in _EXAMPLES,
                }
                for name in request.form
            ],
        }
    elif request.body is not None:
        sent["body"] = {
            "mode": "raw",
            "raw": json.dumps(request.body, indent=2),
            "options": {"raw": {"language": "json"}},
        }
    return {"name": request.name, "request": sent}


def _written(request: Request) -> str:
    lines = [f"### {request.name}"]
    made = f"{request.folder}_id"
    given = {"id": f"{{{{{made}}}}}"} | _EXAMPLES if made in _MADE else _EXAMPLES
    unsent = [*request.query, *(name for name in request.form or () if name not in given)]
    if unsent:
        lines.append(f"# takes {', '.join(unsent)}")
    lines.append(f"{request.method} {{{{base_url}}}}{request.path}")
    if request.is_chargebees:
        lines.append("Authorization: {{authorization}}")
    if request.form is not None:
        sent = {name: given[name] for name in request.form if name in given}
        lines += [f"Content-Type: {_FORM}", "", urlencode(sent, safe="{}")]
    elif request.body is not None:
        lines += ["Content-Type: application/json", "", json.dumps(request.body, indent=2)]
    return "\n".join(lines) + "\n"


def main() -> None:
    requests = read()
    (FIXTURES / "postman_collection.json").write_text(postman(requests), encoding="utf-8")
    (FIXTURES / "chargebee-mock.http").write_text(http_file(requests), encoding="utf-8")


if __name__ == "__main__":
    main()
