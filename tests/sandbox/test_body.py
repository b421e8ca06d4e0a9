"""JSON bodies under /_mock: whatever is in them is refused early, and in few words."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

JSON = {"Content-Type": "application/json"}
MANY = 80_000 // 4


@pytest.mark.parametrize("path", ["/faults", "/requests/verify", "/clock/advance"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({str(number): 0 for number in range(MANY)}, "has more than 1000 values"),
        ({"params": {str(number): [] for number in range(MANY)}}, "has more than 1000 values"),
        ({"in_order": [0] * MANY}, "has more than 1000 values"),
        ([[]] * MANY, "has more than 1000 values"),
    ],
)
def test_a_body_of_very_many_values_is_refused_before_each_is_looked_at(
    mock: httpx2.Client, path: str, body: Any, said: str
) -> None:
    answer = mock.post(path, json=body)

    assert answer.status_code == 422
    assert answer.json() == {"detail": [{"type": "too_long", "loc": ["body"], "msg": said}]}


def test_a_body_that_is_nested_deep_is_refused(mock: httpx2.Client) -> None:
    nested = b'{"a":' * 60 + b"0" + b"}" * 60
    deep = mock.post("/requests/verify", content=b'{"params":' + nested + b"}", headers=JSON)
    deeper = mock.post("/requests/verify", content=b'{"params":' + b"[" * 100_000, headers=JSON)

    assert deep.status_code == 422
    assert deep.json()["detail"][0]["msg"] == "is nested more than 50 levels deep"
    assert deeper.status_code in (400, 422)


def test_a_long_body_is_refused(mock: httpx2.Client) -> None:
    answer = mock.post("/faults", json={"answer": "cut", "operation": "a" * 300_000})

    assert answer.status_code == 413
    assert answer.json()["message"] == "The request body is longer than 262144 bytes"


def test_of_many_mistakes_the_first_ten_are_told(mock: httpx2.Client) -> None:
    answer = mock.post("/faults", json={str(number): 0 for number in range(900)})

    assert answer.status_code == 422
    assert len(answer.json()["detail"]) == 10


@pytest.mark.parametrize("path", ["/faults", "/requests/verify", "/clock/set", "/rate_limit"])
@pytest.mark.parametrize(
    "text", ['{"a\ud800": 1}', '{"operation": "\\ud800"}', '{"a": 1' + "0" * 5000 + "}", "NaN"]
)
def test_what_no_parser_can_take_is_refused(mock: httpx2.Client, path: str, text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    method = "PUT" if path == "/rate_limit" else "POST"

    answer = mock.request(method, path, content=content, headers=JSON)

    assert answer.status_code in (400, 422), answer.text
    json.loads(answer.text)
