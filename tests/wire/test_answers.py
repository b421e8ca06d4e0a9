"""The headers of answers under /api/: Chargebee's names and values, in its order."""

from __future__ import annotations

from typing import Any, Final

import httpx2
import pytest

from tests import recordings

ORDER: Final = {"invoice_id": "__demo_inv__1"}
NO_STORE: Final = ("cache-control", "no-store, no-cache, must-revalidate")
EXPIRES: Final = ("expires", "Thu, 01 Jan 1970 00:00:00 UTC")
LAST: Final = (("pragma", "no-cache"), ("server", "ChargeBee"))
SUCCESS: Final = ("content-type", "application/json;charset=utf-8")
ERROR: Final = ("content-type", "application/json;charset=UTF-8")

NOT_COMPARED: Final = frozenset(
    {
        "strict-transport-security",  # it would pin a developer's own browser to https
        *("content-encoding", "transfer-encoding", "vary"),  # bodies are neither zipped nor chunked
    }
)


def sent(answer: httpx2.Response) -> list[tuple[str, str]]:
    """The headers of an answer in their order; not those that differ each time, nor ours."""
    return [
        (name, value)
        for name, value in answer.headers.multi_items()
        if name not in {"date", "content-length"} and not name.startswith("x-mock-")
    ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/orders", 200),
        ("HEAD", "/orders", 200),
        ("GET", "/orders/nothing", 404),
        ("GET", "/unicorns", 404),
        ("GET", "/orders?limit=0", 400),
    ],
)
def test_an_answer_to_a_get_has_expired_long_ago(
    api: httpx2.Client, method: str, path: str, status: int
) -> None:
    answer = api.request(method, path)

    assert answer.status_code == status
    assert sent(answer) == [SUCCESS if status == 200 else ERROR, NO_STORE, EXPIRES, *LAST]
    assert list(answer.headers)[:3] == ["date", "content-type", "content-length"]


@pytest.mark.parametrize(
    ("method", "path", "status", "more"),
    [
        ("POST", "/orders", 200, []),
        ("POST", "/orders/nothing", 404, []),
        ("POST", "/unicorns", 404, []),
        ("DELETE", "/orders", 405, [("allow", "GET, POST")]),
    ],
)
def test_any_other_answer_says_nothing_of_its_age(
    api: httpx2.Client, method: str, path: str, status: int, more: list[tuple[str, str]]
) -> None:
    answer = api.request(method, path, data=ORDER)

    assert answer.status_code == status
    assert sent(answer) == [SUCCESS if status == 200 else ERROR, NO_STORE, *LAST, *more]


def test_a_refused_key_is_told_so_with_the_same_headers(api: httpx2.Client) -> None:
    answer = api.get("/orders", auth=("wrong", ""))

    scheme = ("www-authenticate", 'Basic realm="Chargebee API"')
    assert sent(answer) == [ERROR, NO_STORE, EXPIRES, *LAST, scheme]


@pytest.mark.parametrize(
    ("rule", "headers"),
    [
        ({"answer": "internal_error"}, [ERROR, NO_STORE, *LAST]),
        ({"answer": "bad_json"}, [SUCCESS, NO_STORE, *LAST]),
        ({"answer": "bad_json", "after": True}, [SUCCESS, NO_STORE, *LAST]),
        ({"delay": 0.01}, [SUCCESS, NO_STORE, *LAST]),
        ({"delay": 0.01, "after": True}, [SUCCESS, NO_STORE, *LAST]),
        ({"answer": "bad_gateway"}, []),
    ],
)
def test_an_answer_that_a_fault_spoils_has_the_headers_of_whoever_would_send_it(
    api: httpx2.Client, mock: httpx2.Client, rule: dict[str, Any], headers: list[tuple[str, str]]
) -> None:
    assert mock.post("/faults", json=rule).status_code == 200

    assert sent(api.post("/orders", data=ORDER)) == headers


@recordings.needed
def test_the_headers_are_those_of_every_recorded_answer(api: httpx2.Client) -> None:
    here = {
        ("GET", True): sent(api.get("/orders")),
        ("GET", False): sent(api.get("/orders/nothing")),
        ("POST", True): sent(api.post("/orders", data=ORDER)),
        ("POST", False): sent(api.post("/orders")),
    }
    compared = 0
    for recorded in recordings.exchanges():
        headers = {
            name.lower(): value
            for name, value in (recorded["response"].get("headers") or {}).items()
            if name.lower() not in NOT_COMPARED
        }
        if "server" not in headers:  # only some of its headers were kept
            continue
        content_type = headers.pop("content-type")
        method, status = recorded["request"]["method"], recorded["response"]["status"]
        first, *others = here[method, status == 200]
        assert ("content-type", content_type) == first, recorded["source"]
        assert list(headers.items()) == others, recorded["source"]
        compared += 1

    assert compared > 40
