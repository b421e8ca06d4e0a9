"""`make bench`: creating orders, our server beside its floors, in turns in one run.

Read the ratios: the machine's speed changes from minute to minute, the order of things does not.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from benchmarks.load import REQUEST, Measured, press

_WARM_UP = 2.0
"""Seconds of load before anything is measured; the server imports some things after its start."""


@dataclass
class Contender:
    """One server: the command that starts it, and what was measured of it, round by round."""

    name: str
    command: list[str]
    spawn: list[float] = field(default_factory=list)
    loaded: list[Measured] = field(default_factory=list)
    alone: list[Measured] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def measure(self, seconds: float) -> None:
        """Start it anew with an empty database, load it, stop it."""
        with tempfile.TemporaryDirectory() as folder:
            port = _free_port()
            given = {"PORT": str(port), "DATABASE": str(Path(folder) / "bench.sqlite")}
            command = [part.format(**given) for part in self.command]
            started = time.perf_counter()
            process = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.DEVNULL)
            try:
                _await_answer(port)
                self.spawn.append(time.perf_counter() - started)
                uvloop.run(press(port, 16, _WARM_UP))
                before = _cpu_seconds(process.pid)
                loaded = uvloop.run(press(port, 16, seconds))
                self.cpu.append((_cpu_seconds(process.pid) - before) / len(loaded.latencies))
                self.loaded.append(loaded)
                self.alone.append(uvloop.run(press(port, 1, seconds / 2)))
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=30)


def chargebee_mock(name: str, *options: str) -> Contender:
    """Our server, with these options."""
    serve = ["mock_server", "serve", "--port", "{PORT}", "--database", "{DATABASE}"]
    return Contender(name, [*serve, *options])


CONTENDERS = [
    Contender("FastAPI route by hand", ["benchmarks.floors", "bare", "{PORT}", "{DATABASE}"]),
    Contender("… + three raw INSERTs", ["benchmarks.floors", "inserts", "{PORT}", "{DATABASE}"]),
    chargebee_mock("chargebee-mock"),
]


def compare(contenders: list[Contender], what: str) -> None:
    """Measure the contenders in turns, as the command line asks, and print the table."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each server (default 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of load a turn (default 3)")
    asked = parser.parse_args()
    for _ in range(asked.rounds):
        for contender in contenders:
            contender.measure(asked.seconds)
    _report(contenders, asked.rounds)


def _report(contenders: list[Contender], rounds: int) -> None:
    print(f"POST /api/v1/orders, medians of {rounds} turns; loaded: 16 connections, alone: 1\n")
    print(
        f"{'':24}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'alone p50':>11}"
        f"{'CPU µs/req':>12}{'spawn s':>9}"
    )
    for one in contenders:
        print(
            f"{one.name:24}"
            f"{statistics.median(m.per_second for m in one.loaded):8.0f}"
            f"{statistics.median(m.percentile(0.50) for m in one.loaded) * 1e3:9.2f}"
            f"{statistics.median(m.percentile(0.99) for m in one.loaded) * 1e3:9.2f}"
            f"{statistics.median(m.percentile(0.50) for m in one.alone) * 1e3:11.2f}"
            f"{statistics.median(one.cpu) * 1e6:12.0f}"
            f"{statistics.median(one.spawn):9.2f}"
        )
    *floors, ours = contenders
    print()
    for floor in floors:
        speed = statistics.median(
            mine.per_second / theirs.per_second
            for mine, theirs in zip(ours.loaded, floor.loaded, strict=True)
        )
        cpu = statistics.median(a / b for a, b in zip(ours.cpu, floor.cpu, strict=True))
        alone = statistics.median(
            mine.percentile(0.50) / theirs.percentile(0.50)
            for mine, theirs in zip(ours.alone, floor.alone, strict=True)
        )
        print(
            f"{ours.name} / {floor.name}: {speed:.2f} of the requests/s, "
            f"{alone:.2f} of the median alone, {cpu:.2f} of the CPU"
        )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _await_answer(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(REQUEST)
            if connection.recv(64).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.005)
    raise RuntimeError("the server did not answer within 30 seconds")


def _cpu_seconds(pid: int) -> float:
    """User and system time that a process has used; from /proc, so on Linux only."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    compare(CONTENDERS, __doc__)
