"""`make bench-stalls`: how long the heavy calls of /_mock make other requests wait.

A site is filled with orders; each order has its event, webhook, e-mail and journal entry. Then each
call of CALLS is made once, while two probes ask the server again and again: one reads
(`GET /_mock/health`), one writes (an order on another site). What counts is their longest wait: no
call should delay another request by more than LIMIT.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import httpx2
import uvloop

from benchmarks.load import press
from tests.server import Server

LIMIT: Final = 0.1
"""Seconds by which a call may delay another request."""

_PAUSE: Final = 0.002
_ORDER: Final = {"invoice_id": "__demo_inv__1"}

Call: TypeAlias = Callable[[httpx2.Client], httpx2.Response]
"""Makes one call of /_mock about the site that was filled."""


def _rest(mock: httpx2.Client) -> httpx2.Response:
    """What the probes wait by themselves."""
    time.sleep(1)
    return mock.get("/health")


def _fixture(customers: int) -> dict[str, Any]:
    return {
        "customers": [
            {"id": f"c{number}", "created_at": 0, "first_name": "Ada"}
            for number in range(customers)
        ]
    }


CALLS: Final[dict[str, Call]] = {
    "nothing, for a second": _rest,
    "verification": lambda mock: mock.post("/requests/verify", json={"params": {"note": "no"}}),
    "fixture, 1,000 customers": lambda mock: mock.post("/seed", json=_fixture(1000)),
    "fixture, 10,000 customers": lambda mock: mock.post("/seed", json=_fixture(10_000)),
    "fixture of mistakes": lambda mock: mock.post("/seed", json={"customers": [{}] * 200_000}),
    "export": lambda mock: mock.get("/export"),
    "export, YAML": lambda mock: mock.get("/export", params={"format": "yaml"}),
    "snapshot taken": lambda mock: mock.post("/snapshots/kept"),
    "snapshot restored": lambda mock: mock.post("/snapshots/kept/restore"),
    "snapshot written, read again": lambda mock: mock.post(
        "/snapshots",
        content=mock.get("/snapshots/kept/file").content,
        headers={"Content-Type": "application/vnd.sqlite3"},
    ),
    "backup": lambda mock: mock.get("/backup"),
    "journal emptied": lambda mock: mock.delete("/requests"),
    "reset": lambda mock: mock.post("/reset"),
}
"""The calls in the order in which they are made, by the name that is printed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000, help="default 10000")
    parser.add_argument("--memory", action="store_true", help="with --database :memory:")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = ":memory:" if asked.memory else str(Path(folder) / "state.sqlite")
        with Server(database, "--journal-limit", "1000000") as server:
            _fill(server, asked.orders)
            _measure_all(server)


def _fill(server: Server, orders: int) -> None:
    port = int(server.url.rpartition(":")[2])
    made = 0
    while made < orders:
        made += len(uvloop.run(press(port, 16, 0.5)).latencies)
    print(f"{made} orders at {server.database}; the longest wait of others, in ms\n")


def _measure_all(server: Server) -> None:
    print(f"{'call':28}{'takes':>9}{'a read':>9}{'a write':>9}{'memory':>10}")
    with server.site("demo-test").mock() as mock:
        mock.timeout = 600
        for title, call in CALLS.items():
            with _probing(server) as waits:
                started = time.perf_counter()
                answer = call(mock)
                taken = time.perf_counter() - started
                time.sleep(1)  # what the call left to do in the background counts as well
            assert answer.status_code < 500, answer.text
            longest = [max(waited) for waited in waits]
            late = "  too long" if max(longest) > LIMIT else ""
            print(
                f"{title:28}{taken * 1e3:9.0f}{longest[0] * 1e3:9.1f}{longest[1] * 1e3:9.1f}"
                f"{_memory(server):7.0f} MB{late}"
            )


@contextmanager
def _probing(server: Server) -> Iterator[tuple[list[float], list[float]]]:
    """How long each read and each write took, in seconds, while the block runs."""
    waits: tuple[list[float], list[float]] = ([], [])
    over = threading.Event()
    other = server.site("other-test")
    with other.mock() as mock, other.api() as api:
        asks: tuple[Callable[[], httpx2.Response], ...] = (
            lambda: mock.get("/health"),
            lambda: api.post("/orders", data=_ORDER),
        )
        for ask in asks:
            ask().raise_for_status()
        threads = [
            threading.Thread(target=_ask_until, args=[ask, over, waited])
            for ask, waited in zip(asks, waits, strict=True)
        ]
        for thread in threads:
            thread.start()
        try:
            yield waits
        finally:
            over.set()
            for thread in threads:
                thread.join()


def _ask_until(
    ask: Callable[[], httpx2.Response], over: threading.Event, waited: list[float]
) -> None:
    while not over.is_set():
        started = time.perf_counter()
        ask().raise_for_status()
        waited.append(time.perf_counter() - started)
        time.sleep(_PAUSE)


def _memory(server: Server) -> float:
    """The most memory that the server has had so far, in MB."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
