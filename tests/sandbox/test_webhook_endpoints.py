"""`/_mock/webhook_endpoints`: where a site's webhooks go, by the names of API v2's resource."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.deliveries import NOBODY, Desk, created, items
from tests.ids import FORM
from tests.receiver import Receiver
from tests.server import Server

PASSWORD = "correct-horse-battery"
FROM_SEED = "whv2_recording"


def endpoints(mock: httpx2.Client) -> list[dict[str, Any]]:
    """All but the one that the seed brings."""
    found = items(mock, "webhook_endpoint")
    return [endpoint for endpoint in found if endpoint["id"] != FROM_SEED]


def patch(mock: httpx2.Client, id: str, **changes: Any) -> dict[str, Any]:
    answer = mock.patch(f"/webhook_endpoints/{id}", json=changes)
    assert answer.status_code == 200, answer.text
    endpoint: dict[str, Any] = answer.json()["webhook_endpoint"]
    return endpoint


def test_an_endpoint_has_the_names_of_api_v2(mock: httpx2.Client) -> None:
    given = {
        "name": "Shop",
        "url": "https://shop.example/hook?from=chargebee",
        "primary_url": True,
        "disabled": True,
        "api_version": "v1",
        "enabled_events": ["order_created", "order_updated"],
        "basic_auth_username": "shop",
        "basic_auth_password": PASSWORD,
        "chaos": {"duplicates": 2, "delay": 0.5, "shuffle": 3},
    }

    answer = mock.post("/webhook_endpoints", json=given)

    endpoint = answer.json()["webhook_endpoint"]
    assert re.fullmatch(f"whv2_{FORM}", endpoint["id"])
    del given["basic_auth_password"]
    assert endpoint == given | {"id": endpoint["id"], "object": "webhook_endpoint"}
    assert mock.get(f"/webhook_endpoints/{endpoint['id']}").json() == answer.json()
    assert endpoints(mock) == [endpoint]


def test_a_name_is_enough_and_the_rest_has_defaults(mock: httpx2.Client) -> None:
    id = created(mock.post("/webhook_endpoints", json={"name": "Only records"}))

    assert endpoints(mock) == [
        {
            "id": id,
            "name": "Only records",
            "primary_url": False,
            "disabled": False,
            "api_version": "v1",
            "object": "webhook_endpoint",
        }
    ]


def test_endpoints_are_listed_in_the_order_in_which_they_were_made(desk: Desk) -> None:
    made = [desk.add(None, name=f"number {number}") for number in range(7)]

    assert [endpoint["id"] for endpoint in endpoints(desk.mock)] == made


def test_the_seed_brings_one_that_only_records(mock: httpx2.Client) -> None:
    (endpoint,) = items(mock, "webhook_endpoint")

    assert (endpoint["id"], endpoint["name"]) == (FROM_SEED, "Recording endpoint")
    assert "url" not in endpoint


def test_event_types_is_taken_for_enabled_events(desk: Desk) -> None:
    id = desk.add(None, event_types=["order_created"])
    assert endpoints(desk.mock)[0]["enabled_events"] == ["order_created"]

    changed = patch(desk.mock, id, event_types=["order_updated"])

    assert changed["enabled_events"] == ["order_updated"]
    assert "event_types" not in changed


BAD: dict[str, tuple[dict[str, Any], list[str | int]]] = {
    "unknown field": ({"urll": NOBODY}, ["body", "urll"]),
    "v2": ({"api_version": "v2"}, ["body", "api_version"]),
    "unknown event type": ({"enabled_events": ["order_lost"]}, ["body", "enabled_events", 0]),
    "event types as text": ({"event_types": "order_created"}, ["body", "event_types"]),
    "both spellings of the event types": (
        {"event_types": ["order_created"], "enabled_events": ["order_updated"]},
        ["body", "event_types"],
    ),
    "name that is null": ({"name": None}, ["body", "name"]),
    "name that is empty": ({"name": ""}, ["body", "name"]),
    "name of 51 characters": ({"name": "n" * 51}, ["body", "name"]),
    "half a surrogate in the name": ({"name": "\ud800"}, ["body", "name"]),
    "half a surrogate in the password": (
        {"basic_auth_password": "\ud800"},
        ["body", "basic_auth_password"],
    ),
    "disabled that is neither": ({"disabled": "perhaps"}, ["body", "disabled"]),
    "unknown chaos": ({"chaos": {"lose": 1}}, ["body", "chaos", "lose"]),
    "chaos below zero": ({"chaos": {"delay": -1}}, ["body", "chaos", "delay"]),
    "chaos that is no number": ({"chaos": {"shuffle": float("nan")}}, ["body", "chaos", "shuffle"]),
    "too many duplicates": ({"chaos": {"duplicates": 11}}, ["body", "chaos", "duplicates"]),
}


@pytest.mark.parametrize(("given", "where"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused_once_by_name_and_nothing_is_stored(
    desk: Desk, given: dict[str, Any], where: list[str | int]
) -> None:
    id = desk.add(None)
    before = endpoints(desk.mock)

    for answer in (
        _send(desk.mock, "POST", "/webhook_endpoints", {"name": "n"} | given),
        _send(desk.mock, "PATCH", f"/webhook_endpoints/{id}", given),
    ):
        assert answer.status_code == 422, answer.text
        (error,) = answer.json()["detail"]
        assert error["loc"] == where
        assert error["msg"]
    assert endpoints(desk.mock) == before


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example/hook",
        "//shop.example/hook",
        "ftp://shop.example/hook",
        "http:///hook",
        "http://shop.example:99999/hook",
        "http://shop.example:port/hook",
        "http://[::1/hook",
        "http://0251.254.169.254/",
        "http://shop..example/hook",
        f"http://{'a' * 64}.example/hook",
        "http://shop example/hook",
        " http://shop.example/hook",
        "http://shop.example/\nhook",
        "http://shop.example/\x7f",
        "http://\ud800.example/",
        "http://☃.example/hook",
        "http://shop.example/" + "a" * 500,
    ],
)
def test_a_url_to_which_nothing_can_be_sent_is_refused(desk: Desk, url: str) -> None:
    answer = _send(desk.mock, "POST", "/webhook_endpoints", {"name": "n", "url": url})

    assert answer.status_code == 422, answer.text
    assert [error["loc"] for error in answer.json()["detail"]] == [["body", "url"]]
    assert endpoints(desk.mock) == []


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.1.1",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "100.100.100.200",
    ],
)
def test_a_metadata_address_is_refused_as_a_url(desk: Desk, host: str) -> None:
    answer = desk.mock.post(
        "/webhook_endpoints", json={"name": "n", "url": f"http://{host}/latest"}
    )

    assert answer.status_code == 422
    (error,) = answer.json()["detail"]
    assert error["loc"] == ["body", "url"]
    assert "nothing is sent to" in error["msg"]
    assert endpoints(desk.mock) == []


@pytest.mark.parametrize("body", ["", "[]", "null", '"n"', "{", '{"name": "n"'])
def test_a_body_that_is_no_json_object_is_refused(desk: Desk, body: str) -> None:
    headers = {"Content-Type": "application/json"}

    answer = desk.mock.post("/webhook_endpoints", content=body, headers=headers)

    assert answer.status_code == 422
    assert len(answer.json()["detail"]) == 1
    assert endpoints(desk.mock) == []


def test_an_endpoint_that_is_not_there_is_not_found(desk: Desk) -> None:
    other = desk.add(None)

    for answer in (
        desk.mock.get("/webhook_endpoints/whv2_lost"),
        desk.mock.patch("/webhook_endpoints/whv2_lost", json={"disabled": True}),
        desk.mock.delete("/webhook_endpoints/whv2_lost"),
    ):
        assert answer.status_code == 404
        assert answer.json()["message"] == "whv2_lost not found"
    assert [endpoint["id"] for endpoint in endpoints(desk.mock)] == [other]


def test_another_site_has_other_endpoints(server: Server, desk: Desk) -> None:
    id = desk.add(None)

    with server.site().mock() as elsewhere:
        assert endpoints(elsewhere) == []
        assert elsewhere.get(f"/webhook_endpoints/{id}").status_code == 404


@pytest.mark.parametrize("name", ["two words", "UPPER", "-dash", "a" * 51, "dot.ted", "naïve"])
def test_what_cannot_be_a_site_has_no_endpoints(mock: httpx2.Client, name: str) -> None:
    answer = mock.get("/webhook_endpoints", params={"site": name})

    assert answer.status_code == 404
    assert answer.json()["api_error_code"] == "site_not_found"


def test_only_what_is_given_changes(desk: Desk) -> None:
    id = desk.add(NOBODY, name="before", basic_auth_username="shop", chaos={"delay": 1})
    (before,) = endpoints(desk.mock)

    changed = patch(desk.mock, id, name="after")

    assert changed == before | {"name": "after"}
    assert patch(desk.mock, id) == changed
    assert endpoints(desk.mock) == [changed]


def test_null_clears_what_may_be_absent(desk: Desk) -> None:
    id = desk.add(
        NOBODY,
        enabled_events=["order_created"],
        basic_auth_username="shop",
        basic_auth_password=PASSWORD,
        chaos={"duplicates": 1},
    )

    cleared = patch(
        desk.mock,
        id,
        url=None,
        enabled_events=None,
        basic_auth_username=None,
        basic_auth_password=None,
        chaos=None,
    )

    assert cleared.keys() == {"id", "name", "primary_url", "disabled", "api_version", "object"}


def test_a_removed_endpoint_is_shown_once_more_and_gone(desk: Desk) -> None:
    id = desk.add(NOBODY)
    (before,) = endpoints(desk.mock)

    removed = desk.mock.delete(f"/webhook_endpoints/{id}")

    assert removed.json() == {"webhook_endpoint": before}
    assert endpoints(desk.mock) == []


def test_a_site_has_five_endpoints_with_a_url_at_most(desk: Desk) -> None:
    ids = [desk.add(NOBODY) for _ in range(5)]
    recording = desk.add(None)

    for refused in (
        desk.mock.post("/webhook_endpoints", json={"name": "sixth", "url": NOBODY}),
        desk.mock.patch(f"/webhook_endpoints/{recording}", json={"url": NOBODY}),
    ):
        assert refused.status_code == 400
        assert refused.json()["message"] == "A site has at most 5 webhook endpoints with a URL"
    assert [one["id"] for one in endpoints(desk.mock) if "url" in one] == ids

    desk.mock.delete(f"/webhook_endpoints/{ids[0]}")
    assert patch(desk.mock, recording, url=NOBODY)["url"] == NOBODY


def test_without_limits_a_sixth_is_made_and_with_them_it_can_still_be_changed(
    database: Path,
) -> None:
    with Server(database, "--no-limits") as server:
        site = server.site()
        desk = Desk(site)
        ids = [desk.add(NOBODY) for _ in range(7)]
        assert [one["id"] for one in endpoints(desk.mock)] == ids
        desk.close()

    with Server(database) as server, server.site(site.name).mock() as mock:
        assert patch(mock, ids[0], disabled=True)["disabled"] is True
        assert mock.post("/webhook_endpoints", json={"name": "n", "url": NOBODY}).status_code == 400
        assert len(endpoints(mock)) == 7


def test_there_is_one_primary_at_most(desk: Desk) -> None:
    first = desk.add(None, primary_url=True)
    second = desk.add(None, primary_url=True)
    third = desk.add(None)

    def primaries() -> list[str]:
        return [one["id"] for one in endpoints(desk.mock) if one["primary_url"]]

    assert primaries() == [second]
    patch(desk.mock, third, name="other")
    assert primaries() == [second]
    assert patch(desk.mock, first, primary_url=True)["primary_url"] is True
    assert primaries() == [first]
    patch(desk.mock, first, primary_url=False)
    assert primaries() == []


def test_credentials_in_the_url_become_basic_authentication(desk: Desk) -> None:
    id = desk.add(f"http://sh%40p:{PASSWORD}%2F@127.0.0.1:1/hook?a=b@c")

    (endpoint,) = endpoints(desk.mock)
    assert endpoint["url"] == "http://127.0.0.1:1/hook?a=b@c"
    assert endpoint["basic_auth_username"] == "sh@p"

    changed = patch(desk.mock, id, url="http://other@127.0.0.1:2/")
    assert (changed["url"], changed["basic_auth_username"]) == ("http://127.0.0.1:2/", "other")


def test_a_user_that_is_given_beside_the_url_wins(desk: Desk) -> None:
    desk.add("http://in-url:x@127.0.0.1:1/", basic_auth_username="given")

    assert endpoints(desk.mock)[0]["basic_auth_username"] == "given"


@pytest.mark.parametrize(
    "body",
    [
        {"basic_auth_password": PASSWORD},
        {"name": "n", "basic_auth_passwort": PASSWORD},
        {"name": "n", "basic_auth_password": [PASSWORD]},
        {"name": "n", "basic_auth_password": PASSWORD * 20},
        {"name": "n", "url": f"ftp://shop:{PASSWORD}@127.0.0.1/"},
        {"name": "n", "url": f"http://shop:{PASSWORD}@[::1/"},
        {"name": "n", "url": f"http://shop:{PASSWORD}@127.0.0.1:port/"},
        {"name": "n", "url": f"http://shop:{PASSWORD}/unescaped@127.0.0.1/"},
        {"name": "n", "url": f"http://shop:{PASSWORD}@shop..example/"},
        {"name": "n", "url": f"shop:{PASSWORD}@127.0.0.1/"},
        [PASSWORD],
        PASSWORD,
    ],
)
def test_a_refusal_does_not_repeat_a_password(mock: httpx2.Client, body: object) -> None:
    answer = mock.post("/webhook_endpoints", json=body)

    assert answer.status_code == 422
    assert PASSWORD not in answer.text


def test_a_password_is_never_shown_and_never_logged(tmp_path: Path, database: Path) -> None:
    encoded = base64.b64encode(f"shop:{PASSWORD}".encode()).decode()
    answers: list[str] = []

    def kept(answer: httpx2.Response) -> None:
        answer.read()
        answers.append(answer.text + str(answer.headers))

    with Receiver(tmp_path, "500,200") as receiver:
        server = Server(database, "--log-level", "debug").start()
        desk = Desk(server.site())
        desk.mock.event_hooks = desk.api.event_hooks = {"response": [kept]}
        by_url = desk.add(receiver.url.replace("//", f"//shop:{PASSWORD}@"))
        by_name = desk.add(
            NOBODY,
            basic_auth_username="shop",
            basic_auth_password=PASSWORD,
        )
        desk.order()
        desk.attempted(by_url)
        desk.attempted(by_name)
        desk.mock.post("/webhooks/retry-now")
        patch(desk.mock, by_url, name="other")
        endpoints(desk.mock)
        for kind in ("event", "webhook", "email", "request"):
            items(desk.mock, kind)
        desk.mock.delete(f"/webhook_endpoints/{by_url}")
        desk.close()
        assert server.process is not None
        server.process.terminate()
        printed = server.process.communicate(timeout=30)

    assert receiver.received[0].headers["Authorization"] == f"Basic {encoded}"
    told = "".join([*answers, *printed])
    assert len(answers) > 10
    assert PASSWORD not in told
    assert encoded not in told


def test_disabling_takes_back_what_waits(desk: Desk) -> None:
    id = desk.add(NOBODY, primary_url=True)
    desk.order()
    desk.attempted(id)

    patch(desk.mock, id, disabled=True)

    (webhook,) = desk.webhooks(id)
    assert webhook["webhook_status"] == desk.event()["webhook_status"] == "disabled"
    assert "due_at" not in webhook
    assert "webhook_failure_reason" not in desk.event()
    assert len(webhook["delivery_attempts"]) == 1


def test_a_disabled_endpoint_is_noted_and_gets_nothing(desk: Desk, tmp_path: Path) -> None:
    with Receiver(tmp_path) as receiver:
        id = desk.add(receiver.url, primary_url=True, disabled=True)
        desk.order("while-disabled")
        assert desk.event("while-disabled")["webhook_status"] == "disabled"

        patch(desk.mock, id, disabled=False)
        desk.order("afterwards")

        assert [call.order_id for call in receiver.wait_for(1)] == ["afterwards"]
        desk.attempted(id)
    assert [one["webhook_status"] for one in desk.webhooks(id)] == ["disabled", "succeeded"]


def test_removing_an_endpoint_skips_what_waits(desk: Desk) -> None:
    id = desk.add(NOBODY, primary_url=True)
    desk.order()
    desk.attempted(id)

    desk.mock.delete(f"/webhook_endpoints/{id}")

    (webhook,) = desk.webhooks(id)
    assert webhook["webhook_status"] == "skipped"
    assert "due_at" not in webhook
    assert desk.event()["webhook_status"] == "skipped"


def test_an_event_follows_the_endpoint_that_is_primary_now(desk: Desk) -> None:
    first, other = desk.add(NOBODY, primary_url=True), desk.add(NOBODY)
    desk.order()
    desk.attempted(first)
    assert desk.event()["webhook_status"] == "re_scheduled"

    patch(desk.mock, other, primary_url=True)
    desk.mock.delete(f"/webhook_endpoints/{other}")
    assert desk.event()["webhook_status"] == "skipped"
    desk.mock.delete(f"/webhook_endpoints/{first}")

    assert desk.event()["webhook_status"] == "skipped"


def test_what_was_delivered_stays_delivered(desk: Desk, tmp_path: Path) -> None:
    with Receiver(tmp_path, "200,hang") as receiver:
        id = desk.add(receiver.url, primary_url=True, chaos={"duplicates": 1})
        desk.order()
        receiver.wait_for(2)

        patch(desk.mock, id, disabled=True)

        assert desk.webhooks(id)[0]["webhook_status"] == "succeeded"
        assert desk.event()["webhook_status"] == "succeeded"


def test_an_endpoint_that_loses_its_url_has_what_it_wants(desk: Desk) -> None:
    id = desk.add(NOBODY, primary_url=True)
    desk.order()
    desk.attempted(id)

    patch(desk.mock, id, url=None)

    (webhook,) = desk.webhooks(id)
    assert webhook["webhook_status"] == desk.event()["webhook_status"] == "succeeded"
    assert "webhook_failure_reason" not in webhook
    assert "webhook_failure_reason" not in desk.event()


def test_webhook_url_gives_every_site_an_endpoint_for_the_run(database: Path) -> None:
    first, second = (f"{NOBODY}/{name}" for name in ("first", "second"))

    def urls(server: Server, site: str) -> list[str]:
        with server.site(site).mock() as mock:
            return [one["url"] for one in endpoints(mock)]

    with Server(database) as server:
        assert urls(server, "old-test") == []
    with Server(database, "--webhook-url", first, "--webhook-url", second) as server:
        assert urls(server, "old-test") == urls(server, "new-test") == [first, second]
        assert urls(server, "demo-test") == [first, second]
    with Server(database, CHARGEBEE_MOCK_WEBHOOK_URL=f"{second}  {first}") as server:
        assert urls(server, "old-test") == [second, first]
    with Server(database) as server:
        assert urls(server, "old-test") == urls(server, "demo-test") == []


def test_credentials_of_an_earlier_run_are_not_sent_to_a_new_url(
    tmp_path: Path, database: Path
) -> None:
    with Server(database, "--webhook-url", f"http://shop:{PASSWORD}@127.0.0.1:1/"):
        pass

    with Receiver(tmp_path) as receiver, Server(database, "--webhook-url", receiver.url) as server:
        desk = Desk(server.site("demo-test"))
        assert "basic_auth_username" not in endpoints(desk.mock)[0]
        desk.order()
        (call,) = receiver.wait_for(1)
        desk.close()
    assert "Authorization" not in call.headers


def test_what_waited_for_an_earlier_run_is_not_sent(tmp_path: Path, database: Path) -> None:
    receiver = Receiver(tmp_path)
    with Server(database, "--webhook-url", receiver.url) as server:
        desk = Desk(server.site("unused-afterwards-test"))
        desk.order()
        desk.close()

    with receiver, Server(database) as server:
        desk = Desk(server.site("unused-afterwards-test"))
        assert [one["webhook_status"] for one in desk.event()["webhooks"]] == ["skipped"]
        desk.close()
    assert receiver.received == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            ["--webhook-url", f"http://shop:{PASSWORD}@169.254.169.254/"],
            "webhook_url: nothing is sent to 169.254.169.254",
        ),
        (
            ["--webhook-url", NOBODY] * 6,
            "webhook_url: A site has at most 5 webhook endpoints with a URL",
        ),
    ],
)
def test_a_webhook_url_that_cannot_be_is_refused_in_one_line(
    database: Path, options: list[str], reason: str
) -> None:
    command = [sys.executable, "-m", "mock_server", "serve", "--port", "0"]

    refused = subprocess.run(
        [*command, "--database", str(database), *options],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert refused.returncode == 1
    assert refused.stderr == f"Error: {reason}\n"


def _send(mock: httpx2.Client, method: str, path: str, body: object) -> httpx2.Response:
    """As JSON, with what httpx2 would not encode: halves of surrogates, and NaN."""
    return mock.request(
        method, path, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
