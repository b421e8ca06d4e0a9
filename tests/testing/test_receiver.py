"""The receiver of webhooks: where it listens, how it is reached, and why nothing came."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx2
import pytest

from mock_server.testing import Site, UndeliveredError, WebhookReceiver, create_site
from tests.ports import free_port
from tests.server import Server
from tests.testing.inner import Project

_SERVERS_ADDRESS: Final = "10.213.77.1"
_TESTS_ADDRESS: Final = "10.213.77.2"


@pytest.fixture
def mine(server: Server) -> Iterator[Site]:
    with create_site(server.url) as site:
        yield site


def test_a_wait_in_vain_says_what_the_attempts_said(mine: Site) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with WebhookReceiver(public_url=nowhere) as receiver:
        mine.webhooks.deliver_to(receiver)
        mine.orders.create()
        mine.webhooks.retry_now()

        with pytest.raises(AssertionError, match=r"0 of 1 webhooks came within 0\.1 s") as missed:
            receiver.wait_for(1, within=0.1)

    _, second = str(missed.value).splitlines()
    assert second.startswith("  order_created: re_scheduled; attempt 1 to ")
    assert f"attempt 2 to {nowhere}/webhooks: " in second
    assert "onnect" in second


def test_a_wait_in_vain_says_that_nothing_was_sent_at_all(mine: Site) -> None:
    with WebhookReceiver() as receiver:
        mine.webhooks.deliver_to(receiver, enabled_events=["invoice_generated"])
        mine.orders.create()

        with pytest.raises(AssertionError, match="the site has recorded no webhook for it"):
            receiver.wait_for(1, within=0.05)


def test_a_clock_says_what_is_still_due_when_its_wait_ends(mine: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mine.webhooks.deliver_to(f"http://127.0.0.1:{silent.getsockname()[1]}")
        mine.clock.freeze()
        mine.orders.create()

        with pytest.raises(UndeliveredError) as left:
            mine.clock.advance(days=1, wait=0.1)
        with pytest.raises(UndeliveredError, match="1 webhook is still due after"):
            mine.webhooks.retry_now(wait=0.1)
        (webhook,) = mine.webhooks.list(webhook_status="scheduled")
        with pytest.raises(UndeliveredError, match=r"due after 0\.1 s: order_created: scheduled"):
            mine.webhooks.resend(webhook["id"], wait=0.1)
        assert mine.clock.advance(days=1, wait=0)["due"] == 1

    assert str(left.value) == (
        "1 webhook is still due after 0.1 s\n  order_created: scheduled; not tried"
    )


def test_a_receiver_listens_where_it_is_told_and_is_reached_at_its_public_url() -> None:
    port = free_port()
    with WebhookReceiver("0.0.0.0", port, public_url="http://shop.example:{port}/") as receiver:
        assert receiver.url == f"http://shop.example:{port}/webhooks"
        httpx2.post(f"http://127.0.0.2:{port}/webhooks", json={"event_type": "made_up"})

        assert receiver.wait_for(1)[0].event_type == "made_up"


def test_a_receiver_on_every_address_is_reached_on_this_machine() -> None:
    with WebhookReceiver("0.0.0.0") as receiver:
        assert receiver.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("url", ["shop.example:8020", "", "ftp://shop.example"])
def test_a_public_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no http address of a receiver"):
        WebhookReceiver(public_url=url)


def test_a_server_on_another_machine_reaches_the_receiver(database: Path, tmp_path: Path) -> None:
    test = (
        "def test_it(chargebee_site, webhook_receiver):\n"
        f"    assert '{_TESTS_ADDRESS}' in webhook_receiver.url\n"
        "    chargebee_site.orders.create()\n"
        "    assert webhook_receiver.wait_for(1)[0].event_type == 'order_created'\n"
    )
    project = Project(tmp_path / "inner", {"test_inner.py": test})
    with (
        _machines() as (servers, tests),
        Server(database, "--host", _SERVERS_ADDRESS, launcher=servers) as server,
    ):
        by_route = project.run("--chargebee-mock-url", server.url, launcher=tests)
        everywhere = project.run(
            launcher=tests,
            CHARGEBEE_MOCK_URL=server.url,
            CHARGEBEE_MOCK_RECEIVER_HOST="0.0.0.0",
        )

    assert by_route.returncode == 0, by_route.stdout
    assert everywhere.returncode == 0, everywhere.stdout


def test_the_receiver_of_the_fixtures_takes_host_port_and_url(
    server: Server, tmp_path: Path
) -> None:
    port = free_port()
    test = (
        "def test_it(chargebee_site, webhook_receiver):\n"
        f"    assert webhook_receiver.url == 'http://localhost:{port}/webhooks'\n"
        "    chargebee_site.orders.create()\n"
        "    webhook_receiver.wait_for(1)\n"
    )
    ini = (
        "[pytest]\n"
        "filterwarnings = error\n"
        "chargebee_mock_receiver_host = 0.0.0.0\n"
        f"chargebee_mock_url = {server.url}\n"
    )

    done = Project(tmp_path, {"test_inner.py": test, "pytest.ini": ini}).run(
        "--chargebee-mock-receiver-url=http://localhost:{port}",
        CHARGEBEE_MOCK_RECEIVER_PORT=str(port),
    )

    assert done.returncode == 0, done.stdout


@contextmanager
def _machines() -> Iterator[tuple[list[str], list[str]]]:
    """Two network namespaces with a cable between them: what runs a command in each."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and ip")
    servers, tests = (f"mock-{uuid.uuid4().hex[:8]}" for _ in range(2))
    try:
        _ip("netns", "add", servers)
        _ip("netns", "add", tests)
        cable = ("link", "add", "cable", "netns", servers, "type", "veth")
        _ip(*cable, "peer", "name", "cable", "netns", tests)
        for namespace, address in ((servers, _SERVERS_ADDRESS), (tests, _TESTS_ADDRESS)):
            _ip("-n", namespace, "address", "add", f"{address}/30", "dev", "cable")
            _ip("-n", namespace, "link", "set", "cable", "up")
            _ip("-n", namespace, "link", "set", "lo", "up")
        yield ["ip", "netns", "exec", servers], ["ip", "netns", "exec", tests]
    finally:
        for namespace in (servers, tests):
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"network namespaces cannot be had here: {done.stderr.strip()}")
