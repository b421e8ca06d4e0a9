"""Webhooks to https: whose certificates are trusted, and that no proxy comes between."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme

from mock_server.outbox.delivery import Timeouts, WebhookClient
from mock_server.outbox.trust import Trust
from tests.deliveries import NOBODY, Desk
from tests.server import Server


class Accepting(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *values: object) -> None:
        pass


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return str(file)


@pytest.fixture(scope="module")
def port(authority: trustme.CA) -> Iterator[int]:
    """Where a receiver speaks https, with a certificate of the authority for `localhost`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with HTTPServer(("127.0.0.1", 0), Accepting) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def failure(url: str, trust: Trust) -> str | None:
    """Why a webhook to that URL fails, None where it does not."""
    row = {"url": url, "basic_auth_username": None, "basic_auth_password": None}

    async def call() -> str | None:
        client = WebhookClient(Timeouts(total=10), trust)
        try:
            return (await client.send("a-test", client.request(row, b"{}"))).failure
        finally:
            await client.close()

    return asyncio.run(call())


def test_an_authority_that_nobody_knows_is_not_trusted(port: int) -> None:
    told = failure(f"https://localhost:{port}/", Trust())

    assert told is not None
    assert told.startswith("Cannot connect: ")
    assert "certificate verify failed" in told


def test_an_authority_of_the_option_is_trusted_for_the_names_it_vouches_for(
    port: int, ca: str
) -> None:
    assert failure(f"https://localhost:{port}/", Trust(ca)) is None
    assert "certificate verify failed" in str(failure(f"https://127.0.0.1:{port}/", Trust(ca)))


def test_insecure_trusts_anybody(port: int) -> None:
    assert failure(f"https://127.0.0.1:{port}/", Trust(insecure=True)) is None


def test_an_authority_of_the_environment_is_trusted_and_its_proxies_are_not_used(
    monkeypatch: pytest.MonkeyPatch, port: int, ca: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca)
    for name in ("HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, NOBODY)

    assert failure(f"https://localhost:{port}/", Trust()) is None


def test_a_file_of_the_environment_that_is_not_there_fails_webhooks_to_https_only(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")

    told = failure(f"https://localhost:{port}/", Trust())

    assert told is not None
    assert told.startswith("Cannot load the trusted certificates: ")
    assert str(failure(NOBODY, Trust())).startswith("Cannot connect: ")


def test_a_file_without_certificates_is_refused_in_one_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")

    for file, reason in (
        (empty, f"{empty} has no certificates in PEM form"),
        (tmp_path / "nowhere", f"cannot read {tmp_path}/nowhere: No such file or directory"),
    ):
        with pytest.raises(ValueError, match=re.escape(f"webhook_ca: {reason}")):
            Trust(str(file))


def test_a_server_delivers_to_an_authority_of_its_own(port: int, ca: str) -> None:
    with Server(":memory:", "--webhook-ca", ca) as server:
        desk = Desk(server.site())
        id = desk.add(f"https://localhost:{port}/hook")
        desk.order()

        assert desk.settled(id, "succeeded")[0]["attempts"] == 1
        desk.close()
