"""The one server that the processes of pytest-xdist share."""

from __future__ import annotations

import json
import os
from pathlib import Path

from filelock import FileLock

from pytest_chargebee_mock.controller import lifeline, state
from pytest_chargebee_mock.real_files import real_files
from pytest_chargebee_mock.server import Running, last_words, launch


class SharedServer:
    """The server of the controlling process's folder, started by the first that asks for it."""

    def __init__(self, folder: str, options: list[str]) -> None:
        self._folder = folder
        with FileLock(Path(folder, "lock")):
            if not state(folder).exists():
                self._running = self._start(options)
                where = {"url": self._running.url, "ca_file": self._running.ca_file}
                state(folder).write_text(json.dumps(where))
            where = json.loads(state(folder).read_text())
        self.url: str = where["url"]
        self.ca_file: str | None = where["ca_file"]

    def why_gone(self) -> str:
        """The last that is known of it, in one line."""
        with real_files(), _said(self._folder).open(encoding="utf-8") as said:
            return last_words(said)

    def _start(self, options: list[str]) -> Running:
        stdin = os.open(lifeline(self._folder), os.O_RDONLY)
        try:
            with _said(self._folder).open("w+", encoding="utf-8") as said:
                return launch(options, stdin=stdin, said=said, folder=self._folder)
        finally:
            os.close(stdin)


def _said(folder: str) -> Path:
    return Path(folder, "stderr")
