"""A receiver of webhooks inside a test: a real HTTP server in a thread."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

_LOOK_EVERY: Final = 0.01


@dataclass(frozen=True)
class ReceivedWebhook:
    """One call: its path, its headers by their names in lower case, and its body as JSON."""

    path: str
    headers: dict[str, str]
    event: dict[str, Any]

    @property
    def event_type(self) -> str:
        event_type: str = self.event["event_type"]
        return event_type


class WebhookReceiver:
    """It answers 200, or what `answer_with` plans; `received` is what came, in order."""

    def __init__(self) -> None:
        self.received: list[ReceivedWebhook] = []
        self._planned: deque[int] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/webhooks"

    def answer_with(self, *statuses: int) -> None:
        """Answer the next calls with these statuses, one each, and then with 200 again."""
        self._planned.extend(statuses)

    def wait_for(
        self, count: int = 1, *, event_type: str | None = None, within: float = 10
    ) -> list[ReceivedWebhook]:
        """The webhooks (of that type), once so many came; AssertionError where they do not."""
        deadline = time.monotonic() + within
        while True:
            found = [
                webhook
                for webhook in list(self.received)
                if event_type in (None, webhook.event_type)
            ]
            if len(found) >= count:
                return found
            if time.monotonic() >= deadline:
                of_type = f" of type {event_type}" if event_type else ""
                raise AssertionError(
                    f"{len(found)} of {count} webhooks{of_type} came within {within:g} s"
                )
            time.sleep(_LOOK_EVERY)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(ReceivedWebhook(self.path, headers, json.loads(body)))
                self.send_response(receiver._planned.popleft() if receiver._planned else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *values: object) -> None:
                """Nothing: the test says what matters."""

        return Handler
