"""A server for tests: `chargebee-mock serve` on a free port, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from typing import IO, Any, Final, Self

from mock_server.testing.site import Site, create_site

_READY: Final = re.compile(r"chargebee-mock ready on (\S+)")
_STOPS_WITHIN: Final = 10


class MockServer:
    """`options` are those of `chargebee-mock serve`; the state is in memory unless they say else.

    Use it with `with`, or call `start` and `stop`.
    """

    def __init__(self, *options: str) -> None:
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self._complaints: IO[str] | None = None
        self.url = ""

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def start(self) -> Self:
        """Start, and return once requests are answered; RuntimeError with its reason if never."""
        command = [sys.executable, "-m", "mock_server", "serve", "--port", "0"]
        self._complaints = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._process = subprocess.Popen(  # noqa: S603  (our own command line)
            [*command, "--database", ":memory:", *self._options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        assert self._process.stdout is not None
        ready = _READY.match(self._process.stdout.readline())
        if ready is None:
            self._process.communicate()
            self._complaints.seek(0)
            said = self._complaints.read().strip()
            self._complaints.close()
            raise RuntimeError(f"chargebee-mock did not start: {said}")
        self.url = ready[1]
        return self

    def stop(self) -> None:
        """Stop, and wait until the process has ended."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.communicate(timeout=_STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._process = None
        if self._complaints is not None:
            self._complaints.close()

    def site(self, name: str | None = None, seed: dict[str, Any] | None = None) -> Site:
        """A fresh site, with a seed of its own in place of the server's if one is given."""
        return create_site(self.url, name, seed)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()
