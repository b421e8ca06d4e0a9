"""`chargebee-mock tail`: what a running server answers, a line a request."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

import httpx2
import pytest

from tests.server import Server, Site

TAIL = [sys.executable, "-m", "mock_server", "tail"]


def tail(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TAIL, *options],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


class Following:
    """`tail` while it runs; `line` waits for the next line that it prints."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [*TAIL, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def line(self) -> str:
        return self._lines.get(timeout=30)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30)

    def close(self) -> None:
        self.process.kill()
        self._reader.join()
        self.process.communicate()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))


@pytest.fixture
def following(server: Server, site: Site) -> Iterator[Following]:
    running = Following("--url", server.url, "--site", site.name, "-n", "2")
    yield running
    running.close()


def test_the_latest_requests_are_printed_as_the_server_logs_them(
    server: Server, site: Site, api: httpx2.Client
) -> None:
    for number in range(3):
        api.get(f"/orders/{number}")
    api.post("/orders", data={"invoice_id": "__demo_inv__1", "statuss": "new"})

    done = tail("--url", server.url, "--site", site.name, "--no-follow", "--lines", "2")

    assert (done.returncode, done.stderr) == (0, "")
    earlier, latest = done.stdout.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d GET /api/v1/orders/2 404 \d+\.\d ms", earlier)
    assert re.fullmatch(r"\d\d:\d\d:\d\d POST /api/v1/orders 200 \d+\.\d ms; .*", latest)
    assert latest.endswith("; parameter statuss is not used; ignored")


def test_what_a_stranger_sent_is_shown_and_does_nothing(
    server: Server, site: Site, api: httpx2.Client
) -> None:
    api.get("/orders?a%0A12:00:00%1B[2J%E2%80%AE=1")

    done = tail("--url", server.url, "--site", site.name, "--no-follow")

    (line,) = done.stdout.splitlines()
    assert line.endswith(r"; parameter a\x0a12:00:00\x1b[2J\u202e is not used; ignored")


def test_each_new_request_is_printed_once(
    server: Server, site: Site, api: httpx2.Client, order_id: str, following: Following
) -> None:
    assert "POST /api/v1/orders 200" in following.line()

    for number in range(40):
        api.get(f"/orders/{number}")
    api.get("/events")

    for number in range(40):
        assert f"GET /api/v1/orders/{number} 404" in following.line()
    assert "GET /api/v1/events 200" in following.line()
    assert following.stop() == 0


def test_more_requests_than_a_page_has_are_all_printed(
    api: httpx2.Client, order_id: str, following: Following
) -> None:
    following.line()
    following.process.send_signal(signal.SIGSTOP)
    for number in range(1005):
        api.get(f"/orders/{number}")
    following.process.send_signal(signal.SIGCONT)

    for number in range(1005):
        assert f"GET /api/v1/orders/{number} 404" in following.line()


def test_it_goes_on_where_the_journal_was_emptied(
    api: httpx2.Client, mock: httpx2.Client, order_id: str, following: Following
) -> None:
    following.line()
    mock.delete("/requests")

    api.get("/events")

    assert "GET /api/v1/events 200" in following.line()


def test_the_address_and_the_site_may_come_from_the_environment(
    server: Server, site: Site, order_id: str
) -> None:
    done = tail("--no-follow", CHARGEBEE_MOCK_URL=f"{server.url}/", CHARGEBEE_MOCK_SITE=site.name)

    assert done.returncode == 0
    assert "POST /api/v1/orders 200" in done.stdout


def test_a_server_that_is_not_there_is_named_in_one_line() -> None:
    done = tail("--url", "http://127.0.0.1:1")

    assert done.returncode == 1
    assert done.stderr.startswith("Error: cannot read from http://127.0.0.1:1: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("url", ["nowhere", "http://[", "ftp://127.0.0.1"])
def test_an_address_that_is_none_is_named_in_one_line(url: str) -> None:
    done = tail("--url", url)

    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: cannot read from {url}: ")
    assert done.stderr.count("\n") == 1


def test_a_site_that_was_never_called_is_named_in_one_line(server: Server) -> None:
    done = tail("--url", server.url, "--site", "nowhere-test")

    assert done.returncode == 1
    assert done.stderr == "Error: The site nowhere-test does not exist\n"


def test_another_server_is_told_apart_in_one_line() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever).start()
        done = tail("--url", f"http://127.0.0.1:{other.server_port}")
        other.shutdown()

    assert done.returncode == 1
    assert done.stderr.endswith(" answers 501; is this chargebee-mock?\n")
    assert done.stderr.count("\n") == 1
