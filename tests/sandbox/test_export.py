"""`/_mock/requests.har` and `.sh`: the journal as other tools read it, and as calls to repeat."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import Server, Site

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
COMPARED = ("method", "path", "query", "body", "params", "operation", "status", "ignored_params")


def journal(mock: httpx2.Client) -> list[dict[str, Any]]:
    listed = mock.get("/requests", params={"limit": 1000}).json()["list"]
    return [item["request"] for item in reversed(listed)]


class TestHar:
    def test_a_call_is_an_entry_of_http_archive_1_2(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        answer = api.post("/orders", params={"q": "a b"}, data={"invoice_id": "__demo_inv__1"})
        (request,) = journal(mock)
        milliseconds = request["duration_us"] / 1000

        exported = mock.get("/requests.har")

        assert exported.headers["content-type"] == "application/json"
        log = exported.json()["log"]
        assert (log["version"], log["creator"]["name"]) == ("1.2", "chargebee-mock")
        (entry,) = log["entries"]
        started = datetime.fromisoformat(entry.pop("startedDateTime"))
        assert started.timestamp() == pytest.approx(request["started_at"], abs=1e-5)
        timings = entry.pop("timings")
        assert (timings["send"], timings["wait"], timings["receive"]) == (0, milliseconds, 0)
        assert entry == {
            "time": milliseconds,
            "comment": request["id"],
            "cache": {},
            "request": {
                "method": "POST",
                "url": f"http://{api.headers['Host']}/api/v1/orders?q=a+b",
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": [{"name": name, "value": value} for name, value in request["headers"]],
                "queryString": [{"name": "q", "value": "a b"}],
                "postData": {"mimeType": FORM["Content-Type"], "text": "invoice_id=__demo_inv__1"},
                "headersSize": -1,
                "bodySize": 24,
            },
            "response": {
                "status": 200,
                "statusText": "OK",
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": [
                    {"name": name, "value": value} for name, value in request["answer_headers"]
                ],
                "content": {
                    "size": len(answer.content),
                    "mimeType": "application/json;charset=utf-8",
                    "text": answer.text,
                },
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": len(answer.content),
            },
        }

    def test_credentials_are_masked(self, api: httpx2.Client, mock: httpx2.Client) -> None:
        api.get("/orders")

        headers = mock.get("/requests.har").json()["log"]["entries"][0]["request"]["headers"]
        assert {"name": "authorization", "value": "…"} in headers

    def test_an_archive_of_nothing_is_an_archive(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        api.get("/orders")
        mock.delete("/requests")

        assert mock.get("/requests.har").json()["log"]["entries"] == []

    def test_every_call_is_there_the_earliest_first(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        paths = [f"/api/v1/orders/{number}" for number in range(450)]
        for path in paths:
            api.get(path.removeprefix("/api/v1"))

        entries = mock.get("/requests.har").json()["log"]["entries"]

        assert [httpx2.URL(entry["request"]["url"]).path for entry in entries] == paths


@pytest.mark.parametrize("form", ["har", "sh"])
def test_an_export_is_filtered_as_the_list_is(
    api: httpx2.Client, mock: httpx2.Client, order_id: str, form: str
) -> None:
    api.get(f"/orders/{order_id}")
    api.get("/orders/nothing")

    exported = mock.get(f"/requests.{form}", params={"status": "4xx", "method": "GET"})
    refused = mock.get(f"/requests.{form}", params={"status": "bad"})

    assert "/orders/nothing" in exported.text
    assert order_id not in exported.text
    assert exported.text.count("/api/v1/") == 1
    assert refused.status_code == 422


class TestCurl:
    @pytest.fixture
    def twin(self, site: Site) -> Iterator[Site]:
        """The same site on a server that was never called."""
        with Server(":memory:") as fresh:
            yield fresh.site(site.name)

    def test_the_commands_repeat_the_calls_on_a_fresh_server(
        self, api: httpx2.Client, mock: httpx2.Client, twin: Site, tmp_path: Path
    ) -> None:
        shell = 'it\'s "$HOME" `id` \\ !x $(id) %s\n; rm & é *'
        create = {"id": "o-1", "invoice_id": "__demo_inv__1", "note": shell}
        api.post("/orders", data=create)
        api.post("/orders", data=create)
        api.post("/orders/o-1", data={"note": "@/etc/passwd", "shipping_address[city]": "Oslo"})
        api.post("/orders/o-1", content=f"note={shell}".encode(), headers=FORM)
        api.post("/orders/o-1", files={"note": (None, shell)})
        api.post("/orders/o-1")
        api.post("/orders/o-1", content=b"note=x")
        api.post("/orders/o-1", content=b'{"note": 1}', headers={"Content-Type": "text/json"})
        api.post(
            "/orders?x='1'",
            data={"id": "o-2", "invoice_id": "__demo_inv__2", "batch_id": "7"},
            headers=[
                (b"chargebee-event-webhook", b"all-disabled"),
                (b"chargebee-request-origin-device", "é'\"$x".encode()),
                (b"chargebee-request-origin-user", b""),
                (b"chargebee-idempotency-key", b"key '1'"),
            ],
        )
        api.get("/orders", params={"limit": 1})
        api.get("/orders/o%2F[1]{2,3}")
        api.get("/orders/o-1", headers={"X-Empty": "", "Accept": "text/plain"})
        api.get("/orders/'$(id)'")
        api.get("/orders/.hidden")
        api.head("/orders/o-1")
        api.delete("/orders/o-1")
        with httpx2.Client(base_url=str(api.base_url), headers={"Host": api.headers["Host"]}) as no:
            no.get("/orders")
        before = journal(mock)

        script = mock.get("/requests.sh")
        assert script.headers["content-type"].startswith("text/x-shellscript")
        answers = _run(script.content, twin, tmp_path)
        with twin.mock() as repeated:
            after = journal(repeated)

        assert len(before) == 17
        assert [[call.get(name) for name in COMPARED] for call in after] == [
            [call.get(name) for name in COMPARED] for call in before
        ]
        assert [_compared_headers(call) for call in after] == [
            _compared_headers(call) for call in before
        ]
        assert all(call["answer"] in answers for call in after if call["method"] != "HEAD")

    def test_what_was_not_kept_whole_is_not_repeated(
        self, api: httpx2.Client, mock: httpx2.Client, twin: Site, tmp_path: Path
    ) -> None:
        for body in (b"note=" + b"x" * 70_000, b"note=\0", b"note=\xff"):
            api.post("/orders", content=body, headers=FORM)
        api.get("/events")

        script = mock.get("/requests.sh").text
        _run(script.encode(), twin, tmp_path)
        with twin.mock() as repeated:
            after = journal(repeated)

        assert script.count("# its body was not kept whole") == 3
        assert [call["path"] for call in after] == ["/api/v1/events"]

    def test_they_go_to_the_address_that_was_asked_for_them_and_the_site_that_was_called(
        self, server: Server, site: Site, api: httpx2.Client
    ) -> None:
        api.get("/orders")

        answer = httpx2.get(f"{server.url}/_mock/requests.sh", params={"site": site.name})

        command = answer.text.splitlines()[-1]
        assert command.endswith(f" -H 'host: {site.name}.localhost' {server.url}/api/v1/orders")

    def test_they_ask_for_the_key_and_do_not_hold_it(
        self, api: httpx2.Client, mock: httpx2.Client
    ) -> None:
        api.get("/orders")

        script = mock.get("/requests.sh").text
        run = subprocess.run(
            ["sh"], input=script, env={}, capture_output=True, text=True, check=False
        )

        assert "test_key" not in script
        assert run.returncode != 0
        assert run.stderr.strip().endswith("CHARGEBEE_API_KEY: must hold the API key")


def _compared_headers(call: dict[str, Any]) -> dict[str, str]:
    """The headers less those that belong to a client and its connection."""
    left_out = {"accept-encoding", "connection", "content-length", "host", "user-agent"}
    return {name: value for name, value in call["headers"] if name not in left_out}


def _run(script: bytes, site: Site, folder: Path) -> str:
    """Run the script with curl's connections, and only those, led to the site's server."""
    address = httpx2.URL(site.url)
    (folder / ".curlrc").write_text(f'connect-to = "::{address.host}:{address.port}"\n')
    done = subprocess.run(
        ["sh", "-eu"],
        input=script,
        env=os.environ | {"CURL_HOME": str(folder), "CHARGEBEE_API_KEY": "test_key"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()
