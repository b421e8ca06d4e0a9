"""Workers that go on whatever happens to them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

_PAUSE: Final = 1.0

_log = logging.getLogger("chargebee_mock")


async def keep_running(run: Callable[[], Awaitable[None]]) -> None:
    """Run until cancelled; a run that fails is logged and begun again after a pause."""
    while True:
        try:
            await run()
        except Exception:
            _log.exception("a worker failed and begins again")
        await asyncio.sleep(_PAUSE)
