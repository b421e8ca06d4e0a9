"""A real receiver of webhooks: an HTTP server in a process of its own that notes what arrives.

`python -m tests.receiver PORT LOG ANSWERS` answers one request after another with the statuses of
ANSWERS, separated by commas; the last one goes on. `hang` never answers, `cut` closes the
connection without an answer, `half` stops in the middle of one, `big` is 200 with a MiB of text.
Each request becomes a line of JSON in LOG before it is answered.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, cycle
from pathlib import Path
from typing import Any, Final

from tests.ports import free_port

_STARTED_WITHIN: Final = 20


@dataclass(frozen=True)
class Received:
    """One request; `at` is when it came, in seconds since 1970."""

    at: float
    path: str
    headers: dict[str, str]
    body: str

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def order_id(self) -> str:
        id: str = self.event["content"]["order"]["id"]
        return id


class Receiver:
    """The process; it keeps its port and its log over restarts."""

    def __init__(self, folder: Path, answers: str = "200") -> None:
        self._log = folder / "received.jsonl"
        self._answers = answers
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def received(self) -> list[Received]:
        """Everything that arrived so far, in the order of arrival."""
        lines = self._log.read_text("utf-8").splitlines() if self._log.exists() else []
        return [Received(**json.loads(line)) for line in lines]

    def start(self) -> Receiver:
        command = [sys.executable, "-m", "tests.receiver"]
        self._process = subprocess.Popen(
            [*command, str(self.port), str(self._log), self._answers],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self

    def stop(self) -> None:
        """Kill it, in the middle of whatever it does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate(timeout=_STARTED_WITHIN)
            self._process = None

    def wait_for(self, count: int, within: float = 30) -> list[Received]:
        """The first `count` requests; AssertionError where they do not come."""
        deadline = time.monotonic() + within
        while len(received := self.received) < count:
            assert time.monotonic() < deadline, f"{len(received)} of {count} webhooks came"
            time.sleep(0.02)
        return received

    def __enter__(self) -> Receiver:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()


def _serve(port: int, log: Path, answers: list[str]) -> None:
    planned = chain(answers, cycle(answers[-1:]))
    writing = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the caller died before it had sent all of it
                self.close_connection = True
                return
            noted = {"at": time.time(), "path": self.path, "headers": dict(self.headers)}
            with writing, log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(noted | {"body": body.decode()}) + "\n")
                answer = next(planned)
            if answer == "hang":
                threading.Event().wait()
            if answer == "cut":
                self.close_connection = True
                return
            status = 200 if answer in ("half", "big") else int(answer)
            text = b"0123456789abcdef" * 65_536 if answer == "big" else b"ok"
            self.send_response(status)
            self.send_header("Set-Cookie", "session=of-the-receiver")
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            if status != 204:
                self.send_header("Content-Length", str(len(text) + (answer == "half")))
            self.end_headers()
            if status != 204:
                with suppress(ConnectionError):  # the caller may have heard enough
                    self.wfile.write(text)
            if answer == "half":
                threading.Event().wait()

        def log_message(self, format: str, *values: object) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        daemon_threads = True

    with Listener(("127.0.0.1", port), Handler) as server:
        print("ready", flush=True)  # noqa: T201
        server.serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].split(","))
