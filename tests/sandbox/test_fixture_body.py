"""Bodies that are fixtures: few of them are in memory at once, and none holds up a stop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from fastapi import Request

from mock_server.resources.fixture import Fixture
from mock_server.sandbox.fixture_body import FixtureReader
from mock_server.wire.ceiling import BodyCeiling


def test_of_many_bodies_a_few_are_read_at_once() -> None:
    async def run() -> None:
        reader = FixtureReader()
        begun = 0
        go_on = asyncio.Event()
        read = []

        async def receive() -> Any:
            nonlocal begun
            begun += 1
            await go_on.wait()
            return {"type": "http.request", "body": b"a: 1"}

        async def app(scope: Any, receive: Any, send: Any) -> None:
            read.append(await reader.read(Request(scope, receive), _value))

        async def send(message: Any) -> None:
            raise AssertionError(message)

        ask = BodyCeiling(app, 10)
        asked = [
            asyncio.ensure_future(ask({"type": "http", "headers": []}, receive, send))
            for _ in range(20)
        ]
        await asyncio.sleep(0)
        assert begun == 4

        go_on.set()
        await asyncio.gather(*asked)
        assert read == [{"a": 1}] * 20

    asyncio.run(run())


def test_work_on_a_fixture_is_done_one_at_a_time_and_keeps_no_process_alive() -> None:
    busy = threading.Lock()

    def work() -> bool:
        assert busy.acquire(blocking=False)
        threading.Event().wait(0.01)
        busy.release()
        return threading.current_thread().daemon

    async def run() -> list[bool]:
        reader = FixtureReader()
        return await asyncio.gather(*(reader.work(work) for _ in range(5)))

    assert asyncio.run(run()) == [True] * 5


def test_what_work_on_a_fixture_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(FixtureReader().work(lambda: 1 / 0))


def _value(given: Fixture) -> Any:
    return given.value
