"""A bug of the sandbox: a 500 in Chargebee's form for its request, and for no other."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.server import Server

INVOICE: Final = {"invoice_id": "__demo_inv__1"}

BROKEN_LIST: Final = """
from mock_server.resources import order
def broken(*given): raise ZeroDivisionError("a bug")
order.list_all = broken
"""

BROKEN_EVENT: Final = """
from mock_server.resources import order
record_event = order.record_event
def broken(rows, call, event_type, content, email):
    if content["order"].get("note") == "unlucky":
        rows.execute("INSERT INTO nowhere VALUES (1)", {})
    record_event(rows, call, event_type, content, email)
order.record_event = broken
"""


def test_a_bug_is_a_500_that_leads_to_the_servers_log(database: Path) -> None:
    with (
        Server(database, prelude=BROKEN_LIST) as server,
        server.site("demo-test").api() as api,
    ):
        answer = api.get("/orders")
        another = api.get("/invoices")

    request_id = answer.headers["x-mock-request-id"]
    message = f"Sorry, something went wrong; see the server's log for request {request_id}"
    assert answer.status_code == 500
    assert answer.json() == {
        "message": message,
        "type": "operation_failed",
        "api_error_code": "internal_error",
        "error_code": "internal_error",
        "error_msg": message,
        "http_status_code": 500,
    }
    assert f"request {request_id} failed\n  Traceback " in server.said
    assert "ZeroDivisionError: a bug" in server.said
    assert another.status_code == 200


def test_a_bug_in_a_write_keeps_nothing_of_it_and_all_of_the_others(database: Path) -> None:
    unlucky = {"note": "unlucky", "id": "unlucky", **INVOICE}

    with (
        Server(database, prelude=BROKEN_EVENT) as server,
        server.site("demo-test").api() as api,
        ThreadPoolExecutor(8) as threads,
    ):
        attempts = [unlucky if number % 4 == 0 else INVOICE for number in range(40)]
        answers = threads.map(lambda data: api.post("/orders", data=data).status_code, attempts)
        statuses = Counter(answers)
        listed = api.get("/orders", params={"limit": 100}).json()["list"]
        events = api.get("/events", params={"limit": 100}).json()["list"]

    assert statuses == {500: 10, 200: 30}
    assert len(listed) == len(events) == 30
