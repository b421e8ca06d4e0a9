"""The journal: every request but those of /_mock, and its answer, kept for whoever wonders.

Entries are buffered and written in batches, so that they cost an answer next to nothing; a crash
loses at most the last FLUSH_AFTER seconds of them. Credentials are not kept.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from pydantic_core import to_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.log import request_line
from mock_server.store import requests
from mock_server.store.database import Database
from mock_server.store.requests import Bounds
from mock_server.store.rows import Row, Rows
from mock_server.wire import headers
from mock_server.wire.auth import Directory, default_site
from mock_server.wire.call import Trace, begin_trace
from mock_server.wire.errors import ApiError
from mock_server.wire.ids import new_id

FLUSH_AFTER: Final = 0.25
"""Seconds that an entry may wait to be written."""
BATCH: Final = 64
MAX_KEPT_BODY: Final = 64 * 1024
"""Bytes that are kept of a body."""

_LONGEST_HEADER: Final = 1000
"""Characters of an answer's header that tells of its request."""

_WRITTEN_WITHIN: Final = 0.1
"""Seconds that another process may take to write what it holds, once its time has come."""

_log = logging.getLogger("chargebee_mock")
_requests = logging.getLogger("chargebee_mock.requests")


@dataclass(slots=True)
class Entry:
    """One request, as it was seen on the wire; of the bodies, the first MAX_KEPT_BODY bytes."""

    scope: Scope
    trace: Trace
    at: float
    started: float
    body: bytes = b""
    status: int = 0
    answer: bytes = b""
    answer_headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    duration: float = 0.0


class Journal:
    """An ASGI layer that writes down what passes through it; it keeps the latest within `bounds`.

    `shared` says that other processes journal into the same database.
    """

    def __init__(
        self,
        app: ASGIApp,
        database: Database,
        directory: Directory,
        *,
        bounds: Bounds,
        shared: bool,
    ) -> None:
        self._app = app
        self._database = database
        self._directory = directory
        self._bounds = bounds
        self._shared = shared
        self._waiting: list[Entry] = []
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._flushing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        at = time.time()
        site = self._directory.named_by(_header(scope, b"host")) or default_site()
        trace = Trace(request_id=new_id(at, "req_"), site=site)
        begin_trace(scope, trace)
        entry = Entry(scope, trace, at=at, started=time.perf_counter())

        async def heard() -> Message:
            message = await receive()
            entry.body += message.get("body", b"")[: MAX_KEPT_BODY - len(entry.body)]
            return message

        async def said(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                entry.answer_headers = message["headers"]
                message["headers"].extend(_headers_about(trace))
            else:
                entry.answer += message["body"][: MAX_KEPT_BODY - len(entry.answer)]
            await send(message)

        await self._app(scope, heard, said)
        entry.duration = time.perf_counter() - entry.started
        self._log(entry)
        if self.keeps:
            self._waiting.append(entry)
            if len(self._waiting) == BATCH:
                self._flush_soon()
            elif self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER, self._flush_soon)

    @property
    def keeps(self) -> bool:
        """Whether anything is kept at all."""
        return self._bounds.requests > 0

    async def settle(self) -> None:
        """Return once every request that was answered so far can be read from the database.

        What other processes hold cannot be seen, only waited for.
        """
        if self._shared:
            await asyncio.sleep(FLUSH_AFTER + _WRITTEN_WITHIN)
        await self.flush()

    async def flush(self) -> None:
        """Write what waits. Entries that the database does not take are dropped, and said so."""
        async with self._flushing:
            waiting, self._waiting = self._waiting, []
            if not waiting:
                return
            try:
                more = await self._database.write(lambda rows: self._keep(rows, waiting))
                while more:
                    await asyncio.sleep(0)
                    more = await self._database.write(self._drop_some)
            except ApiError as error:
                _log.warning("the journal lost %d requests: %s", len(waiting), error)

    def _flush_soon(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._task = asyncio.ensure_future(self.flush())

    def _keep(self, rows: Rows, entries: list[Entry]) -> bool:
        requests.keep(rows, [_row(entry) for entry in entries])
        return self._drop_some(rows)

    def _drop_some(self, rows: Rows) -> bool:
        return requests.drop_some(rows, self._bounds)

    def _log(self, entry: Entry) -> None:
        if _requests.isEnabledFor(logging.INFO):
            line = request_line(
                entry.scope["method"],
                entry.scope["raw_path"].decode("latin-1"),
                entry.status,
                _microseconds(entry),
                _remarks(entry.trace),
            )
            _requests.info("%s", line, extra={"status": entry.status})


def _row(entry: Entry) -> Row:
    scope, trace = entry.scope, entry.trace
    return {
        "site": trace.site,
        "id": trace.request_id,
        "created_at": int(entry.at),
        "method": scope["method"],
        "path": scope["raw_path"].decode("latin-1"),
        "query": scope["query_string"].decode("latin-1"),
        "headers": _json(headers.shown(scope["headers"])),
        "body": _readable(entry.body),
        "operation": trace.operation,
        "key_name": trace.key_name,
        "status": entry.status,
        "answer": _readable(entry.answer),
        "duration_us": _microseconds(entry),
        "remarks": _json(_remarks(trace)),
        "started_at": entry.at,
        "ignored_params": _json(trace.ignored),
        "answer_headers": _json(headers.shown(entry.answer_headers)),
    }


def _headers_about(trace: Trace) -> list[tuple[bytes, bytes]]:
    """What the answer tells of its request, in headers of ours."""
    told = [(b"x-mock-request-id", trace.request_id.encode())]
    if trace.ignored:
        names = ", ".join(quote(name, safe="[]") for name in trace.ignored)
        told.append((b"x-mock-ignored-params", names[:_LONGEST_HEADER].encode()))
    if trace.remarks:
        # Remarks may quote what the client sent: what no header may hold is escaped, as `\\x0a`.
        remarks = "; ".join(trace.remarks).encode("unicode_escape")
        told.append((b"x-mock-remark", remarks[:_LONGEST_HEADER].strip()))
    return told


def _microseconds(entry: Entry) -> int:
    return int(entry.duration * 1_000_000)


def _remarks(trace: Trace) -> list[str]:
    return [*(f"parameter {name} is not used; ignored" for name in trace.ignored), *trace.remarks]


def _json(value: object) -> str:
    return to_json(value).decode()


def _readable(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value.strip(b" \t") for key, value in scope["headers"] if key == name), b"")
