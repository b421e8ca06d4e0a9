"""Ports that stay free until they are used: the system hands out none of these by itself."""

from __future__ import annotations

import random
import socket
from typing import Final

_BELOW_THE_SYSTEMS_OWN: Final = range(20_000, 32_000)


def free_port() -> int:
    """A port that nobody listens on, and that no server asking for any port is given."""
    while True:
        port = random.SystemRandom().choice(_BELOW_THE_SYSTEMS_OWN)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


def has_ipv6() -> bool:
    """Whether this machine has the address ::1."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
