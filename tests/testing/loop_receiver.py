"""A receiver of webhooks on the loop that runs, as an application under test may have one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def loop_receiver(*statuses: int) -> AsyncIterator[tuple[str, list[Any]]]:
    """Its URL, and the events that it got; it answers with the statuses, and then with 200."""
    events: list[Any] = []
    planned = list(statuses)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        events.append(json.loads(await reader.readexactly(length)))
        status = planned.pop(0) if planned else 200
        writer.write(b"HTTP/1.1 %d Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/hook", events
