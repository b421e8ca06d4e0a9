"""The ready-made requests in `fixtures/` are those of our OpenAPI, and a fresh server takes them.

Postman and the editors are not run here; their requests are sent as their formats say, with what
the collection's script remembers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from scripts import http_collections
from tests.server import Server

POSTMAN = http_collections.FIXTURES / "postman_collection.json"
HTTP = http_collections.FIXTURES / "chargebee-mock.http"

MALFORMED = {400, 405, 415, 422}


@pytest.fixture
def client(database: Path) -> Iterator[httpx2.Client]:
    """Of a server of its own: some requests change more than a site."""
    with Server(database) as server, httpx2.Client(base_url=server.url, timeout=30) as client:
        yield client


def test_the_files_are_those_that_make_writes() -> None:
    requests = http_collections.read()

    assert POSTMAN.read_text("utf-8") == http_collections.postman(requests)
    assert HTTP.read_text("utf-8") == http_collections.http_file(requests)


def test_the_postman_collection_runs_from_its_first_request_to_its_last(
    client: httpx2.Client,
) -> None:
    collection = json.loads(POSTMAN.read_text("utf-8"))
    variables = {each["key"]: each["value"] for each in collection["variable"]}
    answers = []

    for item in (item for folder in collection["item"] for item in folder["item"]):
        answer = _send_item(client, item["request"], variables)
        answers.append((item["request"]["url"]["raw"], answer.status_code))
        variables |= _ids(answer.text)

    assert [answer for answer in answers if "/api/" in answer[0] and answer[1] != 200] == []
    assert [answer for answer in answers if answer[1] in MALFORMED or answer[1] >= 500] == []


def _send_item(
    client: httpx2.Client, request: dict[str, Any], variables: dict[str, str]
) -> httpx2.Response:
    body, content, data, headers = request.get("body", {}), None, None, {}
    if body.get("mode") == "urlencoded":
        data = {
            each["key"]: _filled(each["value"], variables)
            for each in body["urlencoded"]
            if not each["disabled"]
        }
    elif body.get("mode") == "raw":
        content = body["raw"]
        headers["Content-Type"] = f"application/{body['options']['raw']['language']}"
    assert all(each["disabled"] for each in (*request["header"], *request["url"]["query"]))
    assert request["url"]["raw"] == "/".join([*request["url"]["host"], *request["url"]["path"]])
    own = request.get("auth", {}).get("type") == "noauth"
    return client.request(
        request["method"],
        _filled(request["url"]["raw"].removeprefix("{{base_url}}"), variables),
        auth=None if own else (variables["api_key"], ""),
        headers=headers,
        data=data,
        content=content,
    )


def _ids(text: str) -> dict[str, str]:
    """What the collection's script keeps of an answer."""
    shown = answer = json.loads(text) if text.startswith("{") else {}
    if isinstance(answer.get("list"), list):
        shown = answer["list"][0] if answer["list"] else {}
    return {
        f"{kind}_id": resource["id"]
        for kind, resource in shown.items()
        if isinstance(resource, dict) and "id" in resource
    }


def test_every_request_of_the_http_file_is_answered(client: httpx2.Client) -> None:
    head, *requests = re.split(r"^### .*\n", HTTP.read_text("utf-8"), flags=re.MULTILINE)
    variables = dict(re.findall(r"^@(\w+) = (.+)$", head, re.MULTILINE))
    answers = []

    for request in requests:
        lines = [line for line in request.splitlines() if not line.startswith("#")]
        method, url = _filled(lines[0], variables).split()
        blank = lines.index("") if "" in lines else len(lines)
        answer = client.request(
            method,
            url.removeprefix(variables["base_url"]),
            headers=dict(_filled(line, variables).split(": ") for line in lines[1:blank]),
            content=_filled("\n".join(lines[blank + 1 :]), variables).encode(),
        )
        answers.append((lines[0], answer.status_code))

    # an event's id is known only when there is one, and is then copied out of an answer
    assert [answer for answer in answers if "/api/" in answer[0] and answer[1] != 200] == [
        ("GET {{base_url}}/api/v1/events/{{event_id}}", 404)
    ]
    assert [answer for answer in answers if answer[1] in MALFORMED or answer[1] >= 500] == []


def _filled(text: str, variables: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: variables[match[1]], text)
