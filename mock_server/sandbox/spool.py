"""Answers that are whole before they are sent: what goes wrong on the way is an error of its own.

A long one waits in a temporary file, so that it costs no memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from fastapi.responses import StreamingResponse

from mock_server.wire import errors

SQLITE: Final = "application/vnd.sqlite3"
"""The type of an SQLite file."""

_IN_MEMORY: Final = 4 * 1024 * 1024
_PIECE: Final = 64 * 1024


async def spooled(pieces: AsyncIterator[str], media_type: str) -> StreamingResponse:
    """The answer that these pieces make; ApiError 503 where there is no room to keep them."""
    kept = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  (closed when sent)
    try:
        async for piece in pieces:
            kept.write(piece.encode())
    except OSError as error:
        kept.close()
        raise errors.temporary(f"There is no room for a long answer: {error.strerror}") from None
    except BaseException:
        kept.close()
        raise
    length = kept.tell()
    kept.seek(0)
    headers = {"Content-Length": str(length)}
    return StreamingResponse(_read(kept), media_type=media_type, headers=headers)


@contextmanager
def room() -> Iterator[Path]:
    """A folder of the caller's own for a file; ApiError 503 where there is no room for one."""
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as error:
        raise errors.temporary(f"There is no room for a file: {error.strerror}") from None


def sent(file: Path, name: str) -> StreamingResponse:
    """The answer that a file is, to be kept under that name. The file may be removed at once."""
    kept = file.open("rb")
    headers = {
        "Content-Length": str(file.stat().st_size),
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return StreamingResponse(_read(kept), media_type=SQLITE, headers=headers)


def _read(kept: IO[bytes]) -> Iterator[bytes]:
    with kept:
        while piece := kept.read(_PIECE):
            yield piece
