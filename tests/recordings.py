"""Recorded answers of the real service, which lie beside a checkout of this project or nowhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

_FOLDER: Final = Path(__file__).parents[2] / "shared" / "recorded"

needed = pytest.mark.skipif(
    not _FOLDER.is_dir(), reason="there are no recorded answers beside this checkout"
)
"""Skips a test by this reason where there are none."""


def exchanges() -> list[dict[str, Any]]:
    """Each recorded request with its response."""
    files = sorted(_FOLDER.glob("v[12]/*.json"))
    return [json.loads(file.read_text("utf-8")) for file in files]


def errors() -> list[dict[str, Any]]:
    """Each recorded error: its status, its body and the situation in which it came."""
    with (_FOLDER / "errors.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
