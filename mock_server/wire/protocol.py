"""HTTP/1.1 as the server reads it: uvicorn's protocol, with bounds, and with Chargebee's refusals.

Decided here is what no application sees: heads that are too long, requests that cannot be parsed or
never arrive, trailers, and offers to speak another protocol.
"""

from __future__ import annotations

import asyncio
import logging
from enum import Enum, auto
from http import HTTPStatus
from typing import Final, NoReturn

import httptools
from pydantic_core import to_json
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mock_server.wire import connection, errors
from mock_server.wire.answer import Headers, answer_headers
from mock_server.wire.errors import ApiError

MAX_HEAD: Final = 64 * 1024
"""Bytes that a request's line and its headers may have together, and trailers as well."""
MAX_HEADERS: Final = 256
MAX_PIPELINED: Final = 100
"""Requests that may wait for the answer of the one before them."""

KEEP_ALIVE: Final = 120
"""Seconds that an idle connection lives.

Pools keep theirs for 60 (.NET, Envoy) or 90 (Go). So it is the client who closes first, and no
request meets a server that is just hanging up.
"""

_HEAD_WITHIN: Final = 30.0
"""Seconds from the first byte of a head to its last."""
_PAUSE: Final = 60.0
"""Seconds in which a body must go on to arrive, or an answer to be read."""
_BODY_WITHIN: Final = 600.0
"""Seconds from a request's head to the last byte of its body, which may not trickle for ever."""
_LINGER: Final = 2.0
"""Seconds in which a client that was refused may read why, before the connection ends."""

_log = logging.getLogger("chargebee_mock")


class _Reading(Enum):
    """The part of a request that is to come."""

    NOTHING = auto()
    HEAD = auto()
    BODY = auto()


class Protocol(HttpToolsProtocol):
    """One connection of a client, which its requests may break (`wire/connection`)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = connection.lend(self.app_state, transport)
        self._reading = _Reading.NOTHING
        self._ahead = 0
        """Bytes that were read of what is not complete yet."""
        self._refusal: ApiError | None = None
        self._refused = False
        self._unanswered: list[RequestResponseCycle] = []
        self._deadline: asyncio.TimerHandle | None = None
        self._body_until = 0.0
        self._unread: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unset_keepalive_if_required()
        self._withdraw_deadline()
        self._withdraw_unread()
        self._abandon_answers()
        super().connection_lost(exc)

    def _abandon_answers(self) -> None:
        """Tell the application that nobody hears it. uvicorn tells its latest request only."""
        for cycle in self._unanswered:
            cycle.disconnected = True
            cycle.message_event.set()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        while data and not self._refused:
            data = self._feed(data)
        if self._refused:
            return
        if self._reading is _Reading.HEAD:
            if self._deadline is None:
                self._give_up_after(_HEAD_WITHIN)
        elif self._reading is _Reading.BODY:
            self._give_up_after(max(0.0, min(_PAUSE, self._body_until - self.loop.time())))
        elif self.cycle is None or self.cycle.response_complete:
            self._await_request()

    def _feed(self, data: bytes) -> bytes:
        """Parse the data, or as much as there is before another protocol; what is to follow."""
        self._ahead += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            return self._without_offer() + data[offer.args[0] :]
        except httptools.HttpParserCallbackError:
            self._refuse(self._refusal or errors.malformed_request("its target is no path"))
        except httptools.HttpParserError as error:
            self._refuse(errors.malformed_request(str(error)))
        else:
            if self._ahead > MAX_HEAD:
                self._refuse(errors.head_too_long(MAX_HEAD))
        return b""

    def _without_offer(self) -> bytes:
        """The head that was just read, to be read again without its offer of another protocol.

        The parser takes all that comes after such a head for the other protocol's, the body too.
        """
        version = self.parser.get_http_version().encode()
        head = [
            b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version),
            *(b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"),
        ]
        self.parser = httptools.HttpRequestParser(self)
        self._ahead = 0
        return b"\r\n".join([*head, b"", b""])

    # What the parser calls. It stops where one of these raises.

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading = _Reading.HEAD

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reading is _Reading.HEAD:  # a trailer is no header
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.headers) > MAX_HEADERS:
            self._stop(errors.too_many_headers(MAX_HEADERS))
        lengths = (len(name) + len(value) + len(": \r\n") for name, value in self.headers)
        if len(self.url) + sum(lengths) > MAX_HEAD:
            self._stop(errors.head_too_long(MAX_HEAD))
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._stop(errors.malformed_request("this is no proxy"))
            return  # it is read again
        if len(self.pipeline) == MAX_PIPELINED:
            self._stop(errors.too_many_requests_ahead(MAX_PIPELINED))
        super().on_headers_complete()
        left = [cycle for cycle in self._unanswered if not cycle.response_complete]
        self._unanswered = [*left, self.cycle]
        self._body_until = self.loop.time() + _BODY_WITHIN
        self._progress(_Reading.BODY)

    def on_body(self, body: bytes) -> None:
        self._ahead = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            self._progress(_Reading.NOTHING)
            super().on_message_complete()

    def _progress(self, reading: _Reading) -> None:
        self._reading = reading
        self._ahead = 0
        self._withdraw_deadline()

    def _stop(self, refusal: ApiError) -> NoReturn:
        self._refusal = refusal
        raise refusal

    def _refuse(self, error: ApiError) -> None:
        """Hang up, with an answer in the application's place unless that is under way."""
        _log.warning("a request was refused: %s", error)
        self._refused = True
        self._withdraw_deadline()
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering and self._reading is not _Reading.BODY:
            self.cycle.keep_alive = False  # this answer is for the request before
        elif self._reading is _Reading.BODY and (
            not answering or self.cycle.response_started or self.pipeline
        ):
            self.transport.close()
        else:
            self._abandon_answers()
            self.transport.write(_message(error, self.server_state.default_headers))
            self._close_when_read()

    def _close_when_read(self) -> None:
        """To close at once would take the answer away from a client that still sends."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._deadline = self.loop.call_later(_LINGER, self.transport.close)
        else:
            self.transport.close()

    # Time-outs.

    def _await_request(self) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _give_up_after(self, seconds: float) -> None:
        self._withdraw_deadline()
        self._deadline = self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if self.flow.read_paused:  # it is the application that has not asked for more
            self._give_up_after(_PAUSE)
        else:
            self._refuse(errors.request_timeout())

    def _withdraw_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._cut_unless_read()

    def resume_writing(self) -> None:
        self._withdraw_unread()
        super().resume_writing()

    def _cut_unless_read(self, before: int | None = None) -> None:
        """End the connection if its client has read nothing while `before` bytes waited for it."""
        waiting = self.transport.get_write_buffer_size()
        if before is not None and waiting >= before:
            self._abandon_answers()
            self.transport.abort()
        else:
            self._unread = self.loop.call_later(_PAUSE, self._cut_unless_read, waiting)

    def _withdraw_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


def _message(error: ApiError, defaults: Headers) -> bytes:
    """The answer to a request that was not understood, as it goes over the wire."""
    body = to_json(error.body())
    headers = [
        *defaults,
        *answer_headers("", error.status, len(body)),
        (b"connection", b"close"),
    ]
    lines = [
        b"HTTP/1.1 %d %s" % (error.status, HTTPStatus(error.status).phrase.encode()),
        *(b"%s: %s" % header for header in headers),
    ]
    return b"\r\n".join([*lines, b"", body])
