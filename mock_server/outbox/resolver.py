"""Host names become addresses, in threads that nobody waits for.

The system's look-up blocks, for half a minute where no name server answers, and cannot be called
off. In the event loop's own pool a few of them would hold up everything else, and a stop as well.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import Final, TypeAlias

_MOST_AT_ONCE: Final = 64

_Found: TypeAlias = list[str] | OSError


class Resolver:
    """Looks hosts up; of the same name one look-up at a time, and so many in all."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[_Found]] = {}
        self._free = asyncio.Semaphore(_MOST_AT_ONCE)

    async def resolve(self, host: str, within: float) -> list[str]:
        """The IP addresses of a host, at least one.

        OSError where it has none, or none was found within so many seconds; a look-up that goes on
        is left to whoever asks next.
        """
        spelled_out = _spelled_out(host)
        if spelled_out is not None:
            return spelled_out
        try:
            async with asyncio.timeout(within):
                return await self._look_up(host)
        except TimeoutError:
            raise OSError(f"{host} was not found within {within:g} s") from None

    async def _look_up(self, host: str) -> list[str]:
        if host not in self._under_way:
            await self._free.acquire()
            if host in self._under_way:  # somebody else began meanwhile
                self._free.release()
            else:
                self._begin(host)
        found = await asyncio.shield(self._under_way[host])
        if isinstance(found, OSError):
            raise found
        return found

    def _begin(self, host: str) -> None:
        loop = asyncio.get_running_loop()
        self._under_way[host] = outcome = loop.create_future()

        def end(found: _Found) -> None:
            del self._under_way[host]
            self._free.release()
            outcome.set_result(found)

        def look_up() -> None:
            found = _ask(host)
            with suppress(RuntimeError):  # the server has stopped meanwhile
                loop.call_soon_threadsafe(end, found)

        # One that is no daemon would keep the process alive.
        threading.Thread(target=look_up, name="look-up", daemon=True).start()


def _spelled_out(host: str) -> list[str] | None:
    """The address that the host already is, in whatever spelling; None for a name."""
    try:
        return _addresses(host, socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None


def _ask(host: str) -> _Found:
    try:
        return _addresses(host)
    except OSError as error:
        return error
    except UnicodeError as error:  # a name that no name server could have
        return OSError(str(error))


def _addresses(host: str, flags: int = 0) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=flags)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
