"""The journal: every request under /api/ and its answer, kept for whoever wonders.

Entries are buffered and written in batches, so that they cost an answer next to nothing; a crash
loses at most the last FLUSH_AFTER seconds of them. Credentials are not kept.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.store.database import Database
from mock_server.store.rows import Row, Rows
from mock_server.wire.auth import Site, default_site, site_of_host
from mock_server.wire.call import Trace, begin_trace
from mock_server.wire.errors import ApiError
from mock_server.wire.ids import new_id

FLUSH_AFTER: Final = 0.25
"""Seconds that an entry may wait to be written."""
BATCH: Final = 64
MAX_KEPT_BODY: Final = 64 * 1024
"""Bytes that are kept of a body."""

_MASKED: Final = frozenset({b"authorization", b"cookie", b"proxy-authorization"})

_log = logging.getLogger("chargebee_mock")
_requests = logging.getLogger("chargebee_mock.requests")


@dataclass(slots=True)
class Entry:
    """One request, as it was seen on the wire."""

    scope: Scope
    trace: Trace
    at: int
    started: float
    body: bytes = b""
    status: int = 0
    answer: bytes = b""
    duration: float = 0.0


class Journal:
    """An ASGI layer that writes down what passes through it; it keeps the latest `limit`."""

    def __init__(self, app: ASGIApp, database: Database, *, limit: int) -> None:
        self._app = app
        self._database = database
        self._limit = limit
        self._waiting: list[Entry] = []
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._flushing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        site = Site(site_of_host(_header(scope, b"host")) or default_site())
        trace = Trace(request_id=new_id(site, "req_"), site=site.name)
        begin_trace(scope, trace)
        entry = Entry(scope, trace, at=int(time.time()), started=time.perf_counter())

        async def heard() -> Message:
            message = await receive()
            if len(entry.body) < MAX_KEPT_BODY:
                entry.body += message.get("body", b"")
            return message

        async def said(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                message["headers"].append((b"x-mock-request-id", trace.request_id.encode()))
                if trace.ignored:
                    names = ", ".join(quote(name, safe="[]") for name in trace.ignored)
                    message["headers"].append((b"x-mock-ignored-params", names[:1000].encode()))
            else:
                entry.answer += message["body"]
            await send(message)

        await self._app(scope, heard, said)
        entry.duration = time.perf_counter() - entry.started
        self._log(entry)
        if self._limit:
            self._waiting.append(entry)
            if len(self._waiting) == BATCH:
                self._flush_soon()
            elif self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER, self._flush_soon)

    async def flush(self) -> None:
        """Write what waits. Entries that the database does not take are dropped, and said so."""
        async with self._flushing:
            waiting, self._waiting = self._waiting, []
            if not waiting:
                return
            try:
                await self._database.write(lambda rows: self._keep(rows, waiting))
            except ApiError as error:
                _log.warning("the journal lost %d requests: %s", len(waiting), error)

    def _flush_soon(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._task = asyncio.ensure_future(self.flush())

    def _keep(self, rows: Rows, entries: list[Entry]) -> None:
        rows.insert_all("requests", [_row(entry) for entry in entries])
        rows.execute(
            "DELETE FROM requests WHERE seq <= (SELECT max(seq) FROM requests) - :limit",
            {"limit": self._limit},
        )

    def _log(self, entry: Entry) -> None:
        if _requests.isEnabledFor(logging.INFO):
            _requests.info(
                "%s %s %d %.1f ms%s",
                entry.scope["method"],
                entry.scope["raw_path"].decode("latin-1"),
                entry.status,
                entry.duration * 1000,
                "".join(f"; {remark}" for remark in _remarks(entry.trace)),
                extra={"status": entry.status},
            )


def _row(entry: Entry) -> Row:
    scope, trace = entry.scope, entry.trace
    headers = [
        [name.decode("latin-1"), "…" if name in _MASKED else value.decode("latin-1")]
        for name, value in scope["headers"]
    ]
    return {
        "site": trace.site,
        "id": trace.request_id,
        "created_at": entry.at,
        "method": scope["method"],
        "path": scope["raw_path"].decode("latin-1"),
        "query": scope["query_string"].decode("latin-1"),
        "headers": json.dumps(headers, ensure_ascii=False),
        "body": _readable(entry.body),
        "operation": trace.operation,
        "key_name": trace.key_name,
        "status": entry.status,
        "answer": _readable(entry.answer),
        "duration_us": int(entry.duration * 1_000_000),
        "remarks": json.dumps(_remarks(trace), ensure_ascii=False),
    }


def _remarks(trace: Trace) -> list[str]:
    return [*(f"parameter {name} is not used; ignored" for name in trace.ignored), *trace.remarks]


def _readable(body: bytes) -> str:
    return body[:MAX_KEPT_BODY].decode("utf-8", "replace")


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")
