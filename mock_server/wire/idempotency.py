"""The `chargebee-idempotency-key`: a POST repeated under one key is carried out once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from mock_server.wire import errors
from mock_server.wire.form import Nested

HEADER: Final = b"chargebee-idempotency-key"
REPLAYED: Final = (b"chargebee-idempotency-replayed", b"true")
LIFETIME: Final = 30 * 60
"""Seconds for which a key is remembered."""
MAX_KEY: Final = 100

_DIRECTIVES: Final = b"chargebee-"
"""How the headers begin that change what a request does."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A request's key, which request it is, and what tells whether another one is the same."""

    key: str
    request_id: str
    fingerprint: str


class Underway:
    """The idempotency keys of the requests that this process has not answered yet."""

    def __init__(self) -> None:
        self._holders: dict[tuple[str, str], str] = {}

    @contextmanager
    def hold(self, site: str, key: str | None, request_id: str) -> Iterator[None]:
        """Hold the key for this request; ApiError 409 where another one of the site holds it.

        A request may hold its key twice, in two rooms that it comes through; without a key it
        holds nothing.
        """
        if key is None or self._holders.get((site, key)) == request_id:
            yield
            return
        if (site, key) in self._holders:
            raise errors.request_in_progress()
        self._holders[site, key] = request_id
        try:
            yield
        finally:
            del self._holders[site, key]


def key_of(headers: Mapping[bytes, bytes]) -> str | None:
    """The key that a request sends, whatever it is like; None where it sends none."""
    sent = headers.get(HEADER)
    return sent.decode("latin-1") if sent else None


def read_idempotency(
    headers: Mapping[bytes, bytes], request_id: str, target: Sequence[str], values: Nested
) -> Idempotency | None:
    """The key of a request, None without one; ApiError where it is too long.

    `target` is what its path names, and `values` are its parameters.
    """
    key = key_of(headers)
    if key is None:
        return None
    if len(key) > MAX_KEY:
        raise errors.wrong_value(HEADER.decode(), f"cannot be longer than {MAX_KEY} characters")
    directives = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in headers.items()
        if name.startswith(_DIRECTIVES) and name != HEADER
    }
    request = json.dumps([target, values, directives], sort_keys=True)
    return Idempotency(key, request_id, hashlib.sha256(request.encode()).hexdigest())
