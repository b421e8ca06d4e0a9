"""HTTP/1.1 below the application: offers of other protocols, trailers, bounds and time-outs."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.wire import protocol
from tests.server import Server, Site

FORM = b"content-type: application/x-www-form-urlencoded"
KEY = b"authorization: Basic dGVzdF9rZXk6"
OFFER = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAEAAEAA")
BODY = b"invoice_id=__demo_inv__1&id="

IMPATIENT = """
from mock_server.wire import protocol
protocol._HEAD_WITHIN = protocol._PAUSE = protocol.KEEP_ALIVE = 0.4
protocol._BODY_WITHIN = 1.6
"""


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose time-outs are short."""
    database = tmp_path_factory.mktemp("impatient") / "state.sqlite"
    with Server(database, prelude=IMPATIENT, CHARGEBEE_MOCK_LOG_LEVEL="error") as running:
        yield running
    assert running.said == ""


def _head(line: str, site: Site, *headers: bytes) -> bytes:
    lines = [f"{line} HTTP/1.1\r\nHost: {site.name}.localhost".encode(), KEY, *headers, b"", b""]
    return b"\r\n".join(lines)


def _order(site: Site, id: bytes, *headers: bytes) -> bytes:
    """A request that makes an order of that id."""
    body = BODY + id
    length = b"content-length: %d" % len(body)
    return _head("POST /api/v1/orders", site, FORM, length, *headers) + body


@contextmanager
def _connection(url: str) -> Iterator[socket.socket]:
    address = httpx2.URL(url)
    assert address.port is not None
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # it holds but little
        connection.settimeout(20)
        connection.connect((address.host, address.port))
        yield connection


def _exchange(url: str, *pieces: bytes) -> bytes:
    """What is answered to these pieces, of which the last asks the server to hang up."""
    with _connection(url) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        return _until_end(connection)


def _until_end(connection: socket.socket) -> bytes:
    received = b""
    while more := connection.recv(65_536):
        received += more
    return received


def _statuses(received: bytes) -> list[int]:
    return [int(part.split(b" ", 1)[0]) for part in received.split(b"HTTP/1.1 ")[1:]]


def _refusal(received: bytes) -> dict[str, Any]:
    """The one error, in Chargebee's form, that was answered before the server hung up."""
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-type: application/json;charset=UTF-8" in head.split(b"\r\n")
    assert b"connection: close" in head.split(b"\r\n")
    error: dict[str, Any] = json.loads(body)
    assert error["http_status_code"] == int(head.split(b" ")[1])
    return error


def _orders(site: Site) -> list[str]:
    with site.api() as api:
        listed = api.get("/orders", params={"limit": "100"}).json()["list"]
    return [item["order"]["id"] for item in listed]


class TestOffers:
    """RFC 9110, 7.8: a server may ignore an offer to speak another protocol. This one does."""

    @pytest.mark.parametrize(
        "offer",
        [
            OFFER,
            (b"Connection: upgrade", b"Upgrade: websocket"),
            (b"connection: x, UPGRADE", b"upgrade: x"),
        ],
        ids=["h2c", "websocket", "unknown"],
    )
    def test_the_body_after_an_offer_is_the_requests(
        self, site: Site, offer: Sequence[bytes]
    ) -> None:
        received = _exchange(
            site.url, _order(site, b"offered", *offer), _order(site, b"next", b"connection: close")
        )

        assert _statuses(received) == [200, 200]
        assert sorted(_orders(site)) == ["next", "offered"]

    def test_a_request_in_the_body_after_an_offer_is_not_carried_out(self, site: Site) -> None:
        hidden = _order(site, b"smuggled")
        received = _exchange(
            site.url,
            _head("POST /api/v1/orders", site, b"content-length: %d" % len(hidden), *OFFER),
            hidden,
            _head("GET /api/v1/orders", site, b"connection: close"),
        )

        assert _statuses(received) == [400, 200]
        assert _orders(site) == []

    def test_an_offer_without_a_body_is_answered(self, site: Site) -> None:
        end = _head("GET /api/v1/orders", site, b"connection: close")

        assert (
            _statuses(_exchange(site.url, _head("GET /api/v1/orders", site, *OFFER) * 3 + end))
            == [200] * 4
        )

    def test_a_chunked_body_after_an_offer_is_the_requests(self, site: Site) -> None:
        body = BODY + b"chunked"
        received = _exchange(
            site.url,
            _head("POST /api/v1/orders", site, FORM, b"transfer-encoding: chunked", *OFFER),
            b"%x\r\n%s\r\n" % (len(body), body),
            b"0\r\n\r\n" + _head("GET /api/v1/orders", site, b"connection: close"),
        )

        assert _statuses(received) == [200, 200]
        assert _orders(site) == ["chunked"]

    @given(cuts=st.lists(st.integers(0, 330), max_size=5))
    @settings(max_examples=40, deadline=None)
    def test_it_does_not_matter_in_what_pieces_it_arrives(
        self, server: Server, cuts: list[int]
    ) -> None:
        site = server.site()
        whole = _order(site, b"cut", *OFFER) + _head(
            "GET /api/v1/orders", site, b"connection: close"
        )
        bounds = [0, *sorted(cuts), len(whole)]
        pieces = [whole[start:end] for start, end in pairwise(bounds)]

        received = _exchange(site.url, *pieces)

        assert _statuses(received) == [200, 200]
        assert received.endswith(b"]}")
        assert b'"id":"cut"' in received.rpartition(b"HTTP/1.1 ")[2]


class TestTrailers:
    def test_a_key_in_a_trailer_is_no_key(self, site: Site) -> None:
        received = _exchange(
            site.url,
            b"POST /api/v1/orders HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
            b"connection: close\r\n\r\n",
            b"0\r\n" + KEY + b"\r\n\r\n",
        )

        assert _statuses(received) == [401]

    def test_a_trailer_is_no_header(self, site: Site, mock: httpx2.Client) -> None:
        body = BODY + b"trailed"
        received = _exchange(
            site.url,
            _head("POST /api/v1/orders", site, FORM, b"transfer-encoding: chunked"),
            b"%x\r\n%s\r\n0\r\nchargebee-event-webhook: all-disabled\r\n\r\n" % (len(body), body),
            _head("GET /api/v1/orders", site, b"connection: close"),
        )

        assert _statuses(received) == [200, 200]
        made = mock.get("/requests", params={"method": "POST"}).json()["list"][0]["request"]
        assert "chargebee-event-webhook" not in dict(made["headers"])


class TestBounds:
    @pytest.mark.parametrize(
        "head",
        [
            b"GET /api/v1/orders HTTP/1.1\r\nx-long: %s\r\n\r\n" % (b"a" * protocol.MAX_HEAD),
            b"GET /api/v1/%s HTTP/1.1\r\n\r\n" % (b"a" * protocol.MAX_HEAD),
            b"GET /_mock/health HTTP/1.1\r\n%s\r\n" % (b"x-short: a\r\n" * 7000),
            b"GET /api/v1/orders HTTP/1.1\r\n%s\r\n" % (b"x: %s\r\n" % (b"a" * 2000) * 40),
        ],
        ids=["one header", "the path", "many headers", "headers together"],
    )
    def test_a_head_that_is_too_long_is_refused(self, server: Server, head: bytes) -> None:
        assert _refusal(_exchange(server.url, head))["http_status_code"] == 431

    @pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nx: ", b"GET / HTTP/1.1\r\nx"])
    def test_a_head_without_an_end_is_refused_when_it_is_too_long(
        self, server: Server, start: bytes
    ) -> None:
        refused = _exchange(server.url, start + b"a" * (protocol.MAX_HEAD + 1))

        assert _refusal(refused)["http_status_code"] == 431

    def test_a_head_within_the_limit_is_read(self, site: Site) -> None:
        head = _head("GET /api/v1/orders", site, b"x: " + b"a" * 65_000, b"connection: close")

        assert _statuses(_exchange(site.url, head)) == [200]

    def test_the_number_of_headers_has_a_limit(self, site: Site) -> None:
        def answered(headers: int) -> list[int]:
            fillers = [b"x: a"] * (headers - 3)  # the others are host, key and connection
            head = _head("GET /api/v1/orders", site, b"connection: close", *fillers)
            return _statuses(_exchange(site.url, head))

        assert answered(protocol.MAX_HEADERS) == [200]
        assert answered(protocol.MAX_HEADERS + 1) == [431]

    def test_trailers_have_a_limit(self, site: Site) -> None:
        head = _head("POST /api/v1/orders", site, b"transfer-encoding: chunked")
        trailer = b"x: " + b"a" * 8 * protocol.MAX_HEAD

        assert _statuses(_exchange(site.url, head + b"0\r\n", trailer)) == [431]

    def test_requests_that_wait_for_answers_have_a_limit(self, site: Site) -> None:
        head = _head("GET /api/v1/orders", site)
        many = head * 100_000  # all that fits on its way, and more

        with _connection(site.url) as connection:
            with suppress(ConnectionError):
                connection.sendall(many)
            answered = _statuses(_until_end(connection))

        assert set(answered) == {200}
        assert protocol.MAX_PIPELINED <= len(answered) < 1000

    def test_a_body_is_not_taken_for_a_head(self, site: Site) -> None:
        request = _order(site, b"long", b"connection: close") + b"&po_number=" + b"a" * 200_000
        length = len(request.partition(b"\r\n\r\n")[2])
        request = request.replace(
            b"content-length: %d" % len(BODY + b"long"), b"content-length: %d" % length
        )

        received = _exchange(site.url, request)

        assert _statuses(received) == [200]


class TestMalformed:
    @pytest.mark.parametrize(
        "request_",
        [
            b"nonsense\r\n\r\n",
            b"GET /api/v1/orders HTTP/1.1\r\nno colon\r\n\r\n",
            b"GET /api/v1/orders HTTP/9.9\r\n\r\n",
            b"BREW /api/v1/orders HTTP/1.1\r\n\r\n",
            b"GET /api/v1/\xc3\xa9 HTTP/1.1\r\n\r\n",
            b"CONNECT example.com:443 HTTP/1.1\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"POST /api/v1/orders HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na",
            b"POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\na",
            b"POST /api/v1/orders HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\na",
            b"POST /api/v1/orders HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nfish\r\n",
            b"POST /api/v1/orders HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
            b"POST /api/v1/orders HTTP/1.1\r\ncontent-length: %s\r\n\r\n" % (b"9" * 5000),
        ],
    )
    def test_what_is_not_http_is_refused_as_chargebee_refuses(
        self, server: Server, request_: bytes
    ) -> None:
        error = _refusal(_exchange(server.url, request_))

        assert error["http_status_code"] == 400
        assert error["api_error_code"] == "invalid_request"

    def test_what_follows_an_answer_does_not_spoil_it(self, site: Site) -> None:
        received = _exchange(site.url, _order(site, b"good") + b"nonsense\r\n\r\n")

        assert _statuses(received) == [200]
        assert _orders(site) == ["good"]

    @given(st.binary(max_size=300))
    @settings(max_examples=50, deadline=None)
    def test_whatever_comes_the_server_answers_others(self, server: Server, sent: bytes) -> None:
        with _connection(server.url) as connection:
            connection.sendall(sent)
        with server.site().api() as api:
            assert api.get("/orders").status_code == 200


class TestTimeouts:
    def test_an_idle_connection_outlives_the_pools_of_clients(self) -> None:
        assert protocol.KEEP_ALIVE > 90

    def test_an_idle_connection_lives_for_longer_than_5_seconds(self, site: Site) -> None:
        with _connection(site.url) as connection:
            connection.sendall(_head("GET /api/v1/orders", site))
            time.sleep(5.5)
            connection.sendall(_head("GET /api/v1/orders", site, b"connection: close"))

            assert _statuses(_until_end(connection)) == [200, 200]

    @pytest.mark.parametrize(
        "sent", [b"", b"\r\n", b"GET /_mock/health HTTP/1.1\r\nhost: x\r\n\r\n"]
    )
    def test_an_idle_connection_ends_at_last(self, impatient: Server, sent: bytes) -> None:
        with _connection(impatient.url) as connection:
            connection.sendall(sent)

            assert _statuses(_until_end(connection)) in ([], [200])

    def test_a_head_that_trickles_is_refused(self, impatient: Server) -> None:
        with _connection(impatient.url) as connection:
            for byte in b"GET /api/v1/":
                connection.sendall(bytes([byte]))
                time.sleep(0.05)

            assert _refusal(_until_end(connection))["http_status_code"] == 408

    def test_a_body_that_does_not_come_is_refused(self, impatient: Server) -> None:
        site = impatient.site()
        with _connection(impatient.url) as connection:
            connection.sendall(_order(site, b"slow")[:-1])

            assert _refusal(_until_end(connection))["http_status_code"] == 408
        assert _orders(site) == []

    def test_a_body_that_comes_slowly_is_read(self, impatient: Server) -> None:
        site = impatient.site()
        request = _order(site, b"slow", b"connection: close")
        with _connection(impatient.url) as connection:
            connection.sendall(request[:-4])
            for byte in request[-4:]:
                time.sleep(0.2)
                connection.sendall(bytes([byte]))

            assert _statuses(_until_end(connection)) == [200]

    def test_a_body_that_trickles_for_ever_is_refused(self, impatient: Server) -> None:
        head = _head("POST /api/v1/orders", impatient.site(), FORM, b"content-length: 1000")
        with _connection(impatient.url) as connection:
            connection.sendall(head)
            connection.settimeout(0.2)
            answer = b""
            for _ in range(20):
                connection.sendall(b"x")
                with suppress(TimeoutError):
                    answer = connection.recv(65_536)
                    break

            assert _refusal(answer)["http_status_code"] == 408

    def test_a_request_that_waits_for_its_answer_is_not_idle(self, impatient: Server) -> None:
        site = impatient.site()
        with site.mock() as mock, site.api() as api:
            mock.post("/faults", json={"delay": 0.9}).raise_for_status()

            assert api.get("/orders").status_code == 200

    def test_a_client_that_does_not_read_its_answers_is_cut(self, impatient: Server) -> None:
        head = _head("GET /_mock/docs/assets/swagger-ui-bundle.js", impatient.site())
        with _connection(impatient.url) as connection:
            connection.sendall(head * 20)
            time.sleep(1.5)

            assert len(_statuses(_until_end(connection))) < 20
        assert httpx2.get(f"{impatient.url}/_mock/health").status_code == 200
