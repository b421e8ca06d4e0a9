"""A receiver of webhooks inside a test: a real HTTP server in a thread."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Final, Self
from urllib.parse import urlsplit

_LOOK_EVERY: Final = 0.01
"""Seconds between two looks at what has come, and at whether to stop."""
_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104
"""Hosts that stand for every address of the machine, and how the machine itself calls them."""


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
    """It answers 200, or what `answer_with` plans; `received` is what came, in order.

    `host` and `port` are what it listens on, by default what only this machine reaches. Where a
    server reaches it by another address, through a forwarded port or a tunnel, `public_url` is that
    address; `{port}` in it stands for the port. ValueError where it is none.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, public_url: str | None = None
    ) -> None:
        if public_url is not None and urlsplit(public_url).scheme not in ("http", "https"):
            raise ValueError(f"{public_url!r} is no http address of a receiver")
        self.received: list[ReceivedWebhook] = []
        self._planned: deque[int] = deque()
        self._explain: list[Callable[[], str]] = []
        self._server = (_Server6 if ":" in host else _Server)((host, port), self._handler())
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[_LOOK_EVERY], daemon=True
        )
        base = public_url or url_at(_ANY_ADDRESS.get(host, host))
        base = base.replace("{port}", str(self._server.server_address[1]))
        self.url = f"{base.rstrip('/')}/webhooks"
        """Where webhooks are to be sent."""

    def answer_with(self, *statuses: int) -> None:
        """Answer the next calls with these statuses, one each, and then with 200 again."""
        self._planned.extend(statuses)

    def wait_for(
        self, count: int = 1, *, event_type: str | None = None, within: float = 10
    ) -> list[ReceivedWebhook]:
        """The webhooks (of that type), once so many came.

        AssertionError where they do not; it says what the attempts to deliver them said, if the
        site was given the receiver itself: `site.webhooks.deliver_to(receiver)`.
        """
        __tracebackhide__ = True  # the test that waited is what a reader of the failure wants
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
                missed = f"{len(found)} of {count} webhooks{of_type} came within {within:g} s"
                raise AssertionError("\n".join([missed, *self._explanations()]))
            time.sleep(_LOOK_EVERY)

    def explained_by(self, explain: Callable[[], str]) -> None:
        """Ask `explain` what the deliveries' attempts said, where a wait is in vain."""
        self._explain.append(explain)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._thread.ident is not None:  # it was started
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _explanations(self) -> list[str]:
        if not self._explain:
            return ["site.webhooks.deliver_to(receiver), without .url, lets this say why"]
        said = []
        for explain in self._explain:
            try:
                told = explain() or "the site has recorded no webhook for it"
            except Exception as error:  # the wait was in vain, whatever else is wrong
                told = f"why is not known: {error}"
            said += [f"  {line}" for line in told.splitlines()]
        return said

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    event = json.loads(body)
                except ValueError:
                    self._answer(400)  # no webhook of ours
                    return
                receiver.received.append(ReceivedWebhook(self.path, headers, event))
                self._answer(receiver._planned.popleft() if receiver._planned else 200)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *values: object) -> None:
                """Nothing: the test says what matters."""

        return Handler


def url_at(host: str) -> str:
    """The URL of a receiver at that address, with `{port}` for its port."""
    return f"http://[{host}]:{{port}}" if ":" in host else f"http://{host}:{{port}}"


def address_towards(url: str) -> str:
    """The address of this machine by which the host of a URL reaches it, as far as routes tell."""
    parts = urlsplit(url)
    port = parts.port or 80
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_DGRAM)
    family, kind, protocol, _, address = min(found)  # IPv4 first, if there is one
    with socket.socket(family, kind, protocol) as towards:
        towards.connect(address)  # of a datagram socket: nothing is sent
        own: str = towards.getsockname()[0]
        return own


class _Server(ThreadingMixIn, TCPServer):
    """An HTTP server without HTTPServer's look-up of its own name, which may take seconds."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


class _Server6(_Server):
    address_family = socket.AF_INET6
