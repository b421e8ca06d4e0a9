"""Journalled requests as an HTTP Archive (HAR 1.2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http.client import responses
from io import StringIO
from typing import Final
from urllib.parse import parse_qsl

import harfile

from mock_server import __version__
from mock_server.sandbox.requests import headers_of
from mock_server.store.rows import Row, read_json

_VERSION: Final = "HTTP/1.1"


async def archive(rows: AsyncIterator[Row], scheme: str) -> AsyncIterator[str]:
    """The archive's text, a request at a time; `scheme` is that of their URLs."""
    written = StringIO()
    creator = harfile.Creator(name="chargebee-mock", version=__version__)
    har = harfile.HarFile(written, creator=creator)
    async for row in rows:
        _add_entry(har, row, scheme)
        yield _taken(written)
    har.close()
    yield _taken(written)


def _add_entry(har: harfile.HarFile, row: Row, scheme: str) -> None:
    headers = headers_of(row)
    query = f"?{row['query']}" if row["query"] else ""
    body = None
    if row["body"]:
        body = harfile.PostData(mimeType=headers.get("content-type", ""), text=row["body"])
    milliseconds = row["duration_us"] / 1000
    har.add_entry(
        startedDateTime=datetime.fromtimestamp(row["started_at"] or row["created_at"], UTC),
        time=milliseconds,
        request=harfile.Request(
            method=row["method"],
            url=f"{scheme}://{headers.get('host', 'localhost')}{row['path']}{query}",
            httpVersion=_VERSION,
            headers=_records(row["headers"]),
            queryString=[
                harfile.Record(name, value)
                for name, value in parse_qsl(row["query"], keep_blank_values=True)
            ],
            postData=body,
            bodySize=len(row["body"].encode()),
        ),
        response=harfile.Response(
            status=row["status"],
            statusText=responses.get(row["status"], ""),
            httpVersion=_VERSION,
            headers=_records(row["answer_headers"] or "[]"),
            content=_content_of(row),
            bodySize=len(row["answer"].encode()),
        ),
        timings=harfile.Timings(send=0, wait=milliseconds, receive=0),
        comment=row["id"],
    )


def _content_of(row: Row) -> harfile.Content:
    headers = dict(read_json(row["answer_headers"] or "[]", list))
    return harfile.Content(
        size=len(row["answer"].encode()),
        mimeType=headers.get("content-type", ""),
        text=row["answer"],
    )


def _records(headers: str) -> list[harfile.Record]:
    return [harfile.Record(name, value) for name, value in read_json(headers, list)]


def _taken(written: StringIO) -> str:
    """What was written since the last time."""
    text = written.getvalue()
    written.seek(0)
    written.truncate()
    return text
