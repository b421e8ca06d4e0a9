"""The sockets that a server listens on: of one family or of both, and all on the same port."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from contextlib import ExitStack
from ipaddress import ip_address
from typing import Final

_BOTH_FAMILIES: Final = {"localhost": ("127.0.0.1", "::1"), "::": ("0.0.0.0", "::")}  # noqa: S104
"""What these hosts mean, whatever the machine's resolver makes of them."""
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""What listens there is found here by programs on the same machine."""
_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_BACKLOG: Final = 2048
_TRIES: Final = 20


def listen_on(host: str, port: int) -> list[socket.socket]:
    """A socket that takes connections for each address of the host, all on that port.

    `localhost` is 127.0.0.1 and ::1, and `::` every address of both families; of these a family is
    left out that the machine does not have. Port 0 is one that is free for all of them. OSError
    where an address cannot be had.
    """
    both = _BOTH_FAMILIES.get(host.lower())
    addresses = both or _addresses(host)
    for _ in range(_TRIES - 1):
        try:
            return _listen(addresses, port, one_will_do=both is not None)
        except OSError as error:
            if port != 0 or error.errno != errno.EADDRINUSE:
                raise  # else what was free for the first was not for the second
    return _listen(addresses, port, one_will_do=both is not None)


def are_local(listeners: Iterable[socket.socket]) -> bool:
    """Whether only this machine reaches them."""
    addresses = (str(listener.getsockname()[0]) for listener in listeners)
    return all(ip_address(address).is_loopback for address in addresses)


def url_of(listeners: Iterable[socket.socket], scheme: str = "http") -> str:
    """Where programs on this machine call them: an IPv4 address if there is one."""
    listener = min(listeners, key=lambda one: one.family == socket.AF_INET6)
    host, port = listener.getsockname()[:2]
    return url_at(host, port, scheme)


def url_at(host: str, port: int, scheme: str = "http") -> str:
    """Where programs on this machine call a server that was told to listen there."""
    host = _BOTH_FAMILIES.get(host.lower(), [host])[0]
    host = _EVERYWHERE.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _addresses(host: str) -> Iterable[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return dict.fromkeys(str(address[0]) for *_, address in found)


def _listen(addresses: Iterable[str], port: int, *, one_will_do: bool) -> list[socket.socket]:
    listeners: list[socket.socket] = []
    missing = None
    with ExitStack() as opened:
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                listener = socket.create_server((address, port), family=family, backlog=_BACKLOG)
            except OSError as error:
                if not one_will_do or error.errno not in _NOT_HERE:
                    raise
                missing = error
                continue
            listeners.append(opened.enter_context(listener))
            port = listener.getsockname()[1]
        if missing is not None and not listeners:
            raise missing
        opened.pop_all()
    return listeners
