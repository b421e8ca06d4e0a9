"""Journalled requests as curl commands that repeat them."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator
from typing import Final

from mock_server.sandbox.requests import headers_of, is_whole
from mock_server.store.rows import Row

_PROLOGUE: Final = """#!/bin/sh
# Repeats these calls, in their order. Each is answered on a line of its own.
: "${CHARGEBEE_API_KEY:?must hold the API key}"
"""
_KEY: Final = '"$CHARGEBEE_API_KEY:"'
_NOT_REPEATED: Final = frozenset(
    {
        *("authorization", "cookie", "proxy-authorization"),  # masked; curl is given the API key
        *("accept-encoding", "connection", "content-length", "expect", "transfer-encoding"),
        *("host", "user-agent"),
    }
)


async def script(rows: AsyncIterator[Row], address: str) -> AsyncIterator[bytes]:
    """A POSIX shell script, a request at a time, that sends them to `address`.

    That is a scheme, a host and, where there is one, the base path.
    """
    yield _PROLOGUE.encode()
    async for row in rows:
        status = row["status"] or "not answered"
        command = _command(row, address) if is_whole(row) else "# its body was not kept whole"
        lines = f"\n# {row['operation'] or 'no operation'}: {status}\n{command}\n"
        yield lines.encode("utf-8", "surrogateescape")


def _command(row: Row, address: str) -> str:
    """The curl command that sends a request again, for a POSIX shell."""
    headers = headers_of(row)
    method, body = row["method"], row["body"]
    path = _as_sent(row["path"]) + (f"?{_as_sent(row['query'])}" if row["query"] else "")
    words = ["curl", "-sS", "-w", "'\\n'"]
    if "authorization" in headers:
        words += ["-u", _KEY]
    if method == "HEAD":
        words += ["--head"]
    elif method != "GET" or body:
        words += ["-X", shlex.quote(method)]
    if address.partition("://")[2].partition("/")[0] != headers.get("host"):
        words += _header("host", headers.get("host", ""))
    for name, value in headers.items():
        if name not in _NOT_REPEATED and (name, value) != ("accept", "*/*"):
            words += _header(name, value)
    if body and method != "HEAD":
        if "content-type" not in headers:
            words += ["-H", "content-type:"]
        words += ["--data-raw", shlex.quote(body)]
    if any(character in path for character in "[]{}"):
        words += ["--globoff"]
    if "/." in path:
        words += ["--path-as-is"]
    return " ".join([*words, shlex.quote(address + path)])


def _header(name: str, value: str) -> list[str]:
    return ["-H", shlex.quote(_as_sent(f"{name}: {value}" if value else f"{name};"))]


def _as_sent(text: str) -> str:
    """The text whose bytes are those of the request, which was kept as Latin-1."""
    return text.encode("latin-1").decode("utf-8", "surrogateescape")
