"""What the controlling process of pytest-xdist holds for the server that the others share.

A folder with a pipe in it, whose writing end it alone has. The server reads the pipe as its stdin,
and so ends with the controlling process, however that ends, and with no other.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

CAN_SHARE: Final = hasattr(os, "mkfifo")
"""Whether this machine has such pipes; else each process has a server of its own."""

_STOPS_WITHIN: Final = 10.0


class Controller:
    """It holds the pipe until `stop`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="chargebee-mock-")
        self.folder = self._folder.name
        pipe = lifeline(self.folder)
        os.mkfifo(pipe)
        # For reading as well: a pipe that nobody reads cannot be opened without waiting.
        self._lifeline = os.open(pipe, os.O_RDWR)

    def stop(self) -> None:
        """Let go of the pipe, and wait until the server, if one was started, answers no more."""
        os.close(self._lifeline)
        with suppress(OSError):  # no state: no server; nobody listens: it has stopped
            url = urlsplit(json.loads(state(self.folder).read_text())["url"])
            deadline = time.monotonic() + _STOPS_WITHIN
            while time.monotonic() < deadline:
                socket.create_connection((url.hostname, url.port), timeout=1).close()
                time.sleep(0.01)
        self._folder.cleanup()


def lifeline(folder: str) -> Path:
    """The pipe."""
    return Path(folder, "lifeline")


def state(folder: str) -> Path:
    """The file that says where the server is, as JSON with `url` and `ca_file`."""
    return Path(folder, "server.json")
