"""Answers kept under their idempotency keys, in the transaction of the work itself."""

from __future__ import annotations

from collections.abc import Callable

from mock_server.store.rows import Rows
from mock_server.wire import errors
from mock_server.wire.idempotency import LIFETIME, Idempotency


def once(
    rows: Rows, site: str, asked: Idempotency | None, now: int, work: Callable[[Rows], bytes]
) -> tuple[bytes, bool]:
    """The body of an answer, and whether it is one that the same request got before.

    ApiError 422 where another request used the key. Work that raises leaves its key free.
    """
    if asked is None:
        return work(rows), False
    _forget(rows, site, now - LIFETIME)
    kept = rows.find("idempotency_keys", site=site, key=asked.key)
    if kept is not None:
        if kept["fingerprint"] != asked.fingerprint:
            raise errors.idempotency_key_reused()
        return kept["body"].encode(), True
    body = work(rows)
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
    return body, False


def _forget(rows: Rows, site: str, until: int) -> None:
    """Only the site's own: another's clock may be elsewhere."""
    statement = "DELETE FROM idempotency_keys WHERE site = :site AND created_at <= :until"
    rows.execute(statement, {"site": site, "until": until})
