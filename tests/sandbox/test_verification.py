"""`POST /_mock/requests/verify`: what must have been called, and what is said if it was not."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import Server, Site

FORM = "application/x-www-form-urlencoded"


def verify(mock: httpx2.Client, statement: dict[str, Any], **asked: Any) -> httpx2.Response:
    return mock.post("/requests/verify", json=statement, params=asked, timeout=60)


def holds(mock: httpx2.Client, statement: dict[str, Any]) -> bool:
    """Whether the statement holds; the status and the body must agree."""
    answer = verify(mock, statement)
    assert answer.status_code in (200, 409), answer.text
    verified: bool = answer.json()["verified"]
    assert verified == (answer.status_code == 200)
    return verified


def id_of(answer: httpx2.Response) -> str:
    id: str = answer.headers["x-mock-request-id"]
    return id


@pytest.fixture
def updated(api: httpx2.Client, order_id: str) -> str:
    """The id of one request: a change of an order, with some of everything in it."""
    answer = api.post(
        f"/orders/{order_id}",
        data={"status": "complete", "note": "", "shipping_address[city]": "Oslo", "batch_id": "7"},
        headers={"Chargebee-Request-Origin-Ip": "203.0.113.7"},
    )
    assert answer.status_code == 200
    return id_of(answer)


class TestPattern:
    @pytest.mark.parametrize(
        "pattern",
        [
            {"method": "POST", "path": "/api/v1/orders/*"},
            {"method": "post", "status": "2xx", "path": "*/orders/*"},
            {"operation": "update_an_order", "status": 200, "key_name": "full_access_key_v1"},
            {"params": {"status": "complete"}},
            {"params": {"note": ""}},
            {"params": {"batch_id": 7}},
            {"params": {"shipping_address": {"city": "Oslo"}}},
            {"params": {"shipping_address[city]": "Oslo"}},
            {"params": {"shipping_address": {"present": True}}},
            {"params": {"status": "comp*"}},
            {"params": {"status": "*m*e*", "note": "*"}},
            {"params": {"shipping_address": {"city": "O*"}}},
            {"params": {"batch_id": {"present": True}, "invoice_id": {"absent": True}}},
            {"headers": {"chargebee-request-origin-ip": "203.0.113.7"}},
            {"headers": {"Chargebee-Request-Origin-IP": "203.*"}},
            {"headers": {"authorization": {"present": True}}, "operation": "update_an_order"},
            {"headers": {"chargebee-event-email": {"absent": True}}, "params": {"batch_id": "7"}},
        ],
    )
    def test_a_request_that_fits_is_found(
        self, mock: httpx2.Client, updated: str, pattern: dict[str, Any]
    ) -> None:
        answer = verify(mock, pattern)

        assert answer.status_code == 200, answer.text
        assert answer.json() == {"verified": True, "matched": [updated]}

    @pytest.mark.parametrize(
        ("pattern", "difference"),
        [
            ({"method": "GET"}, "method: expected GET, was POST"),
            ({"operation": "list_orders"}, "operation: expected list_orders, was update_an_order"),
            ({"key_name": "k"}, "key_name: expected k, was full_access_key_v1"),
            ({"status": "4xx"}, "status: expected 4xx, was 200"),
            ({"status": 201}, "status: expected 201, was 200"),
            ({"params": {"status": "new"}}, "params.status: expected new, was complete"),
            ({"params": {"status": "comp"}}, "params.status: expected comp, was complete"),
            ({"params": {"status": ""}}, "params.status: expected empty, was complete"),
            ({"params": {"note": "x"}}, "params.note: expected x, was empty"),
            ({"params": {"statuss": "x"}}, "params.statuss: expected x, was absent"),
            (
                {"params": {"status": "c*p"}},
                "params.status: expected c*p, was complete",
            ),
            (
                {"params": {"id": {"present": True}}},
                "params.id: expected to be there, was absent",
            ),
            (
                {"params": {"batch_id": {"absent": True}}},
                "params.batch_id: expected to be absent, was 7",
            ),
            (
                {"params": {"shipping_address": {"city": "Bergen"}}},
                "params.shipping_address[city]: expected Bergen, was Oslo",
            ),
            (
                {"params": {"shipping_address": "Oslo"}},
                "params.shipping_address: expected Oslo, was a group",
            ),
            (
                {"params": {"shipping_address": {"absent": True}}},
                "params.shipping_address: expected to be absent, was a group",
            ),
            (
                {"headers": {"Content-Type": "text/plain"}},
                "headers.content-type: expected text/plain, was application/x-www-form-urlencoded",
            ),
            (
                {"headers": {"authorization": "Basic x"}},
                "headers.authorization: expected Basic x, was …",
            ),
            (
                {"headers": {"chargebee-event-email": "all-disabled"}},
                "headers.chargebee-event-email: expected all-disabled, was absent",
            ),
        ],
    )
    def test_what_does_not_fit_is_told_field_by_field(
        self, mock: httpx2.Client, updated: str, pattern: dict[str, Any], difference: str
    ) -> None:
        answer = verify(mock, pattern | {"path": "*/orders/*"})

        assert answer.status_code == 409, answer.text
        nearest = answer.json()["nearest"][0]
        assert (nearest["id"], nearest["differences"]) == (updated, [difference])

    def test_a_path_is_compared_as_it_was_sent(self, api: httpx2.Client, site: Site) -> None:
        api.get("/orders/a%2Fb.c")

        with site.mock() as mock:
            assert holds(mock, {"path": "/api/v1/orders/a%2Fb.c"})
            assert holds(mock, {"path": "/api/v1/orders/a%2F*c"})
            assert not holds(mock, {"path": "/api/v1/orders/a%2Fb*d"})
            assert not holds(mock, {"path": "/api/v1/orders/a%2Fbxc"})
            assert not holds(mock, {"path": "/api/v1/orders"})

    def test_a_header_sent_twice_has_both_values(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        api.get("/orders", headers=[("x-tag", "a"), ("x-tag", "b")])

        assert holds(mock, {"headers": {"x-tag": "a, b"}})

    def test_parameters_that_could_not_be_read_are_absent(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        api.post("/orders", content=b"note=%zz", headers=form)

        assert holds(mock, {"params": {"note": {"absent": True}}, "status": 400})
        assert not holds(mock, {"params": {"note": {"present": True}}})


class TestCount:
    @pytest.fixture(autouse=True)
    def _three_lists(self, api: httpx2.Client) -> None:
        for _ in range(3):
            api.get("/orders")

    @pytest.mark.parametrize(
        ("bounds", "verified"),
        [
            ({}, True),
            ({"count": 3}, True),
            ({"count": 2}, False),
            ({"count": 4}, False),
            ({"count": 0}, False),
            ({"at_least": 3}, True),
            ({"at_least": 4}, False),
            ({"at_most": 3}, True),
            ({"at_most": 2}, False),
            ({"at_least": 2, "at_most": 3}, True),
            ({"at_least": 4, "at_most": 5}, False),
            ({"at_least": 0}, True),
        ],
    )
    def test_a_number_of_calls_is_exact_or_bounded(
        self, mock: httpx2.Client, bounds: dict[str, int], verified: bool
    ) -> None:
        assert holds(mock, {"operation": "list_orders"} | bounds) is verified

    def test_never_called_is_a_count_of_0(self, mock: httpx2.Client) -> None:
        assert holds(mock, {"operation": "create_an_order", "count": 0})
        assert not holds(mock, {"operation": "create_an_order"})

    def test_a_pattern_of_nothing_is_any_call(self, mock: httpx2.Client) -> None:
        assert holds(mock, {"count": 3})

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            (
                {"operation": "create_an_order", "params": {"status": "complete"}, "count": 2},
                "expected 2 calls of create_an_order with params.status=complete, found 0",
            ),
            (
                {"method": "get", "path": "/api/v1/orders", "count": 1},
                "expected 1 call of GET /api/v1/orders, found 3",
            ),
            (
                {"operation": "list_orders", "status": "2xx", "at_least": 11},
                "expected at least 11 calls of list_orders with status=2xx, found 3",
            ),
            ({"at_most": 1}, "expected at most 1 call of any operation, found 3"),
            (
                {"operation": "list_orders", "method": "GET", "at_least": 4, "at_most": 5},
                "expected 4 to 5 calls of list_orders with method=GET, found 3",
            ),
            (
                {"params": {"a": {"b": {"present": True}}}, "headers": {"X-Y": "z*"}},
                "expected at least 1 call of any operation "
                "with params.a[b] to be there, headers.x-y=z*, found 0",
            ),
        ],
    )
    def test_the_message_says_what_was_expected_and_found(
        self, mock: httpx2.Client, statement: dict[str, Any], message: str
    ) -> None:
        assert verify(mock, statement).json()["message"] == message


class TestNearest:
    def test_the_closest_come_first_and_of_equals_the_latest(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        for invoice in (1, 2):
            api.post("/orders", data={"invoice_id": f"__demo_inv__{invoice}", "note": "x"})
        closest = api.post("/orders", data={"invoice_id": "__demo_inv__3", "note": "y"})
        api.get("/orders")
        api.get("/events")
        wanted = {"invoice_id": "__demo_inv__4", "note": "y"}

        answer = verify(mock, {"operation": "create_an_order", "params": wanted}).json()

        assert answer["matched"] == []
        assert [len(near["differences"]) for near in answer["nearest"]] == [1, 2, 2]
        assert answer["nearest"][0] == {
            "id": id_of(closest),
            "created_at": answer["nearest"][0]["created_at"],
            "method": "POST",
            "path": "/api/v1/orders",
            "status": 200,
            "differences": ["params.invoice_id: expected __demo_inv__4, was __demo_inv__3"],
        }
        assert answer["nearest"][1]["differences"] == [
            "params.invoice_id: expected __demo_inv__4, was __demo_inv__2",
            "params.note: expected y, was x",
        ]

    def test_a_call_too_many_has_no_misses_only_what_matched(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        ids = [id_of(api.get("/orders")) for _ in range(2)]
        api.get("/events")

        answer = verify(mock, {"operation": "list_orders", "at_most": 1}).json()

        assert (answer["matched"], answer["nearest"]) == (ids, [])

    def test_a_long_value_is_shown_by_its_beginning(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        api.post("/orders", data={"note": "x" * 5000})

        (near,) = verify(mock, {"params": {"note": "y"}}).json()["nearest"]

        assert near["differences"] == [f"params.note: expected y, was {'x' * 200}…"]


class TestOrder:
    @pytest.fixture
    def ids(self, api: httpx2.Client) -> list[str]:
        """create, list, create, retrieve"""
        create = {"invoice_id": "__demo_inv__1"}
        return [
            id_of(api.post("/orders", data=create | {"id": "first"})),
            id_of(api.get("/orders")),
            id_of(api.post("/orders", data=create | {"id": "second"})),
            id_of(api.get("/orders/second")),
        ]

    def test_calls_in_this_order_with_others_between_are_found(
        self, mock: httpx2.Client, ids: list[str]
    ) -> None:
        statement = {
            "in_order": [
                {"operation": "create_an_order"},
                {"method": "POST", "params": {"id": "second"}},
                {"path": "/api/v1/orders/*", "status": 200},
            ]
        }

        answer = verify(mock, statement)

        assert answer.status_code == 200
        assert answer.json() == {"verified": True, "matched": [ids[0], ids[2], ids[3]]}

    def test_fields_that_are_null_state_nothing(self, mock: httpx2.Client, ids: list[str]) -> None:
        nothing = {"count": None, "method": None, "status": None}

        assert holds(mock, nothing | {"in_order": [{"operation": "list_orders"}]})
        assert not holds(mock, nothing | {"operation": "list_events", "in_order": None})

    def test_one_call_does_not_stand_for_two(self, mock: httpx2.Client, ids: list[str]) -> None:
        create = {"operation": "create_an_order"}

        assert holds(mock, {"in_order": [create, create]})
        assert not holds(mock, {"in_order": [create, create, create]})

    def test_a_call_that_came_too_early_is_named(self, mock: httpx2.Client, ids: list[str]) -> None:
        statement = {"in_order": [{"params": {"id": "second"}}, {"operation": "list_orders"}]}

        answer = verify(mock, statement)

        assert answer.status_code == 409
        body = answer.json()
        assert body["message"] == (
            f"expected 2 calls in this order: number 2, list_orders, was not found after {ids[2]}"
        )
        assert body["matched"] == [ids[2]]
        assert {near["id"]: near["differences"] for near in body["nearest"]} == {
            ids[1]: [f"order: expected after {ids[2]}, was not"],
            ids[3]: ["operation: expected list_orders, was retrieve_an_order"],
            ids[2]: [
                "operation: expected list_orders, was create_an_order",
                f"order: expected after {ids[2]}, was not",
            ],
        }

    def test_a_first_call_that_never_came_is_named(
        self, mock: httpx2.Client, ids: list[str]
    ) -> None:
        answer = verify(mock, {"in_order": [{"operation": "list_events"}]}).json()

        assert answer["message"] == (
            "expected 1 call in this order: number 1, list_events, was not found"
        )
        assert (answer["matched"], len(answer["nearest"])) == ([], 3)


class TestWait:
    def test_a_call_that_comes_while_it_waits_is_found(
        self, site: Site, mock: httpx2.Client, order_id: str
    ) -> None:
        def later() -> None:
            with site.api() as api:
                api.get("/events")

        caller = threading.Timer(0.2, later)
        caller.start()
        answer = verify(mock, {"operation": "list_events"}, wait=30)
        caller.join()

        assert answer.status_code == 200

    def test_a_call_that_does_not_come_is_said_after_the_wait(
        self, mock: httpx2.Client, order_id: str
    ) -> None:
        answer = verify(mock, {"operation": "list_events"}, wait=0.2)

        assert answer.status_code == 409
        assert answer.json()["nearest"][0]["path"] == "/api/v1/orders"

    @pytest.mark.parametrize("wait", ["-1", "301", "long", "nan"])
    def test_a_wait_that_is_none_is_refused(
        self, mock: httpx2.Client, order_id: str, wait: str
    ) -> None:
        answer = verify(mock, {}, wait=wait)

        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["query", "wait"]


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ({"operation": "create_order"}, ["operation"]),
        ({"opration": "create_an_order"}, ["opration"]),
        ({"status": "OK"}, ["status"]),
        ({"status": 42}, ["status"]),
        ({"method": "PO ST"}, ["method"]),
        ({"path": 1}, ["path"]),
        ({"path": "\ud800"}, ["path"]),
        ({"params": []}, ["params"]),
        ({"params": {"note": None}}, ["params", "note"]),
        ({"params": {"note": ["x"]}}, ["params", "note"]),
        ({"params": {"note": 1.5}}, ["params", "note"]),
        ({"params": {"note": {"matches": "x"}}}, ["params", "note"]),
        ({"params": {"note": {"present": True, "absent": True}}}, ["params", "note"]),
        ({"params": {"note": {"present": True, "equals": "x"}}}, ["params", "note"]),
        ({"params": {"note": "x" * 1001}}, ["params", "note"]),
        ({"params": {"note": "\ud800"}}, ["params", "note"]),
        ({"params": {"\ud800": "x"}}, ["params"]),
        ({"params": {str(number): "" for number in range(101)}}, ["params"]),
        ({"params": {"note": {"present": False}}}, ["params", "note"]),
        ({"params": {"note": {"present": None}}}, ["params", "note"]),
        ({"headers": {"x-tag": {"equals": "x"}}}, ["headers", "x-tag"]),
        ({"count": -1}, ["count"]),
        ({"count": "many"}, ["count"]),
        ({"count": 10**30}, ["count"]),
        ({"count": 1, "at_least": 1}, []),
        ({"at_least": 2, "at_most": 1}, []),
        ({"in_order": []}, ["in_order"]),
        ({"in_order": [{"count": 1}]}, ["in_order", 0, "count"]),
        ({"in_order": [{}, {"operation": "x"}]}, ["in_order", 1, "operation"]),
        ({"in_order": [{}], "count": 1}, []),
        ([], []),
    ],
)
def test_a_statement_that_is_none_is_refused_by_its_field(
    mock: httpx2.Client, order_id: str, statement: Any, place: list[str | int]
) -> None:
    as_json = {"Content-Type": "application/json"}
    answer = mock.post("/requests/verify", content=json.dumps(statement), headers=as_json)

    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["detail"]
    assert fault["loc"][: len(place) + 1] == ["body", *place]
    assert fault["msg"]


def test_an_answer_is_short_however_much_is_wanted(api: httpx2.Client, mock: httpx2.Client) -> None:
    api.get("/orders")
    wanted = {f"{number}": "x" * 1000 for number in range(100)}

    answer = verify(mock, {"params": wanted}).json()

    assert len(answer["message"]) < 3000
    assert answer["message"].endswith("…, found 0")
    (near,) = answer["nearest"]
    assert len(near["differences"]) == 21
    assert near["differences"][-1] == "… and 80 more"


def test_verification_of_many_large_requests_makes_nobody_wait(
    server: Server, site: Site, api: httpx2.Client, mock: httpx2.Client
) -> None:
    large = "&".join(f"{name}={'x' * 50}" for name in range(990))
    for _ in range(100):
        api.post("/orders", content=large, headers={"Content-Type": FORM})
    waits = []
    with ThreadPoolExecutor() as pool, site.mock() as other:
        other.get("/health")
        verified = pool.submit(verify, mock, {"params": {"989": "y"}})
        while not verified.done():
            started = time.perf_counter()
            other.get("/health")
            waits.append(time.perf_counter() - started)

    assert verified.result().status_code == 409
    assert len(waits) > 5
    assert sorted(waits)[-2] < 0.5  # it took a second for each hundred requests


def test_nothing_is_verified_where_no_journal_is_kept(database: Path) -> None:
    with Server(database, "--journal-limit", "0") as server:
        site = server.site()
        with site.api() as api, site.mock() as mock:
            api.get("/orders")
            answer = verify(mock, {"operation": "create_an_order", "count": 0})

    assert answer.status_code == 409
    assert answer.json() == {
        "verified": False,
        "message": "nobody can tell: the journal is off (--journal-limit 0)",
        "matched": [],
        "nearest": [],
    }
