"""`/_mock/requests`: every request under /api/ and its answer, without credentials."""

from __future__ import annotations

import base64
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import Server, Site

INVOICE = {"invoice_id": "__demo_inv__1"}


def journal(mock: httpx2.Client, **asked: Any) -> list[dict[str, Any]]:
    answer = mock.get("/requests", params=asked)
    assert answer.status_code == 200, answer.text
    return [item["request"] for item in answer.json()["list"]]


def test_a_request_is_kept_with_its_answer(
    site: Site, api: httpx2.Client, mock: httpx2.Client
) -> None:
    before = time.time()
    answer = api.post("/orders", data=INVOICE | {"note": "é"})
    after = time.time()

    (request,) = journal(mock)

    started_at = request.pop("started_at")
    assert before <= started_at <= after
    assert request.pop("created_at") == int(started_at)
    assert request.pop("duration_us") > 0
    headers = dict(request.pop("headers"))
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["host"] == api.headers["Host"]
    assert request == {
        "id": answer.headers["x-mock-request-id"],
        "site": site.name,
        "method": "POST",
        "path": "/api/v1/orders",
        "query": "",
        "params": {"invoice_id": "__demo_inv__1", "note": "é"},
        "body": "invoice_id=__demo_inv__1&note=%C3%A9",
        "operation": "create_an_order",
        "key_name": "full_access_key_v1",
        "status": 200,
        "answer_headers": [
            [name, answer.headers[name]] for name in answer.headers if name != "date"
        ],
        "answer": answer.text,
        "ignored_params": [],
        "remarks": [],
        "object": "request",
    }


def test_path_and_query_are_kept_as_they_were_sent(api: httpx2.Client, mock: httpx2.Client) -> None:
    api.get("/orders/a%2Fb?x=%20+%C3%A9")

    (request,) = journal(mock)

    assert (request["path"], request["query"]) == ("/api/v1/orders/a%2Fb", "x=%20+%C3%A9")
    assert request["operation"] == "retrieve_an_order"
    assert request["status"] == 404


@pytest.mark.parametrize(("path", "operation"), [("/unicorns", None), ("/orders", "list_orders")])
def test_a_request_that_failed_is_kept_without_what_it_never_came_to(
    api: httpx2.Client, mock: httpx2.Client, order_id: str, path: str, operation: str | None
) -> None:
    answer = api.get(path, auth=("wrong", ""))

    request = journal(mock)[0]

    assert request["id"] == answer.headers["x-mock-request-id"]
    assert request["status"] == answer.status_code
    assert request["answer"] == answer.text
    assert request.get("operation") == operation
    assert "key_name" not in request


def test_credentials_are_not_kept(
    server: Server, site: Site, api: httpx2.Client, mock: httpx2.Client
) -> None:
    secret = "test_very_secret"
    encoded = base64.b64encode(f"{secret}:".encode()).decode()
    headers = {"Cookie": f"session={secret}", "Proxy-Authorization": f"Basic {encoded}"}

    api.get("/orders", headers=headers, auth=(secret, ""))

    answer = mock.get("/requests")
    kept = dict(answer.json()["list"][0]["request"]["headers"])
    assert {kept[name] for name in ("authorization", "cookie", "proxy-authorization")} == {"…"}
    assert secret not in answer.text
    assert encoded not in answer.text
    files = Path(server.database).parent.glob(f"{Path(server.database).name}*")
    stored = b"".join(file.read_bytes() for file in files)
    assert answer.json()["list"][0]["request"]["id"].encode() in stored
    assert secret.encode() not in stored
    assert encoded.encode() not in stored


def test_of_a_long_body_the_beginning_is_kept(api: httpx2.Client, mock: httpx2.Client) -> None:
    api.post("/orders", data={"note": "x" * 100_000})

    (request,) = journal(mock)

    assert request["body"] == "note=" + "x" * (64 * 1024 - 5)


def test_of_a_long_answer_the_beginning_is_kept(api: httpx2.Client, mock: httpx2.Client) -> None:
    customer = {"id": "c", "created_at": 0, "meta_data": {"note": "x" * 60_000}}
    mock.post("/seed", json={"customers": [customer, customer | {"id": "d"}]})
    answer = api.get("/customers")

    (request,) = journal(mock)

    assert len(answer.text) > 120_000
    assert request["answer"] == answer.content[: 64 * 1024].decode()


def test_a_body_that_is_no_text_is_kept_as_far_as_it_is(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    api.post("/orders", content=b"note=\xff", headers={"Content-Type": "text/plain"})

    assert journal(mock)[0]["body"] == "note=\ufffd"


def test_our_own_interface_is_not_in_the_journal(mock: httpx2.Client, order_id: str) -> None:
    mock.get("/health")
    mock.get("/events")

    assert len(journal(mock)) == len(journal(mock)) == 1


def test_the_journal_tells_requests_apart(api: httpx2.Client, mock: httpx2.Client) -> None:
    answers = [api.get("/orders") for _ in range(3)]

    ids = [answer.headers["x-mock-request-id"] for answer in reversed(answers)]
    assert [request["id"] for request in journal(mock)] == ids
    assert len(set(ids)) == 3


def test_the_answer_tells_what_was_remarked_of_its_request(api: httpx2.Client) -> None:
    plain = api.get("/orders")
    answer = api.get(
        "/orders",
        params={"unicorn": "1"},
        headers={"chargebee-event-email": "no", "chargebee-event-webhook": "off"},
    )

    assert "x-mock-remark" not in plain.headers
    assert answer.headers["x-mock-remark"] == (
        "header chargebee-event-webhook: 'off' is not all-disabled; ignored; "
        "header chargebee-event-email: 'no' is not all-disabled; ignored"
    )


@pytest.mark.parametrize(
    ("quoted", "told"),
    [
        (b"caf\xe9", rb"'caf\xe9' is not all-disabled; ignored"),
        (b"\xe2\x82\xac", rb"'\xe2\\x82\xac' is not all-disabled; ignored"),
        (b"a\tb", rb"'a\\tb' is not all-disabled; ignored"),
        (b"x" * 5000, b"'" + b"x" * 969),
    ],
)
def test_what_a_remark_quotes_is_made_fit_for_a_header(
    api: httpx2.Client, quoted: bytes, told: bytes
) -> None:
    answer = api.get("/orders", headers={b"chargebee-event-email": quoted})

    remark = dict(answer.headers.raw)[b"x-mock-remark"]
    assert remark == b"header chargebee-event-email: " + told


def test_the_journal_keeps_the_latest_bytes_and_the_file_gives_its_room_back(
    database: Path,
) -> None:
    note = "x" * 60_000
    most = 2_000_000
    with Server(database, "--journal-bytes", str(most)) as bounded:
        site = bounded.site()
        with site.api() as api, site.mock() as mock:
            for number in range(200):
                api.post(f"/orders/{number}", data={"note": note})
            kept = journal(mock, limit=1000)
            assert [request["path"] for request in kept[:2]] == [
                "/api/v1/orders/199",
                "/api/v1/orders/198",
            ]
            assert most * 0.9 < sum(len(request["body"]) for request in kept) < most
            mock.delete("/requests").raise_for_status()
            assert journal(mock) == []
    with closing(sqlite3.connect(database)) as left:
        assert left.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        assert left.execute("SELECT count(*) FROM requests").fetchone() == (0,)


@pytest.mark.parametrize("limit", [0, 3])
def test_the_journal_keeps_the_latest_up_to_its_limit(database: Path, limit: int) -> None:
    with Server(database, "--journal-limit", str(limit)) as bounded:
        site = bounded.site()
        with site.api() as api, site.mock() as mock:
            for number in range(5):
                api.get(f"/orders/{number}")
            at_once = journal(mock)
            api.get("/orders/5")
            later = journal(mock)

    paths = [f"/api/v1/orders/{number}" for number in (5, 4, 3, 2)]
    assert [request["path"] for request in at_once] == paths[1 : limit + 1]
    assert [request["path"] for request in later] == paths[:limit]
