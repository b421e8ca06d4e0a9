"""Answers kept under their idempotency keys, in the transaction of the work itself."""

from __future__ import annotations

from mock_server.store.rows import Rows
from mock_server.wire import errors
from mock_server.wire.idempotency import LIFETIME, Idempotency


def recall(rows: Rows, site: str, asked: Idempotency, now: int) -> bytes | None:
    """The body that this request got before, None where its key is new or forgotten.

    ApiError 422 where another request used the key.
    """
    row = rows.find("idempotency_keys", site=site, key=asked.key)
    if row is None or row["created_at"] + LIFETIME <= now:
        return None
    if row["fingerprint"] != asked.fingerprint:
        raise errors.idempotency_key_reused()
    body: str = row["body"]
    return body.encode()


def remember(rows: Rows, site: str, asked: Idempotency, body: bytes, now: int) -> None:
    """Keep the body of a request that succeeded, and forget those that are too old."""
    rows.execute("DELETE FROM idempotency_keys WHERE created_at <= :then", {"then": now - LIFETIME})
    rows.insert(
        "idempotency_keys",
        {
            "site": site,
            "key": asked.key,
            "fingerprint": asked.fingerprint,
            "body": body.decode(),
            "created_at": now,
        },
    )
