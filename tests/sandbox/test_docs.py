"""`/_mock/openapi.json` and `/_mock/docs`: the description, and a page that needs no other host."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest

from mock_server.api import v1
from tests.server import Server

_REFERENCE = re.compile(r"""(?:src|href)=["']([^"']+)["']|url: ["']([^"']+)["']""")


@pytest.fixture
def page(server: Server) -> httpx2.Response:
    return httpx2.get(f"{server.url}/_mock/docs")


def test_the_page_takes_all_that_it_loads_from_this_server(
    server: Server, page: httpx2.Response
) -> None:
    loaded = {urljoin(str(page.url), one or other) for one, other in _REFERENCE.findall(page.text)}

    assert page.status_code == 200
    assert {urlsplit(url).path.rpartition(".")[2] for url in loaded} >= {"js", "css", "json"}
    assert {url for url in loaded if not url.startswith(f"{server.url}/_mock/")} == set()
    assert {url: httpx2.get(url).status_code for url in loaded} == dict.fromkeys(loaded, 200)


def test_the_styles_name_no_other_host(server: Server, page: httpx2.Response) -> None:
    styles = [path for path, _ in _REFERENCE.findall(page.text) if path.endswith(".css")]

    assert styles
    for path in styles:
        style = httpx2.get(urljoin(str(page.url), path)).text
        assert re.findall(r"url\(['\"]?(?:https?:)?//|@import", style) == []


def test_the_description_has_every_operation_under_its_name(server: Server) -> None:
    answer = httpx2.get(f"{server.url}/_mock/openapi.json")

    described = {
        (path, method): operation["operationId"]
        for path, methods in answer.json()["paths"].items()
        if path.startswith("/api/")
        for method, operation in methods.items()
    }
    assert described == {
        (f"/api/v1{operation.known.path}", operation.known.method.lower()): operation.name
        for operation in v1.OPERATIONS
    }
