"""What the server says on stderr: one short line a request, warnings, and its own failures."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

REQUESTS: Final = "chargebee_mock.requests"

TIME_FORMAT: Final = "%H:%M:%S"

LINES: Final = "\n\t"
"""What `printable` keeps of a text that may have several lines."""

_COLOURS: Final = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, what ends a line or turns its direction, and halves of surrogate pairs."""


def configure(level: str) -> None:
    """Log to stderr from `level` on; "" is info on a terminal and warning elsewhere."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Line(coloured=sys.stderr.isatty() and not os.environ.get("NO_COLOR")))
    level = (level or ("info" if sys.stderr.isatty() else "warning")).upper()
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for library in ("uvicorn", "asyncio", "httpx2", "httpcore2"):
        logging.getLogger(library).setLevel("DEBUG" if level == "DEBUG" else "WARNING")


def printable(text: str, *, keep: str = "") -> str:
    """The text with everything that a terminal would act upon escaped, as `\\x1b` or `\\u202e`.

    So a stranger's text is one line and forges no other. The characters in `keep` stay.
    """

    def escaped(found: re.Match[str]) -> str:
        character = found[0]
        if character in keep:
            return character
        code = ord(character)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

    return _UNPRINTABLE.sub(escaped, text)


def request_line(
    method: str, path: str, status: int, duration_us: int, remarks: Sequence[str]
) -> str:
    """`POST /api/v1/orders 200 1.3 ms`, and what was remarked of the request."""
    line = f"{method} {path} {status} {duration_us / 1000:.1f} ms"
    return printable("; ".join([line, *remarks]))


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

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """A traceback, indented, so that what an exception quotes cannot pass for a line."""
        told = super().formatException(ei)
        return "\n".join(f"  {printable(line)}" for line in told.split("\n"))
