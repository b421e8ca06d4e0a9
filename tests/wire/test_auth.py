"""API keys and sites: who is let in, and where a request ends up."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.server import Server, Site

INVOICE = {"invoice_id": "__demo_inv__1"}


def basic(credentials: bytes) -> str:
    return "Basic " + base64.b64encode(credentials).decode()


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    """A client that sends nothing of itself: neither a key nor a site."""
    with httpx2.Client(base_url=f"{server.url}/api/v1", verify=False) as client:
        yield client


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        basic(b":"),
        basic(b":test_key"),
        basic(b"key:"),
        basic(b"demo_key:"),
        basic(b"TEST_key:"),
        basic(b"\xff\xfe:"),
        basic(b"test_read_only\n:"),
        basic(b"test_key\r\n:"),
        basic(b" test_key:"),
        basic(b"test_ key:"),
        basic(b"test_key\t:"),
        basic(b"test_key\0:"),
        basic(b"test_key\x7f:"),
        basic("test_key\u00a0:".encode()),
        basic("test_key\u200b:".encode()),
        basic("test_key\u2028:".encode()),
        "Basic dGVzdF9rZXk6!",
        "Basic dGVzdF9rZXk",
        "Bearer test_key",
        "test_key",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_without_a_sound_key_is_refused(
    client: httpx2.Client, site: Site, method: str, authorization: str | None
) -> None:
    headers = {"Host": f"{site.name}.localhost"}
    if authorization is not None:
        headers["Authorization"] = authorization

    answer = client.request(method, "/orders", headers=headers)

    assert answer.status_code == 401
    assert answer.json() == {
        "message": "Sorry, authentication failed. Invalid api key",
        "api_error_code": "api_authentication_failed",
        "error_code": "api_authentication_invalid_key",
        "error_msg": "Sorry, authentication failed. Invalid api key",
        "http_status_code": 401,
    }


@pytest.mark.parametrize(
    "authorization",
    [
        basic(b"test_key:"),
        basic(b"test_key"),
        basic(b"test_key:password"),
        basic(b"test_:"),
        basic(b"test_key:").replace("Basic", "bASIC"),
    ],
)
def test_the_user_name_is_the_key(client: httpx2.Client, site: Site, authorization: str) -> None:
    headers = {"Host": f"{site.name}.localhost", "Authorization": authorization}

    assert client.get("/orders", headers=headers).status_code == 200


@pytest.mark.parametrize(("key", "suffix"), [("test_key", ""), ("live_key", "-test")])
def test_a_key_opens_no_site_of_the_other_kind(server: Server, key: str, suffix: str) -> None:
    name = server.site().name.removesuffix("-test") + suffix

    with server.site(name).api(key) as api:
        answer = api.get("/orders")

    assert answer.status_code == 401
    assert answer.json()["api_error_code"] == "api_authentication_failed"


def test_a_read_only_key_reads_and_does_not_write(site: Site, order_id: str) -> None:
    with site.api("test_read_only") as api:
        read = [api.get(path) for path in ("/orders", f"/orders/{order_id}", "/events")]
        written = [
            api.post("/orders", data=INVOICE),
            api.post(f"/orders/{order_id}", data={"note": "x"}),
            api.post("/invoices/charge"),
        ]

        assert [answer.status_code for answer in read] == [200, 200, 200]
        assert [answer.status_code for answer in written] == [403, 403, 403]
        assert {answer.json()["api_error_code"] for answer in written} == {
            "api_authorization_failed"
        }
        assert written[0].headers["x-mock-remark"] == "the API key read_only_key_v1 may only read"
        assert len(api.get("/events").json()["list"]) == 1


def test_a_live_read_only_key_does_not_write(server: Server) -> None:
    name = server.site().name.removesuffix("-test")

    with server.site(name).api("live_read_only") as api:
        assert api.post("/orders", data=INVOICE).status_code == 403
        assert api.get("/orders").status_code == 200


def test_sites_see_nothing_of_each_other(server: Server, api: httpx2.Client, order_id: str) -> None:
    api.post(
        "/invoices/charge", data={"customer_id": "__demo_cus__1", "amount": "1", "description": "x"}
    )
    event_id = api.get("/events").json()["list"][0]["event"]["id"]
    other = server.site()

    with other.api() as neighbour, other.mock() as recorded:
        assert neighbour.get("/orders").json() == {"list": []}
        assert neighbour.get("/events").json() == {"list": []}
        assert neighbour.get("/invoices/__demo_inv__1/orders").json() == {"list": []}
        assert neighbour.get(f"/orders/{order_id}").status_code == 404
        assert neighbour.post(f"/orders/{order_id}", data={"note": "x"}).status_code == 404
        assert neighbour.get("/invoices/1").status_code == 404
        assert neighbour.get(f"/events/{event_id}").status_code == 404
        for kind in ("events", "webhooks", "emails"):
            assert recorded.get(f"/{kind}").json() == {"list": []}


def test_an_unknown_site_is_made_with_the_seed(server: Server) -> None:
    with server.site().api() as api:
        invoices = api.get("/invoices").json()["list"]
        customers = api.get("/customers").json()["list"]

    assert [item["invoice"]["id"] for item in invoices] == [
        f"__demo_inv__{number}" for number in (5, 4, 3, 2, 1)
    ]
    assert len(customers) == 4


@pytest.mark.parametrize(
    "host",
    [
        "{}.localhost",
        "{}.localhost:8010",
        "{}.localhost.",
        "{}.localhost.:8010",
        "{}.chargebee.com",
        "{}.CHARGEBEE.com:443",
        "{}.ingest.chargebee.com",
        "{}.a.b.localhost:80",
    ],
)
def test_the_first_label_of_a_host_is_the_site(
    client: httpx2.Client, site: Site, order_id: str, host: str
) -> None:
    headers = {"Host": host.format(site.name.upper())}

    answer = client.get(f"/orders/{order_id}", headers=headers, auth=("test_key", ""))

    assert answer.status_code == 200


ELSEWHERE = [
    "127.0.0.1:8010",
    "127.0.0.1",
    "10.1.2.3",
    "localhost",
    "localhost:8010",
    "localhost.",
    "chargebee.com",
    "chargebee-mock:8010",
    "[::1]:8010",
    "[fe80::1]",
    "",
    ".localhost",
    "host.docker.internal:8010",
    "gateway.docker.internal",
    "host.containers.internal",
    "chargebee-mock.billing.svc.cluster.local",
    "mymac.local:8010",
    "x-8010.app.github.dev",
    "1a2b.ngrok-free.app",
    "127.0.0.1.nip.io:8010",
    "app.example.com:3000",
    "acme-test.notchargebee.com",
    "acme-test.chargebee.com.example",
    "acme_test.example.com",
    f"acme-test.{'x' * 250}.localhost",
]
"""Hosts that name no site."""


@pytest.mark.parametrize("host", ELSEWHERE)
@pytest.mark.parametrize(("key", "site_name"), [("test_key", "demo-test"), ("live_key", "demo")])
def test_any_other_host_leads_to_the_default_site(
    server: Server, client: httpx2.Client, host: str, key: str, site_name: str
) -> None:
    created = client.post("/orders", data=INVOICE, headers={"Host": host}, auth=(key, ""))

    assert created.status_code == 200
    id = created.json()["order"]["id"]
    retrieved = client.get(
        f"/orders/{id}", headers={"Host": f"{site_name}.localhost"}, auth=(key, "")
    )
    assert retrieved.json() == created.json()


@pytest.mark.parametrize("host", ELSEWHERE)
def test_any_other_host_leads_a_sites_own_key_to_its_site(
    server: Server, client: httpx2.Client, own: dict[str, str], host: str
) -> None:
    created = client.post(
        "/orders", data=INVOICE, headers={"Host": host}, auth=(own["api_key"], "")
    )

    with server.site(own["name"]).api() as api:
        assert api.get(f"/orders/{created.json()['order']['id']}").json() == created.json()


@pytest.fixture(scope="module")
def own(server: Server) -> dict[str, str]:
    """A site and the key that opens it alone."""
    made: dict[str, str] = httpx2.post(f"{server.url}/_mock/sites").json()["site"]
    return made


def test_further_environments_are_told_by_an_option(database: Path) -> None:
    environments = ("--environment", "billing.example", "--environment", "Localtest")
    options = (*environments, "--allowed-host", "*")
    with Server(database, *options) as server, httpx2.Client(base_url=server.url) as client:

        def named(host: str) -> str:
            """The host of demo-test, in the form of the one that the call names."""
            site = client.get("/_mock/sites/demo-test", headers={"Host": host}).json()["site"]
            return str(site["host"])

        assert named("acme.billing.example:99") == "demo-test.billing.example:99"
        assert named("acme.localtest") == "demo-test.localtest"
        assert named("acme.chargebee.com") == "demo-test.chargebee.com"
        assert named("billing.example") == "demo-test.localhost"
        assert named("acme.example:80") == "demo-test.localhost:80"


@pytest.mark.parametrize(
    ("host", "authorization", "why"),
    [
        ("127.0.0.1", None, "the host names no site; no API key was sent"),
        ("app.example.com", basic(b"demo_key:"), "the host names no site; the key starts neither"),
        ("acme-test.localhost", None, "the host names the site acme-test; no API key was sent"),
        ("acme-test.localhost", "Bearer test_key", "acme-test; the Authorization header is not of"),
        ("acme-test.localhost", "test_key", "acme-test; the Authorization header is not of"),
        (
            "acme-test.localhost",
            "Basic test_key",
            "the Authorization header is not Base64 of UTF-8",
        ),
        ("acme-test.localhost", basic(b":test_key"), "the user name of Basic authentication"),
        (
            "acme-test.localhost",
            basic(b"live_key:"),
            "that is a test site, and the key starts with",
        ),
        (
            "acme.localhost",
            basic(b"test_key:"),
            "that is a live site, and the key starts with test_",
        ),
        ("other-test.localhost", "own", "the host names the site other-test; the key opens site-"),
    ],
)
def test_a_refused_call_says_which_site_it_looked_for_and_why(
    client: httpx2.Client, own: dict[str, str], host: str, authorization: str | None, why: str
) -> None:
    headers = {"Host": host}
    if authorization is not None:
        key = basic(own["api_key"].encode()) if authorization == "own" else authorization
        headers["Authorization"] = key

    refused = client.get("/orders", headers=headers)

    assert refused.status_code == 401
    remark = refused.headers["x-mock-remark"]
    assert why in remark
    assert not {"test_key", "demo_key", "live_key", own["api_key"]} & set(remark.split())


@pytest.mark.parametrize("name", ["-a-test", "no_such-test", "é-test", f"{'x' * 46}-test"])
def test_a_host_whose_label_can_be_no_site_is_not_found(client: httpx2.Client, name: str) -> None:
    host = f"{name}.localhost".encode("latin-1")

    answer = client.get("/orders", headers=[(b"Host", host)], auth=("test_key", ""))

    assert answer.status_code == 404
    assert answer.json()["api_error_code"] == "site_not_found"


def test_a_strict_server_makes_no_sites(database: Path) -> None:
    with Server(database, "--strict-sites") as strict:
        with strict.site().api() as api:
            refused = api.get("/orders")
        with strict.site("demo-test").api() as api:
            test = api.get("/orders")
        with strict.site("demo").api("live_key") as api:
            live = api.get("/orders")

        assert refused.status_code == 404
        assert list(refused.json()) == [
            "message",
            "api_error_code",
            "error_code",
            "error_msg",
            "http_status_code",
        ]
        assert refused.json()["api_error_code"] == "site_not_found"
        assert (test.status_code, live.status_code) == (200, 200)


def test_a_key_that_is_bound_to_a_site_opens_that_site_only(tmp_path: Path, database: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(
        "api_keys:\n"
        "  - { secret: test_acme, name: acme_key, site: acme-test }\n"
        "customers:\n"
        '  - { id: c, auto_collection: "off", created_at: 0 }\n'
        "invoices:\n"
        "  - { id: i, customer_id: c, status: paid, start_date: 0, currency_code: EUR, "
        "sub_total: 0 }\n"
    )
    with Server(database, "--seed", str(seed)) as bound:
        url = f"{bound.url}/api/v1/orders"
        with httpx2.Client(auth=("test_acme", ""), verify=False) as client:
            created = client.post(url, data={"invoice_id": "i"})
            listed = client.get(url, headers={"Host": "acme-test.localhost"})
            refused = client.get(url, headers={"Host": "other-test.localhost"})

        assert created.json()["order"]["created_by"] == "acme_key"
        assert listed.json() == {"list": [created.json()]}
        assert refused.status_code == 401
