"""Ids in Chargebee's form: base-62 characters that sort by the time they were made."""

from __future__ import annotations

import random
from typing import Final

from mock_server.wire.auth import Site

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_TIME_DIGITS: Final = 9
_RANDOM_DIGITS: Final = 8
_RANDOM_RANGE: Final = 62**_RANDOM_DIGITS
_random: Final = random.Random()  # its own, so that nobody's seed makes ids repeat  # noqa: S311

_last_microseconds: dict[str, int] = {}  # by site, as each has a clock of its own

_PAIRS: Final = [first + second for first in _ALPHABET for second in _ALPHABET]


def new_id(site: Site, prefix: str = "") -> str:
    """An id of 17 characters after its prefixes, greater than all that this process gave the site.

    Nine characters are the microsecond, eight are random, so that several servers may share a
    site. Ids of a test site carry `__test__` after `prefix`, as Chargebee's do.
    """
    now = int(site.clock.now() * 1_000_000)
    _last_microseconds[site.name] = now = max(now, _last_microseconds.get(site.name, 0) + 1)
    marker = "__test__" if site.is_test else ""
    moment = _base62(now, _TIME_DIGITS)
    chance = _base62(_random.randrange(_RANDOM_RANGE), _RANDOM_DIGITS)
    return f"{prefix}{marker}{moment}{chance}"


def _base62(number: int, digits: int) -> str:
    text = ""
    for _ in range(0, digits, 2):
        number, pair = divmod(number, 62 * 62)
        text = _PAIRS[pair] + text
    return text[-digits:]
