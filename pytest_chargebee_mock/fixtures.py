"""The fixtures: a server for the session, a fresh site for each test, a receiver of webhooks.

The processes of pytest-xdist share one server. A run is pointed at a server that runs elsewhere, in
a service container of a CI for instance, by `--chargebee-mock-url` or CHARGEBEE_MOCK_URL.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from pytest_chargebee_mock.controller import Controller
    from pytest_chargebee_mock.handles.site import AsyncSite, Site
    from pytest_chargebee_mock.receiver import WebhookReceiver
    from pytest_chargebee_mock.session import SessionServer

__all__ = [
    "async_chargebee_site",
    "chargebee_mock",
    "chargebee_site",
    "pytest_addoption",
    "pytest_configure_node",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "pytest_unconfigure",
    "webhook_receiver",
]
"""What pytest finds in the plugin."""

_SETTINGS: Final = {
    "url": "Use the server at this URL instead of starting one.",
    "receiver_host": "Address that webhook_receiver listens on.",
    "receiver_port": "Port that webhook_receiver listens on, else any that is free.",
    "receiver_url": "URL by which the server reaches webhook_receiver; {port} is its port.",
}
_FOLDER: Final = "chargebee_mock_folder"
_GONE: Final = "chargebee_mock_gone"
_CONTROLLER: Final[pytest.StashKey[Controller]] = pytest.StashKey()
_LAST_WORD: Final[pytest.StashKey[str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("chargebee-mock")
    for setting, meaning in _SETTINGS.items():
        name = f"chargebee_mock_{setting}"
        group.addoption(
            f"--{name.replace('_', '-')}",
            default=os.environ.get(name.upper()),
            help=f"{meaning} Also {name.upper()}, and {name} in the ini file.",
        )
        parser.addini(name, meaning, default="")
    parser.addini(
        "chargebee_mock_options",
        "Options of chargebee-mock serve for the server that is started.",
        type="args",
        default=[],
    )


@pytest.fixture(scope="session")
def chargebee_mock(request: pytest.FixtureRequest) -> Iterator[SessionServer]:
    """A real server, one for the whole run."""
    from pytest_chargebee_mock.real_files import real_files

    config = request.config
    folder: str | None = getattr(config, "workerinput", {}).get(_FOLDER)
    options: list[str] = config.getini("chargebee_mock_options")
    with ExitStack() as stack:
        server, failure = None, ""
        with real_files():
            from pytest_chargebee_mock.handles.errors import CallError, NoAnswerError
            from pytest_chargebee_mock.session import session_server

            opening = session_server(_setting(config, "url"), folder, options)
            try:
                server = stack.enter_context(opening)
            except (RuntimeError, CallError, NoAnswerError) as error:
                failure = str(error)
        if server is None:
            pytest.fail(failure, pytrace=False)  # one line, without what led to it
        yield server


@pytest.fixture
def chargebee_site(chargebee_mock: SessionServer, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site of the test's own, gone after it."""
    from pytest_chargebee_mock.handles.errors import NoAnswerError

    site, failure = None, ""
    try:
        site = chargebee_mock.site()
    except NoAnswerError as error:
        failure = f"{error}; {chargebee_mock.why_gone()}"
    if site is None:
        pytest.fail(failure, pytrace=False)
    yield site
    try:
        site.delete()
    except NoAnswerError:
        why = chargebee_mock.why_gone()
        _note(request.config, f"{chargebee_mock.url} was gone before the end: {why}")
    finally:
        site.close()


@pytest.fixture
def async_chargebee_site(chargebee_site: Site) -> AsyncSite:
    """The same site, with methods that are awaited."""
    from pytest_chargebee_mock.handles.site import AsyncSite

    return AsyncSite.of(chargebee_site)


@pytest.fixture
def webhook_receiver(
    chargebee_site: Site, request: pytest.FixtureRequest
) -> Iterator[WebhookReceiver]:
    """A receiver that gets every webhook of the test's site."""
    from pytest_chargebee_mock.session import receiver_for

    host, port, url = (
        _setting(request.config, f"receiver_{part}") for part in ("host", "port", "url")
    )
    with receiver_for(chargebee_site.url, host, int(port or 0), url) as receiver:
        chargebee_site.webhooks.deliver_to(receiver)
        yield receiver


@pytest.hookimpl(hookwrapper=True)  # what pytest 7.0 knows, too
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, None]:
    """Show the journal of the site with a test that failed."""
    outcome = yield
    site = getattr(item, "funcargs", {}).get("chargebee_site")
    if site is None or call.when != "call":
        return
    from pytest_chargebee_mock.handles.site import Site

    report = outcome.get_result()
    if report.failed and isinstance(site, Site):
        try:
            told = site.requests.told() or "nothing was called"
        except Exception as error:  # the report matters more than the journal
            told = f"the journal cannot be read: {error}"
        report.sections.append((f"chargebee-mock: journal of {site.name}", told))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say that the server was gone before the end, in one line."""
    if _LAST_WORD in config.stash:
        terminalreporter.write_line(f"chargebee-mock: {config.stash[_LAST_WORD]}", yellow=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server that the processes of pytest-xdist shared."""
    controller = config.stash.get(_CONTROLLER, None)
    if controller is not None:
        controller.stop()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist where the one that first needs a server says where it is."""
    from pytest_chargebee_mock.controller import CAN_SHARE, Controller

    if not CAN_SHARE:
        return
    stash = node.config.stash
    if _CONTROLLER not in stash:
        stash[_CONTROLLER] = Controller()
    node.workerinput[_FOLDER] = stash[_CONTROLLER].folder


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from a process of pytest-xdist that found the server gone."""
    last_word = (getattr(node, "workeroutput", None) or {}).get(_GONE)
    if last_word is not None:
        node.config.stash[_LAST_WORD] = last_word


def _setting(config: pytest.Config, name: str) -> str | None:
    """What the command line says, else the environment, else the ini file; None if none does."""
    known = f"chargebee_mock_{name}"
    return config.getoption(known) or config.getini(known) or None


def _note(config: pytest.Config, last_word: str) -> None:
    """Have the summary say it; the processes of pytest-xdist have the controlling one do so."""
    line = " ".join(last_word.split())
    output: dict[str, str] | None = getattr(config, "workeroutput", None)
    if output is None:
        config.stash[_LAST_WORD] = line
    else:
        output[_GONE] = line
