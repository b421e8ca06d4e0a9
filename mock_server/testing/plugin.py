"""The pytest plugin: a server for the session, a fresh site for each test.

The processes of pytest-xdist share one server. A run is pointed at a server that runs elsewhere, in
a service container of a CI for instance, by `--chargebee-mock-url` or CHARGEBEE_MOCK_URL.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from filelock import FileLock

from mock_server.testing.receiver import WebhookReceiver
from mock_server.testing.server import MockServer
from mock_server.testing.site import Site, create_site

_STOPS_WITHIN: Final = 10.0
_FOLDER: Final = "chargebee_mock_folder"
_SHARED: Final = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
_STARTED: Final = pytest.StashKey[MockServer]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("chargebee-mock")
    group.addoption(
        "--chargebee-mock-url",
        default=os.environ.get("CHARGEBEE_MOCK_URL"),
        help="Use the server at this URL instead of starting one.",
    )
    parser.addini(
        "chargebee_mock_options",
        "Options of chargebee-mock serve for the server that is started.",
        type="args",
        default=[],
    )


class ServerAddress:
    """Where the session's server is."""

    def __init__(self, url: str) -> None:
        self.url = url

    def site(self, name: str | None = None, seed: dict[str, Any] | None = None) -> Site:
        """A fresh site, with a seed of its own in place of the server's if one is given."""
        return create_site(self.url, name, seed)


@pytest.fixture(scope="session")
def chargebee_mock(request: pytest.FixtureRequest) -> Iterator[ServerAddress]:
    """A real server, one for the whole run."""
    config = request.config
    running: str | None = config.getoption("--chargebee-mock-url")
    if running:
        yield ServerAddress(running.rstrip("/"))
        return
    options: list[str] = config.getini("chargebee_mock_options")
    shared = getattr(config, "workerinput", {}).get(_FOLDER)
    if shared is not None:
        yield ServerAddress(_share(config, Path(shared), options))
        return
    with MockServer(*options) as server:
        yield ServerAddress(server.url)


@pytest.fixture
def chargebee_site(chargebee_mock: ServerAddress) -> Iterator[Site]:
    """A site of the test's own, gone after it."""
    with chargebee_mock.site() as site:
        yield site


@pytest.fixture
def webhook_receiver(chargebee_site: Site) -> Iterator[WebhookReceiver]:
    """A receiver that gets every webhook of the test's site."""
    with WebhookReceiver() as receiver:
        chargebee_site.webhooks.deliver_to(receiver.url)
        yield receiver


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the journal of the site with a test that failed."""
    report = yield
    site = getattr(item, "funcargs", {}).get("chargebee_site")
    if report.when == "call" and report.failed and isinstance(site, Site):
        try:
            told = site.requests.told() or "nothing was called"
        except Exception as error:  # the report matters more than the journal
            told = f"the journal cannot be read: {error}"
        report.sections.append((f"chargebee-mock: journal of {site.name}", told))
    return report


class _Processes:
    """What the controlling process of pytest-xdist does for the others."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Name the folder in which the first process that needs a server says where it is."""
        stash = node.config.stash
        if _SHARED not in stash:
            stash[_SHARED] = tempfile.TemporaryDirectory()
        node.workerinput[_FOLDER] = stash[_SHARED].name


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Processes())


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server that the processes of pytest-xdist shared."""
    shared = config.stash.get(_SHARED, None)
    if shared is None:
        return
    state = _state(Path(shared.name))
    if state.exists():
        _stop(**json.loads(state.read_text()))
    shared.cleanup()


def _share(config: pytest.Config, folder: Path, options: list[str]) -> str:
    """The URL of the server that all processes use, started by the first that asks.

    The controlling process stops it, as others may still use it when this one is done.
    """
    with FileLock(folder / "lock"):
        state = _state(folder)
        if not state.exists():
            config.stash[_STARTED] = server = MockServer(*options).start()
            state.write_text(json.dumps({"url": server.url, "pid": server.pid}))
        url: str = json.loads(state.read_text())["url"]
        return url


def _stop(url: str, pid: int) -> None:
    """Stop a server that is nobody's child any more, and wait until it answers no more."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    host, _, port = url.rpartition("//")[2].rpartition(":")
    deadline = time.monotonic() + _STOPS_WITHIN
    with suppress(OSError):
        while time.monotonic() < deadline:
            socket.create_connection((host, int(port)), timeout=1).close()
            time.sleep(0.01)


def _state(folder: Path) -> Path:
    return folder / "server.json"
