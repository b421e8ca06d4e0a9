"""Names that are looked up for ever hold up nobody else, and no stop."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import pytest

from mock_server.outbox.resolver import Resolver
from tests.deliveries import Desk
from tests.receiver import Receiver
from tests.server import Server

Start = Callable[[str], Receiver]


SLOW: Final = 30
PRELUDE: Final = f"""
import socket, time
_real = socket.getaddrinfo
def _slow(host, *rest, **named):
    if str(host).endswith(".stuck.example") and not named.get("flags"):
        time.sleep({SLOW})
    return _real(host, *rest, **named)
socket.getaddrinfo = _slow
"""
"""Names under `stuck.example` take as long as where no name server answers."""


def test_receivers_whose_names_do_not_resolve_delay_no_other_and_no_stop(receiver: Start) -> None:
    shop = receiver("200")
    options = ["--no-limits", "--webhook-connect-timeout", "1"]
    server = Server(":memory:", *options, prelude=PRELUDE).start()
    desk = Desk(server.site())
    stuck = [desk.add(f"http://shop-{number}.stuck.example/") for number in range(10)]
    served = desk.add(shop.url.replace("127.0.0.1", "localhost"))
    for number in range(3):
        desk.order(f"o-{number}")
    began = time.monotonic()
    desk.settled(served, "succeeded")
    delivered_after = time.monotonic() - began
    told = [desk.attempted(id)[0]["delivery_attempts"][0]["failure_reason"] for id in stuck]
    desk.close()
    began = time.monotonic()
    assert server.stop() == 0
    stopped_after = time.monotonic() - began

    assert delivered_after < SLOW / 3
    assert stopped_after < SLOW / 3
    assert told == [
        f"No such host: shop-{number}.stuck.example was not found within 1 s"
        for number in range(10)
    ]


def counted(monkeypatch: pytest.MonkeyPatch, open: threading.Event) -> list[str]:
    """The names that the system is asked for; it answers once the event is set."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int | None, **wanted: Any) -> list[Any]:
        if wanted["flags"]:
            return real(host, port, **wanted)
        asked.append(host)
        open.wait(10)
        if host == "nowhere":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_who_gives_up_leaves_the_look_up_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    open = threading.Event()
    asked = counted(monkeypatch, open)

    async def look_up() -> list[str]:
        resolver = Resolver()
        for _ in range(2):
            with pytest.raises(OSError, match=r"^shop was not found within 0\.01 s$"):
                await resolver.resolve("shop", within=0.01)
        both = asyncio.gather(*(resolver.resolve("shop", within=10) for _ in range(2)))
        open.set()
        first, second = await both
        assert await resolver.resolve("shop", within=10) == first == second
        return first

    assert asyncio.run(look_up()) == ["127.0.0.1"]
    assert asked == ["shop", "shop"]


def test_only_so_many_names_are_looked_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    open = threading.Event()
    asked = counted(monkeypatch, open)

    async def look_up() -> int:
        resolver = Resolver()
        names = [resolver.resolve(f"shop-{number}", within=10) for number in range(70)]
        found = asyncio.gather(*names)
        await asyncio.sleep(0.1)
        at_once = len(asked)
        open.set()
        assert await found == [["127.0.0.1"]] * 70
        return at_once

    assert asyncio.run(look_up()) == 64
    assert len(asked) == 70


def test_a_name_that_there_is_not_is_an_error_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    open = threading.Event()
    open.set()
    counted(monkeypatch, open)

    async def look_up() -> None:
        resolver = Resolver()
        for _ in range(2):
            with pytest.raises(OSError, match="no such name"):
                await resolver.resolve("nowhere", within=10)

    asyncio.run(look_up())


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "127.1"])
def test_an_address_is_not_looked_up(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    asked = counted(monkeypatch, threading.Event())

    assert asyncio.run(Resolver().resolve(host, within=1)) == ["127.0.0.1"]
    assert asked == []
