"""Several server processes: they come up together or say why not, and end with their parent."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.ports import free_port, has_ipv6
from tests.server import IMPATIENT, Server

PROXIES = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
LONGEST = 20.0
"""Seconds that a test waits for what must happen."""


def _await(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _workers(server: Server) -> set[int]:
    """The processes that serve."""
    assert server.process is not None
    found = subprocess.run(
        ["pgrep", "--parent", str(server.process.pid), "--full", "spawn_main"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {int(line) for line in found.stdout.split()}


def _serves(server: Server) -> bool:
    try:
        return httpx2.get(f"{server.url}/_mock/health").status_code == 200
    except httpx2.TransportError:
        return False


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two processes, at all addresses, where proxies are set that lead nowhere."""
    database = tmp_path_factory.mktemp("two") / "state.sqlite"
    behind = ["env", *(f"{name}={value}" for name, value in PROXIES.items())]
    with Server(database, "--workers", "2", "--host", "::", launcher=behind) as running:
        yield running


def _health(port: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mock_server", "health"],
        env=os.environ | PROXIES | {"CHARGEBEE_MOCK_PORT": port, "CHARGEBEE_MOCK_HOST": "::"},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )


def test_a_server_is_asked_for_its_health_past_every_proxy(two: Server) -> None:
    port = two.url.rpartition(":")[2]
    asked = _health(port)

    assert (asked.returncode, asked.stdout) == (0, f"http://127.0.0.1:{port} is well\n")


def test_a_server_that_is_not_there_is_not_well() -> None:
    port = str(free_port())
    asked = _health(port)

    assert asked.returncode == 1
    assert asked.stderr.startswith(f"Error: no server answers at http://127.0.0.1:{port}: ")


def test_all_addresses_are_served(two: Server) -> None:
    port = httpx2.URL(two.url).port
    hosts = ["127.0.0.1", "127.0.0.2", *(["[::1]"] if has_ipv6() else [])]

    for host in hosts:
        assert httpx2.get(f"http://{host}:{port}/_mock/health").status_code == 200


def test_a_worker_that_ends_is_replaced(two: Server) -> None:
    before = _workers(two)

    os.kill(min(before), signal.SIGKILL)

    _await(lambda: len(_workers(two) - before) == 1)
    _await(lambda: _serves(two))


def test_workers_end_with_their_parent_however_it_ends(two: Server) -> None:
    assert two.process is not None
    workers = _workers(two)
    assert len(workers) == 2

    two.process.kill()

    _await(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    assert not _serves(two)


def test_ctrl_c_stops_workers_as_it_stops_one_process(database: Path) -> None:
    server = Server(database, "--workers", "2", launcher=["setsid"]).start()
    assert server.process is not None

    os.killpg(server.process.pid, signal.SIGINT)

    assert server.process.wait(LONGEST) == 0
    assert server.stop() == 0
    assert server.said == ""


def _supervised(tmp_path: Path, work: str) -> subprocess.CompletedProcess[str]:
    """What becomes of two processes that do that."""
    script = tmp_path / "supervised.py"
    script.write_text(
        "import os, sys, time\nfrom mock_server import workers\n"
        f"def work(ready):\n    {work}\n"
        "if __name__ == '__main__':\n"
        "    workers._READY_WITHIN = 3\n"
        "    try:\n        workers.supervise(work, 2, lambda: print('ready', flush=True))\n"
        "    except ChildProcessError as error:\n        sys.exit(f'Error: {error}')\n"
    )
    return subprocess.run(
        [sys.executable, script],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (
            "raise ChildProcessError('the cellar is locked')",
            "the cellar is locked",
        ),
        ("os._exit(7)", "server processes end before they are ready: its exit code is 7"),
        (
            "os.kill(os.getpid(), 9)",
            "server processes end before they are ready: it was ended by SIGKILL",
        ),
        ("time.sleep(60)", "a server process was not ready within 3 s"),
    ],
)
def test_what_never_comes_up_says_why(tmp_path: Path, work: str, reason: str) -> None:
    ended = _supervised(tmp_path, work)

    assert (ended.returncode, ended.stdout) == (1, "")
    *warnings, error = ended.stderr.splitlines()
    assert error == f"Error: {reason}"
    assert all(line.endswith("; another takes its place") for line in warnings)


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
def test_a_database_that_is_locked_at_the_start_is_said_in_one_line(
    database: Path, options: tuple[str, ...]
) -> None:
    with Server(database):
        pass
    changed = ("--webhook-url", "http://127.0.0.1:9")  # so that there is something to write
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AssertionError) as refused:
            Server(database, *changed, *options, prelude=IMPATIENT).start()

    assert str(refused.value).startswith("Error: The database is locked by another process\n")
