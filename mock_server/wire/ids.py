"""Ids in Chargebee's form: six characters, the time of creation, a counter.

The time is in milliseconds since 1970, in seven digits of base 62. The counter has three digits or
four. Six characters and a counter occur together once, so that ids do not meet whatever the clock
does; the time in between is for whoever reads them.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from functools import lru_cache
from itertools import count
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]

_BEGINNINGS: Final = 62**6
_MOMENTS: Final = 62**7
"""Milliseconds until the digits of the time begin anew, in the year 2081."""
_FIRST_COUNT: Final = 62**2
"""The lowest counter: it has three digits, as most of the recorded ones."""
_COUNTS: Final = 62**4 - _FIRST_COUNT


class IdSeries:
    """Ids of which no two are the same, each known by its number in the series."""

    def __init__(self, beginning: int) -> None:
        """`beginning` decides the first six characters, until the counter is used up."""
        self._beginning = beginning

    def id(self, number: int, moment: float, prefix: str = "") -> str:
        """The id with that number, from 0; `moment` is in seconds since 1970."""
        turn, counted = divmod(number, _COUNTS)
        return (
            prefix
            + _six_characters((self._beginning + turn) % _BEGINNINGS)
            + _base62(int(moment * 1000) % _MOMENTS, 7)
            + _base62(_FIRST_COUNT + counted, 4).lstrip("0")
        )


@lru_cache
def seeded(seed: str) -> IdSeries:
    """The series that this seed always gives."""
    digest = hashlib.sha256(seed.encode()).digest()
    return IdSeries(int.from_bytes(digest) % _BEGINNINGS)


def new_id(moment: float, prefix: str = "") -> str:
    """An id that no other process makes either, as of a time in seconds since 1970."""
    return _process.series.id(next(_process.numbers), moment, prefix)


class _Process:
    """The ids that this process makes; one that is forked off must begin with its own."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.series = IdSeries(secrets.randbelow(_BEGINNINGS))
        self.numbers = count()


_process: Final = _Process()
if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_process.begin)


@lru_cache(maxsize=64)
def _six_characters(number: int) -> str:
    return _base62(number, 6)


def _base62(number: int, digits: int) -> str:
    text = ""
    for _ in range(0, digits, 2):
        number, pair = divmod(number, 62 * 62)
        text = _PAIRS[pair] + text
    return text[-digits:]
