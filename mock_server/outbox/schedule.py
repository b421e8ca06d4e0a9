"""When a webhook that failed is tried again, and when it is given up."""

from __future__ import annotations

from typing import Final

from mock_server.outbox.delivery import Outcome
from mock_server.store.rows import Row

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

RETRY_DELAYS: Final = (
    2 * _MINUTE,
    6 * _MINUTE,
    30 * _MINUTE,
    1 * _HOUR,
    5 * _HOUR,
    1 * _DAY,
    2 * _DAY,
)
"""Seconds from a failure to the next try."""


def after(webhook: Row, outcome: Outcome, now: float, scale: float) -> Row:
    """What changes in a webhook's row with a call that was made `now`.

    `scale` multiplies every delay. A copy, sent after the webhook had succeeded, changes nothing
    but the number of copies that are left. One that went ahead of its time and was cut off waits
    for that time: what follows does not wait for a webhook that the receiver dies of.
    """
    retries = webhook["retries"]
    if outcome.failure is None or webhook["webhook_status"] == "succeeded":
        copies = webhook["copies"]
        return {
            "webhook_status": "succeeded",
            "webhook_failure_reason": None,
            "copies": max(copies - 1, 0),
            "due_at": now if copies else None,
            "unreached": False,
        }
    if outcome.unreached and webhook["due_at"] > now:
        return {"unreached": False}
    if retries == len(RETRY_DELAYS):
        return given_up(outcome.failure) | {"retries": retries}
    return {
        "webhook_status": "re_scheduled",
        "webhook_failure_reason": outcome.failure,
        "retries": retries + 1,
        "due_at": now + RETRY_DELAYS[retries] * scale,
        "unreached": outcome.unreached,
    }


def given_up(reason: str) -> Row:
    """What changes in the row of a webhook that is not tried again."""
    return {
        "webhook_status": "failed",
        "webhook_failure_reason": reason,
        "due_at": None,
        "unreached": False,
    }
