"""The life of the plugin's server: it ends when the tests do, and not before."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx2
import pytest

from tests.testing.inner import Project

_PROCESSES = ("--numprocesses", "1")
_ONE_OR_SEVERAL = pytest.mark.parametrize("processes", [(), _PROCESSES], ids=["one", "several"])

_WAITS = """
import pathlib, time

def test_it(chargebee_mock, chargebee_site):
    pathlib.Path("url").write_text(chargebee_mock.url + "/_mock/health")
    {then}
"""


def _started(
    folder: Path, then: str, processes: Sequence[str]
) -> tuple[subprocess.Popen[str], str]:
    """A run whose test has its server, and the URL of the server's health."""
    run = Project(folder, {"test_inner.py": _WAITS.format(then=then)}).start(*processes)
    where = folder / "url"
    deadline = time.monotonic() + 60
    while not (where.exists() and where.read_text()):
        assert run.poll() is None, run.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return run, where.read_text()


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url).status_code == 200
    except httpx2.TransportError:
        return False


@_ONE_OR_SEVERAL
def test_no_server_is_left_when_pytest_is_killed(tmp_path: Path, processes: Sequence[str]) -> None:
    run, url = _started(tmp_path, "time.sleep(60)", processes)
    assert _answers(url)

    run.kill()

    deadline = time.monotonic() + 5
    while _answers(url):
        assert time.monotonic() < deadline, "the server is left"
        time.sleep(0.05)
    run.communicate()


@_ONE_OR_SEVERAL
def test_the_server_answers_while_a_test_clears_up_after_ctrl_c(
    tmp_path: Path, processes: Sequence[str]
) -> None:
    then = (
        "try:\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        "        time.sleep(0.3)\n"
        "        made = chargebee_site.orders.create()\n"
        "        pathlib.Path('status').write_text(made['status'])\n"
    )
    run, url = _started(tmp_path, then, processes)

    os.killpg(run.pid, signal.SIGINT)

    said = run.communicate(timeout=60)[0]
    assert (tmp_path / "status").read_text() == "new", said
    assert not _answers(url)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_stops_when_its_stdin_ends(database: Path, workers: str) -> None:
    command = [sys.executable, "-m", "mock_server", "serve", "--stop-with-stdin", "--port", "0"]
    with subprocess.Popen(
        [*command, "--database", str(database), "--workers", workers],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        assert _answers(f"{url}/_mock/health")
        server.stdin.close()

        assert server.wait(timeout=20) == 0


_KILLS = """
import os, pathlib, signal
import pytest
from pytest_chargebee_mock import NoAnswerError

def test_kill(chargebee_site):
    chargebee_site.orders.create()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        if f"PPid:\\t{os.getpid()}\\n" in (process / "status").read_text():
            os.kill(int(process.name), signal.SIGKILL)
    with pytest.raises(NoAnswerError):
        chargebee_site.orders.create()

def test_after(chargebee_site):
    pass
"""


@_ONE_OR_SEVERAL
def test_a_server_that_is_gone_costs_one_line_of_the_summary(
    tmp_path: Path, processes: Sequence[str]
) -> None:
    done = Project(tmp_path, {"test_inner.py": _KILLS}).run(*processes, "--maxfail=9")

    assert "1 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert len(re.findall("\nchargebee-mock: http://.* was gone before the end", done.stdout)) == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert len(done.stdout.splitlines()) < 20, done.stdout
