"""The plugin in somebody's project: it costs nothing until it is asked, and nothing bends it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.server import Server
from tests.testing.inner import ROOT, Project

_OWN_MODULE = "ANSWER = 'the project\\'s own'\n"
_OWN_TEST = """
import mock_server

def test_own():
    assert mock_server.ANSWER == "the project's own"
"""
_OUR_TEST = """
import mock_server
from pytest_chargebee_mock import Site, WebhookReceiver

def test_ours(chargebee_mock, chargebee_site: Site, webhook_receiver: WebhookReceiver):
    assert chargebee_mock.url.startswith("https://")
    order = chargebee_site.orders.create()
    assert webhook_receiver.wait_for(1)[0].event["content"]["order"] == order
    assert mock_server.ANSWER == "the project's own"
"""


def test_a_project_keeps_its_own_mock_server_beside_the_fixtures(tmp_path: Path) -> None:
    """Variables that would spoil a server or the calls of one do not, and nothing is left."""
    project = Project(
        tmp_path,
        {
            "mock_server.py": "raise AssertionError('not to be imported')\n",
            "tests/mock_server.py": _OWN_MODULE,
            "tests/test_a_own.py": _OWN_TEST,
            "tests/test_b_ours.py": _OUR_TEST,
            "pytest.ini": "[pytest]\nfilterwarnings = error\nchargebee_mock_options = --tls\n",
        },
    )

    done = project.run(
        "-vv",
        PYTHONPATH=f"{tmp_path / 'tests'}:{ROOT}",
        PYTHONDONTWRITEBYTECODE="1",
        CHARGEBEE_MOCK_SEED="nowhere.yaml",
        CHARGEBEE_MOCK_PORT="nonsense",
        HTTP_PROXY="http://127.0.0.1:9",
        HTTPS_PROXY="http://127.0.0.1:9",
        ALL_PROXY="http://127.0.0.1:9",
    )

    assert "tests/test_a_own.py::test_own PASSED" in done.stdout
    assert "tests/test_b_ours.py::test_ours PASSED" in done.stdout, done.stdout
    left = sorted(file.name for file in tmp_path.iterdir())
    assert left == ["mock_server.py", "pytest.ini", "tests"]


def test_a_server_with_https_is_trusted_by_ssl_cert_file(database: Path, tmp_path: Path) -> None:
    test = (
        "def test_it(chargebee_site):\n"
        "    assert chargebee_site.url.startswith('https:')\n"
        "    assert chargebee_site.orders.create()['status'] == 'new'\n"
    )
    project = Project(tmp_path / "inner", {"test_inner.py": test})
    with Server(database, "--tls") as server:
        url = ("--chargebee-mock-url", server.url)
        trusting = project.run(*url, SSL_CERT_FILE=str(database.parent / "tls" / "ca.pem"))
        doubting = project.run(*url)

    assert trusting.returncode == 0, trusting.stdout
    assert "1 error" in doubting.stdout
    assert "certificate verify failed" in doubting.stdout
    assert "Traceback" not in doubting.stdout


def test_the_plugin_imports_pytest_and_what_pytest_imports_alone() -> None:
    """Cost of a run that uses nothing; each module beyond the standard library takes its time."""
    program = (
        "import sys, pytest\n"
        "before = set(sys.modules)\n"
        "import pytest_chargebee_mock.plugin\n"
        "print(*(set(sys.modules) - before))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert set(told.stdout.split()) == {
        "pytest_chargebee_mock",
        "pytest_chargebee_mock.plugin",
        "pytest_chargebee_mock.fixtures",
    }


def test_it_steps_aside_for_a_pytest_that_is_too_old(tmp_path: Path) -> None:
    program = (
        "import sys, pytest\n"
        "del pytest.StashKey\n"
        "sys.exit(pytest.main(['-p', 'pytest_chargebee_mock.plugin', '-p', 'no:cacheprovider']))"
    )
    project = Project(tmp_path, {"test_own.py": "def test_own(): pass\n"})
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert done.stdout.count("chargebee-mock: its fixtures need pytest 7.0, and this is") == 1
    assert re.search("1 passed", done.stdout)
