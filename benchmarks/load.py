"""A load of one request over and over, on kept connections: as little client as can be.

General HTTP clients cost more than the servers that are measured here.
"""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import dataclass
from typing import cast

_BODY = b"invoice_id=__demo_inv__1&status=new"
REQUEST = b"\r\n".join(
    [
        b"POST /api/v1/orders HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Authorization: Basic " + base64.b64encode(b"test_bench:"),
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Length: " + str(len(_BODY)).encode(),
        b"",
        _BODY,
    ]
)
"""`POST /api/v1/orders` of a two-field form."""


@dataclass(frozen=True)
class Measured:
    """Latencies in seconds, sorted, and how long it took in all."""

    latencies: list[float]
    seconds: float

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer before is complete, until the end."""

    def __init__(self, until: float) -> None:
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._until = until
        self._received = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank:
            return
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if len(body) < int(length):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.done.set_exception(RuntimeError(self._received.decode()))
            return
        now = time.perf_counter()
        self.latencies.append(now - self._sent)
        self._received = b""
        if now < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(REQUEST)


async def press(port: int, connections: int, seconds: float) -> Measured:
    """Load the server on that port; RuntimeError at the first answer that is no 200."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    opened = [
        await loop.create_connection(lambda: _Connection(started + seconds), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for _, connection in opened))
    latencies = sorted(latency for _, one in opened for latency in one.latencies)
    return Measured(latencies, time.perf_counter() - started)
