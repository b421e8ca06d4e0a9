"""The real file system, while pyfakefs shows the tests another."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any


def real_files() -> AbstractContextManager[Any]:
    """Within it files are real; pyfakefs, if it is at work, goes on after it."""
    pyfakefs = sys.modules.get("pyfakefs.fake_filesystem_unittest")
    patcher = pyfakefs and pyfakefs.Patcher.PATCHER
    if pyfakefs is None or patcher is None or not patcher.is_patching:
        return nullcontext()
    pause: AbstractContextManager[Any] = pyfakefs.Pause(patcher)
    return pause
