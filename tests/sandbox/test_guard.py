"""The web is a caller: what pages of strangers may be made to send to /_mock is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.server import Server, Site

EVIL = "http://evil.example"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is called by further names, and by pages of further origins."""
    allowed = ("--allowed-host", "Mac.Example", "--allowed-origin", "http://localhost:3000")
    database = tmp_path_factory.mktemp("lenient") / "state.sqlite"
    with Server(database, *allowed, "--allowed-origin", "null") as server:
        yield server


def refusal(answer: httpx2.Response, status: int = 403) -> str:
    assert answer.status_code == status, answer.text
    assert answer.json()["http_status_code"] == status
    message: str = answer.json()["message"]
    return message


class TestOrigins:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/reset"),
            ("POST", "/sites"),
            ("POST", "/seed"),
            ("POST", "/clock/freeze"),
            ("PUT", "/rate_limit"),
            ("PATCH", "/webhook_endpoints/x"),
            ("DELETE", "/requests"),
            ("POST", "/nothing"),
        ],
    )
    def test_a_page_of_another_origin_changes_nothing(
        self, mock: httpx2.Client, method: str, path: str
    ) -> None:
        answer = mock.request(method, path, headers={"Origin": EVIL})

        assert refusal(answer) == (
            f"A page of {EVIL} may not change anything here; --allowed-origin {EVIL} allows it"
        )

    @pytest.mark.parametrize(
        "origin", ["null", "http://localhost:3000", "https://evil.example:1", "", "x" * 5000]
    )
    def test_every_other_origin_is_foreign(
        self, mock: httpx2.Client, order_id: str, origin: str
    ) -> None:
        headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}

        assert refusal(mock.post("/reset", headers=headers))
        assert len(mock.get("/events").json()["list"]) == 1

    def test_a_page_of_the_servers_own_may_change_things(
        self, server: Server, site: Site, mock: httpx2.Client, order_id: str
    ) -> None:
        pages = [server.url, f"http://{site.name}.localhost"]
        hosts = [httpx2.URL(server.url).netloc.decode(), f"{site.name}.localhost"]

        for page, host in zip(pages, hosts, strict=True):
            headers = {"Origin": page, "Host": host, "Sec-Fetch-Site": "same-origin"}
            answer = mock.post("/reset", headers=headers, params={"site": site.name})
            assert answer.status_code == 200

    def test_whoever_is_no_page_may_change_things(self, mock: httpx2.Client, order_id: str) -> None:
        assert mock.post("/reset").status_code == 200

    @pytest.mark.parametrize("origin", ["http://localhost:3000", "http://LOCALHOST:3000", "null"])
    def test_origins_that_are_allowed_may_change_things(self, lenient: Server, origin: str) -> None:
        answer = httpx2.post(f"{lenient.url}/_mock/reset", headers={"Origin": origin})

        assert answer.status_code == 200

    def test_reading_is_free(self, mock: httpx2.Client, order_id: str) -> None:
        headers = {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}

        assert mock.get("/events", headers=headers).status_code == 200


class TestHosts:
    @pytest.mark.parametrize("path", ["/health", "/export?passwords=true", "/docs", "/nothing"])
    @pytest.mark.parametrize("host", ["evil.example", "evil.example:8010", "evil.example."])
    def test_a_name_that_is_not_this_machines_is_refused(
        self, server: Server, path: str, host: str
    ) -> None:
        answer = httpx2.get(f"{server.url}/_mock{path}", headers={"Host": host})

        assert refusal(answer) == (
            "The server listens on this machine alone, where nobody should call it evil.example; "
            "--allowed-host evil.example allows it"
        )

    @pytest.mark.parametrize(
        "host",
        [
            *("127.0.0.1", "[::1]:8010", "10.1.2.3:80", "localhost:8010", "chargebee-mock:8010"),
            *("acme-test.localhost", "acme.chargebee.com", "host.docker.internal:8010", ""),
        ],
    )
    def test_the_names_of_this_machine_are_known(self, server: Server, host: str) -> None:
        answer = httpx2.get(f"{server.url}/_mock/health", headers={"Host": host})

        assert answer.status_code == 200

    @pytest.mark.parametrize("host", ["mac.example", "MAC.example:8010"])
    def test_names_that_are_allowed_are_answered(self, lenient: Server, host: str) -> None:
        answer = httpx2.get(f"{lenient.url}/_mock/health", headers={"Host": host})

        assert answer.status_code == 200

    def test_a_name_that_leads_to_this_machine_alone_is_guarded_and_known_itself(self) -> None:
        with Server(":memory:", "--host", "127.1") as server:
            told = {
                host: httpx2.get(f"{server.url}/_mock/health", headers={"Host": host}).status_code
                for host in ("127.1:8010", "127.0.0.1", "evil.example")
            }

        assert told == {"127.1:8010": 200, "127.0.0.1": 200, "evil.example": 403}

    def test_a_server_that_others_reach_answers_by_any_name(self, tmp_path: Any) -> None:
        with Server(":memory:", "--host", "0.0.0.0") as server:
            url = server.url.replace("0.0.0.0", "127.0.0.1")
            answer = httpx2.get(f"{url}/_mock/health", headers={"Host": "mock.billing.svc.local"})

        assert answer.status_code == 200

    def test_the_api_is_called_by_any_name(self, server: Server) -> None:
        answer = httpx2.get(
            f"{server.url}/api/v1/orders", headers={"Host": EVIL[7:]}, auth=("test_key", "")
        )

        assert answer.status_code == 200


class TestContentTypes:
    @pytest.mark.parametrize("path", ["/seed", "/sites", "/faults", "/requests/verify", "/nothing"])
    @pytest.mark.parametrize(
        ("content_type", "told"),
        [
            ("text/plain", "of type text/plain"),
            ("Text/Plain;charset=utf-8", "of type text/plain"),
            ("application/x-www-form-urlencoded", "of type application/x-www-form-urlencoded"),
            ("multipart/form-data; boundary=x", "of type multipart/form-data"),
            (None, "without a Content-Type"),
            (";charset=utf-8", "without a Content-Type"),
        ],
    )
    def test_a_body_that_any_page_may_send_is_not_read(
        self, mock: httpx2.Client, path: str, content_type: str | None, told: str
    ) -> None:
        headers = {} if content_type is None else {"Content-Type": content_type}

        answer = mock.post(path, content=b"{}", headers=headers)

        assert refusal(answer, 415) == (
            f"A body {told} is not read here; "
            "send application/json, or a fixture as application/yaml"
        )

    def test_nor_is_one_that_comes_in_pieces(self, mock: httpx2.Client) -> None:
        answer = mock.post("/seed", content=iter([b"{}"]), headers={"Content-Type": "text/plain"})

        assert refusal(answer, 415)

    def test_a_call_without_a_body_needs_no_type(self, mock: httpx2.Client, order_id: str) -> None:
        for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
            assert mock.post("/reset", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/health", "/docs", "/nothing", "/openapi.json", "/requests.sh"])
@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_answers_are_kept_out_of_frames_and_caches(server: Server, path: str, host: str) -> None:
    answer = httpx2.get(f"{server.url}/_mock{path}", headers={"Host": host})

    assert {
        name: answer.headers[name]
        for name in (
            *("cache-control", "content-security-policy"),
            *("x-content-type-options", "x-frame-options"),
        )
    } == {
        "cache-control": "no-store",
        "content-security-policy": "frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


def test_answers_of_the_api_are_chargebees(api: httpx2.Client) -> None:
    assert "x-frame-options" not in api.get("/orders").headers
