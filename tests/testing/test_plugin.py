"""The pytest plugin, in test runs of its own: one server, a fresh site a test, what failed told."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.server import Server
from tests.test_readme import blocks
from tests.testing.inner import ROOT, Project

TESTS = 400
PROCESSES = 8


def _run(
    folder: Path, test: str, *options: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """pytest on a file with this content, in a folder of its own."""
    return Project(folder, {"test_inner.py": test}).run(*options, **environment)


def test_tests_in_many_processes_share_a_server_and_see_no_site_but_their_own(
    tmp_path: Path,
) -> None:
    done = _run(
        tmp_path / "inner",
        f"""
        import os, pathlib, pytest

        @pytest.mark.parametrize("number", range({TESTS}))
        def test_alone(chargebee_mock, chargebee_site, number):
            order = chargebee_site.orders.create(id="the-only-one", note=number)
            assert chargebee_site.orders.list() == [order]
            assert order["note"] == str(number)
            (event,) = chargebee_site.events.list()
            assert event["content"]["order"] == order
            url = chargebee_mock.url.replace("/", "_")
            pathlib.Path(os.environ["URLS"], url).touch()
        """.replace("\n        ", "\n"),
        *("--numprocesses", str(PROCESSES)),
        URLS=str(tmp_path),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{TESTS} passed" in done.stdout
    (url,) = [file.name.replace("_", "/") for file in tmp_path.iterdir() if file.is_file()]
    with pytest.raises(httpx2.ConnectError):  # the server stopped with the run
        httpx2.get(url)


def test_a_test_that_fails_shows_the_journal_of_its_site(tmp_path: Path) -> None:
    done = _run(
        tmp_path / "inner",
        "def test_it(chargebee_site):\n"
        "    chargebee_site.orders.create(id='shown', statuss='new')\n"
        "    assert False\n",
    )

    assert done.returncode == 1
    assert re.search("-- chargebee-mock: journal of site-[0-9a-f]+-test --", done.stdout)
    told = "POST /api/v1/orders invoice_id=__demo_inv__1&id=shown&statuss=new\n    200 {"
    assert told in done.stdout
    assert "parameter statuss is not used; ignored" in done.stdout


def test_what_was_not_called_is_told_with_what_was_near(tmp_path: Path) -> None:
    done = _run(
        tmp_path / "inner",
        "def test_it(chargebee_site):\n"
        "    chargebee_site.orders.create(note='Ring once')\n"
        "    chargebee_site.requests.verify(operation='create_an_order',"
        " params={'note': 'Ring twice'})\n",
    )

    assert done.returncode == 1
    assert "VerificationError: expected" in done.stdout
    assert "Ring twice" in done.stdout
    assert "near: POST /api/v1/orders 200" in done.stdout


def test_webhooks_arrive_at_the_receiver(tmp_path: Path) -> None:
    done = _run(
        tmp_path / "inner",
        "def test_it(chargebee_site, webhook_receiver):\n"
        "    webhook_receiver.answer_with(500)\n"
        "    order = chargebee_site.orders.create()\n"
        "    webhook_receiver.wait_for(1)\n"
        "    chargebee_site.clock.advance(minutes=3)\n"
        "    first, again = webhook_receiver.wait_for(2, event_type='order_created')\n"
        "    assert first.event['id'] == again.event['id']\n"
        "    assert first.event['content']['order'] == order\n",
    )

    assert done.returncode == 0, done.stdout


def test_a_run_can_use_a_server_that_runs_already(server: Server, tmp_path: Path) -> None:
    test = "def test_it(chargebee_mock):\n    assert chargebee_mock.url == {url!r}\n"

    by_option = _run(
        tmp_path / "one", test.format(url=server.url), "--chargebee-mock-url", server.url
    )
    by_variable = _run(tmp_path / "two", test.format(url=server.url), CHARGEBEE_MOCK_URL=server.url)

    assert (by_option.returncode, by_variable.returncode) == (0, 0), by_option.stdout


def test_options_of_the_server_come_from_the_ini_file(tmp_path: Path) -> None:
    done = _run(
        tmp_path / "inner",
        "import pytest\n"
        "from mock_server.testing import CallError\n"
        "def test_it(chargebee_site):\n"
        "    with pytest.raises(CallError, match='unknown parameter') as refused:\n"
        "        chargebee_site.orders.create(statuss='new')\n"
        "    assert refused.value.status == 400\n",
        "--override-ini=chargebee_mock_options=--strict-params",
    )

    assert done.returncode == 0, done.stdout


def test_a_run_that_asks_for_nothing_starts_no_server(tmp_path: Path) -> None:
    done = _run(
        tmp_path / "inner",
        "import sys\ndef test_it():\n    assert 'fastapi' not in sys.modules\n",
    )

    assert done.returncode == 0, done.stdout


_PLACE_ORDER = '''
import httpx2

def place_order(base_url, api_key):
    """The user's code: it repeats a call that failed, under one idempotency key."""
    for _ in range(2):
        try:
            return httpx2.post(
                f"{base_url}/orders",
                data={"invoice_id": "__demo_inv__1"},
                auth=(api_key, ""),
                headers={"chargebee-idempotency-key": api_key},
            ).raise_for_status()
        except (httpx2.TransportError, httpx2.HTTPStatusError):
            pass
'''
_RUNNING = '''
from contextlib import asynccontextmanager
from tests.testing.loop_receiver import loop_receiver

app = None

@asynccontextmanager
async def running(app):
    """The user's application, whose route for webhooks fails three times."""
    async with loop_receiver(503, 503, 503) as (url, events):
        yield url
'''
_ASYNCHRONOUS = '''
import asyncio, inspect

def pytest_pyfunc_call(pyfuncitem):
    """Run asynchronous tests, as the plugins for them do."""
    if inspect.iscoroutinefunction(pyfuncitem.obj):
        names = pyfuncitem._fixtureinfo.argnames
        asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
        return True
'''


def test_the_tests_of_the_documents_pass(tmp_path: Path) -> None:
    documents = [ROOT / "README.md", ROOT / "docs" / "testing.md"]
    recipes = [
        block.text for document in documents for block in blocks(document) if block.mark == "recipe"
    ]

    test = "\n\n".join([_PLACE_ORDER, _RUNNING, *recipes])
    done = Project(tmp_path, {"test_inner.py": test, "conftest.py": _ASYNCHRONOUS}).run()

    assert f"{len(recipes)} passed" in done.stdout, done.stdout
