"""The `chargebee-idempotency-key`: a POST repeated under one key is carried out once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mock_server.wire import errors
from mock_server.wire.form import Nested

HEADER: Final = b"chargebee-idempotency-key"
REPLAYED: Final = (b"chargebee-idempotency-replayed", b"true")
LIFETIME: Final = 30 * 60
"""Seconds for which a key is remembered."""
MAX_KEY: Final = 100


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A request's key, and what tells whether another request is the same."""

    key: str
    fingerprint: str


def read_idempotency(
    headers: Mapping[bytes, bytes], method: str, path: str, values: Nested
) -> Idempotency | None:
    """The key of a request, None without one; ApiError where it is too long."""
    sent = headers.get(HEADER)
    if not sent:
        return None
    key = sent.decode("latin-1")
    if len(key) > MAX_KEY:
        raise errors.wrong_value(HEADER.decode(), f"cannot be longer than {MAX_KEY} characters")
    request = json.dumps([method, path, values], sort_keys=True)
    return Idempotency(key, hashlib.sha256(request.encode()).hexdigest())
