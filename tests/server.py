"""A real server for the tests: the command line in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2

_READY = re.compile(r"chargebee-mock ready on (https?://\S+)")

IMPATIENT: Final = "from mock_server.store import database; database.LOCK_TIMEOUT = 0.2"
"""A prelude with which a server waits little for a database that is locked."""


@dataclass(frozen=True)
class Site:
    """A site of its own for one test: its clients speak to one server and see no other test."""

    url: str
    name: str

    def api(self, key: str = "test_key", **options: Any) -> httpx2.Client:
        """A client of `/api/v1` with this API key, as Chargebee's clients call it."""
        return httpx2.Client(
            base_url=f"{self.url}/api/v1",
            auth=(key, ""),
            headers={"Host": f"{self.name}.localhost"},
            timeout=30,
            verify=False,  # it is plain http, and to load certificates takes longer than a test
            **options,
        )

    def mock(self) -> httpx2.Client:
        """A client of `/_mock` that asks about this site."""
        return httpx2.Client(
            base_url=f"{self.url}/_mock",
            headers={"Host": f"{self.name}.localhost"},
            timeout=30,
            verify=False,
        )


class Server:
    """`chargebee-mock serve` on a free port; `start` waits for its ready line.

    `launcher` is a command that runs the server's, `prelude` is Python that the server's process
    runs first, and `stderr` a file that it writes to in place of `said`.
    """

    def __init__(
        self,
        database: Path | str,
        *options: str,
        launcher: Sequence[str] = (),
        prelude: str = "",
        stderr: int = subprocess.PIPE,
        **environment: str,
    ) -> None:
        self.database = database
        self._command = [
            *launcher,
            *(sys.executable, "-c", f"{prelude}\nfrom mock_server.cli import main\nmain()"),
            *("serve", "--port", "0", "--database", str(database), *options),
        ]
        self._environment = os.environ | environment
        self._stderr = stderr
        self.url = ""
        self.said = ""
        """What a server that stopped has said on stderr."""
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> Server:
        """Start, and return when requests are answered; AssertionError with stderr if never."""
        self.process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )
        assert self.process.stdout is not None
        ready = _READY.match(self.process.stdout.readline())
        assert ready is not None, self.process.communicate()[1]
        self.url = ready[1]
        return self

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Send the signal and wait for the end; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        self.said = self.process.communicate(timeout=30)[1] or ""
        return self.process.returncode

    def site(self, name: str | None = None) -> Site:
        """A site that no other test has, or the one of that name."""
        return Site(self.url, name or f"t{uuid.uuid4().hex[:12]}-test")

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()
