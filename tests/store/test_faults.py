"""Faults of the disk as a client meets them: a 503 of Chargebee's, nothing kept, and on it goes."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server import IMPATIENT, Server

resource = pytest.importorskip("resource", reason="limits of a process are Unix's")

INVOICE = {"invoice_id": "__demo_inv__1"}
WRITES = {
    "/orders": INVOICE | {"id": "new"},
    "/orders/kept": {"status": "complete", "shipping_address[city]": "Oslo"},
    "/invoices/charge": {"customer_id": "__demo_cus__1", "amount": "1", "description": "x"},
}
LISTS = ("/orders", "/invoices", "/events")


def unavailable(code: str, reason: str) -> dict[str, Any]:
    return {
        "message": reason,
        "type": "operation_failed",
        "api_error_code": code,
        "error_code": code,
        "error_msg": reason,
        "http_status_code": 503,
    }


READ_ONLY = unavailable(
    "site_read_only_mode",
    "The site's data cannot be changed at the moment: the database is read-only",
)
LOCKED = unavailable("internal_temporary_error", "The database is locked by another process")
FULL = unavailable("internal_temporary_error", "The disk is full")
BROKEN = unavailable("internal_temporary_error", "The database cannot be read or written")


def write(api: httpx2.Client, path: str) -> httpx2.Response:
    return api.post(
        path, data=WRITES[path], headers={"chargebee-idempotency-key": f"key of {path}"}
    )


def lists(api: httpx2.Client) -> list[Any]:
    answers = [api.get(path, params={"limit": 100}) for path in LISTS]
    assert [answer.status_code for answer in answers] == [200] * len(LISTS)
    return [answer.json() for answer in answers]


def assert_every_write_is_refused(api: httpx2.Client, expected: dict[str, Any]) -> None:
    before = lists(api)

    refused = {path: write(api, path) for path in WRITES}

    assert {path: answer.json() for path, answer in refused.items()} == dict.fromkeys(
        WRITES, expected
    )
    assert {answer.status_code for answer in refused.values()} == {503}
    assert lists(api) == before


def assert_every_write_succeeds(api: httpx2.Client) -> None:
    """Also under the idempotency keys of what was refused."""
    answers = [write(api, path) for path in WRITES]

    assert [answer.status_code for answer in answers] == [200] * len(WRITES)
    assert not any("chargebee-idempotency-replayed" in answer.headers for answer in answers)
    assert [len(listed["list"]) for listed in lists(api)] == [2, 6, 4]


def keep_an_order(api: httpx2.Client) -> None:
    assert api.post("/orders", data=INVOICE | {"id": "kept"}).status_code == 200


def test_a_database_that_another_process_holds_is_a_503_until_it_lets_go(database: Path) -> None:
    with (
        Server(database, prelude=IMPATIENT) as server,
        server.site("demo-test").api() as api,
        closing(sqlite3.connect(database, isolation_level=None)) as other,
    ):
        keep_an_order(api)
        other.execute("BEGIN IMMEDIATE")
        assert_every_write_is_refused(api, LOCKED)
        other.execute("COMMIT")
        assert_every_write_succeeds(api)


def test_a_read_only_file_is_a_503_for_what_writes_and_is_read(
    database: Path, mortal: list[str]
) -> None:
    with Server(database) as server, server.site("demo-test").api() as api:
        keep_an_order(api)

    database.chmod(0o444)
    with (
        Server(database, launcher=mortal) as server,
        server.site("demo-test").api() as api,
        server.site("new-test").api() as newcomer,
    ):
        assert_every_write_is_refused(api, READ_ONLY)
        unmade = newcomer.get("/orders")
        health = httpx2.get(f"{server.url}/_mock/health")
    assert (unmade.status_code, unmade.json()) == (503, READ_ONLY)
    assert health.status_code == 200

    database.chmod(0o644)
    with Server(database) as server, server.site("demo-test").api() as api:
        assert_every_write_succeeds(api)


def test_a_disk_that_refuses_a_write_is_a_503_until_it_takes_it(database: Path) -> None:
    with Server(database) as server, server.site("demo-test").api() as api:
        keep_an_order(api)
        with no_file_grows(server):
            assert_every_write_is_refused(api, BROKEN)
        assert_every_write_succeeds(api)


@contextlib.contextmanager
def no_file_grows(server: Server) -> Iterator[None]:
    """The server's process may not write beyond the first page of a file."""
    assert server.process is not None
    limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, limits[1]))
    yield
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_is_a_503_until_there_is_room(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    on_a_small_disk = [
        *("unshare", "--map-root-user", "--mount", "sh", "-euc"),
        'mount -t tmpfs -o size=2m none "$0"; exec "$@"',
        str(disk),
    ]
    if subprocess.run([*on_a_small_disk, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a disk of its own cannot be mounted here")

    with (
        Server(disk / "state.sqlite", launcher=on_a_small_disk) as server,
        server.site("demo-test").api() as api,
    ):
        keep_an_order(api)
        assert server.process is not None
        ballast = Path(f"/proc/{server.process.pid}/root/{disk}/ballast")
        fill(ballast)
        assert_every_write_is_refused(api, FULL)
        ballast.unlink()
        assert_every_write_succeeds(api)


def fill(ballast: Path) -> None:
    """Write the file until the disk takes no more."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 4096):
            pass
