"""Webhooks leave as Chargebee's do: the call, its failures, the retries, and what is kept of it."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mock_server.outbox.delivery import Outcome, Timeouts, WebhookClient
from mock_server.outbox.trust import Trust
from tests.deliveries import NOBODY, Desk, items
from tests.receiver import Receiver
from tests.server import Server

Start = Callable[[str], Receiver]

MINUTE = 60

INTERNAL_ERROR = (
    "Received error code 500 from server. Your server has returned internal server error code. "
    "Please check the server logs"
)
"""As recorded."""


def retry_now(desk: Desk, **asked: Any) -> dict[str, Any]:
    answer = desk.mock.post("/webhooks/retry-now", params=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def resend(desk: Desk, id: str, **asked: Any) -> dict[str, Any]:
    answer = desk.mock.post(f"/webhooks/{id}/resend", params=asked)
    assert answer.status_code == 200, answer.text
    webhook: dict[str, Any] = answer.json()["webhook"]
    return webhook


def send(url: str, timeouts: Timeouts, times: int) -> list[Outcome]:
    """The outcomes of calls by a client of the test's own, which is closed after each."""
    row = {"url": url, "basic_auth_username": None, "basic_auth_password": None}

    async def call() -> list[Outcome]:
        client = WebhookClient(timeouts, Trust())
        outcomes = []
        for _ in range(times):
            outcomes.append(await client.send("a-test", client.request(row, b"{}")))
            await client.close()
        return outcomes

    return asyncio.run(call())


# The call


def test_the_call_is_chargebees(desk: Desk, receiver: Start) -> None:
    shop = receiver("200")
    id = desk.add(f"{shop.url}/deep%20er?from=chargebee&empty=")
    desk.order()

    (call,) = shop.wait_for(1)

    assert call.path == "/hook/deep%20er?from=chargebee&empty="
    assert {name.title(): value for name, value in call.headers.items()} == {
        "Host": f"127.0.0.1:{shop.port}",
        "User-Agent": "ChargeBee",
        "Content-Type": "application/json;charset=utf-8",
        "Content-Length": str(len(call.body.encode())),
    }
    desk.settled(id, "succeeded")
    event = desk.api.get(f"/events/{desk.event()['id']}").json()["event"]
    webhooks = [webhook | {"webhook_status": "scheduled"} for webhook in event["webhooks"]]
    assert event["webhook_status"] == "not_configured"
    expected = event | {"webhooks": webhooks}
    assert call.body == json.dumps(expected, separators=(",", ":"))  # in the recorded order


def test_an_update_is_sent_with_what_it_made_of_the_order(desk: Desk, receiver: Start) -> None:
    shop = receiver("200")
    desk.add(shop.url)
    desk.order()
    updated = desk.api.post("/orders/o-1", data={"note": "Grüße, 世界 🎉"}).json()

    calls = shop.wait_for(2)

    assert [call.event["event_type"] for call in calls] == ["order_created", "order_updated"]
    assert calls[1].event["content"] == updated


@pytest.mark.parametrize(
    ("user", "password", "expected"),
    [
        ("shop", "s3cret", "shop:s3cret"),
        ("shop", None, "shop:"),
        ("shöp", "pä:ss", "shöp:pä:ss"),
        ("", "s3cret", ":s3cret"),
    ],
)
def test_basic_authentication_is_sent_and_shown_to_nobody(
    desk: Desk, receiver: Start, user: str, password: str | None, expected: str
) -> None:
    shop = receiver("200")
    id = desk.add(shop.url, basic_auth_username=user, basic_auth_password=password)
    desk.order()

    (call,) = shop.wait_for(1)

    scheme, _, credentials = call.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(credentials).decode()) == ("Basic", expected)
    (webhook,) = desk.settled(id, "succeeded")
    (attempt,) = webhook["delivery_attempts"]
    assert dict(attempt["request_headers"])["Authorization"] == "…"
    assert dict(attempt["response_headers"])["Set-Cookie"] == "…"
    assert credentials not in json.dumps(webhook)
    assert "of-the-receiver" not in json.dumps(webhook)


def test_an_attempt_is_kept_as_it_was_made(desk: Desk, receiver: Start) -> None:
    shop = receiver("201")
    id = desk.add(shop.url)
    desk.order()
    (call,) = shop.wait_for(1)

    (webhook,) = desk.settled(id, "succeeded")

    (attempt,) = webhook["delivery_attempts"]
    assert attempt["request_url"] == shop.url
    assert attempt["request_body"] == call.body
    assert {name.title() for name, _ in attempt["request_headers"]} == {
        name.title() for name in call.headers
    }
    assert (attempt["number"], attempt["status"], attempt["response_body"]) == (1, 201, "ok")
    assert abs(attempt["attempted_at"] - call.at) < 10
    assert 0 < attempt["duration_us"] < 10_000_000
    assert "failure_reason" not in attempt
    assert webhook["payload"] == desk.api.get(f"/events/{webhook['event_id']}").json()["event"]


# Success and failure


@pytest.mark.parametrize("status", ["200", "204", "299"])
def test_any_2xx_is_a_success(desk: Desk, receiver: Start, status: str) -> None:
    id = desk.add(receiver(status).url)
    desk.order()

    (webhook,) = desk.settled(id, "succeeded")

    assert (webhook["attempts"], webhook["delivery_attempts"][0]["status"]) == (1, int(status))
    assert "due_at" not in webhook
    event = desk.event()
    assert event["webhook_status"] == "not_configured"
    assert [one["webhook_status"] for one in event["webhooks"]] == ["succeeded"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("500", INTERNAL_ERROR),
        ("503", INTERNAL_ERROR.replace("500", "503")),
        ("301", "Received error code 301 from server. "),
        ("404", "Received error code 404 from server. "),
    ],
)
def test_any_other_status_is_a_failure(
    desk: Desk, receiver: Start, status: str, reason: str
) -> None:
    id = desk.add(receiver(status).url)
    desk.order()

    (webhook,) = desk.settled(id, "re_scheduled")

    assert webhook["webhook_failure_reason"].startswith(reason)
    (attempt,) = webhook["delivery_attempts"]
    assert attempt["status"] == int(status)
    assert attempt["failure_reason"] == webhook["webhook_failure_reason"]
    assert webhook["due_at"] >= attempt["attempted_at"] + 2 * MINUTE
    event = desk.event()
    assert event["webhook_status"] == "not_configured"
    assert "webhook_failure_reason" not in event
    assert [one["webhook_status"] for one in event["webhooks"]] == ["re_scheduled"]


def test_a_redirect_is_not_followed(desk: Desk, receiver: Start) -> None:
    shop = receiver("307")
    id = desk.add(shop.url)
    desk.order()

    (webhook,) = desk.settled(id, "re_scheduled")

    assert dict(webhook["delivery_attempts"][0]["response_headers"])["Location"] == "/elsewhere"
    assert [call.path for call in shop.received] == ["/hook"]


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--webhook-read-timeout", "No answer within 0.3 s"),
        ("--webhook-timeout", "No complete answer within 0.3 s"),
    ],
)
def test_no_answer_in_time_is_a_failure(
    database: Path, receiver: Start, option: str, reason: str
) -> None:
    receivers = receiver("hang"), receiver("half")
    with Server(database, option, "0.3") as server:
        desk = Desk(server.site())
        ids = [desk.add(one.url) for one in receivers]
        desk.order()
        webhooks = [desk.settled(id, "re_scheduled")[0] for id in ids]
        desk.close()

    for webhook in webhooks:
        assert webhook["webhook_failure_reason"] == reason
        (attempt,) = webhook["delivery_attempts"]
        assert attempt["failure_reason"] == reason
        assert attempt.keys().isdisjoint({"status", "response_headers", "response_body"})
        assert attempt["duration_us"] >= 290_000


def test_no_connection_in_time_is_a_failure() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        socket.create_connection(full.getsockname()),  # beside which no other has room
    ):
        url = f"http://127.0.0.1:{full.getsockname()[1]}/"
        (outcome,) = send(url, Timeouts(connect=0.3), times=1)

    assert outcome == Outcome("Cannot connect within 0.3 s", connected=False, unreached=True)


def test_by_default_the_time_to_read_is_shorter_on_test_sites() -> None:
    chosen = Timeouts(read=3)

    assert (Timeouts().connect, Timeouts().total) == (20, 60)
    assert (Timeouts().read_on("a-test"), Timeouts().read_on("a")) == (10, 20)
    assert chosen.read_on("a-test") == chosen.read_on("a") == 3


def test_a_connection_that_is_cut_is_a_failure(desk: Desk, receiver: Start) -> None:
    id = desk.add(receiver("cut").url)
    desk.order()

    (webhook,) = desk.settled(id, "re_scheduled")

    assert webhook["webhook_failure_reason"].startswith("The connection was cut: ")
    (attempt,) = webhook["delivery_attempts"]
    assert attempt["failure_reason"] == webhook["webhook_failure_reason"]
    assert attempt.keys().isdisjoint({"status", "response_headers", "response_body"})


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (NOBODY, "Cannot connect: "),
        ("http://[::1]:1/", "Cannot connect: "),
        ("http://nowhere.invalid/hook", "No such host: "),
    ],
)
def test_nobody_there_is_a_failure(desk: Desk, url: str, reason: str) -> None:
    id = desk.add(url)
    desk.order()

    (webhook,) = desk.settled(id, "re_scheduled")

    assert webhook["webhook_failure_reason"].startswith(reason)
    assert "status" not in webhook["delivery_attempts"][0]


def test_a_metadata_service_is_not_called_by_another_spelling(desk: Desk) -> None:
    id = desk.add("http://2852039166/latest/meta-data")
    desk.order()

    (webhook,) = desk.settled(id, "re_scheduled")

    assert webhook["webhook_failure_reason"] == (
        "nothing is sent to 2852039166: 169.254.169.254 is off limits"
    )


def test_a_receiver_that_speaks_no_tls_is_a_failure(desk: Desk, receiver: Start) -> None:
    shop = receiver("200")
    id = desk.add(shop.url.replace("http:", "https:"))
    desk.order()

    (webhook,) = desk.settled(id, "re_scheduled")

    assert webhook["webhook_failure_reason"]
    assert shop.received == []


def test_of_a_big_answer_the_start_is_kept_and_the_next_webhook_follows(
    desk: Desk, receiver: Start
) -> None:
    shop = receiver("big")
    id = desk.add(shop.url)
    desk.order("o-1")
    desk.order("o-2")

    assert [call.order_id for call in shop.wait_for(2)] == ["o-1", "o-2"]

    webhooks = desk.settled(id, "succeeded")
    assert len(webhooks) == 2
    for webhook in webhooks:
        assert webhook["delivery_attempts"][0]["response_body"] == "0123456789abcdef" * 256


# Retries


def test_what_fails_twice_and_then_succeeds_follows_the_schedule(
    database: Path, receiver: Start
) -> None:
    shop = receiver("500,503,200")
    options = ["--webhook-retry-scale", "0.001", "--log-level", "info"]
    with Server(database, *options) as server:
        desk = Desk(server.site())
        id = desk.add(f"{shop.url}/s3cret?key=s3cret", primary_url=True)
        desk.order()
        calls = shop.wait_for(3)
        (webhook,) = desk.settled(id, "succeeded")
        event = desk.event()
        desk.close()

    assert len({call.event["id"] for call in calls}) == 1
    assert [call.event["webhook_status"] for call in calls] == [
        "scheduled",
        "re_scheduled",
        "re_scheduled",
    ]
    assert [call.event.get("webhook_failure_reason") for call in calls] == [
        None,
        INTERNAL_ERROR,
        INTERNAL_ERROR.replace("500", "503"),
    ]
    told = [line.split(" ", 1)[1] for line in server.said.splitlines() if " webhook " in line]
    origin = f"http://127.0.0.1:{shop.port}"
    assert [line.rpartition(";")[0] for line in told] == [
        f"webhook order_created {event['id']} to {id} ({origin}) failed: {reason}"
        for reason in (INTERNAL_ERROR, INTERNAL_ERROR.replace("500", "503"))
    ]
    assert all(re.search("; tried again at [0-9T:-]{19}[+]00:00$", line) for line in told)
    assert "s3cret" not in server.said
    attempts = webhook["delivery_attempts"]
    assert [attempt["number"] for attempt in attempts] == [1, 2, 3]
    assert [attempt["status"] for attempt in attempts] == [500, 503, 200]
    for came in ([call.at for call in calls], [one["attempted_at"] for one in attempts]):
        first, second, third = came
        assert second - first >= 2 * MINUTE * 0.001
        assert third - second >= 6 * MINUTE * 0.001
    assert webhook["attempts"] == 3
    assert event["webhook_status"] == "succeeded"
    assert "webhook_failure_reason" not in event
    assert "due_at" not in webhook


def test_who_never_answers_is_tried_seven_times_more_and_then_given_up(
    database: Path, receiver: Start
) -> None:
    options = ["--webhook-read-timeout", "0.1", "--webhook-retry-scale", "0.00001"]
    shop = receiver("hang")
    with Server(database, *options) as server:
        desk = Desk(server.site())
        id = desk.add(shop.url, primary_url=True)
        desk.order()
        (webhook,) = desk.settled(id, "failed")
        event = desk.event()
        desk.close()

    reason = "No answer within 0.1 s"
    assert (webhook["webhook_status"], webhook["webhook_failure_reason"]) == ("failed", reason)
    assert (event["webhook_status"], event["webhook_failure_reason"]) == ("failed", reason)
    assert "due_at" not in webhook
    assert [attempt["failure_reason"] for attempt in webhook["delivery_attempts"]] == [reason] * 8
    times = [attempt["attempted_at"] for attempt in webhook["delivery_attempts"]]
    minutes = [2, 6, 30, 60, 300, 1440, 2880]
    waited = [later - earlier for earlier, later in pairwise(times)]
    assert all(
        wait >= 0.1 + minute * MINUTE * 0.00001
        for wait, minute in zip(waited, minutes, strict=True)
    )
    assert 0 < len(shop.received) <= 8


def test_who_was_not_there_gets_everything_in_order_once_he_is(desk: Desk, tmp_path: Path) -> None:
    shop = Receiver(tmp_path)
    id = desk.add(shop.url)
    orders = [desk.order(f"o-{number}") for number in range(5)]
    desk.settled(id, "re_scheduled")

    with shop:
        orders.append(desk.order("first-that-finds-somebody"))
        calls = shop.wait_for(6)

    assert [call.order_id for call in calls] == orders
    assert len(desk.settled(id, "succeeded")) == 6


def test_every_failure_to_connect_costs_one_webhook_one_retry(desk: Desk) -> None:
    id = desk.add(NOBODY)
    for number in range(4):
        desk.order(f"o-{number}")

    webhooks = desk.settled(id, "re_scheduled")

    assert [webhook["attempts"] for webhook in webhooks] == [1, 1, 1, 1]


def test_connections_that_are_cut_use_up_no_retries_ahead_of_time(
    desk: Desk, receiver: Start
) -> None:
    id = desk.add(receiver("cut").url)
    for number in range(4):
        desk.order(f"o-{number}")

    webhooks = desk.settled(id, "re_scheduled")

    assert all(webhook["attempts"] <= 2 for webhook in webhooks)
    assert all(webhook["due_at"] < webhook["created_at"] + 5 * MINUTE for webhook in webhooks)


def test_what_follows_does_not_wait_for_a_webhook_that_the_receiver_dies_of(
    desk: Desk, receiver: Start
) -> None:
    shop = receiver("cut,cut,200")
    id = desk.add(shop.url)
    desk.order("deadly")
    (before,) = desk.settled(id, "re_scheduled")
    desk.order("harmless")

    assert [call.order_id for call in shop.wait_for(3)] == ["deadly", "deadly", "harmless"]

    deadly, harmless = desk.attempted(id, 3)
    assert (deadly["webhook_status"], deadly["due_at"]) == ("re_scheduled", before["due_at"])
    assert harmless["webhook_status"] == "succeeded"
    assert retry_now(desk) == {"retried": 1, "statuses": {"succeeded": 1}}


def test_what_was_cut_off_comes_again_before_what_followed(desk: Desk, receiver: Start) -> None:
    shop = receiver("cut,200")
    id = desk.add(shop.url)
    desk.order("o-1")
    desk.settled(id, "re_scheduled")
    desk.order("o-2")

    calls = shop.wait_for(3)

    assert [call.order_id for call in calls] == ["o-1", "o-1", "o-2"]
    assert [webhook["attempts"] for webhook in desk.settled(id, "succeeded")] == [2, 1]


def test_an_event_after_one_that_was_refused_does_not_wait_for_it(
    desk: Desk, receiver: Start
) -> None:
    shop = receiver("500,200")
    id = desk.add(shop.url)
    desk.order("o-1")
    desk.order("o-2")

    calls = shop.wait_for(2)

    assert [call.order_id for call in calls] == ["o-1", "o-2"]
    assert desk.attempted(id, 2)[0]["webhook_status"] == "re_scheduled"


def test_webhooks_of_one_endpoint_come_in_the_order_of_their_events(
    desk: Desk, receiver: Start
) -> None:
    shop = receiver("200")
    desk.add(shop.url)
    orders = [desk.order(f"o-{number}") for number in range(50)]

    assert [call.order_id for call in shop.wait_for(50)] == orders


def test_an_endpoint_that_hangs_holds_up_no_other(desk: Desk, receiver: Start) -> None:
    hanging, serving = receiver("hang"), receiver("200")
    stuck, served = desk.add(hanging.url), desk.add(serving.url)
    orders = [desk.order(f"o-{number}") for number in range(5)]

    assert [call.order_id for call in serving.wait_for(5)] == orders
    assert len(desk.settled(served, "succeeded")) == 5
    assert len([one for one in desk.webhooks(stuck) if one["webhook_status"] == "scheduled"]) > 0


# Several endpoints


def test_an_event_tells_how_each_of_its_webhooks_stands(desk: Desk, receiver: Start) -> None:
    good, bad = desk.add(receiver("200").url), desk.add(receiver("500").url)
    desk.order()
    desk.settled(good, "succeeded")
    desk.settled(bad, "re_scheduled")

    event = desk.event()

    assert event["webhook_status"] == "not_configured"
    assert [(one["id"], one["webhook_status"]) for one in event["webhooks"]] == [
        (good, "succeeded"),
        (bad, "re_scheduled"),
    ]


@pytest.mark.parametrize(
    ("primary", "other", "status"),
    [("200", "500", "succeeded"), ("500", "200", "re_scheduled")],
)
def test_a_primary_endpoint_alone_decides_for_the_event(
    desk: Desk, receiver: Start, primary: str, other: str, status: str
) -> None:
    ids = desk.add(receiver(other).url), desk.add(receiver(primary).url, primary_url=True)
    desk.order()
    for id in ids:
        desk.attempted(id)

    event = desk.event()

    assert event["webhook_status"] == status
    assert ("webhook_failure_reason" in event) == (status != "succeeded")


# By hand


def test_retry_now_tries_at_once_what_waits(desk: Desk, receiver: Start) -> None:
    shop, never = receiver("500,500,200"), desk.add(NOBODY)
    id = desk.add(shop.url)
    desk.order("o-1")
    desk.order("o-2")
    desk.settled(id, "re_scheduled")
    desk.settled(never, "re_scheduled")

    assert retry_now(desk) == {"retried": 4, "statuses": {"succeeded": 2, "re_scheduled": 2}}

    assert [call.order_id for call in shop.received] == ["o-1", "o-2", "o-1", "o-2"]
    assert retry_now(desk)["retried"] == 2


def test_retry_now_goes_through_the_schedule_to_its_end(desk: Desk, receiver: Start) -> None:
    id = desk.add(receiver("500").url, primary_url=True)
    desk.order()
    desk.settled(id, "re_scheduled")

    told = [retry_now(desk)["statuses"] for _ in range(7)]

    assert told == [{"re_scheduled": 1}] * 6 + [{"failed": 1}]
    assert retry_now(desk) == {"retried": 0, "statuses": {}}
    assert desk.event()["webhook_status"] == "failed"


def test_retry_now_leaves_other_sites_alone(server: Server, desk: Desk, receiver: Start) -> None:
    elsewhere = Desk(server.site())
    shop = receiver("500")
    id = elsewhere.add(shop.url)
    elsewhere.order()
    elsewhere.settled(id, "re_scheduled")

    assert retry_now(desk) == {"retried": 0, "statuses": {}}

    assert len(shop.received) == 1
    elsewhere.clear()
    elsewhere.close()


def test_without_wait_retry_now_answers_before_the_calls_are_made(
    desk: Desk, receiver: Start
) -> None:
    id = desk.add(receiver("500,hang").url)
    desk.order()
    desk.settled(id, "re_scheduled")

    assert retry_now(desk, wait=0) == {"retried": 1, "statuses": {"re_scheduled": 1}}

    assert desk.webhooks(id)[0]["attempts"] == 1


def test_resend_delivers_again_what_was_delivered(desk: Desk, receiver: Start) -> None:
    shop = receiver("200")
    id = desk.add(shop.url)
    desk.order()
    (webhook,) = desk.settled(id, "succeeded")

    again = resend(desk, webhook["id"])

    assert (again["webhook_status"], again["attempts"]) == ("succeeded", 2)
    first, second = shop.received
    assert first.event["id"] == second.event["id"]
    assert first.event["content"] == second.event["content"]


def test_resend_after_the_end_begins_the_schedule_anew(desk: Desk, receiver: Start) -> None:
    shop = receiver(",".join(["500"] * 8) + ",503,200")
    id = desk.add(shop.url, primary_url=True)
    desk.order()
    desk.settled(id, "re_scheduled")
    for _ in range(7):
        retry_now(desk)
    (webhook,) = desk.settled(id, "failed")

    again = resend(desk, webhook["id"])

    assert (again["webhook_status"], again["attempts"]) == ("re_scheduled", 9)
    assert again["due_at"] >= again["delivery_attempts"][-1]["attempted_at"] + 2 * MINUTE
    assert desk.event()["webhook_status"] == "re_scheduled"
    assert retry_now(desk)["statuses"] == {"succeeded": 1}
    assert desk.event()["webhook_status"] == "succeeded"


def test_resend_waits_for_its_own_webhook_only(desk: Desk, receiver: Start) -> None:
    id = desk.add(receiver("200").url)
    desk.order("o-1")
    (webhook,) = desk.settled(id, "succeeded")
    busy = desk.add(receiver("hang").url)
    desk.order("held-up")

    assert resend(desk, webhook["id"])["attempts"] == 2

    waiting = items(desk.mock, "webhook", webhook_endpoint_id=busy, webhook_status="scheduled")
    assert waiting != []


def test_without_wait_resend_answers_before_the_call_is_made(desk: Desk, receiver: Start) -> None:
    id = desk.add(receiver("200,hang").url, primary_url=True)
    desk.order()
    (webhook,) = desk.settled(id, "succeeded")

    again = resend(desk, webhook["id"], wait=0)

    assert (again["webhook_status"], again["attempts"]) == ("scheduled", 1)
    assert desk.event()["webhook_status"] == "scheduled"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"url": None}, "has no URL"), ({"disabled": True}, "is disabled")],
)
def test_resend_to_an_endpoint_that_takes_nothing_is_refused(
    desk: Desk, receiver: Start, changes: dict[str, Any], reason: str
) -> None:
    shop = receiver("200")
    id = desk.add(shop.url)
    desk.order()
    (webhook,) = desk.settled(id, "succeeded")
    desk.mock.patch(f"/webhook_endpoints/{id}", json=changes)

    refused = desk.mock.post(f"/webhooks/{webhook['id']}/resend")

    assert refused.status_code == 409
    assert refused.json()["message"] == f"The webhook endpoint {id} {reason}"
    assert desk.webhook(webhook["id"]) == webhook
    assert len(shop.received) == 1


def test_resend_to_an_endpoint_that_is_gone_is_not_found(desk: Desk) -> None:
    id = desk.add(None)
    desk.order()
    (webhook,) = desk.webhooks(id)
    desk.mock.delete(f"/webhook_endpoints/{id}")

    for unknown in (webhook["id"], "wh_lost"):
        assert desk.mock.post(f"/webhooks/{unknown}/resend").status_code == 404
    assert desk.mock.get("/webhooks/wh_lost").status_code == 404


@pytest.mark.parametrize("wait", ["-1", "301", "long", "nan"])
def test_a_wait_that_is_none_is_refused(desk: Desk, wait: str) -> None:
    for path in ("/webhooks/retry-now", "/webhooks/wh_1/resend"):
        refused = desk.mock.post(path, params={"wait": wait})
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["loc"] == ["query", "wait"]


# What is kept


def test_webhooks_are_filtered(desk: Desk, receiver: Start) -> None:
    good, bad = desk.add(receiver("200").url), desk.add(receiver("500").url)
    desk.order("o-1")
    desk.order("o-2")
    desk.api.post("/orders/o-2", data={"note": "x"})
    desk.settled(good, "succeeded")
    desk.settled(bad, "re_scheduled")

    def found(**asked: str) -> list[tuple[str, str, str]]:
        return [
            (one["webhook_endpoint_id"], one["order_id"], one["event_type"])
            for one in items(desk.mock, "webhook", **asked)
        ]

    assert len(found()) == 6
    assert found(event_type="order_updated", webhook_endpoint_id=bad) == [
        (bad, "o-2", "order_updated")
    ]
    assert found(order_id="o-1", webhook_endpoint_id=good) == [(good, "o-1", "order_created")]
    assert found(order_id="o-1", webhook_status="re_scheduled") == [(bad, "o-1", "order_created")]
    assert {endpoint for endpoint, *_ in found(webhook_status="succeeded")} == {good}
    assert found(order_id="o-3") == found(event_type="invoice_generated") == []


def test_of_the_attempts_the_latest_are_kept(database: Path, receiver: Start) -> None:
    shop = receiver("200")
    with Server(database, "--attempts-limit", "3") as server:
        desk = Desk(server.site())
        id = desk.add(shop.url)
        desk.order()
        (webhook,) = desk.settled(id, "succeeded")
        for _ in range(4):
            webhook = resend(desk, webhook["id"])
        desk.close()

    assert webhook["attempts"] == 5
    assert [attempt["number"] for attempt in webhook["delivery_attempts"]] == [3, 4, 5]


def test_the_rest_of_the_site_does_not_show_in_a_webhook_of_another(
    server: Server, desk: Desk
) -> None:
    id = desk.add(None)
    desk.order()
    (webhook,) = desk.webhooks(id)

    with server.site().mock() as elsewhere:
        assert elsewhere.get(f"/webhooks/{webhook['id']}").status_code == 404
        assert elsewhere.post(f"/webhooks/{webhook['id']}/resend").status_code == 404


def test_a_worker_that_begins_again_delivers_again(receiver: Start) -> None:
    shop = receiver("200")

    outcomes = send(shop.url, Timeouts(), times=2)

    assert [outcome.failure for outcome in outcomes] == [None, None]
    assert len(shop.received) == 2
