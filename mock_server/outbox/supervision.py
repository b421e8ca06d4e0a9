"""Workers that go on whatever happens to them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from mock_server.wire.errors import ApiError

_PAUSE: Final = 1.0

_log = logging.getLogger("chargebee_mock")


async def keep_running(run: Callable[[], Awaitable[None]]) -> None:
    """Run until cancelled; a run that fails is logged and begun again after a pause."""
    while True:
        try:
            await run()
        except ApiError as error:  # the database fails it: nothing of ours to mend
            _log.warning("a worker stands still for a moment: %s", error)
        except Exception:
            _log.exception("a worker failed and begins again")
        await asyncio.sleep(_PAUSE)
