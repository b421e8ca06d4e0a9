"""What the server says on stderr: one short line a request, warnings, and its own failures."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import Final

import click

REQUESTS: Final = "chargebee_mock.requests"

TIME_FORMAT: Final = "%H:%M:%S"

_COLOURS: Final = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}


def configure(level: str) -> None:
    """Log to stderr from `level` on; "" is info on a terminal and warning elsewhere."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Line(coloured=sys.stderr.isatty() and not os.environ.get("NO_COLOR")))
    level = (level or ("info" if sys.stderr.isatty() else "warning")).upper()
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for library in ("uvicorn", "asyncio", "httpx2", "httpcore2"):
        logging.getLogger(library).setLevel("DEBUG" if level == "DEBUG" else "WARNING")


def request_line(
    method: str, path: str, status: int, duration_us: int, remarks: Sequence[str]
) -> str:
    """`POST /api/v1/orders 200 1.3 ms`, and what was remarked of the request."""
    line = f"{method} {path} {status} {duration_us / 1000:.1f} ms"
    return "; ".join([line, *remarks])


def status_colour(status: int) -> str | None:
    """The colour of a status's class."""
    return _COLOURS.get(status // 100)


class _Line(logging.Formatter):
    """`12:30:05 POST /api/v1/orders 200 1.3 ms`, the status in the colour of its class."""

    def __init__(self, *, coloured: bool) -> None:
        super().__init__("%(asctime)s %(message)s", datefmt=TIME_FORMAT)
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        if record.name == REQUESTS:
            colour = status_colour(record.__dict__["status"])
        else:
            colour = "red" if record.levelno >= logging.ERROR else None
        return click.style(line, fg=colour) if self._coloured else line
