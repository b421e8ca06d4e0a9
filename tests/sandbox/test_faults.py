"""`/_mock/faults` and `/_mock/rate_limit`: what goes wrong on purpose, when, and for whom."""

from __future__ import annotations

import json
import math
import re
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mock_server.sandbox.planned_answers import recorded_errors
from mock_server.wire import errors
from tests.ids import FORM
from tests.server import Server, Site

NOTHING_CARRIED_OUT: list[Any] = []
BLOCKED = (
    "Sorry, access has been blocked temporarily due to request count exceeding acceptable limits. "
    "Please try after some time."
)
ORDER = {"invoice_id": "__demo_inv__1"}
LONG_AGO, FAR_AHEAD = 1_000_000_000, 4_000_000_000


def add(mock: httpx2.Client, **rule: Any) -> dict[str, Any]:
    """Make a rule; as it is shown."""
    answer = mock.post("/faults", json=rule)
    assert answer.status_code == 200, answer.text
    fault: dict[str, Any] = answer.json()["fault"]
    return fault


def shown(mock: httpx2.Client, id: str) -> dict[str, Any]:
    fault: dict[str, Any] = mock.get(f"/faults/{id}").json()["fault"]
    return fault


def create(api: httpx2.Client, **more: Any) -> httpx2.Response:
    return api.post("/orders", data=ORDER | more)


def orders(api: httpx2.Client) -> list[Any]:
    listed: list[Any] = api.get("/orders", params={"limit": 100}).json()["list"]
    return listed


def statuses(api: httpx2.Client, calls: int) -> list[int]:
    return [create(api).status_code for _ in range(calls)]


def set_clock(mock: httpx2.Client, at: float) -> None:
    """Stop the site's clock at this moment."""
    assert mock.post("/clock/freeze", json={"at": at}).status_code == 200


def begin_to_order(site: Site, body: bytes = b"") -> socket.socket:
    """A connection on which an order has begun to arrive; without a body it still waits for one."""
    url = httpx2.URL(site.url)
    connection = socket.create_connection((url.host, url.port or 80), timeout=30)
    connection.sendall(
        b"POST /api/v1/orders HTTP/1.1\r\n"
        b"Host: %b.localhost\r\n"
        b"Authorization: Basic dGVzdF9rZXk6\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: %d\r\n" % (site.name.encode(), len(body) or 10)
    )
    if body:
        connection.sendall(b"\r\n" + body)
    else:
        connection.sendall(b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
    return connection


def complaints(server: Server) -> str:
    """Stop the server; what it said on stderr."""
    assert server.process is not None
    server.process.terminate()
    _, said = server.process.communicate(timeout=30)
    return str(said)


# What a rule answers


@pytest.mark.parametrize("code", errors.CODES)
def test_a_rule_answers_with_any_error_of_chargebees(
    api: httpx2.Client, mock: httpx2.Client, code: str
) -> None:
    rule = add(mock, operation="create_an_order", answer=code)

    answer = create(api)

    status, type = errors.CODES[code]
    body = answer.json()
    assert answer.status_code == body["http_status_code"] == status
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["x-mock-fault"] == rule["id"]
    assert (body["api_error_code"], body["error_code"], body.get("type")) == (code, code, type)
    assert body["message"] == body["error_msg"] != ""
    assert orders(api) == NOTHING_CARRIED_OUT


def test_an_error_may_have_another_wording_and_a_parameter(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    add(mock, answer="param_wrong_value", param="note", message="is too rude")

    body = create(api).json()

    assert body["message"] == "note : is too rude"
    assert (body["param"], body["error_param"], body["error_msg"]) == (
        "note",
        "note",
        "is too rude",
    )


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"answer": "api_request_limit_exceeded"}, "60"),
        ({"answer": "api_request_limit_exceeded", "retry_after": 2}, "2"),
        ({"answer": "api_request_limit_exceeded", "retry_after": None}, None),
        ({"answer": "lock_timeout"}, None),
        ({"answer": "internal_temporary_error", "retry_after": 5}, "5"),
    ],
)
def test_an_error_says_when_to_try_again(
    api: httpx2.Client, mock: httpx2.Client, given: dict[str, Any], sent: str | None
) -> None:
    add(mock, **given)

    assert create(api).headers.get("retry-after") == sent


def test_an_error_may_have_another_type_and_error_code(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    add(mock, answer="db_connection_failure", type="invalid_request", error_code="down", times=1)
    add(mock, answer="internal_error", type=None)

    outage, untyped = create(api), create(api)

    assert outage.status_code == 503
    assert (outage.json()["type"], outage.json()["error_code"]) == ("invalid_request", "down")
    assert "type" not in untyped.json()


@pytest.mark.parametrize(
    ("answer", "content_type", "body"),
    [
        (
            {"status": 503, "body": "<h1>Ærgerlig</h1>", "content_type": "text/html"},
            "text/html",
            "<h1>Ærgerlig</h1>",
        ),
        ({"status": 504, "body": "Gateway timeout"}, "text/plain;charset=utf-8", "Gateway timeout"),
        ({"status": 418, "body": {"a": [1]}}, "application/json;charset=utf-8", '{"a":[1]}'),
        ({"status": 200, "body": []}, "application/json;charset=utf-8", "[]"),
        ({"status": 502}, "text/plain;charset=utf-8", ""),
        ({"status": 204}, "text/plain;charset=utf-8", ""),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_any_answer_can_be_spelled_out(
    api: httpx2.Client,
    mock: httpx2.Client,
    answer: dict[str, Any],
    content_type: str,
    body: str,
    after: bool,
) -> None:
    rule = add(mock, answer=answer, after=after, times=1, retry_after=7)

    answered = create(api)

    assert rule["answer"] == answer
    assert (answered.status_code, answered.text) == (answer["status"], body)
    assert answered.headers["content-type"] == content_type
    assert answered.headers["content-length"] == str(len(body.encode()))
    assert (answered.headers["retry-after"], answered.headers["x-mock-fault"]) == ("7", rule["id"])
    assert len(orders(api)) == after  # and the connection goes on


def test_a_recorded_error_is_answered_as_it_was(api: httpx2.Client, mock: httpx2.Client) -> None:
    add(mock, answer={"recorded": "duplicate_id"}, times=1)
    add(mock, answer={"recorded": "outage"})

    error, outage = create(api), create(api)

    assert (error.status_code, error.headers["server"]) == (400, "ChargeBee")
    assert error.text == (
        '{"message":"id : The value example-user-demo-001 is already present.",'
        '"type":"invalid_request","api_error_code":"duplicate_entry","param":"id",'
        '"error_code":"param_not_unique",'
        '"error_msg":"The value example-user-demo-001 is already present.",'
        '"error_param":"id","http_status_code":400}'
    )
    assert (outage.status_code, outage.headers["content-type"]) == (503, "text/html")
    assert "<title>503 Service Temporarily Unavailable</title>" in outage.text
    remarks = mock.get("/requests").json()["list"][0]["request"]["remarks"]
    assert remarks[0].endswith(": outage")


@pytest.mark.parametrize("name", recorded_errors())
def test_every_recorded_error_can_be_had(
    api: httpx2.Client, mock: httpx2.Client, name: str
) -> None:
    add(mock, answer={"recorded": name})

    answer = create(api)

    recorded = recorded_errors()[name]
    assert (answer.status_code, answer.content) == (recorded.status, recorded.body)
    assert answer.headers.get("retry-after") == ("60" if name == "request_limit" else None)


def test_the_documents_name_every_recorded_error() -> None:
    document = Path(__file__).parents[2] / "docs" / "control-api.md"
    section = document.read_text("utf-8").partition("### Recorded errors")[2].partition("\n### ")[0]

    assert re.findall(r"^\| `(\w+)` \| (\d+)", section, re.M) == [
        (name, str(error.status)) for name, error in recorded_errors().items()
    ]


def test_a_cut_connection_gives_no_answer_and_carries_nothing_out(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    add(mock, answer="cut", times=1)

    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        create(api)

    assert orders(api) == NOTHING_CARRIED_OUT


def test_a_half_body_ends_before_its_length(api: httpx2.Client, mock: httpx2.Client) -> None:
    add(mock, answer="half_body", times=1)

    with pytest.raises(httpx2.RemoteProtocolError, match="without sending complete message body"):
        create(api)

    assert orders(api) == NOTHING_CARRIED_OUT


def test_bad_json_is_a_success_that_cannot_be_read(api: httpx2.Client, mock: httpx2.Client) -> None:
    add(mock, answer="bad_json", times=1)

    answer = create(api)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    with pytest.raises(ValueError, match=r"^(Expecting|Unterminated)"):
        answer.json()
    assert orders(api) == NOTHING_CARRIED_OUT


def test_a_bad_gateway_is_an_empty_502(api: httpx2.Client, mock: httpx2.Client) -> None:
    add(mock, answer="bad_gateway", times=1)

    answer = create(api)

    assert (answer.status_code, answer.content) == (502, b"")
    assert "content-type" not in answer.headers
    assert orders(api) == NOTHING_CARRIED_OUT


@pytest.mark.parametrize("broken", ["cut", "half_body"])
def test_the_log_is_silent_about_a_connection_that_a_rule_ends(database: Path, broken: str) -> None:
    with Server(database) as server:
        site = server.site()
        with site.mock() as mock, site.api() as api:
            add(mock, answer=broken)
            with pytest.raises(httpx2.RemoteProtocolError):
                create(api)
        assert complaints(server) == ""


# The answer that is lost after the change was made


@pytest.mark.parametrize("lost", ["cut", "half_body"])
def test_the_change_is_made_and_the_answer_lost(
    api: httpx2.Client, mock: httpx2.Client, lost: str
) -> None:
    rule = add(mock, operation="create_an_order", answer=lost, after=True, times=1)

    with pytest.raises(httpx2.RemoteProtocolError):
        create(api, id="lost")

    assert [item["order"]["id"] for item in orders(api)] == ["lost"]
    assert (shown(mock, rule["id"])["matched"], shown(mock, rule["id"])["fired"]) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "status"), [("bad_json", 200), ("bad_gateway", 502), ("internal_error", 500)]
)
def test_the_change_is_made_and_something_else_answered(
    api: httpx2.Client, mock: httpx2.Client, answer: str, status: int
) -> None:
    add(mock, operation="create_an_order", answer=answer, after=True, times=1)

    answered = create(api, id="made")

    assert answered.status_code == status
    assert [item["order"]["id"] for item in orders(api)] == ["made"]


def test_an_idempotency_key_gets_the_answer_that_was_lost(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    add(mock, operation="create_an_order", answer="cut", after=True, times=1)
    key = {"chargebee-idempotency-key": "once"}
    with pytest.raises(httpx2.RemoteProtocolError):
        api.post("/orders", data=ORDER, headers=key)

    again = api.post("/orders", data=ORDER, headers=key)

    assert again.status_code == 200
    assert again.headers["chargebee-idempotency-replayed"] == "true"
    assert [item["order"] for item in orders(api)] == [again.json()["order"]]


# Delays


@pytest.mark.parametrize(
    "delay",
    [
        0.2,
        {"distribution": "uniform", "low": 0.2, "high": 0.3},
        {"distribution": "lognormal", "median": 0.2, "sigma": 0},
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_a_delay_alone_holds_the_request_up(
    api: httpx2.Client, mock: httpx2.Client, delay: Any, after: bool
) -> None:
    rule = add(mock, delay=delay, after=after, times=1)

    before = time.monotonic()
    answer = create(api)

    assert time.monotonic() - before >= 0.2
    assert answer.status_code == 200
    assert answer.headers["x-mock-fault"] == rule["id"]
    assert [item["order"] for item in orders(api)] == [answer.json()["order"]]


def test_a_delay_comes_before_the_answer_of_its_rule(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    add(mock, delay=0.2, answer="lock_timeout")

    before = time.monotonic()
    answer = create(api)

    assert time.monotonic() - before >= 0.2
    assert answer.status_code == 429


def test_a_client_that_waits_no_longer_has_made_its_change(
    site: Site, api: httpx2.Client, mock: httpx2.Client
) -> None:
    add(mock, operation="create_an_order", delay=2, after=True)

    with site.api() as hasty, pytest.raises(httpx2.ReadTimeout):
        hasty.post("/orders", data=ORDER, timeout=0.3)

    assert len(orders(api)) == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_server_that_stops_answers_what_a_delay_holds_up(database: Path, after: bool) -> None:
    with Server(database) as server:
        site = server.site()
        with site.mock() as mock:
            rule = add(mock, delay=300, after=after)
            with begin_to_order(site, body=b"invoice_id=__demo_inv__1") as connection:
                deadline = time.monotonic() + 10
                while not shown(mock, rule["id"])["fired"]:
                    assert time.monotonic() < deadline
                    time.sleep(0.01)

                assert server.stop() == 0

                answer = connection.recv(4096)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"The server is stopping" in answer


def test_a_server_that_stops_answers_a_request_whose_body_never_came(database: Path) -> None:
    with Server(database) as server:
        site = server.site()
        with site.mock() as mock:
            add(mock, answer="cut")
        with begin_to_order(site) as connection:
            assert server.stop() == 0

            answer = connection.recv(4096)

    assert b"HTTP/1.1 503 " in answer
    assert b"The server is stopping" in answer


@pytest.mark.parametrize("limited", [True, False])
def test_a_server_that_stops_answers_what_waits_for_another_process(
    database: Path, limited: bool
) -> None:
    with Server(
        database, prelude="from mock_server import server; server._STOP_WITHIN = 1"
    ) as server:
        site = server.site()
        with site.mock() as mock:
            if limited:
                assert (
                    mock.put("/rate_limit", json={"requests": 5, "seconds": 60}).status_code == 200
                )
            else:
                add(mock, answer="lock_timeout")
            with closing(sqlite3.connect(database, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                with begin_to_order(site, body=b"invoice_id=__demo_inv__1") as connection:
                    time.sleep(0.2)
                    assert server.stop() == 0
                    answer = connection.recv(4096)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"The server is stopping" in answer


def test_a_client_that_leaves_within_its_body_is_nothing_special(database: Path) -> None:
    with Server(database) as server:
        site = server.site()
        with site.mock() as mock, site.api() as api:
            rule = add(mock, answer="lock_timeout")

            begin_to_order(site).close()

            assert create(api).status_code == 429
            assert shown(mock, rule["id"])["matched"] == 1
        assert complaints(server) == ""


# Which requests


@pytest.mark.parametrize(
    ("rule", "spoiled"),
    [
        ({}, True),
        ({"method": "POST"}, True),
        ({"method": "GET"}, False),
        ({"path": "/api/v1/orders"}, True),
        ({"path": "/api/*/ord*rs"}, True),
        ({"path": "/api/v1/order?"}, False),
        ({"path": "/api/v[12]/orders"}, False),
        ({"path": "*"}, True),
        ({"path": "/api/v1/orders/*"}, False),
        ({"path": "/api/v1"}, False),
        ({"operation": "create_an_order"}, True),
        ({"operation": "list_orders"}, False),
        ({"params": {"invoice_id": "__demo_inv__1"}}, True),
        ({"params": {"invoice_id": "*_1"}}, True),
        ({"params": {"invoice_id": "*_2"}}, False),
        ({"params": {"shipping_address[city]": "Oslo"}}, True),
        ({"params": {"shipping_address[city]": "Rome"}}, False),
        ({"params": {"note": "*"}}, False),
        ({"params": {"note": None}}, True),
        ({"params": {"invoice_id": None}}, False),
        ({"headers": {"X-Run": "4*"}}, True),
        ({"headers": {"X-Run": "4?"}}, False),
        ({"headers": {"x-run": "42"}}, True),
        ({"headers": {"x-run": "43"}}, False),
        ({"headers": {"chargebee-idempotency-key": None}}, True),
        ({"headers": {"x-run": None}}, False),
        ({"start_time": LONG_AGO}, True),
        ({"start_time": FAR_AHEAD}, False),
        ({"end_time": LONG_AGO}, False),
        ({"end_time": FAR_AHEAD}, True),
        ({"start_time": LONG_AGO, "end_time": FAR_AHEAD}, True),
        ({"method": "POST", "params": {"invoice_id": "no"}}, False),
    ],
)
def test_a_rule_is_about_requests_that_have_all_that_it_names(
    api: httpx2.Client, mock: httpx2.Client, rule: dict[str, Any], spoiled: bool
) -> None:
    added = add(mock, answer="lock_timeout", **rule)

    answer = api.post(
        "/orders", data=ORDER | {"shipping_address[city]": "Oslo"}, headers={"X-Run": "42"}
    )

    assert answer.status_code == (429 if spoiled else 200)
    assert ("x-mock-fault" in answer.headers) == spoiled
    assert shown(mock, added["id"])["matched"] == int(spoiled)


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/orders", "list_orders"),
        ("/orders/o%2F1", "retrieve_an_order"),
        ("/invoices/__demo_inv__1/orders", "list_orders_for_an_invoice"),
    ],
)
def test_an_operation_is_found_whatever_is_in_its_path(
    api: httpx2.Client, mock: httpx2.Client, path: str, operation: str
) -> None:
    add(mock, operation=operation, answer="internal_error")

    assert api.get(path).status_code == 500
    assert api.get("/customers").status_code == 200


def test_the_parameters_of_a_list_are_those_of_its_query(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    add(mock, params={"limit": "7"}, answer="internal_error")

    assert api.get("/orders", params={"limit": 7}).status_code == 500
    assert api.get("/orders", params={"limit": 8}).status_code == 200


def test_the_parameters_of_a_post_are_those_of_its_query_too(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    add(mock, params={"note": "body", "batch_id": "query"}, answer="internal_error")

    answers = [
        api.post("/orders", params={"note": "query", "batch_id": "query"}, data=ORDER | body)
        for body in ({"note": "body"}, {})
    ]

    assert [answer.status_code for answer in answers] == [500, 200]


def test_a_multipart_body_has_parameters_too(api: httpx2.Client, mock: httpx2.Client) -> None:
    add(mock, params={"note": "pick me"}, answer="internal_error")

    parts = {"invoice_id": (None, "__demo_inv__1"), "note": (None, "pick me")}
    assert api.post("/orders", files=parts).status_code == 500


def test_a_request_that_a_rule_leaves_alone_is_answered_as_ever(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    add(mock, params={"note": "never"}, answer="cut")
    note = "x" * 60_000

    refused = create(api, note=note).json()
    too_large = api.post("/orders", content=b"note=" + b"x" * (1 << 20))
    broken = api.post(
        "/orders",
        content=b"note=%zz",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert (refused["param"], refused["http_status_code"]) == ("note", 400)
    assert too_large.status_code == 413
    assert broken.json()["error_code"] == "wrong_format"


def test_a_request_without_a_key_is_refused_whatever_the_rules_say(
    site: Site, mock: httpx2.Client
) -> None:
    rule = add(mock, answer="cut")

    with site.api(key="nonsense") as stranger:
        assert stranger.get("/orders").status_code == 401

    assert shown(mock, rule["id"])["matched"] == 0


def test_a_rule_is_about_the_site_that_the_key_opens(server: Server) -> None:
    headers = {"Host": "127.0.0.1"}
    with server.site("demo").mock() as mock:
        rule = add(mock, operation="list_events", headers={"x-run": "live"}, answer="cut")
        try:
            url, run = f"{server.url}/api/v1/events", headers | {"x-run": "live"}
            test = httpx2.get(url, auth=("test_key", ""), headers=run)
            with pytest.raises(httpx2.RemoteProtocolError):
                httpx2.get(url, auth=("live_key", ""), headers=run)
        finally:
            mock.delete(f"/faults/{rule['id']}")

    assert test.status_code == 200


def test_a_rule_of_one_site_leaves_others_alone(
    server: Server, api: httpx2.Client, mock: httpx2.Client
) -> None:
    add(mock, answer="lock_timeout")

    with server.site().api() as other:
        assert create(other).status_code == 200
    assert create(api).status_code == 429


# Which of them


@pytest.mark.parametrize(
    ("rule", "spoiled"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"times": 2}, [1, 2]),
        ({"skip": 2}, [3, 4, 5, 6, 7]),
        ({"skip": 2, "times": 1}, [3]),
        ({"every": 3}, [3, 6]),
        ({"every": 3, "times": 1}, [3]),
        ({"skip": 1, "every": 3}, [4, 7]),
        ({"probability": 0}, []),
        ({"probability": 1}, [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_a_rule_spoils_some_of_its_matches(
    api: httpx2.Client, mock: httpx2.Client, rule: dict[str, Any], spoiled: list[int]
) -> None:
    added = add(mock, operation="create_an_order", answer="lock_timeout", **rule)

    answered = statuses(api, 7)

    assert [number for number, status in enumerate(answered, 1) if status == 429] == spoiled
    counted = shown(mock, added["id"])
    assert (counted["matched"], counted["fired"]) == (7, len(spoiled))


def test_a_seed_makes_chance_repeatable(server: Server) -> None:
    runs = []
    for seed in (4711, 4711, 4712):
        site = server.site()
        with site.mock() as mock, site.api() as api:
            add(mock, answer="lock_timeout", probability=0.5, seed=seed)
            runs.append(statuses(api, 24))

    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) == {200, 429}


def test_a_rule_without_a_seed_shows_the_one_it_got(server: Server) -> None:
    runs, seed = [], None
    for _ in range(2):
        site = server.site()
        with site.mock() as mock, site.api() as api:
            given: dict[str, Any] = {} if seed is None else {"seed": seed}
            seed = add(mock, answer="lock_timeout", probability=0.5, **given)["seed"]
            runs.append(statuses(api, 12))

    assert runs[0] == runs[1]


def test_of_several_rules_the_first_that_fires_answers(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    first = add(mock, answer="lock_timeout", times=1)
    second = add(mock, answer="internal_error", times=1)

    answered = statuses(api, 3)

    assert answered == [429, 500, 200]
    counts = [
        (shown(mock, one["id"])["matched"], shown(mock, one["id"])["fired"])
        for one in (first, second)
    ]
    assert counts == [(3, 1), (2, 1)]


def test_a_time_span_is_on_the_sites_clock(api: httpx2.Client, mock: httpx2.Client) -> None:
    add(mock, answer="lock_timeout", start_time=5000, end_time=5001)

    answered = []
    for moment in (4999.9, 5000.0, 5001.9, 5002.0):
        set_clock(mock, moment)
        answered += statuses(api, 1)

    assert answered == [200, 429, 429, 200]


# Rules as state


def test_a_rule_is_shown_as_it_was_given(mock: httpx2.Client) -> None:
    given = {
        "method": "POST",
        "path": "/api/v1/orders*",
        "operation": "create_an_order",
        "params": {"note": "*", "status": None},
        "headers": {"X-Run": "42"},
        "start_time": LONG_AGO,
        "end_time": FAR_AHEAD,
        "skip": 1,
        "every": 2,
        "times": 3,
        "probability": 0.25,
        "seed": 7,
        "delay": {"distribution": "uniform", "low": 0.0, "high": 0.5},
        "answer": "lock_timeout",
        "after": True,
        "message": "Too late",
        "retry_after": 3,
    }

    rule = add(mock, **given)

    assert given.items() <= rule.items()
    assert rule.keys() - given.keys() == {"id", "matched", "fired", "created_at", "object"}
    assert (rule["matched"], rule["fired"], rule["object"]) == (0, 0, "fault")
    assert re.fullmatch(f"flt_{FORM}", rule["id"])
    assert mock.get("/faults").json() == {"list": [{"fault": rule}]}
    assert shown(mock, rule["id"]) == rule


def test_a_deleted_rule_is_shown_once_more_and_fires_no_longer(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    rule, other = add(mock, answer="lock_timeout"), add(mock, answer="internal_error")
    create(api)

    gone = mock.delete(f"/faults/{rule['id']}").json()["fault"]

    assert (gone["matched"], gone["fired"]) == (1, 1)
    assert create(api).status_code == 500
    assert [item["fault"]["id"] for item in mock.get("/faults").json()["list"]] == [other["id"]]
    for missing in (mock.get(f"/faults/{rule['id']}"), mock.delete(f"/faults/{rule['id']}")):
        assert missing.status_code == 404
        assert missing.json()["api_error_code"] == "resource_not_found"


def test_all_rules_of_a_site_are_deleted_at_once(
    server: Server, api: httpx2.Client, mock: httpx2.Client
) -> None:
    add(mock, answer="lock_timeout")
    add(mock, answer="internal_error")
    with server.site().mock() as other:
        add(other, answer="cut")

        assert mock.delete("/faults").json() == {"deleted": 2}

        assert len(other.get("/faults").json()["list"]) == 1
    assert mock.get("/faults").json() == {"list": []}
    assert create(api).status_code == 200


BAD: list[tuple[dict[str, Any], list[str], str]] = [
    ({}, ["answer"], "is missing, and so is a delay"),
    ({"after": True}, ["answer"], "is missing, and so is a delay"),
    (
        {"answer": "teapot"},
        ["answer", "named"],
        "is no api_error_code, nor one of cut, half_body, bad_json, bad_gateway",
    ),
    ({"answer": 429}, ["answer", "named"], "Input should be a valid string"),
    ({"answer": "cut", "nope": 1}, ["nope"], "Extra inputs are not permitted"),
    ({"answer": "cut", "method": "BREW"}, ["method"], "Input should be "),
    ({"answer": "cut", "path": "/orders"}, ["path"], "String should match pattern"),
    ({"answer": "cut", "operation": "nope"}, ["operation"], "Input should be one of create_an_"),
    ({"answer": "cut", "params": {"note": 1}}, ["params", "note"], "Input should be a "),
    ({"answer": "cut", "headers": ["x"]}, ["headers"], "Input should be a valid dictionary"),
    ({"answer": "cut", "times": 0}, ["times"], "Input should be greater than or equal to 1"),
    ({"answer": "cut", "every": 0}, ["every"], "Input should be greater than or equal to 1"),
    ({"answer": "cut", "skip": -1}, ["skip"], "Input should be greater than or equal to 0"),
    ({"answer": "cut", "probability": 1.1}, ["probability"], "Input should be less than or eq"),
    ({"answer": "cut", "seed": "a"}, ["seed"], "Input should be a valid integer"),
    ({"answer": "cut", "start_time": 9, "end_time": 8}, ["end_time"], "is less than start_time"),
    ({"answer": "cut", "start_time": -1}, ["start_time"], "Input should be greater than or eq"),
    ({"answer": "cut", "message": "x"}, ["message"], "goes with an api_error_code as answer only"),
    ({"delay": 1, "retry_after": 1}, ["retry_after"], "goes with an answer that comes as a whole"),
    ({"answer": "cut", "retry_after": 1}, ["retry_after"], "goes with an answer that comes as"),
    ({"answer": "cut", "type": "payment"}, ["type"], "goes with an api_error_code as answer only"),
    ({"answer": "lock_timeout", "type": "ours"}, ["type"], "Input should be 'invalid_request', "),
    ({"answer": "cut", "path": "*" * 1001}, ["path"], "String should have at most 1000 char"),
    ({"answer": "cut", "operation": "a" * 1001}, ["operation"], "String should have at most 1000"),
    ({"answer": "cut", "params": {"a": "*" * 1001}}, ["params", "a"], "String should have at "),
    (
        {"answer": "cut", "params": {str(number): "" for number in range(101)}},
        ["params"],
        "Dictionary should have at most 100 items",
    ),
    ({"answer": {"status": 199}}, ["answer", "other", "status"], "Input should be greater than or"),
    ({"answer": {"status": 600}}, ["answer", "other", "status"], "Input should be less than or"),
    ({"answer": {"body": "x"}}, ["answer", "other", "status"], "Field required"),
    (
        {"answer": {"status": 200, "body": "x" * 65_537}},
        ["answer", "other", "body"],
        "is longer than 65536 bytes",
    ),
    (
        {"answer": {"status": 304, "body": "x"}},
        ["answer", "other", "body"],
        "is there, where an answer of this status has none",
    ),
    (
        {"answer": {"status": 200, "body": "\ud800"}},
        ["answer", "other", "body"],
        "has what neither text nor JSON can say",
    ),
    (
        {"answer": {"status": 200, "body": {"a": math.nan}}},
        ["answer", "other", "body"],
        "has what neither text nor JSON can say",
    ),
    (
        {"answer": {"status": 200, "content_type": "text/html\r\nx: y"}},
        ["answer", "other", "content_type"],
        "String should match pattern",
    ),
    ({"answer": {"status": 200}, "message": "x"}, ["message"], "goes with an api_error_code as"),
    ({"answer": {"recorded": "x"}}, ["answer", "recorded", "recorded"], "is none of duplicate_id,"),
    ({"answer": "cut", "param": "id"}, ["param"], "goes with an api_error_code as answer only"),
    ({"delay": 301}, ["delay", "fixed"], "Input should be less than or equal to 300"),
    ({"delay": math.nan}, ["delay", "fixed"], "Input should be "),
    ({"delay": math.inf}, ["delay", "fixed"], "Input should be less than or equal to 300"),
    (
        {"delay": {"distribution": "pareto"}},
        ["delay"],
        "Give seconds, or a distribution: uniform or lognormal",
    ),
    (
        {"delay": {"distribution": "uniform", "low": 2, "high": 1}},
        ["delay", "uniform", "high"],
        "is less than low",
    ),
    (
        {"delay": {"distribution": "lognormal", "median": 1}},
        ["delay", "lognormal", "sigma"],
        "Field required",
    ),
    ({"answer": "\ud800"}, ["answer", "named"], "Input should be a valid string, unable"),
    ({"answer": "cut", "path": "/api/\ud800"}, ["path"], "Input should be a valid string, unable"),
]


@pytest.mark.parametrize(("rule", "field", "said"), BAD)
def test_a_rule_that_does_not_fit_is_refused_by_its_field_and_not_kept(
    mock: httpx2.Client, rule: dict[str, Any], field: list[str], said: str
) -> None:
    body = json.dumps(rule)  # also what is no JSON, such as NaN

    answer = mock.post("/faults", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422, answer.text
    (detail,) = answer.json()["detail"]
    assert detail["loc"] == ["body", *field]
    assert detail["msg"].removeprefix("Value error, ").startswith(said)
    assert mock.get("/faults").json() == {"list": []}


def test_two_servers_on_one_database_count_a_rule_once(database: Path) -> None:
    with Server(database) as one, Server(database) as two:
        site = one.site()
        with (
            site.mock() as mock,
            site.api() as first,
            Site(two.url, site.name).api() as second,
        ):
            assert statuses(second, 1) == [200]  # it has learned that there are no rules
            add(mock, operation="create_an_order", answer="lock_timeout", skip=1, times=3)

            answered = [create(api).status_code for api in (first, second) * 4]

    assert answered == [200, 429, 429, 429, 200, 200, 200, 200]


def test_a_server_that_was_started_anew_goes_on_counting(database: Path) -> None:
    with Server(database) as server:
        site = server.site()
        with site.mock() as mock, site.api() as api:
            rule = add(mock, answer="lock_timeout", times=2)
            assert statuses(api, 1) == [429]

    with Server(database) as server:
        site = server.site(site.name)
        with site.mock() as mock, site.api() as api:
            assert shown(mock, rule["id"])["fired"] == 1
            assert statuses(api, 2) == [429, 200]


def test_a_rule_that_this_version_does_not_know_does_nothing_and_is_named(database: Path) -> None:
    with Server(database) as server:
        site = server.site()
        with site.mock() as mock, site.api() as api:
            unknown = add(mock, answer="cut")
            with closing(sqlite3.connect(database, isolation_level=None)) as connection:
                connection.execute("UPDATE faults SET rule = ?", ('{"answer": "to_come"}',))
            add(mock, answer="lock_timeout", times=1)

            assert statuses(api, 2) == [429, 200]
            assert mock.delete(f"/faults/{unknown['id']}").status_code == 200
        assert f"the fault {unknown['id']} does nothing" in complaints(server)


def test_a_failure_of_our_own_is_answered_as_an_error_of_chargebees(database: Path) -> None:
    failing = "from mock_server.sandbox.fault_rules import Rule\nRule.matches = lambda *_: 1 / 0\n"
    with Server(database, prelude=failing) as server:
        site = server.site()
        with site.mock() as mock, site.api() as api:
            add(mock, answer="lock_timeout")
            answer = api.get("/orders")
        assert answer.status_code == 500
        assert answer.json()["api_error_code"] == "internal_error"
        assert "ZeroDivisionError" in complaints(server)


# The journal


@pytest.mark.parametrize(
    ("rule", "status"),
    [({"answer": "lock_timeout"}, 429), ({"answer": "cut"}, 0), ({"delay": 0.01}, 200)],
)
def test_the_journal_names_the_rule(
    api: httpx2.Client, mock: httpx2.Client, rule: dict[str, Any], status: int
) -> None:
    added = add(mock, times=1, **rule)
    try:
        create(api)
    except httpx2.RemoteProtocolError:
        assert rule["answer"] == "cut"

    (entry,) = mock.get("/requests", params={"operation": "create_an_order"}).json()["list"]

    request = entry["request"]
    assert request["remarks"] == [f"fault {added['id']}: {rule.get('answer', 'delay')}"]
    assert (request["status"], request["body"]) == (status, "invoice_id=__demo_inv__1")
    assert request["key_name"] == "full_access_key_v1"


# The rate limit


@pytest.fixture
def frozen(mock: httpx2.Client) -> float:
    """The site's clock stands still at this moment."""
    moment = 1_800_000_000.25
    set_clock(mock, moment)
    return moment


def limit(mock: httpx2.Client, **given: Any) -> dict[str, Any]:
    answer = mock.put("/rate_limit", json=given)
    assert answer.status_code == 200, answer.text
    limited: dict[str, Any] = answer.json()["rate_limit"]
    return limited


def test_a_site_has_no_limit_until_it_is_given_one(mock: httpx2.Client) -> None:
    assert mock.get("/rate_limit").json() == {"rate_limit": None}
    assert limit(mock) == {"requests": 150, "seconds": 60}
    assert mock.get("/rate_limit").json() == {"rate_limit": {"requests": 150, "seconds": 60}}
    assert mock.delete("/rate_limit").json() == {"rate_limit": None}
    assert mock.get("/rate_limit").json() == {"rate_limit": None}


def test_a_request_above_the_limit_is_refused_as_chargebee_refuses_it(
    api: httpx2.Client, mock: httpx2.Client, frozen: float
) -> None:
    limit(mock, requests=2, seconds=60)
    assert statuses(api, 2) == [200, 200]

    answer = create(api)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"
    assert answer.headers["x-mock-fault"] == "rate_limit"
    assert answer.json() == {
        "message": BLOCKED,
        "type": "operation_failed",
        "api_error_code": "api_request_limit_exceeded",
        "error_code": "api_request_limit_exceeded",
        "error_msg": BLOCKED,
        "http_status_code": 429,
    }
    mock.delete("/rate_limit")
    assert len(orders(api)) == 2


def test_the_limit_is_a_window_that_slides_along_the_sites_clock(
    api: httpx2.Client, mock: httpx2.Client, frozen: float
) -> None:
    limit(mock, requests=2, seconds=60)

    answered, waits = [], []
    for later in (0, 20, 40, 59.5, 60, 79, 80):
        set_clock(mock, frozen + later)
        answer = create(api)
        answered.append(answer.status_code)
        waits.append(answer.headers.get("retry-after"))

    assert answered == [200, 200, 429, 429, 200, 429, 200]
    assert waits == [None, None, "20", "1", None, "1", None]


def test_a_clock_that_is_set_back_does_not_block_the_site(
    api: httpx2.Client, mock: httpx2.Client, frozen: float
) -> None:
    limit(mock, requests=1, seconds=60)
    assert statuses(api, 2) == [200, 429]

    set_clock(mock, frozen - 86_400)

    assert statuses(api, 2) == [200, 429]


def test_a_new_limit_counts_from_its_start(
    api: httpx2.Client, mock: httpx2.Client, frozen: float
) -> None:
    limit(mock, requests=1)
    statuses(api, 2)

    limit(mock, requests=1)

    assert statuses(api, 2) == [200, 429]


def test_the_limit_of_one_site_leaves_others_alone(
    server: Server, api: httpx2.Client, mock: httpx2.Client, frozen: float
) -> None:
    limit(mock, requests=1)

    with server.site().api() as other:
        assert statuses(other, 3) == [200] * 3
    assert statuses(api, 2) == [200, 429]


def test_what_opens_no_site_does_not_count(
    site: Site, api: httpx2.Client, mock: httpx2.Client, frozen: float
) -> None:
    limit(mock, requests=1)

    with site.api(key="nonsense") as stranger:
        assert [stranger.get("/orders").status_code for _ in range(3)] == [401] * 3

    assert statuses(api, 2) == [200, 429]


def test_a_fault_counts_against_the_limit(
    api: httpx2.Client, mock: httpx2.Client, frozen: float
) -> None:
    limit(mock, requests=1)
    add(mock, answer="internal_error")

    assert statuses(api, 2) == [500, 429]


def test_the_journal_has_what_the_limit_refused(
    api: httpx2.Client, mock: httpx2.Client, frozen: float
) -> None:
    limit(mock, requests=1)
    statuses(api, 2)

    (entry,) = mock.get("/requests", params={"status": 429}).json()["list"]

    assert entry["request"]["remarks"] == ["the site's rate limit"]
    assert entry["request"]["operation"] == "create_an_order"
    assert entry["request"]["body"] == "invoice_id=__demo_inv__1"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"requests": 0}, "requests"),
        ({"requests": 10_001}, "requests"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": "long"}, "seconds"),
        ({"minutes": 1}, "minutes"),
    ],
)
def test_a_limit_that_does_not_fit_is_refused_by_its_field(
    mock: httpx2.Client, given: dict[str, Any], field: str
) -> None:
    answer = mock.put("/rate_limit", json=given)

    assert answer.status_code == 422
    assert [one["loc"] for one in answer.json()["detail"]] == [["body", field]]
    assert mock.get("/rate_limit").json() == {"rate_limit": None}


def test_two_servers_on_one_database_keep_one_limit(database: Path) -> None:
    with Server(database) as one, Server(database) as two:
        site = one.site()
        with (
            site.mock() as mock,
            site.api() as first,
            Site(two.url, site.name).api() as second,
        ):
            assert statuses(second, 1) == [200]
            limit(mock, requests=4, seconds=86_400)

            answered = [create(api).status_code for api in (first, second) * 3]

    assert answered == [200] * 4 + [429] * 2


def test_a_snapshot_brings_its_rules_back(api: httpx2.Client, mock: httpx2.Client) -> None:
    mock.post("/faults", json={"answer": "internal_error"}).raise_for_status()
    mock.post("/snapshots/failing").raise_for_status()
    mock.delete("/faults").raise_for_status()
    assert api.get("/orders").status_code == 200

    mock.post("/snapshots/failing/restore").raise_for_status()
    assert api.get("/orders").status_code == 500

    mock.post("/reset").raise_for_status()
    assert api.get("/orders").status_code == 200
