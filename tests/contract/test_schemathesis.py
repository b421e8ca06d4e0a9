"""Our own description, driven with drawn requests against a live server: it promises what is sent.

Data is drawn from `/_mock/openapi.json`, the same in every run, valid and not; each answer must be
of a status, a content type and a form that the description has, and none may be a 5xx.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import httpx2
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mock_server.sandbox.spool import SQLITE
from mock_server.settings import default_seed
from tests.server import Server

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
schemathesis.serializer.alias(SQLITE, "application/octet-stream")

EXAMPLES: Final = 10
"""Requests for each operation and test."""

KNOWN_IDS: Final = {
    "/api/v1/orders/{order-id}": "known",
    "/api/v1/invoices/{invoice-id}": "__demo_inv__1",
    "/api/v1/customers/{customer-id}": "__demo_cus__1",
    "/_mock/webhook_endpoints/{id}": "whv2_delivering",
    "/_mock/sites/{name}": "spare-test",
    "/_mock/snapshots/{name}": "known",
}
"""The id in a path, by how the path starts; the other ids are the server's own."""
KNOWN_VALUES: Final[dict[str, dict[str, Any]]] = {
    "POST /api/v1/orders": {"invoice_id": "__demo_inv__1"},
    "POST /_mock/faults": {"operation": "create_an_order", "answer": "cut"},
    "POST /api/v1/invoices/charge": {
        "customer_id": "__demo_cus__1",
        "amount": 100,
        "description": "Repair",
    },
}
"""By operation, what a body must say for it to succeed, whatever else it says."""
EMPTYING: Final = {"POST /_mock/reset"}
"""Operations that take away what is known; they are sent to a site that is not needed."""
NEVER_KNOWN: Final = {"subscription_id", "coupon"}
"""Parameters whose every value is unknown to the sandbox."""

AnyCase: TypeAlias = "Case[Any]"
AnyOperation: TypeAlias = "APIOperation[Any, Any, Any, Any]"


@pytest.fixture
def running(database: Path) -> Iterator[Server]:
    """A server whose default site has an order, and so an event, a webhook, an e-mail.

    Its own endpoint finds nobody, and no drawn one has a URL: nothing is sent anywhere.
    """
    seed = database.with_name("seed.yaml")
    endpoint = {"id": "whv2_delivering", "name": "Nobody", "url": "http://127.0.0.1:9/hook"}
    declared = yaml.safe_load(Path(default_seed()).read_text("utf-8"))
    seed.write_text(yaml.safe_dump(declared | {"webhook_endpoints": [endpoint]}))
    options = ["--seed", str(seed), "--no-limits"]
    with Server(database, *options) as server, server.site("demo-test").api() as api:
        created = api.post("/orders", data={"id": "known", "invoice_id": "__demo_inv__1"})
        assert created.status_code == 200
        yield server


def _make_known(server: Server) -> None:
    """Make what an operation before may have removed."""
    httpx2.post(f"{server.url}/_mock/sites", json={"name": "spare-test"})
    httpx2.post(f"{server.url}/_mock/snapshots/known").raise_for_status()


@pytest.fixture
def description(running: Server) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{running.url}/_mock/openapi.json")


def _operations(description: BaseSchema) -> Iterator[AnyOperation]:
    for found in description.get_all_operations():
        assert isinstance(found, Ok)
        yield found.ok()


def _can_be_wrong(operation: AnyOperation) -> bool:
    """Whether there is more to it than a text in its path, which is never wrong."""
    return any((operation.body, operation.query, operation.headers))


def _answers(strategy: SearchStrategy[AnyCase]) -> Counter[int]:
    """How often each status was answered, every answer being as described."""
    statuses: Counter[int] = Counter()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def drive(case: AnyCase) -> None:
        if isinstance(case.body, dict):
            case.body.pop("url", None)
        if case.query:
            case.query.pop("wait", None)  # it would be waited for
        answer = case.call(auth=("test_key", ""))
        case.validate_response(answer, checks=CHECKS)
        statuses[answer.status_code] += 1

    drive()
    return statuses


def test_what_exists_is_answered_as_described(running: Server, description: BaseSchema) -> None:
    site = running.site("demo-test")
    with site.api() as api:
        (item,) = api.get("/events").json()["list"]

    _make_known(running)
    snapshot = httpx2.get(f"{running.url}/_mock/snapshots/known/file").content

    def latest_request() -> str:
        with running.site("demo-test").api() as api:
            return str(api.get("/orders").headers["x-mock-request-id"])

    event_id = item["event"]["id"]
    ids = KNOWN_IDS | {
        "/api/v1/events/{event-id}": event_id,
        "/_mock/webhooks/{id}": event_id.replace("ev_", "wh_", 1) + "_1",
    }

    def succeeding(case: AnyCase) -> AnyCase:
        if case.query:
            case.query.pop("site", None)
        if isinstance(case.body, dict):
            drawn = {k: value for k, value in case.body.items() if k not in NEVER_KNOWN}
            case.body = drawn | KNOWN_VALUES.get(case.operation.label, {})
        if case.operation.label == "POST /_mock/snapshots":
            case.body = snapshot
        if case.operation.label in EMPTYING:
            case.query = {**(case.query or {}), "site": "spare-test"}
        return case

    for operation in _operations(description):
        _make_known(running)
        with site.mock() as mock:  # anew each time: the operation before may have removed it
            mock.delete("/faults").raise_for_status()
            mock.delete("/rate_limit").raise_for_status()
            rule = mock.post("/faults", json={"method": "PUT", "answer": "cut"}).json()["fault"]
        ids["/_mock/faults/{id}"] = rule["id"]
        ids["/_mock/requests/{id}"] = latest_request()  # the journal is emptied on the way
        path = {
            parameter.name: next(
                id for known, id in ids.items() if operation.path.startswith(known)
            )
            for parameter in operation.path_parameters
        }
        statuses = _answers(operation.as_strategy(path_parameters=path).map(succeeding))
        assert statuses[200] > 0, f"{operation.label}: {statuses}"


@pytest.mark.parametrize("mode", GenerationMode)
def test_whatever_is_sent_is_answered_as_described(
    description: BaseSchema, mode: GenerationMode
) -> None:
    statuses: Counter[int] = Counter()

    for operation in _operations(description):
        if mode is GenerationMode.POSITIVE or _can_be_wrong(operation):
            statuses += _answers(operation.as_strategy(mode))

    assert {200, 400, 404} <= statuses.keys()
