"""Answers that are whole before they are sent: what goes wrong on the way is an error of its own.

A long one waits in a temporary file, so that it costs no memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import IO, Final

from fastapi.responses import StreamingResponse

from mock_server.wire import errors

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
        raise errors.temporary(f"There is no room for a long answer: {error}") from None
    except BaseException:
        kept.close()
        raise
    length = kept.tell()
    kept.seek(0)
    headers = {"Content-Length": str(length)}
    return StreamingResponse(_read(kept), media_type=media_type, headers=headers)


def _read(kept: IO[bytes]) -> Iterator[bytes]:
    with kept:
        while piece := kept.read(_PIECE):
            yield piece
