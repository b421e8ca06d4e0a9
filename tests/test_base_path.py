"""`--root-path`: the server below a path of its host, which a proxy leaves in or takes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin

import httpx2
import pytest

from tests.server import Server

BASE = "/chargebee"
_REFERENCE = re.compile(r"""(?:src|href)=["']([^"']+)["']|url: ["']([^"']+)["']""")


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("mounted") / "x.sqlite", "--root-path", BASE) as server:
        yield server


@pytest.mark.parametrize("passed_on", [BASE, ""])
def test_everything_is_below_the_path_and_at_the_root(mounted: Server, passed_on: str) -> None:
    url = mounted.url + passed_on
    with httpx2.Client(auth=("test_key", "")) as client:
        created = client.post(f"{url}/api/v1/orders", data={"invoice_id": "__demo_inv__1"})
        id = created.json()["order"]["id"]

        assert client.get(f"{url}/api/v1/orders/{id}").json() == created.json()
        assert client.get(f"{url}/_mock/health").status_code == 200
        assert client.post(f"{url}/_mock/reset").status_code == 200
        assert client.get(f"{url}/api/v1/orders/{id}").status_code == 404


@pytest.mark.parametrize("passed_on", [BASE, ""])
def test_the_page_of_the_docs_names_itself_below_the_path(mounted: Server, passed_on: str) -> None:
    page = httpx2.get(f"{mounted.url}{passed_on}/_mock/docs")
    loaded = {urljoin(str(page.url), one or other) for one, other in _REFERENCE.findall(page.text)}

    assert loaded
    assert {url for url in loaded if not url.startswith(f"{mounted.url}{BASE}/_mock/")} == set()
    assert {url: httpx2.get(url).status_code for url in loaded} == dict.fromkeys(loaded, 200)
    description = httpx2.get(f"{mounted.url}{passed_on}/_mock/openapi.json").json()
    assert description["servers"] == [{"url": BASE}]


def test_the_journal_has_the_path_of_the_api_and_repeats_it_where_it_was_asked(
    mounted: Server,
) -> None:
    answer = httpx2.get(f"{mounted.url}{BASE}/api/v1/orders/journalled", auth=("test_key", ""))
    id = answer.headers["x-mock-request-id"]

    kept = httpx2.get(f"{mounted.url}{BASE}/_mock/requests/{id}").json()["request"]
    script = httpx2.get(f"{mounted.url}{BASE}/_mock/requests.sh").text

    assert kept["path"] == "/api/v1/orders/journalled"
    assert f" {mounted.url}{BASE}/api/v1/orders/journalled\n" in script
    assert "host:" not in script.partition("journalled")[0].rpartition("curl ")[2]


@pytest.mark.parametrize("path", ["/chargebeer/api/v1/orders", "/%63hargebee/api/v1/orders"])
def test_another_path_is_another_path(mounted: Server, path: str) -> None:
    assert httpx2.get(f"{mounted.url}{path}", auth=("test_key", "")).status_code == 404


def test_nothing_is_at_the_path_itself(mounted: Server) -> None:
    answer = httpx2.get(f"{mounted.url}{BASE}")

    assert answer.status_code == 404
    assert answer.json()["message"].startswith("There is nothing at /;")
