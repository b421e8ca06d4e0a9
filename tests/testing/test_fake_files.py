"""The plugin under pyfakefs: the tests see a fake file system, the server and its calls do not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.testing.inner import Project

_TESTS = """
import asyncio
import os

def _work(fs, site, receiver):
    fs.create_file("/only/here")
    site.clock.freeze()
    order = site.orders.create(note="Ring twice")
    assert receiver.wait_for(1)[0].event["content"]["order"] == order
    site.clock.advance(days=1)
    assert os.listdir("/only") == ["here"]

def test_before(fs, chargebee_site, webhook_receiver):
    _work(fs, chargebee_site, webhook_receiver)

def test_after(chargebee_site, webhook_receiver, fs):
    _work(fs, chargebee_site, webhook_receiver)

def test_meanwhile(fs, request):
    site = request.getfixturevalue("chargebee_site")
    _work(fs, site, request.getfixturevalue("webhook_receiver"))

def test_awaited(fs, async_chargebee_site):
    assert asyncio.run(async_chargebee_site.orders.create())["status"] == "new"

def test_that_fails(fs, chargebee_site):
    chargebee_site.orders.create(note="shown")
    assert not fs
"""
_SESSION = """
def test_for_a_session(fs_session, request):
    assert request.getfixturevalue("chargebee_site").orders.create()["status"] == "new"
"""


@pytest.mark.parametrize("processes", [(), ("--numprocesses", "1")], ids=["one", "several"])
def test_the_fixtures_work_under_a_fake_file_system_in_any_order(
    tmp_path: Path, processes: Sequence[str]
) -> None:
    project = Project(tmp_path, {"test_inner.py": _TESTS, "test_session.py": _SESSION})

    done = project.run("-p", "pyfakefs.pytest_plugin", *processes, "test_inner.py")
    alone = project.run("-p", "pyfakefs.pytest_plugin", *processes, "test_session.py")

    assert "1 failed, 4 passed" in done.stdout, done.stdout + done.stderr
    assert "note=shown" in done.stdout
    assert "1 passed" in alone.stdout, alone.stdout + alone.stderr
