"""A server for tests: `chargebee-mock serve` on a free port, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Self

from pytest_chargebee_mock.handles.site import Site, create_site
from pytest_chargebee_mock.real_files import real_files

_READY: Final = re.compile(r"chargebee-mock ready on (\S+)")
_TRUSTED: Final = re.compile(r"clients trust it with .* set to (.+)")
_STOPS_WITHIN: Final = 10
_VARIABLES: Final = "CHARGEBEE_MOCK_"
_LAUNCH: Final = str(Path(__file__).parent / "launch.py")


@dataclass(frozen=True)
class Running:
    """A server's process, and where it answers; `ca_file` is its certificate with --tls."""

    process: subprocess.Popen[str]
    url: str
    ca_file: str | None


def launch(options: Sequence[str], *, stdin: int, said: IO[str], folder: str | None) -> Running:
    """A server that answers requests, and ends when `stdin` does; RuntimeError with its reason.

    `said` gets its stderr, and `folder` what it keeps with --tls. It takes no options from the
    environment, and has a session of its own: Ctrl-C in a terminal is for the tests, which may
    need it yet.
    """
    keeps = folder and "--tls" in options
    database = str(Path(folder, "chargebee.sqlite")) if folder and keeps else ":memory:"
    process = subprocess.Popen(  # noqa: S603  (our own command line)
        [
            *(sys.executable, "-P", _LAUNCH, "serve", "--stop-with-stdin"),
            *("--port", "0", "--database", database, *options),
        ],
        env={name: text for name, text in os.environ.items() if not name.startswith(_VARIABLES)},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    assert process.stdout is not None
    ready = _READY.match(process.stdout.readline())
    if ready is None:
        process.communicate()
        said.seek(0)
        raise RuntimeError(f"chargebee-mock did not start: {said.read().strip()}")
    url = ready[1]
    trusted = _TRUSTED.match(process.stdout.readline()) if url.startswith("https:") else None
    return Running(process, url, trusted and trusted[1])


def last_words(said: IO[str]) -> str:
    """The last line of what a server has written to its stderr."""
    said.seek(0)
    lines = said.read().split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it has said nothing")


class MockServer:
    """`options` are those of `chargebee-mock serve`; the state is in memory unless they say else.

    Use it with `with`, or call `start` and `stop`. The server ends with this process, too, however
    this ends.
    """

    def __init__(self, *options: str) -> None:
        self._options = options
        self._running: Running | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._said: IO[str] | None = None

    @property
    def url(self) -> str:
        return self._started.url

    @property
    def ca_file(self) -> str | None:
        """With --tls, the certificate that clients have to trust."""
        return self._started.ca_file

    @property
    def pid(self) -> int:
        return self._started.process.pid

    def start(self) -> Self:
        """Start, and return once requests are answered; RuntimeError with its reason if never."""
        with real_files():
            if "--tls" in self._options:
                self._folder = tempfile.TemporaryDirectory()
            self._said = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
            try:
                self._running = launch(
                    self._options,
                    stdin=subprocess.PIPE,
                    said=self._said,
                    folder=None if self._folder is None else self._folder.name,
                )
            except RuntimeError:
                self._clean()
                raise
        return self

    def why_gone(self) -> str:
        """The last that is known of it, in one line."""
        assert self._said is not None
        code = self._started.process.poll()
        ended = "it runs" if code is None else f"it ended with exit code {code}"
        return f"{ended}; {last_words(self._said)}"

    def stop(self) -> None:
        """Stop, and wait until the process has ended."""
        if self._running is None:
            return
        process = self._running.process
        with real_files():
            process.terminate()
            try:
                process.communicate(timeout=_STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            self._clean()
        self._running = None

    def site(self, name: str | None = None, seed: dict[str, Any] | None = None) -> Site:
        """A fresh site, with a seed of its own in place of the server's if one is given."""
        return create_site(self.url, name, seed, self.ca_file)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def _started(self) -> Running:
        assert self._running is not None, "the server was not started"
        return self._running

    def _clean(self) -> None:
        if self._said is not None:
            self._said.close()
        if self._folder is not None:
            self._folder.cleanup()
