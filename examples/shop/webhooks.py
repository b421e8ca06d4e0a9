"""The shop's receiver of webhooks: Basic authentication, and each event handed on."""

from __future__ import annotations

import json
import secrets
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from shop import Shop

USER = "chargebee"
PASSWORD = "only-for-tests"


def receiver(shop: Shop, port: int = 0) -> ThreadingHTTPServer:
    """A server of `POST /webhooks`; the caller runs it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not self._is_chargebee():
                self._answer(401)
                return
            shop.hear(json.loads(body))
            self._answer(200)

        def _is_chargebee(self) -> bool:
            _, _, encoded = self.headers.get("Authorization", "").partition(" ")
            return secrets.compare_digest(b64decode(encoded), f"{USER}:{PASSWORD}".encode())

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *values: object) -> None:
            """Quiet."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)
