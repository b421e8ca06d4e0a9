"""A site as a fixture: what it holds, some of it at a time, as text in JSON or YAML."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Final, NamedTuple

from mock_server.resources import webhook_endpoint
from mock_server.resources.customer import Customer
from mock_server.resources.resource import Resource
from mock_server.resources.seed import SeedInvoice, SeedOrder
from mock_server.resources.webhook_endpoint import WebhookEndpoint
from mock_server.store import data_keys, portions
from mock_server.store.rows import Row, Rows

_AT_ONCE: Final = 25
"""Resources that are written before other requests get their turn."""


class Held(NamedTuple):
    """Some of what a site holds of a kind, as a fixture has it."""

    kind: str
    things: list[dict[str, Any]]


async def export(view: Rows, site: str, *, passwords: bool) -> AsyncIterator[Held]:
    """What the site holds, as the parts of a fixture that makes the same again.

    The passwords of its webhook endpoints are in it only when asked for. Endpoints that the
    server was started with are not the site's. `view` is one of `Database.view`.
    """
    shown: dict[str, Callable[[Row], dict[str, Any]]] = {
        "api_keys": _exported_key,
        "webhook_endpoints": partial(_exported_endpoint, passwords=passwords),
        "customers": partial(_exported, Customer),
        "invoices": partial(_exported, SeedInvoice),
        "orders": partial(_exported, SeedOrder),
    }
    tables = data_keys.tables(view)
    data_key = view.data_key(site)
    for kind, show in shown.items():
        columns = tables[kind]
        async for values in portions.read(view, kind, columns, data_key):
            rows: list[Row] = [dict(zip(columns, given, strict=True)) for given in values]
            if kind == "webhook_endpoints":
                rows = [row for row in rows if not webhook_endpoint.is_of_the_run(row["id"])]
            for start in range(0, len(rows), _AT_ONCE):
                yield Held(kind, [show(row) for row in rows[start : start + _AT_ONCE]])
                await asyncio.sleep(0)


async def as_json(parts: AsyncIterator[Held]) -> AsyncIterator[str]:
    """The fixture as indented JSON, piece by piece."""
    kind = None
    async for part in parts:
        if part.kind == kind:
            yield ",\n"
        else:
            before = "{" if kind is None else "\n  ],"
            yield f'{before}\n  "{part.kind}": [\n'
        kind = part.kind
        written = json.dumps(part.things, ensure_ascii=False, indent=2)
        yield "\n".join(f"  {line}" for line in written.split("\n")[1:-1])
    yield "{}" if kind is None else "\n  ]\n}"


async def as_yaml(parts: AsyncIterator[Held]) -> AsyncIterator[str]:
    """The fixture as YAML, piece by piece."""
    from mock_server.resources.yaml_text import dump

    kind = None
    async for part in parts:
        if part.kind != kind:
            yield f"{part.kind}:\n"
        kind = part.kind
        yield dump(part.things)
    if kind is None:
        yield "{}\n"


def _exported_key(row: Row) -> dict[str, Any]:
    shown = {"secret": row["secret"], "name": row["name"], "role": row["role"]}
    return shown if row["opens"] is None else {**shown, "site": row["opens"]}


def _exported_endpoint(row: Row, passwords: bool) -> dict[str, Any]:
    shown = _exported(WebhookEndpoint, row)
    password = row["basic_auth_password"]
    return {**shown, "basic_auth_password": password} if passwords and password else shown


def _exported(resource: type[Resource], row: Row) -> dict[str, Any]:
    """The attributes of which a fixture makes the resource again."""
    return {
        name: value if name == "meta_data" else _less_object(value)
        for name, value in _less_object(resource.show(row)).items()
        if name not in resource.derived
    }


def _less_object(shown: Any) -> Any:
    """A resource or one of its parts without what it is, which its place says."""
    if isinstance(shown, list):
        return [_less_object(one) for one in shown]
    if not isinstance(shown, dict):
        return shown
    return {name: value for name, value in shown.items() if name != "object"}
