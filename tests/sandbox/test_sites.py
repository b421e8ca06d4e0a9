"""`/_mock/sites` and `/_mock/reset`: a site made, reached, emptied, removed."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import Server, Site

INVOICE = {"invoice_id": "__demo_inv__1"}
RECORDS = ("events", "webhooks", "emails", "requests")
SMALL_SEED = {
    "customers": [{"id": "c", "created_at": 0}],
    "invoices": [
        {
            "id": "i",
            "customer_id": "c",
            "status": "paid",
            "start_date": 0,
            "currency_code": "EUR",
            "sub_total": 0,
        }
    ],
}


def made(server: Server, **body: Any) -> dict[str, Any]:
    answer = httpx2.post(f"{server.url}/_mock/sites", json=body)
    assert answer.status_code == 200, answer.text
    site: dict[str, Any] = answer.json()["site"]
    return site


def ids(client: httpx2.Client, kind: str) -> list[str]:
    answer = client.get(f"/{kind}")
    assert answer.status_code == 200, answer.text
    return [item[kind.removesuffix("s")]["id"] for item in answer.json()["list"]]


def reset(mock: httpx2.Client) -> dict[str, Any]:
    answer = mock.post("/reset")
    assert answer.status_code == 200, answer.text
    site: dict[str, Any] = answer.json()["site"]
    return site


def test_a_site_without_a_name_gets_a_fresh_one_and_the_servers_seed(server: Server) -> None:
    first, second = made(server), made(server)

    assert first["name"] != second["name"]
    assert first["name"].endswith("-test")
    assert first["seed"] == "default"
    port = server.url.rpartition(":")[2]
    assert first["host"] == f"{first['name']}.localhost:{port}"
    with server.site(first["name"]).api() as api:
        assert "__demo_inv__1" in ids(api, "invoices")


def test_a_sites_key_opens_it_from_a_bare_address(server: Server) -> None:
    site = made(server)
    orders = f"{server.url}/api/v1/orders"

    created = httpx2.post(orders, data=INVOICE, auth=(site["api_key"], ""))

    assert created.status_code == 200
    assert created.json()["order"]["created_by"] == "full_access_key_v1"
    with server.site(site["name"]).api() as api:
        assert ids(api, "orders") == [created.json()["order"]["id"]]


def test_a_sites_key_opens_no_other_site(server: Server, site: Site) -> None:
    with site.api(made(server)["api_key"]) as api:
        assert api.get("/orders").status_code == 401


def test_a_live_sites_key_is_a_live_one(server: Server) -> None:
    site = made(server, name=server.site().name.removesuffix("-test"))

    assert site["api_key"].startswith("live_")
    answer = httpx2.get(f"{server.url}/api/v1/orders", auth=(site["api_key"], ""))
    assert answer.json() == {"list": []}


def test_a_site_made_with_a_seed_holds_that_alone(server: Server) -> None:
    site = made(server, seed=SMALL_SEED)

    assert site["seed"] == "own"
    with server.site(site["name"]).api() as api:
        assert ids(api, "customers") == ["c"]
        assert ids(api, "invoices") == ["i"]


def test_a_site_made_with_an_empty_seed_is_empty(server: Server) -> None:
    site = server.site(made(server, seed={})["name"])

    with site.api() as api, site.mock() as mock:
        assert [ids(api, kind) for kind in ("customers", "invoices", "orders")] == [[], [], []]
        assert mock.get("/export").json() == {}


def test_sites_are_listed_and_shown(server: Server, api: httpx2.Client, site: Site) -> None:
    api.get("/orders")

    listed = httpx2.get(f"{server.url}/_mock/sites").json()["list"]
    shown = httpx2.get(f"{server.url}/_mock/sites/{site.name}").json()

    assert shown in listed
    assert shown["site"].keys() == {"name", "api_key", "host", "seed", "created_at", "object"}


def test_a_host_that_names_a_site_gives_the_form_of_another(server: Server) -> None:
    answer = httpx2.post(
        f"{server.url}/_mock/sites", headers={"Host": "acme-test.chargebee.com:99"}
    )

    site = answer.json()["site"]
    assert site["host"] == f"{site['name']}.chargebee.com:99"


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "A-test", "a_test", "a.test", "a" * 51, "a\n", "ä", 7, [], {}]
)
def test_a_site_is_not_made_under_a_name_that_is_none(server: Server, name: Any) -> None:
    refused = httpx2.post(f"{server.url}/_mock/sites", json={"name": name})

    assert refused.status_code == 400
    assert refused.json()["message"] == (
        "line 1: name: is no name for a site: up to 50 small letters, digits and inner hyphens"
    )
    assert refused.json()["param"] == "name"


def test_a_site_is_not_made_twice(server: Server, api: httpx2.Client, site: Site) -> None:
    api.post("/orders", data=INVOICE)

    refused = httpx2.post(f"{server.url}/_mock/sites", json={"name": site.name, "seed": {}})

    assert refused.status_code == 400
    assert refused.json()["api_error_code"] == "duplicate_entry"
    assert len(ids(api, "orders")) == 1


def test_a_site_is_not_made_with_a_seed_that_is_wrong(server: Server) -> None:
    name = server.site().name
    body = f'{{\n"name": "{name}",\n"seed": {{"customers": [\n{{"id": "c"}}\n]}}}}'

    refused = httpx2.post(
        f"{server.url}/_mock/sites", content=body, headers={"Content-Type": "application/json"}
    )

    assert refused.status_code == 400
    assert refused.json()["message"] == "line 4: seed.customers[0].created_at: is missing"
    assert httpx2.get(f"{server.url}/_mock/sites/{name}").status_code == 404


@pytest.mark.parametrize("body", ["[]", "7", '{"nam": "a"}', '{"seed": 7}', '{"seed": []}'])
def test_a_body_that_is_no_site_is_refused(server: Server, body: str) -> None:
    refused = httpx2.post(
        f"{server.url}/_mock/sites", content=body, headers={"Content-Type": "application/json"}
    )

    assert refused.status_code == 400
    assert "line 1: " in refused.json()["message"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_site_that_is_not_there_is_not_found(server: Server, method: str) -> None:
    answer = httpx2.request(method, f"{server.url}/_mock/sites/{server.site().name}")

    assert answer.status_code == 404
    assert answer.json()["api_error_code"] == "site_not_found"


@pytest.mark.parametrize("path", ["reset", "seed", "snapshots/s"])
def test_a_name_that_no_site_can_have_is_not_found(server: Server, path: str) -> None:
    answer = httpx2.post(f"{server.url}/_mock/{path}", params={"site": "no site"})

    assert answer.status_code == 404
    assert answer.json()["message"] == "The site no site does not exist"


def test_a_deleted_site_is_made_anew_when_it_is_called(
    server: Server, site: Site, api: httpx2.Client, mock: httpx2.Client, order_id: str
) -> None:
    mock.post("/snapshots/before")
    url = f"{server.url}/_mock/sites/{site.name}"

    deleted = httpx2.delete(url).json()["site"]

    assert deleted["name"] == site.name
    assert httpx2.get(url).status_code == 404
    assert ids(api, "orders") == []
    assert "__demo_inv__1" in ids(api, "invoices")
    assert mock.get("/snapshots").json() == {"list": []}
    old_key = httpx2.get(f"{server.url}/api/v1/orders/{order_id}", auth=(deleted["api_key"], ""))
    assert old_key.status_code == 404  # like any key that nobody declared, it opens demo-test


def test_a_deleted_site_stays_deleted_on_a_strict_server(database: Path) -> None:
    with Server(database, "--strict-sites") as server:
        site = server.site(made(server)["name"])
        with site.api() as api, site.mock() as mock:
            assert api.get("/orders").status_code == 200
            assert httpx2.delete(f"{server.url}/_mock/sites/{site.name}").status_code == 200
            assert api.get("/orders").status_code == 404
            assert mock.post("/reset").status_code == 404


def test_a_reset_takes_away_whatever_happened(
    api: httpx2.Client, mock: httpx2.Client, order_id: str
) -> None:
    api.post("/invoices/charge", data={"customer_id": "__demo_cus__1", "amount": 1})
    before = mock.get("/export").json()
    assert before["orders"]

    reset(mock)

    assert [ids(mock, kind) for kind in RECORDS] == [[], [], [], []]
    assert ids(api, "orders") == []
    assert api.get(f"/orders/{order_id}").status_code == 404
    assert mock.get("/export").json() == {k: v for k, v in before.items() if k != "orders"}


def test_a_reset_forgets_idempotency_keys(api: httpx2.Client, mock: httpx2.Client) -> None:
    headers = {"chargebee-idempotency-key": "k"}
    first = api.post("/orders", data=INVOICE, headers=headers).json()

    reset(mock)

    second = api.post("/orders", data=INVOICE, headers=headers)
    assert "chargebee-idempotency-replayed" not in second.headers
    assert second.json() != first


def test_a_reset_brings_back_endpoints_and_api_keys(site: Site, mock: httpx2.Client) -> None:
    before = mock.get("/export").json()
    mock.delete("/webhook_endpoints/whv2_recording")
    mock.post("/webhook_endpoints", json={"name": "Mine"})
    mock.post("/seed", json={"api_keys": [{"secret": "test_warehouse", "name": "renamed"}]})
    mock.post("/seed", json={"api_keys": [{"secret": "test_new", "name": "new"}]})

    reset(mock)

    assert mock.get("/export").json() == before
    with site.api("test_warehouse") as api:
        assert api.post("/orders", data=INVOICE).json()["order"]["created_by"] == "warehouse_key_v1"
    with site.api("test_new") as api:
        assert (
            api.post("/orders", data=INVOICE).json()["order"]["created_by"] == "full_access_key_v1"
        )


def test_a_reset_brings_back_the_sites_own_seed(server: Server) -> None:
    site = server.site(made(server, seed=SMALL_SEED)["name"])
    with site.api() as api, site.mock() as mock:
        before = mock.get("/export").json()
        api.post("/orders", data={"invoice_id": "i"})
        mock.post("/seed", json={"customers": [{"id": "d", "created_at": 0}]})

        assert reset(mock)["seed"] == "own"
        assert mock.get("/export").json() == before


def test_a_site_can_be_reset_again_and_again(api: httpx2.Client, mock: httpx2.Client) -> None:
    for number in range(5):
        api.post("/orders", data=INVOICE | {"id": f"o{number}"})
        assert ids(api, "orders") == [f"o{number}"]
        reset(mock)


def test_a_reset_keeps_the_sites_key_and_leaves_other_sites_alone(
    server: Server, mock: httpx2.Client, site: Site
) -> None:
    other = server.site(made(server)["name"])
    with other.api() as api:
        api.post("/orders", data=INVOICE | {"id": "kept"})
        key = reset(mock)["api_key"]
        again = reset(mock)

        assert again["api_key"] == key
        assert ids(api, "orders") == ["kept"]
    answer = httpx2.get(f"{server.url}/api/v1/customers", auth=(key, ""))
    assert len(answer.json()["list"]) == 4


def test_a_reset_moves_the_clock_back_to_now(
    server: Server, site: Site, api: httpx2.Client, mock: httpx2.Client
) -> None:
    api.get("/orders")
    with closing(sqlite3.connect(server.database, isolation_level=None)) as database:
        database.execute("UPDATE sites SET clock_frozen_at = 5.0 WHERE name = ?", (site.name,))
    assert api.post("/orders", data=INVOICE).json()["order"]["created_at"] == 5

    reset(mock)

    assert api.post("/orders", data=INVOICE).json()["order"]["created_at"] > 1_700_000_000


def test_a_webhook_on_its_way_stops_concerning_a_site_that_is_reset(
    api: httpx2.Client, mock: httpx2.Client
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as receiver:
        receiver.settimeout(10)  # sooner than the server gives up the call
        endpoint = {"name": "Hangs", "url": f"http://127.0.0.1:{receiver.getsockname()[1]}/"}
        fixture = {"webhook_endpoints": [{"id": "mine", **endpoint}]}
        mock.post("/seed", json=fixture)
        api.post("/orders", data=INVOICE | {"id": "before"})
        old, _ = receiver.accept()  # the call is made, and not answered

        reset(mock)
        mock.post("/seed", json=fixture)
        api.post("/orders", data=INVOICE | {"id": "after"})

        new, _ = receiver.accept()  # the same endpoint does not wait for the old call
        with old, new:
            received = new.recv(65_536)
            while b'"id":"after"' not in received:
                received += new.recv(65_536)
            new.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            (webhook,) = _settled(mock)
    assert webhook["order_id"] == "after"
    assert webhook["webhook_status"] == "succeeded"


def _settled(mock: httpx2.Client) -> list[dict[str, Any]]:
    """The webhooks of the endpoint `mine`, once none of them waits."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = mock.get("/webhooks", params={"webhook_endpoint_id": "mine"}).json()["list"]
        webhooks = [item["webhook"] for item in found]
        if all(webhook["webhook_status"] != "scheduled" for webhook in webhooks):
            return webhooks
        time.sleep(0.02)
    raise AssertionError(f"webhooks still wait: {webhooks}")


def test_what_a_reset_left_behind_is_gone_from_the_file_soon(
    server: Server, site: Site, api: httpx2.Client, mock: httpx2.Client
) -> None:
    for _ in range(10):
        api.post("/orders", data=INVOICE | {"note": site.name})

    reset(mock)

    _await_purge(server.database, site.name)


def test_what_a_killed_server_left_behind_is_removed_by_the_next(database: Path) -> None:
    with Server(database) as server, server.site("left-test").api() as api:
        for _ in range(5):
            api.post("/orders", data=INVOICE | {"note": "left-test"})
    with closing(sqlite3.connect(database, isolation_level=None)) as stopped:
        stopped.execute("INSERT INTO discarded (data_key) VALUES ('left-test')")
        stopped.execute("DELETE FROM sites WHERE name = 'left-test'")

    with Server(database):
        _await_purge(database, "left-test")


def _await_purge(database: Path | str, note: str) -> None:
    deadline = time.monotonic() + 20
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        while time.monotonic() < deadline:
            (left,) = connection.execute(
                "SELECT count(*) FROM orders WHERE note = ?", (note,)
            ).fetchone()
            if not left:
                return
            time.sleep(0.02)
    raise AssertionError(f"{left} orders are left")


def test_a_reset_is_seen_by_another_server_of_the_same_file(database: Path) -> None:
    with Server(database) as one, Server(database) as other:
        with one.site("shared-test").api() as api:
            api.post("/orders", data=INVOICE | {"id": "before"})
        with other.site("shared-test").api() as api, one.site("shared-test").mock() as mock:
            assert ids(api, "orders") == ["before"]
            reset(mock)
            assert ids(api, "orders") == []
            api.post("/orders", data=INVOICE | {"id": "after"})
        with one.site("shared-test").api() as api:
            assert ids(api, "orders") == ["after"]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has no room beside its own two sites and `third-test`."""
    database = tmp_path_factory.mktemp("full") / "state.sqlite"
    with Server(database, "--sites-limit", "3") as server:
        made(server, name="third-test")
        yield server


class TestLimit:
    """A site costs room, and anybody's call makes one: there is a limit."""

    TOLD = (
        "The site {} would be one more than 3: delete others (DELETE /_mock/sites/NAME), "
        "or start the server with a higher --sites-limit"
    )

    def test_no_call_makes_one_more(self, full: Server) -> None:
        with full.site("fourth-test").api() as api, full.site("fourth-test").mock() as mock:
            refused = [api.get("/orders"), api.post("/orders", data=INVOICE), mock.post("/reset")]
            listed = mock.get("/sites").json()["list"]

        assert [answer.status_code for answer in refused] == [400, 400, 400]
        assert {answer.json()["message"] for answer in refused} == {self.TOLD.format("fourth-test")}
        assert {answer.json()["api_error_code"] for answer in refused} == {
            "resource_limit_exceeded"
        }
        assert {item["site"]["name"] for item in listed} == {"demo-test", "demo", "third-test"}

    def test_nor_is_one_made_by_hand(self, full: Server) -> None:
        refused = httpx2.post(f"{full.url}/_mock/sites", json={"name": "fourth-test"})

        assert refused.status_code == 400
        assert refused.json()["message"] == self.TOLD.format("fourth-test")

    def test_those_that_are_there_go_on(self, full: Server) -> None:
        with full.site("third-test").api() as api, full.site("third-test").mock() as mock:
            assert api.post("/orders", data=INVOICE).status_code == 200
            assert mock.post("/reset").status_code == 200
            assert api.get("/orders").json() == {"list": []}

    def test_one_that_is_deleted_makes_room(self, full: Server) -> None:
        httpx2.delete(f"{full.url}/_mock/sites/third-test")
        with full.site("fourth-test").api() as api:
            assert api.get("/orders").status_code == 200

        httpx2.delete(f"{full.url}/_mock/sites/fourth-test")
        made(full, name="third-test")

    def test_the_servers_own_sites_come_back_at_any_time(self, full: Server) -> None:
        httpx2.delete(f"{full.url}/_mock/sites/demo-test")
        made(full, name="fourth-test")

        assert httpx2.post(f"{full.url}/_mock/reset").status_code == 200
        assert httpx2.delete(f"{full.url}/_mock/sites/fourth-test").status_code == 200


class TestSlips:
    """A name in `?site=` that nobody has made is a slip, and no site."""

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/reset", None),
            ("GET", "/export", None),
            ("GET", "/clock", None),
            ("POST", "/clock/freeze", None),
            ("POST", "/clock/advance", {"days": 1}),
            ("GET", "/snapshots", None),
            ("POST", "/snapshots/s", None),
            ("POST", "/snapshots/s/restore", None),
            ("GET", "/faults", None),
            ("POST", "/faults", {"answer": "internal_error"}),
            ("PUT", "/rate_limit", {}),
            ("GET", "/webhook_endpoints", None),
            ("POST", "/webhook_endpoints", {"name": "x"}),
            ("POST", "/webhooks/retry-now", None),
            ("GET", "/events", None),
            ("GET", "/emails", None),
            ("GET", "/requests", None),
            ("DELETE", "/requests", None),
            ("POST", "/requests/verify", {}),
        ],
    )
    def test_it_is_not_found_and_not_made(
        self, server: Server, method: str, path: str, body: Any
    ) -> None:
        name = server.site().name

        answer = httpx2.request(
            method, f"{server.url}/_mock{path}", params={"site": name}, json=body
        )

        assert answer.status_code == 404
        assert answer.json()["api_error_code"] == "site_not_found"
        assert answer.json()["message"].startswith(f"The site {name} does not exist")
        assert httpx2.get(f"{server.url}/_mock/sites/{name}").status_code == 404

    def test_a_fixture_makes_its_site(self, server: Server) -> None:
        name = server.site().name

        seeded = httpx2.post(
            f"{server.url}/_mock/seed", params={"site": name}, json={"customers": []}
        )

        assert seeded.status_code == 200
        assert httpx2.get(f"{server.url}/_mock/sites/{name}").status_code == 200
