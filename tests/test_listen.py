"""`chargebee-mock listen` and `trigger`: a webhook seen in the terminal, without any code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.server import Server, Site

COMMAND = [sys.executable, "-m", "mock_server"]


@contextmanager
def _listening(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The listener on a free port, and its URL."""
    process = subprocess.Popen(
        [*COMMAND, "listen", "--port", "0", *options], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().removeprefix("listening on ").strip()
    finally:
        process.kill()
        process.communicate()


def _printed(process: subprocess.Popen[str]) -> str:
    """What the listener printed until it was stopped as with Ctrl-C."""
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    return printed


def _trigger(event_type: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, "trigger", event_type, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_the_listener_prints_the_event_that_was_triggered(database: Path) -> None:
    with (
        _listening() as (listener, url),
        Server(database, "--webhook-url", url) as server,
        server.site("demo-test").mock() as mock,
    ):
        order = json.loads(_trigger("order_created", "--url", server.url).stdout)
        (webhook,) = _delivered(mock)
        line, _, body = _printed(listener).partition("\n")

    event = json.loads(body)
    assert line.endswith(f" order_created {event['id']}, answered 200")
    assert event["content"] == order
    assert webhook["event_id"] == event["id"]
    assert webhook["webhook_status"] == "succeeded"


def test_the_listener_says_how_the_server_reaches_it() -> None:
    public = ("--host", "0.0.0.0", "--public-url", "http://host.docker.internal:{port}/hook")
    with _listening(*public) as (listener, url):
        port = url.rpartition(":")[2]
        assert listener.stdout is not None
        printed = listener.stdout.readline()

    reached = f"http://host.docker.internal:{port}/hook"
    assert printed == f"start the server with --webhook-url {reached}\n"


def test_the_listener_answers_as_it_is_told() -> None:
    with _listening("--status", "503", "--brief") as (listener, url):
        answer = httpx2.post(f"{url}/hook", content=b"not an event")
        printed = _printed(listener)

    assert answer.status_code == 503
    assert printed.endswith(" POST /hook, answered 503\n")
    assert printed.count("\n") == 1


def test_what_a_stranger_sends_is_shown_and_does_nothing() -> None:
    with _listening() as (listener, url):
        httpx2.post(f"{url}/%1B[2J", content=b"one\n\x1b[2Jtwo")
        printed = _printed(listener)

    line, *body = printed.splitlines()
    assert line.endswith(r" POST /\x1b[2J, answered 200")
    assert body == ["one", r"\x1b[2Jtwo"]


@pytest.mark.parametrize(
    ("event_type", "content"),
    [("order_created", "order"), ("order_updated", "order"), ("invoice_generated", "invoice")],
)
def test_a_triggered_event_happens_on_the_site(
    server: Server, site: Site, event_type: str, content: str
) -> None:
    name = site.name
    printed = json.loads(_trigger(event_type, "--url", server.url, "--site", name).stdout)

    with site.api() as api:
        event = api.get("/events").json()["list"][0]["event"]
    assert event["event_type"] == event_type
    assert event["content"] == printed
    assert printed.keys() == {content}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--key", "nonsense"], "Error: Sorry, authentication failed. Invalid api key\n"),
        (["--url", "http://127.0.0.1:9"], "Error: no answer from http://127.0.0.1:9/api/v1/: "),
    ],
)
def test_a_trigger_that_fails_says_why_in_one_line(
    server: Server, options: list[str], complaint: str
) -> None:
    failed = _trigger("order_created", "--url", server.url, *options)

    assert failed.returncode == 1
    assert failed.stderr.startswith(complaint)
    assert failed.stderr.count("\n") == 1


def _delivered(mock: httpx2.Client) -> list[dict[str, str]]:
    """The webhooks of the server's own endpoint, once none of them waits any more."""
    mock.post("/webhooks/retry-now")
    found = mock.get("/webhooks", params={"webhook_endpoint_id": "whv2_option_1"}).json()["list"]
    return [item["webhook"] for item in found]
