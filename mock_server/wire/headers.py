"""A request's headers as they are read; headers as they are kept and shown, without credentials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from starlette.types import Scope

_MASKED: Final = frozenset({b"authorization", b"cookie", b"proxy-authorization", b"set-cookie"})


def read_headers(scope: Scope) -> dict[bytes, bytes]:
    """The values of a request's headers by their names in lower case.

    White space around a value is no part of it. Of a header sent twice the first value counts.
    """
    return {name: value.strip(b" \t") for name, value in reversed(scope["headers"])}


def shown(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Names and values as text; `…` stands for the value of one that opens something."""
    return [
        (name.decode("latin-1"), "…" if name.lower() in _MASKED else value.decode("latin-1"))
        for name, value in headers
    ]
