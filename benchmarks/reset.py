"""`make bench-reset`: resetting a site of 10,000 orders, with other sites empty and full, in turns.

Each order has its event, webhook, e-mail and journal entry. Read the ratio: it should stay near 1.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import uvloop

from benchmarks.load import press

ORDERS = 10_000
OTHERS = 10
_PURGED_WITHIN = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (default 5)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone, crowded = folder / "alone.sqlite", folder / "crowded.sqlite"
        orders, rows = _fill(alone)
        shutil.copy(alone, crowded)
        _crowd(crowded)
        times: dict[Path, list[float]] = {alone: [], crowded: []}
        purges: list[float] = []
        for _ in range(asked.rounds):
            for file, measured in times.items():
                taken, purged = _measure(file, folder / "turn.sqlite")
                measured.append(taken)
                purges.append(purged)
    print(f"POST /_mock/reset of a site with {orders} orders, {rows} rows; {asked.rounds} turns\n")
    for title, values in (
        ("other sites empty", times[alone]),
        (f"{OTHERS} other such sites", times[crowded]),
    ):
        print(
            f"{title:24}{statistics.median(values) * 1e3:8.1f} ms, at most {max(values) * 1e3:.1f}"
        )
    ratios = [full / empty for full, empty in zip(times[crowded], times[alone], strict=True)]
    print(f"\ncrowded / alone: {statistics.median(ratios):.2f}")
    print(f"rows gone from the file after {statistics.median(purges):.1f} s")


def _fill(database: Path) -> tuple[int, int]:
    """Make the orders over HTTP; how many orders and rows there are then."""
    with _serving(database) as url:
        port = int(url.rpartition(":")[2])
        made = 0
        while made < ORDERS:
            made += len(uvloop.run(press(port, 16, 1.0)).latencies)
    with closing(sqlite3.connect(database)) as connection:
        counts = {table: _count(connection, table) for table in _tables(connection)}
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return counts["orders"], sum(counts.values())


def _crowd(database: Path) -> None:
    """Give the file other sites that hold as much."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for number in range(OTHERS):
            name = f"other-{number}-test"
            connection.execute(
                "INSERT INTO sites (name, created_at, last_invoice_number, data_key, api_key) "
                "VALUES (?, 0, 0, ?, ?)",
                (name, name, f"test_{name}"),
            )
            for table, columns in _tables(connection).items():
                copied = ", ".join(f'"{one}"' for one in columns if one not in ("seq", "site"))
                connection.execute(
                    f"INSERT INTO {table} (site, {copied}) "
                    f"SELECT ?, {copied} FROM {table} WHERE site = 'demo-test'",
                    (name,),
                )


def _measure(database: Path, turn: Path) -> tuple[float, float]:
    """Seconds of a reset, and until the rows that it left behind are gone."""
    shutil.copy(database, turn)
    with _serving(turn) as url, httpx2.Client(base_url=url, timeout=60) as client:
        client.post("/_mock/reset", params={"site": "warm-test"}).raise_for_status()
        started = time.perf_counter()
        client.post("/_mock/reset").raise_for_status()
        taken = time.perf_counter() - started
        return taken, _await_purge(turn, started)


def _await_purge(database: Path, started: float) -> float:
    with closing(sqlite3.connect(database)) as connection:
        while time.perf_counter() < started + _PURGED_WITHIN:
            if not _count(connection, "discarded"):
                return time.perf_counter() - started
            time.sleep(0.02)
    raise RuntimeError(f"rows were left after {_PURGED_WITHIN} seconds")


@contextmanager
def _serving(database: Path) -> Iterator[str]:
    """A server with that database; its URL."""
    for suffix in ("-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    options = ["--port", "0", "--database", str(database), "--journal-limit", "1000000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_server", "serve", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        yield ready.rpartition(" ")[2].strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The tables that hold rows of sites, with their columns."""
    found = connection.execute(
        "SELECT t.name, c.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c "
        "WHERE t.type = 'table' ORDER BY t.name, c.cid"
    )
    tables: dict[str, list[str]] = {}
    for table, column in found:
        tables.setdefault(table, []).append(column)
    return {table: columns for table, columns in tables.items() if "site" in columns}


def _count(connection: sqlite3.Connection, table: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)


if __name__ == "__main__":
    main()
