"""What a rule's seed decides: too many draws to wait for them over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server.sandbox.fault_rules import LONGEST_DELAY, NewFault, Rule

MATCHES = range(1, 2001)


def rule(**given: Any) -> Rule:
    return Rule("flt_1", NewFault.model_validate({"seed": 1, **given}))


def delays(**delay: Any) -> list[float]:
    drawing = rule(delay=delay)
    return [drawing.delay(number) for number in MATCHES]


def test_a_uniform_delay_is_anywhere_between_its_bounds() -> None:
    drawn = delays(distribution="uniform", low=1, high=3)

    assert 1 <= min(drawn) < 1.1
    assert 2.9 < max(drawn) <= 3
    assert sum(drawn) / len(drawn) == pytest.approx(2, abs=0.05)


def test_half_of_the_lognormal_delays_are_below_the_median_and_some_far_above() -> None:
    drawn = delays(distribution="lognormal", median=0.2, sigma=1)

    assert min(drawn) > 0
    assert sum(one < 0.2 for one in drawn) / len(drawn) == pytest.approx(0.5, abs=0.03)
    assert max(drawn) > 2


def test_no_delay_is_longer_than_the_longest() -> None:
    assert max(delays(distribution="lognormal", median=200, sigma=5)) == LONGEST_DELAY


def test_a_probability_is_that_share_of_the_matches() -> None:
    unlucky = rule(answer="cut", probability=0.2)

    share = sum(unlucky.fires(number, 0) for number in MATCHES) / len(MATCHES)
    assert share == pytest.approx(0.2, abs=0.02)


def test_what_is_drawn_depends_on_the_seed_and_the_match_alone() -> None:
    delay = {"distribution": "uniform", "low": 0, "high": 1}
    one, same, other = rule(delay=delay), rule(delay=delay), rule(delay=delay, seed=2)

    backwards = [same.delay(number) for number in reversed(MATCHES)]
    assert [one.delay(number) for number in MATCHES] == backwards[::-1]
    assert one.delay(1) != one.delay(2)
    assert one.delay(1) != other.delay(1)
