"""When a webhook is tried again: the delays are Chargebee's, and seven is the end of it."""

from __future__ import annotations

import pytest

from mock_server.outbox import schedule
from mock_server.outbox.delivery import Outcome
from mock_server.store.rows import Row

NOW = 1_700_000_000.5
MINUTE, HOUR, DAY = 60, 3600, 86_400
DELAYS = [2 * MINUTE, 6 * MINUTE, 30 * MINUTE, HOUR, 5 * HOUR, DAY, 2 * DAY]

SUCCESS = Outcome(None)
REFUSAL = Outcome("Received error code 500")
NOBODY = Outcome("Cannot connect", connected=False, unreached=True)


def webhook(status: str = "scheduled", *, retries: int = 0, copies: int = 0) -> Row:
    return {"webhook_status": status, "retries": retries, "copies": copies, "due_at": NOW}


@pytest.mark.parametrize("scale", [1, 0.001, 0])
@pytest.mark.parametrize(("retries", "delay"), list(enumerate(DELAYS)))
def test_each_failure_waits_longer_for_the_next_try(retries: int, delay: int, scale: float) -> None:
    changes = schedule.after(webhook(retries=retries), REFUSAL, NOW, scale)

    assert changes == {
        "webhook_status": "re_scheduled",
        "webhook_failure_reason": "Received error code 500",
        "retries": retries + 1,
        "due_at": pytest.approx(NOW + delay * scale, abs=1e-6),
        "unreached": False,
    }


@pytest.mark.parametrize("outcome", [REFUSAL, NOBODY])
def test_the_failure_of_the_seventh_retry_is_final(outcome: Outcome) -> None:
    changes = schedule.after(webhook("re_scheduled", retries=7), outcome, NOW, 1)

    assert changes == {
        "webhook_status": "failed",
        "webhook_failure_reason": outcome.failure,
        "retries": 7,
        "due_at": None,
        "unreached": False,
    }


def test_a_webhook_that_found_nobody_is_marked() -> None:
    assert schedule.after(webhook(), NOBODY, NOW, 1)["unreached"] is True


def test_a_webhook_that_is_cut_off_ahead_of_its_time_waits_for_it() -> None:
    cut_off = Outcome("The connection was cut", unreached=True)

    assert schedule.after(webhook(), cut_off, NOW - 1, 1) == {"unreached": False}
    assert schedule.after(webhook(), cut_off, NOW, 1)["unreached"] is True


def test_a_refusal_ahead_of_its_time_counts() -> None:
    changes = schedule.after(webhook(retries=1), REFUSAL, NOW - 1, 1)

    assert (changes["retries"], changes["due_at"]) == (2, NOW - 1 + 6 * MINUTE)


@pytest.mark.parametrize("retries", [0, 3, 7])
def test_a_success_ends_it(retries: int) -> None:
    changes = schedule.after(webhook("re_scheduled", retries=retries), SUCCESS, NOW, 1)

    assert changes == {
        "webhook_status": "succeeded",
        "webhook_failure_reason": None,
        "copies": 0,
        "due_at": None,
        "unreached": False,
    }


@pytest.mark.parametrize("outcome", [SUCCESS, REFUSAL, NOBODY])
def test_copies_follow_a_success_whatever_becomes_of_them(outcome: Outcome) -> None:
    row = webhook(copies=2) | schedule.after(webhook(copies=2), SUCCESS, NOW, 1)
    assert (row["webhook_status"], row["due_at"]) == ("succeeded", NOW)

    row |= schedule.after(row, outcome, NOW + 1, 1)
    assert (row["webhook_status"], row["due_at"]) == ("succeeded", NOW + 1)

    row |= schedule.after(row, outcome, NOW + 2, 1)
    assert (row["webhook_status"], row["due_at"]) == ("succeeded", None)
    assert row["webhook_failure_reason"] is None


def test_a_failure_keeps_the_copies_for_later() -> None:
    assert "copies" not in schedule.after(webhook(copies=2), REFUSAL, NOW, 1)
