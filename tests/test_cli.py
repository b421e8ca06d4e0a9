"""`chargebee-mock serve`: starts, says so, stops, and names what is wrong in one line."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.server import Server


def _serve(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mock_server", "serve", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_server_cleanly(database: Path, number: signal.Signals) -> None:
    server = Server(database).start()
    assert httpx2.get(f"{server.url}/_mock/health").json()["status"] == "ok"

    assert server.stop(number) == 0


def test_a_port_in_use_is_named_in_one_line(server: Server, database: Path) -> None:
    port = server.url.rpartition(":")[2]

    refused = _serve("--port", port, "--database", str(database))

    assert refused.returncode == 1
    assert refused.stderr == (
        f"Error: 127.0.0.1:{port} is in use; name another --port, or 0 for any\n"
    )


def test_two_workers_share_the_port_and_the_database(database: Path) -> None:
    with Server(database, "--workers", "2") as server, server.site().api() as api:
        created = [api.post("/orders", data={"invoice_id": "__demo_inv__1"}) for _ in range(20)]
        listed = api.get("/orders", params={"limit": "100"}).json()["list"]

    assert [answer.status_code for answer in created] == [200] * 20
    assert len(listed) == 20


def test_a_seed_that_is_missing_is_refused_in_one_line(database: Path) -> None:
    refused = _serve("--port", "0", "--database", str(database), "--seed", "nowhere.yaml")

    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: cannot read the seed nowhere.yaml: ")
    assert refused.stderr.count("\n") == 1
