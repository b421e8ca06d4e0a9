"""Patterns with `*`: they mean the same everywhere, and no pattern takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.wildcard import MAX_LENGTH, fits


def fits_naively(pattern: str, text: str) -> bool:
    """The meaning, spelled out: a star takes nothing, or a character and stays."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return fits_naively(pattern[1:], text) or (bool(text) and fits_naively(pattern, text[1:]))
    return bool(text) and pattern[0] == text[0] and fits_naively(pattern[1:], text[1:])


@given(st.text("ab*", max_size=8), st.text("ab*", max_size=10))
def test_a_star_stands_for_any_characters(pattern: str, text: str) -> None:
    assert fits(pattern, text) == fits_naively(pattern, text)


@given(st.text(max_size=10), st.text(max_size=10), st.text(max_size=10))
def test_nothing_else_is_special(before: str, between: str, after: str) -> None:
    assert fits(f"{before}*{after}", before + between + after)
    assert fits(before, before)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("/orders?", "/orders1"), ("[ab]", "a"), ("a.c", "abc"), (r"\*", "*x"), ("%", "x"), ("", "a")],
)
def test_what_other_patterns_mean_is_not_meant(pattern: str, text: str) -> None:
    assert not fits(pattern, text)


@pytest.mark.parametrize(
    "pattern", ["*a" * (MAX_LENGTH // 2), "*" + "a" * (MAX_LENGTH - 2) + "b", "a*" * 499 + "b"]
)
def test_no_pattern_takes_long(pattern: str) -> None:
    started = time.perf_counter()
    fits(pattern, "a" * 1_000_000 + "c")

    assert time.perf_counter() - started < 0.5
