"""`/_mock/requests`: the journal filtered, its parameters, one request looked up, emptied."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import Server, Site

Filtered = Callable[..., list[str]]


def journal(mock: httpx2.Client, **asked: Any) -> list[dict[str, Any]]:
    answer = mock.get("/requests", params=asked)
    assert answer.status_code == 200, answer.text
    return [item["request"] for item in answer.json()["list"]]


def latest(mock: httpx2.Client) -> dict[str, Any]:
    return journal(mock, limit=1)[0]


class TestFilters:
    """Each is tried on the same five calls; what it lets through is told by their letters."""

    @pytest.fixture
    def filtered(self, site: Site, mock: httpx2.Client) -> Iterator[Filtered]:
        with site.api() as api, site.api("test_warehouse") as warehouse:
            letters = {
                answer.headers["x-mock-request-id"]: letter
                for letter, answer in {
                    "a": api.post("/orders", data={"id": "o-1", "invoice_id": "__demo_inv__1"}),
                    "b": warehouse.get("/orders/o-1"),
                    "c": api.get("/orders/nothing"),
                    "d": api.get("/invoices/no[th]"),
                    "e": api.post("/orders", data={"id": "o-1", "invoice_id": "__demo_inv__1"}),
                }.items()
            }

            def which(**asked: Any) -> list[str]:
                return sorted(letters[request["id"]] for request in journal(mock, **asked))

            yield which

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ({}, "abcde"),
            ({"method": "POST"}, "ae"),
            ({"method": "get"}, "bcd"),
            ({"path": "/api/v1/orders"}, "ae"),
            ({"path": "/api/v1/orders/*"}, "bc"),
            ({"path": "*orders*"}, "abce"),
            ({"path": "/api/v1/ORDERS"}, ""),
            ({"path": "/api/v1/order?"}, ""),
            ({"path": "/api/v1/[o]rders"}, ""),
            ({"path": "/api/v1/invoices/no[th]"}, "d"),
            ({"path": "*"}, "abcde"),
            ({"operation": "retrieve_an_order"}, "bc"),
            ({"status": 404}, "cd"),
            ({"status": "4xx"}, "cde"),
            ({"status": "2xx"}, "ab"),
            ({"status": 500}, ""),
            ({"key_name": "warehouse_key_v1"}, "b"),
            ({"method": "POST", "status": "4xx"}, "e"),
        ],
    )
    def test_a_filter_lets_through_what_fits(
        self, filtered: Filtered, asked: dict[str, Any], expected: str
    ) -> None:
        assert "".join(filtered(**asked)) == expected

    def test_seconds_bound_the_time_on_both_sides(
        self, filtered: Filtered, mock: httpx2.Client
    ) -> None:
        times = [request["created_at"] for request in journal(mock)]

        assert filtered(since=min(times), until=max(times)) == list("abcde")
        assert filtered(since=max(times) + 1) == []
        assert filtered(until=min(times) - 1) == []

    def test_filters_go_on_to_the_next_page(self, filtered: Filtered, mock: httpx2.Client) -> None:
        first = mock.get("/requests", params={"method": "GET", "limit": 2}).json()
        asked = {"method": "GET", "limit": 2, "offset": first["next_offset"]}
        second = mock.get("/requests", params=asked).json()

        assert [len(page["list"]) for page in (first, second)] == [2, 1]
        assert "next_offset" not in second

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *(("status", status) for status in ("4", "600", "xx", "4XX", "-1", "4xx ")),
            *(("since", time) for time in ("-1", "now", str(10**30))),
            ("until", "1.5"),
            ("path", "x" * 1001),
        ],
    )
    def test_a_filter_that_means_nothing_is_refused_by_name(
        self, mock: httpx2.Client, order_id: str, name: str, value: str
    ) -> None:
        answer = mock.get("/requests", params={name: value})

        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["query", name]


class TestAllSites:
    """`?site=*` asks for the requests of all sites, and of those that do not exist."""

    def test_they_are_listed_together_with_their_sites(
        self, server: Server, site: Site, mock: httpx2.Client
    ) -> None:
        other = server.site()
        for called in (site, other, other):
            with called.api() as api:
                api.get(f"/{site.name}")
                api.get("/orders")

        asked: dict[str, Any] = {"site": "*", "path": f"/api/v1/{site.name}", "limit": 2}
        first = mock.get("/requests", params=asked).json()
        second = mock.get("/requests", params={**asked, "offset": first["next_offset"]}).json()

        listed = [item["request"]["site"] for item in first["list"] + second["list"]]
        assert listed == [other.name, other.name, site.name]
        assert "next_offset" not in second

    def test_a_call_that_was_refused_is_found_without_knowing_its_site(
        self, server: Server, mock: httpx2.Client
    ) -> None:
        never_made = server.site()
        with never_made.api("wrong") as api:
            refused = api.get("/orders")
        id = refused.headers["x-mock-request-id"]

        request = mock.get(f"/requests/{id}", params={"site": "*"}).json()["request"]
        listed = mock.get("/requests", params={"site": "*", "status": "401", "limit": 100}).json()

        assert request in [item["request"] for item in listed["list"]]
        assert (request["site"], request["status"]) == (never_made.name, 401)
        assert request["remarks"] == [refused.headers["x-mock-remark"]]

    def test_a_site_that_refused_every_call_shows_them_though_it_was_never_made(
        self, server: Server
    ) -> None:
        never_made = server.site()
        with never_made.api("wrong") as api, never_made.mock() as mock:
            id = api.get("/orders").headers["x-mock-request-id"]

            assert [request["id"] for request in journal(mock)] == [id]
            assert mock.get(f"/requests/{id}").json()["request"]["status"] == 401
            assert mock.get("/requests", params={"status": "200"}).json() == {"list": []}

    def test_what_a_reset_took_away_is_not_among_them(
        self, api: httpx2.Client, mock: httpx2.Client, site: Site
    ) -> None:
        api.get(f"/{site.name}")
        mock.post("/reset")

        asked = {"site": "*", "path": f"/api/v1/{site.name}"}
        assert mock.get("/requests", params=asked).json() == {"list": []}

    def test_a_request_that_nobody_made_is_not_found(self, mock: httpx2.Client) -> None:
        answer = mock.get("/requests/req_none", params={"site": "*"})

        assert answer.status_code == 404
        assert answer.json()["message"] == "req_none not found"


class TestParameters:
    def test_those_of_a_form_are_shown_nested_and_decoded(
        self, api: httpx2.Client, mock: httpx2.Client, order_id: str
    ) -> None:
        sent = {"note": "a&b = ü", "shipping_address[city]": "Århus", "tags[]": "x"}
        api.post(f"/orders/{order_id}", data=sent)

        assert latest(mock)["params"] == {
            "note": "a&b = ü",
            "shipping_address": {"city": "Århus"},
            "tags": {"0": "x"},
        }

    def test_those_of_a_multipart_form_are_shown_alike(
        self, api: httpx2.Client, mock: httpx2.Client, order_id: str
    ) -> None:
        api.post(f"/orders/{order_id}", files={"shipping_address[city]": (None, "Århus")})

        assert latest(mock)["params"] == {"shipping_address": {"city": "Århus"}}

    def test_those_of_a_list_are_in_its_query(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        api.get("/orders", params={"limit": 2, "sort": "é"})

        assert latest(mock)["params"] == {"limit": "2", "sort": "é"}

    def test_those_of_a_post_are_in_its_query_too(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        query = {"note": "query", "invoice_id": "__demo_inv__1"}
        api.post("/orders", params=query, data={"note": "body"})

        assert latest(mock)["params"] == query | {"note": "body"}

    def test_those_of_a_post_whose_body_is_not_read_are_in_its_query(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        api.post("/orders?note=query", json={"note": "body"})

        assert latest(mock)["params"] == {"note": "query"}

    def test_a_call_without_any_has_none(self, api: httpx2.Client, mock: httpx2.Client) -> None:
        api.get("/orders")

        assert latest(mock)["params"] == {}

    def test_those_that_were_not_used_are_listed(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        data = {"invoice_id": "__demo_inv__1", "statuss": "new", "shipping[citty]": "x"}
        api.post("/orders?in_query=1", data=data)

        request = latest(mock)
        assert request["ignored_params"] == ["statuss", "shipping[citty]", "in_query"]
        assert request["params"]["statuss"] == "new"
        assert request["remarks"] == [
            f"parameter {name} is not used; ignored" for name in request["ignored_params"]
        ]

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"note=%zz", "application/x-www-form-urlencoded"),
            (b"note=\xff", "application/x-www-form-urlencoded"),
            (b"note=" + b"x" * 65_536, "application/x-www-form-urlencoded"),
            (b"no boundary", "multipart/form-data"),
            (b"--b\r\nunfinished", "multipart/form-data; boundary=b"),
        ],
    )
    def test_those_that_cannot_be_read_are_not_shown(
        self, api: httpx2.Client, mock: httpx2.Client, body: bytes, content_type: str
    ) -> None:
        api.post("/orders", content=body, headers={"Content-Type": content_type})

        assert "params" not in latest(mock)


def test_a_request_whose_client_left_has_the_status_0(
    server: Server, site: Site, mock: httpx2.Client, order_id: str
) -> None:
    address = httpx2.URL(server.url)
    assert address.port is not None
    with socket.create_connection((address.host, address.port)) as client:
        client.sendall(
            b"POST /api/v1/orders HTTP/1.1\r\nAuthorization: Basic dGVzdF9rZXk6\r\n"
            + f"Host: {site.name}.localhost\r\nContent-Length: 100\r\n\r\nnote=".encode()
        )
    deadline = time.monotonic() + 30
    while not (left := journal(mock, status=0)) and time.monotonic() < deadline:
        time.sleep(0.02)

    (request,) = left
    assert (request["operation"], request["answer"]) == ("create_an_order", "")
    assert mock.post("/requests/verify", json={"status": 0, "count": 1}).status_code == 200
    entries = mock.get("/requests.har", params={"status": 0}).json()["log"]["entries"]
    assert [entry["response"]["status"] for entry in entries] == [0]
    assert "\n# create_an_order: not answered\n" in mock.get("/requests.sh").text


class TestOne:
    def test_a_request_is_found_by_the_id_of_its_answer(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        answers = [api.get("/orders", params={"limit": n}) for n in (1, 2, 3)]
        id = answers[1].headers["x-mock-request-id"]

        found = mock.get(f"/requests/{id}")

        assert found.status_code == 200
        assert found.json() == {"request": journal(mock)[1]}
        assert found.json()["request"]["params"] == {"limit": "2"}

    def test_an_unknown_id_is_not_found(
        self, server: Server, mock: httpx2.Client, order_id: str
    ) -> None:
        theirs = server.site()
        with theirs.api() as api:
            id = api.get("/orders").headers["x-mock-request-id"]

        for unknown in ("nothing", id):
            answer = mock.get(f"/requests/{unknown}")
            assert answer.status_code == 404
            assert answer.json()["message"] == f"{unknown} not found"

    def test_an_entry_of_an_older_journal_is_shown_without_what_it_did_not_keep(
        self, server: Server, site: Site, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        api.get("/orders", params={"limit": 1})
        (before,) = journal(mock)
        added = ("started_at", "ignored_params", "answer_headers")
        with closing(sqlite3.connect(server.database, timeout=30)) as connection, connection:
            nothing = ", ".join(f"{column} = NULL" for column in added)
            connection.execute(f"UPDATE requests SET {nothing} WHERE site = ?", [site.name])

        (request,) = journal(mock)
        (entry,) = mock.get("/requests.har").json()["log"]["entries"]
        verified = mock.post("/requests/verify", json={"params": {"limit": 1}})

        kept = {name: value for name, value in before.items() if name not in added}
        assert request == kept
        assert entry["response"]["headers"] == []
        assert verified.json() == {"verified": True, "matched": [request["id"]]}


class TestEmptying:
    def test_the_journal_of_the_site_is_emptied_and_goes_on(
        self, server: Server, api: httpx2.Client, mock: httpx2.Client, order_id: str
    ) -> None:
        api.get("/orders")
        others = server.site()
        with others.api() as their_api, others.mock() as their_mock:
            their_api.get("/orders")

            emptied = mock.delete("/requests")

            assert (emptied.status_code, emptied.json()) == (200, {"deleted": 2})
            assert journal(mock) == []
            assert len(journal(their_mock)) == 1
        api.get("/invoices")
        assert [request["path"] for request in journal(mock)] == ["/api/v1/invoices"]

    def test_nothing_but_the_journal_is_emptied(
        self, api: httpx2.Client, mock: httpx2.Client, order_id: str
    ) -> None:
        mock.delete("/requests")

        assert api.get(f"/orders/{order_id}").status_code == 200
        assert len(mock.get("/events").json()["list"]) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/requests/any"),
        ("DELETE", "/requests"),
        ("POST", "/requests/verify"),
        ("GET", "/requests.har"),
        ("GET", "/requests.sh"),
    ],
)
def test_an_unknown_site_is_not_found(mock: httpx2.Client, method: str, path: str) -> None:
    answer = mock.request(method, path, json={} if method == "POST" else None)

    assert answer.status_code == 404
    assert answer.json()["api_error_code"] == "site_not_found"


def test_several_workers_have_one_journal_complete_when_it_is_read(database: Path) -> None:
    with Server(database, "--workers", "2") as server:
        site = server.site()
        with site.mock() as mock:
            for made in (12, 24):
                for _ in range(12):
                    with site.api() as api:  # a connection of its own, so that both get some
                        api.get("/orders")

                assert len(journal(mock, limit=100)) == made
            verdict = mock.post("/requests/verify", json={"count": 24})
            assert mock.delete("/requests").json() == {"deleted": 24}
            assert journal(mock) == []

    assert verdict.status_code == 200
