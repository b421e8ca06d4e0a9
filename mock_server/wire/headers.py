"""Headers as they are kept and shown: as on the wire, but for credentials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_MASKED: Final = frozenset({b"authorization", b"cookie", b"proxy-authorization", b"set-cookie"})


def shown(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Names and values as text; `…` stands for the value of one that opens something."""
    return [
        (name.decode("latin-1"), "…" if name.lower() in _MASKED else value.decode("latin-1"))
        for name, value in headers
    ]
