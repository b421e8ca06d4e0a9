"""`make bench-webhooks`: creating an order while five webhook endpoints hang, beside none at all.

Both servers run at once and get every second request, so that what slows the machine slows both.
The client is httpx2 on a kept connection, as a program would use it. The endpoints take the
connection and never answer, so each has a call under way all along.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import tempfile
import time
from pathlib import Path

import httpx2

from tests.server import Server

ENDPOINTS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=3000, help="for each server (default 3000)")
    orders = parser.parse_args().orders
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/hook"
        hanging = [option for _ in range(ENDPOINTS) for option in ("--webhook-url", url)]
        with tempfile.TemporaryDirectory() as folder:
            without, beside = _measure(Path(folder), hanging, orders)
    print(f"POST /api/v1/orders, median of {orders}, in ms")
    print(f"  no endpoint              {without * 1e3:.3f}")
    print(f"  {ENDPOINTS} endpoints that hang    {beside * 1e3:.3f}")
    print(f"  ratio                    {beside / without:.3f}")


def _measure(folder: Path, hanging: list[str], orders: int) -> tuple[float, float]:
    with (
        Server(folder / "without.sqlite") as without,
        Server(folder / "beside.sqlite", *hanging) as beside,
        without.site("demo-test").api() as first,
        beside.site("demo-test").api() as second,
    ):
        for _ in range(200):
            _create(first), _create(second)
        pairs = [(_create(first), _create(second)) for _ in range(orders)]
    times = tuple(zip(*pairs, strict=True))
    return statistics.median(times[0]), statistics.median(times[1])


def _create(api: httpx2.Client) -> float:
    started = time.perf_counter()
    answer = api.post("/orders", data={"invoice_id": "__demo_inv__1"})
    taken = time.perf_counter() - started
    answer.raise_for_status()
    return taken


if __name__ == "__main__":
    main()
