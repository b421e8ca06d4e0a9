"""Answers kept under their idempotency keys, in the transaction of the work itself.

A key that a request holds longer than its transaction takes, as one that a fault delays does,
stands in a table of its own: so that processes know of each other's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pydantic_core import to_json

from mock_server.store.rows import Rows
from mock_server.wire import errors
from mock_server.wire.errors import ApiError
from mock_server.wire.idempotency import LIFETIME, Idempotency


class Kept(NamedTuple):
    """An answer; `replayed` tells that the same request got it before."""

    status: int
    body: bytes
    replayed: bool


def once(
    rows: Rows,
    site: str,
    asked: Idempotency,
    now: int,
    moment: float,
    work: Callable[[Rows], bytes],
) -> Kept | ApiError:
    """What the request comes to, the first time or again; a refusal that is new as an ApiError.

    `now` is the site's time, `moment` the machine's. ApiError 409 where another request holds the
    key, 422 where another request used it. A refusal of 500 or more says that the sandbox failed,
    so it is raised, and leaves the key free.
    """
    check_free(rows, site, asked.key, asked.request_id, moment)
    _forget(rows, site, now - LIFETIME)
    kept = rows.find("idempotency_keys", site=site, key=asked.key)
    if kept is not None:
        if kept["fingerprint"] != asked.fingerprint:
            raise errors.idempotency_key_reused()
        return Kept(kept["status"], kept["body"].encode(), replayed=True)
    try:
        answer = Kept(200, rows.attempt(work), replayed=False)
    except ApiError as refusal:
        if refusal.status >= 500:
            raise
        _keep(rows, site, asked, now, refusal.status, to_json(refusal.body()))
        return refusal
    _keep(rows, site, asked, now, answer.status, answer.body)
    return answer


def hold(rows: Rows, site: str, key: str, request_id: str, moment: float, seconds: float) -> None:
    """Hold the key for the request for so long after that moment of the machine's clock."""
    lapsed = "DELETE FROM idempotency_holds WHERE site = :site AND until <= :moment"
    rows.execute(lapsed, {"site": site, "moment": moment})
    row = {"site": site, "key": key, "request_id": request_id, "until": moment + seconds}
    rows.replace("idempotency_holds", row)


def check_free(rows: Rows, site: str, key: str, request_id: str, moment: float) -> None:
    """ApiError 409 where, at that moment, a request other than this one holds the key."""
    held = rows.find("idempotency_holds", site=site, key=key)
    if held is not None and held["until"] > moment and held["request_id"] != request_id:
        raise errors.request_in_progress()


def _keep(rows: Rows, site: str, asked: Idempotency, now: int, status: int, body: bytes) -> None:
    rows.insert(
        "idempotency_keys",
        {
            "site": site,
            "key": asked.key,
            "fingerprint": asked.fingerprint,
            "body": body.decode(),
            "created_at": now,
            "status": status,
        },
    )


def _forget(rows: Rows, site: str, until: int) -> None:
    """Only the site's own: another's clock may be elsewhere."""
    statement = "DELETE FROM idempotency_keys WHERE site = :site AND created_at <= :until"
    rows.execute(statement, {"site": site, "until": until})
