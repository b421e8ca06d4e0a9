"""What the server says on stderr: one short line a request, warnings, and its own failures."""

from __future__ import annotations

import logging
import os
import sys
from typing import Final

import click

REQUESTS: Final = "chargebee_mock.requests"

_COLOURS: Final = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}


def configure(level: str) -> None:
    """Log to stderr from `level` on; "" is info on a terminal and warning elsewhere."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Line(coloured=sys.stderr.isatty() and not os.environ.get("NO_COLOR")))
    level = (level or ("info" if sys.stderr.isatty() else "warning")).upper()
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for library in ("uvicorn", "asyncio", "httpx2", "httpcore2"):
        logging.getLogger(library).setLevel("DEBUG" if level == "DEBUG" else "WARNING")


class _Line(logging.Formatter):
    """`12:30:05 POST /api/v1/orders 200 1.3 ms`, the status in the colour of its class."""

    def __init__(self, *, coloured: bool) -> None:
        super().__init__("%(asctime)s %(message)s", datefmt="%H:%M:%S")
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        if record.name == REQUESTS:
            colour = _COLOURS.get(record.__dict__["status"] // 100)
        else:
            colour = "red" if record.levelno >= logging.ERROR else None
        return click.style(line, fg=colour) if self._coloured else line
